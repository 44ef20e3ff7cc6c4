"""Asked of every fingerprint: its examples hold, its counter-examples do not, nobody else is accused."""

import json
import re
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
import re2

import auditor
from auditor.identify.evidence import of_observation
from auditor.identify.fingerprints import PatternSet, as_bytes
from auditor.identify.knowledge import Knowledge
from auditor.identify.recog import read_file
from auditor.identify.resolve import resolve
from auditor.model.identity import Standing, Strength
from auditor.model.observation import Observation

DATA = Path(auditor.__file__).parent / "data"
KNOWN = Knowledge.load(DATA, DATA.parent.parent / "oui_data")
PRINTS = KNOWN.library.fingerprints
TOP = {Strength.SELF_DECLARED, Strength.PLATFORM}
GENERIC = (
    "Boa", "Boa/0.94.14rc21", "thttpd", "mini_httpd/1.30", "micro_httpd", "lighttpd/1.4.35", "nginx",
    "GoAhead-Webs", "Webs", "web", "webserver", "Webserver", "httpd", "HTTPD", "server", "gSOAP/2.8",
    "alphapd", "Apache", "Microsoft-IIS/10.0", "Network Camera", "IP Camera", "Cross Web Server",
)  # fmt: skip
every_print = pytest.mark.parametrize("print_", PRINTS, ids=lambda p: p.rule)


def rules(print_, text):
    return {hit.fingerprint.rule for hit in KNOWN.library.match(print_.field, text)}


def named(print_, text):
    evidence = of_observation(Observation(print_.field, text), KNOWN)
    return resolve(evidence, KNOWN)


@every_print
def test_its_examples_match(print_):
    assert print_.examples
    for example in print_.examples:
        assert print_.rule in rules(print_, example.text), example.text


@every_print
def test_its_counterexamples_do_not_match(print_):
    for text in print_.counterexamples:
        assert print_.rule not in rules(print_, text), text


@every_print
def test_what_an_example_says_of_its_captures_is_captured(print_):
    written = {param.name: param for param in print_.written.params}
    for example in print_.examples:
        (hit,) = [
            h for h in KNOWN.library.match(print_.field, example.text) if h.fingerprint is print_
        ]
        for name, value in example.params:
            assert name in written, f"{print_.rule}: no param {name}"
            trait = name.removeprefix("auditor.")
            assert dict(hit.claims).get(trait) == unquote(value), example.text


@every_print
def test_every_capture_is_shown_by_an_example(print_):
    captured = {param.name for param in print_.written.params if param.pos}
    shown = {name for example in print_.examples for name, _ in example.params}
    assert captured <= shown, f"no example gives the value of {captured - shown}"


@every_print
def test_no_other_fingerprint_steals_its_examples(print_):
    """Other fingerprints may match as well, and none of them may name another maker."""
    claimed = {c.value for c in print_.claims if c.trait == "maker" and not c.pos}
    for example in print_.examples:
        identity = named(print_, example.text)
        assert not any(c.code == "two_makers" for c in identity.contradictions), example.text
        if claimed and identity.maker.value:
            one, other = identity.maker.value, claimed.pop()
            assert one == other or KNOWN.makers.same_house(one, other), example.text
            claimed.add(other)


@every_print
def test_a_fingerprint_that_names_a_maker_does_so_by_itself_only_when_it_may(print_):
    if not any(c.trait == "maker" for c in print_.claims):
        return
    typed = KNOWN.vocabulary.is_typed(print_.field, KNOWN.vocabulary.kind(print_.field))
    for example in print_.examples:
        standing = named(print_, example.text).maker.standing
        if print_.strength is Strength.HINT:
            continue  # another fingerprint may match the same text more strongly
        if typed or print_.strength is Strength.PLATFORM:
            assert standing in {Standing.PROBABLE, Standing.CONFIRMED, Standing.HINT}
        if typed:
            assert standing is not Standing.CONFIRMED, example.text


@every_print
def test_it_runs_in_linear_time(print_):
    patterns = PatternSet((print_.pattern,))
    patterns.match(b"")
    assert not patterns.isolated, "RE2 refuses this pattern"
    for piece in ("a", "1", " ", '"', "DS-", "realm=", "\n"):
        started = time.perf_counter()
        patterns.match(as_bytes(piece * 65_536))
        assert time.perf_counter() - started < 1.0


@every_print
def test_it_reads_the_same_in_other_readers_of_the_format(print_):
    """Recog's own tools use other engines: the pattern must mean the same to Python's."""
    pattern = re.sub(r"\\x\{(\w{4})\}", r"\\u\1", print_.pattern).replace(r"\z", r"\Z")
    own = re.compile(pattern, re.MULTILINE)
    for example in print_.examples:
        found = own.search(example.text)
        assert found, example.text
        theirs = re2.compile("(?m)" + print_.pattern).search(example.text)
        assert [g or "" for g in found.groups()] == [g or "" for g in theirs.groups()]


@every_print
def test_a_platform_fingerprint_knows_its_look_alikes(print_):
    if print_.strength in TOP:
        assert print_.counterexamples, f"{print_.rule} has no counterexample"


def test_no_two_fingerprints_share_an_id():
    names = [print_.rule.split("@")[0] for print_ in PRINTS]
    assert len(names) == len(set(names))


def test_every_file_holds_only_what_recog_and_our_three_additions_know():
    """Recog's schema, as far as it applies: elements, attributes, flags and example attributes."""
    root = {"matches", "protocol", "database_type", "preference"}
    flags = {"REG_ICASE", "REG_DOT_NEWLINE", "REG_MULTILINE", "REG_LINE_ANY_CRLF"}
    for path in sorted((DATA / "fingerprints").glob("*.xml")):
        mistakes: list[str] = []
        elements = read_file(path, mistakes)
        assert not mistakes
        head = re.search(r"<fingerprints([^>]*)>", path.read_text("utf-8"))
        assert set(re.findall(r"([\w.]+)=", head[1])) <= root
        for element in elements:
            assert element.flags <= flags, f"{path.name}:{element.line}"
            for param in element.params:
                assert param.pos == 0 or not param.value, f"{path.name}:{element.line}"


def test_the_generic_names_of_web_servers_name_nobody():
    for text in GENERIC:
        identity = resolve(of_observation(Observation("http.server", text), KNOWN), KNOWN)
        assert identity.maker.value is None, text


def test_the_answer_is_the_same_whatever_the_order_of_the_evidence():
    texts = [(p.field, p.examples[0].text) for p in PRINTS[:40]]
    forward = resolve(
        (e for f, v in texts for e in of_observation(Observation(f, v), KNOWN)), KNOWN
    )
    backward = resolve(
        (e for f, v in reversed(texts) for e in of_observation(Observation(f, v), KNOWN)), KNOWN
    )
    assert forward.maker.value == backward.maker.value
    assert forward.standing is backward.standing
    assert json.dumps(forward.brand.value) == json.dumps(backward.brand.value)
