"""`identify --json`: a line in, a line out, in order, whatever the line holds."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.identify.identify import as_json, of_observations
from auditor.identify.stream import OBSERVATIONS, identify_lines
from auditor.model.observation import Observation
from tests.identify.conftest import DATA

KEYS = ["id", "maker", "brand", "model", "serial", "firmware", "device_class", "standing",
        "contradictions", "evidence"]  # fmt: skip


def ask(known, *lines):
    return [json.loads(line) for line in identify_lines(lines, known)]


def test_the_long_and_the_short_form(known):
    long, short = ask(
        known,
        '{"id": "x1", "observations": [{"field": "http.server", "value": "AcmeWeb/1"}]}',
        '{"id": "x2", "field": "http.server", "value": "AcmeWeb/1"}',
    )
    assert (long.pop("id"), short.pop("id")) == ("x1", "x2")
    assert long == short
    assert long["maker"] == "Acme"
    assert long["standing"] == "probable"
    assert long["evidence"] == [
        {
            "trait": "maker",
            "claim": "Acme",
            "rule": "acme-server@1",
            "strength": "PLATFORM",
            "field": "http.server",
            "value": "AcmeWeb/1",
        }
    ]


def test_every_answer_has_the_keys_of_the_contract(known):
    (answer,) = ask(known, '{"id": 1, "observations": []}')
    assert sorted(answer) == sorted(KEYS)
    assert (answer["maker"], answer["standing"]) == (None, "unknown")


@pytest.mark.parametrize(
    ("line", "identifier"),
    [
        ("{", None),
        ("[]", None),
        ("null", None),
        ('"text"', None),
        ('{"id": "q"}', "q"),
        ('{"id": "q", "field": "mac"}', "q"),
        ('{"id": "q", "field": "mac", "value": 5}', "q"),
        ('{"id": "q", "observations": {}}', "q"),
        ('{"id": "q", "observations": [5]}', "q"),
        ('{"id": {"deep": 1}, "observations": 1}', None),
        ("[" * 100_000, None),
        ("\x00\ud800", None),
        ('{"id": "q", "observations": ' + json.dumps([{}] * (OBSERVATIONS + 1)) + "}", "q"),
    ],
)
def test_a_line_that_is_no_question_is_answered_with_an_error_and_the_rest_goes_on(
    known, line, identifier
):
    broken, good = ask(known, line, '{"id": "after", "field": "http.server", "value": "AcmeWeb/"}')
    assert broken["id"] == identifier
    assert "line 1" in broken["error"]
    assert (good["id"], good["maker"]) == ("after", "Acme")


def test_empty_lines_are_passed_over(known):
    assert len(ask(known, "", "  \n", '{"id": "x", "observations": []}\n')) == 1


VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([
        "AcmeWeb/1", "Acme", "Globex", "InitechWeb", "00:aa:00:00:00:01", "00-AA-04-00-00-01",
        'Digest realm="Acme AC-1234 sn AC20190910123456"', "AC-1234", "AR-1234", "O=Acme, CN=x",
    ]),
)  # fmt: skip
FIELDS = st.sampled_from(
    ["mac", "http.server", "http.title", "http.wwwauth", "tls.subject", "device.model",
     "device.serial", "asset.manufacturer", "asset.serial", "no.such"]
)  # fmt: skip


@given(st.lists(st.lists(st.tuples(FIELDS, VALUES), max_size=5), max_size=5))
def test_the_stream_answers_what_the_ladder_answers(known, questions):
    """What a shape of evidence came to is remembered; it must be as if it were not."""
    lines = [
        json.dumps({"id": n, "observations": [{"field": f, "value": v} for f, v in seen]})
        for n, seen in enumerate(questions)
    ]
    for number, (seen, answer) in enumerate(
        zip(questions, ask(known, *lines, *lines), strict=False)
    ):
        found = as_json(
            of_observations([Observation(*pair) for pair in dict.fromkeys(seen)], known)
        )
        assert answer.pop("id") == number
        assert answer == json.loads(json.dumps(found))


COUNTER = """
import json, resource, sys
from pathlib import Path
from auditor.identify.knowledge import Knowledge
from auditor.identify.stream import identify_lines
known = Knowledge.load(Path(sys.argv[1]), Path(sys.argv[2]))
lines = (
    json.dumps({"id": n, "field": "http.wwwauth", "value": f'realm="Acme AC-1234 sn AC{n:014d}"'})
    for n in range(70_000)
)
for number, _ in enumerate(identify_lines(lines, known), 1):
    if number % 35_000 == 0:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_flat_however_many_lines(lay):
    words = [sys.executable, "-c", COUNTER, *map(str, lay())]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=DATA.parent.parent)
    half, whole = map(int, done.stdout.split())
    assert whole < half + 4_000  # kB


def test_megabytes_and_hostile_text_come_back_as_plain_json(known):
    value = "AcmeWeb/\u202e\x1b]0;pwned\x07" + "A" * 3_000_000
    (line,) = identify_lines(
        [json.dumps({"id": "\u2028", "field": "http.server", "value": value})], known
    )
    assert line.isascii()
    assert len(line) < 10_000
    assert json.loads(line)["maker"] == "Acme"
