"""The fingerprint engine: Recog's format, RE2 sets that cannot fail silently, hostile text."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.identify import fingerprints as module
from auditor.identify.fingerprints import PatternSet, as_bytes
from auditor.identify.knowledge import Knowledge
from auditor.identify.recog import read_file, read_folder
from auditor.model.identity import Strength
from tests.identify.made_up import FINGERPRINTS, element, file_of

PATTERNS = (r"^Acme/(\d+)", r"(?i)web", r"\Aline one$", r"x{2,3}$")
RECOG = """<?xml version="1.0"?>
<!-- a third-party file, as of the field's open standard -->
<fingerprints matches="http_header.server" protocol="http" database_type="service" preference="0.90">
  <fingerprint pattern="^Acme Camera/(\\S+)$" flags="REG_ICASE,REG_MULTILINE">
    <description>an Acme camera</description>
    <example hw.version="1.2">acme camera/1.2</example>
    <param pos="0" name="hw.vendor" value="Acme"/>
    <param pos="0" name="hw.device" value="IP Camera"/>
    <param pos="1" name="hw.version"/>
    <param pos="0" name="hw.product" value="Camera {hw.version}"/>
  </fingerprint>
  <fingerprint pattern="^Acme" certainty="0.5">
    <description>something of Acme's</description>
    <param pos="0" name="hw.vendor" value="Acme"/>
  </fingerprint>
  <fingerprint pattern="^(?=Look)Lookahead">
    <description>needs another engine</description>
    <param pos="0" name="hw.vendor" value="Initech"/>
  </fingerprint>
  <fingerprint pattern="^Unknown[" certainty="0.9">
    <description>broken</description>
    <param pos="0" name="hw.vendor" value="Initech"/>
  </fingerprint>
  <fingerprint pattern="^Stack/2">
    <description>claims no device</description>
    <param pos="0" name="service.vendor" value="Stack"/>
  </fingerprint>
</fingerprints>
"""


def test_a_set_gives_every_pattern_that_occurs():
    patterns = PatternSet(PATTERNS)
    assert patterns.match(b"Acme/12 WEB") == [0, 1]
    assert patterns.match(b"nothing") == []
    assert patterns.match(b"") == []


def test_line_ends_are_ends_as_in_recog():
    patterns = PatternSet(PATTERNS)
    assert patterns.match(b"line one\nxx") == [2, 3]
    assert patterns.match(b"first\nAcme/1") == [0]
    assert patterns.match(b"first\nline one") == []


@pytest.mark.parametrize("max_mem", [1_000, 3_000, 20_000, module.MAX_MEM_BYTES])
def test_a_set_that_runs_out_of_memory_answers_the_same_and_is_counted(max_mem):
    several = [rf"(?i)a.{{1,20}}b{n}.*[0-9]{{3,9}}x" for n in range(60)] + [r"^Acme/(\d+)"]
    whole, starved = PatternSet(several), PatternSet(several, max_mem=max_mem)
    for text in (b"Acme/1 a--b7--1234x", b"a" * 3_000 + b"b59 0000x", b"nothing"):
        assert starved.match(text) == whole.match(text)
    assert whole.fallbacks == 0
    assert (starved.fallbacks > 0) == (max_mem < 100_000)


def test_a_pattern_that_re2_refuses_is_isolated_and_cut_short():
    patterns = PatternSet((r"^Acme", r"^(?=Look)Look(\w*)", r"(unclosed"))
    assert patterns.match(b"Lookahead") == [1]
    assert patterns.match(b"Acme") == [0]
    assert patterns.isolated == (1, 2)
    assert patterns.groups(1, b"Lookahead") == ("ahead",)
    assert patterns.groups(0, b"Acme") == ()
    far = b" " * module.ISOLATED_CHARS + b"\nLookahead"
    assert patterns.match(far) == []


def test_captures_are_text_whatever_the_bytes():
    patterns = PatternSet((r"^Acme (\C+)$", r"^Opt(a)?(b)?"))
    assert patterns.groups(0, b"Acme \xff\x00\xfe") == ("\ufffd\x00\ufffd",)
    assert patterns.groups(1, b"Optb") == ("", "b")


@given(st.text(max_size=300))
def test_any_text_is_matched_and_never_raises(text):
    patterns = EVERYTHING
    found = patterns.match(as_bytes(text))
    assert found == sorted(set(found))


EVERYTHING = PatternSet(PATTERNS)


@pytest.mark.parametrize("text", ["\ud800\udfff", "\x00" * 10, "\u202eevil", "é" * 9, "\U0001f600"])
def test_surrogates_controls_and_bidi_are_just_bytes(known, text):
    assert known.library.match("http.server", text) == ()
    assert len(known.library.match("http.server", f"AcmeWeb/{text}")) >= 1


def test_a_megabyte_is_cut_and_takes_no_time(known):
    started = time.perf_counter()
    assert known.library.match("http.server", "a" * 5_000_000) == ()
    assert known.library.match("http.server", "AcmeWeb/" + "(" * 5_000_000)
    assert time.perf_counter() - started < 1.0
    assert len(as_bytes("é" * 5_000_000)) <= 2 * module.LIMIT_CHARS


def test_evil_repetition_is_linear():
    patterns = PatternSet((r"^(a+)+$", r"(x+x+)+y"))
    started = time.perf_counter()
    patterns.match(b"a" * 60_000 + b"!")
    patterns.match(b"x" * 60_000)
    assert time.perf_counter() - started < 1.0


def test_the_memo_is_bounded(known):
    tracemalloc.start()
    for number in range(module.MEMO_ENTRIES + 100):
        known.library.match("http.server", f"thing/{number}")
    known.library.match("http.server", "y" * (module.MEMO_CHARS + 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(known.library._memo) <= module.MEMO_ENTRIES
    assert not any(len(value) > module.MEMO_CHARS for _, value in known.library._memo)
    assert peak < 40 << 20


def test_a_value_is_matched_once_and_remembered(known):
    first = known.library.match("http.server", "AcmeWeb/remember")
    assert known.library.match("http.server", "AcmeWeb/remember") is first


def test_all_of_our_matches_count_not_only_the_first(known):
    rules = {h.fingerprint.rule for h in known.library.match("http.server", "AcmeWeb/recorder")}
    assert rules == {"acme-server@1", "recorder@1"}


def test_an_empty_capture_claims_nothing(known):
    (hit,) = known.library.match("http.wwwauth", 'Digest realm="Acme AC-1234"')
    assert hit.claims == (("maker", "Acme"), ("model", "AC-1234"))


def test_an_unknown_field_matches_nothing(known):
    assert known.library.match("no.such.field", "AcmeWeb/1") == ()


# ---------------------------------------------------------------- reading files


def write(folder, text, name="x.xml"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_every_mistake_of_a_file_is_said_with_its_line(tmp_path):
    mistakes: list[str] = []
    path = write(
        tmp_path,
        "<fingerprints matches='http.server'>\n<wrong/>\n<fingerprint>\n</fingerprint>\n"
        "<fingerprint pattern='x'>\n<param name='y'/></fingerprint></fingerprints>",
    )
    read_file(path, mistakes)
    assert [m.split(": ")[0] for m in mistakes] == ["x.xml:2", "x.xml:4", "x.xml:6"]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]><fingerprints/>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><fingerprints/>',
        "<fingerprints>",
        "",
        "not xml",
        "<fingerprints>" + "<a>" * 100,
    ],
)
def test_entities_and_broken_xml_are_refused(tmp_path, text):
    mistakes: list[str] = []
    assert read_file(write(tmp_path, text), mistakes) == ()
    assert mistakes


def test_examples_may_be_encoded_or_stand_in_a_file_of_their_own(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "e.txt").write_bytes(b"from a file")
    path = write(
        tmp_path,
        "<fingerprints matches='http.server'><fingerprint pattern='x'>"
        "<example _encoding='base64' hw.model='m'>ZnJvbSBiYXNlNjQ=</example>"
        "<example _filename='../x/e.txt'/><example _filename='no.txt'/>"
        "</fingerprint></fingerprints>",
    )
    mistakes: list[str] = []
    (found,) = read_file(path, mistakes)
    assert [e.text for e in found.examples] == ["from base64", "from a file", ""]
    assert found.examples[0].params == (("hw.model", "m"),)
    assert len(mistakes) == 1


def test_a_checkout_keeps_its_files_in_a_folder_named_xml(tmp_path):
    (tmp_path / "xml").mkdir()
    write(tmp_path / "xml", RECOG, "http_servers.xml")
    assert len(list(read_folder(tmp_path, []))) == 5


# ---------------------------------------------------------------- a user's own Recog checkout


@pytest.fixture
def with_recog(lay, tmp_path):
    folder = tmp_path / "recog"
    (folder / "xml").mkdir(parents=True)
    write(folder / "xml", RECOG, "http_servers.xml")
    return Knowledge.load(*lay(), (folder,))


def test_a_third_party_file_works_next_to_ours(with_recog):
    (hit,) = with_recog.library.match("http.server", "acme camera/1.2")
    assert hit.fingerprint.strength is Strength.BRAND
    assert dict(hit.claims) == {
        "brand": "Acme",
        "model": "Camera 1.2",
        "firmware": "1.2",
        "device_class": "camera",
    }


def test_a_file_that_does_not_say_what_it_matches_is_known_by_its_name(lay, tmp_path):
    folder = tmp_path / "recog"
    folder.mkdir()
    write(folder, RECOG.replace('matches="http_header.server"', ""), "telnet_banners.xml")
    known = Knowledge.load(*lay(), (folder,))
    (hit,) = known.library.match("telnet.banner", "Acme Camera/1")
    assert hit.fingerprint.strength is Strength.BRAND


def test_the_first_match_of_a_third_party_file_counts_as_its_format_says(with_recog):
    assert len(with_recog.library.match("http.server", "Acme Camera/1")) == 1
    (hit,) = with_recog.library.match("http.server", "Acme 3000")
    assert hit.fingerprint.strength is Strength.HINT
    assert hit.fingerprint.rule == "recog:http_servers.xml:12@0"


def test_a_third_party_file_accuses_nobody(with_recog):
    from auditor.identify.identify import of_observations
    from auditor.model.observation import Observation

    found = of_observations([Observation("http.server", "Acme Camera/1")], with_recog)
    assert found.maker.value is None
    assert found.brand.value == "Acme"


def test_third_party_patterns_that_nobody_can_read_are_left_out_quietly(with_recog):
    assert with_recog.library.match("http.server", "Lookahead")
    assert with_recog.library.match("http.server", "Unknown[") == ()


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_without_fingerprints_is_an_error(lay, tmp_path, what):
    folder = tmp_path / "own"
    if what == "empty":
        folder.mkdir()
    with pytest.raises(DataError, match="own"):
        Knowledge.load(*lay(), (folder,))


# ---------------------------------------------------------------- our own files are held to more


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (element("", "PLATFORM", "x", [(0, "auditor.maker", "Acme")]), "needs an id"),
        (element("a", "SURE", "x", [(0, "auditor.maker", "Acme")]), "no rung"),
        (element("a", "PLATFORM", "x", [(0, "auditor.maker", "Nobody")]), "no entity"),
        (element("acme-tls", "BRAND", "x", []), "as well"),
        ("<fingerprint id='a' version='1' strength='HINT' pattern='x'/>", "description"),
    ],
)
def test_a_mistake_in_our_own_files_stops_the_load_with_its_place(lay, broken, said):
    files = {**FINGERPRINTS, "wrong.xml": file_of("http.server", broken)}
    with pytest.raises(DataError) as caught:
        Knowledge.load(*lay(fingerprints=files))
    assert said in caught.value.why
    assert "wrong.xml:1" in caught.value.why


def test_a_file_that_matches_no_field_is_a_mistake(lay):
    files = {"wrong.xml": file_of("no.field", element("a", "HINT", "x", []))}
    with pytest.raises(DataError, match=r"1 mistake") as caught:
        Knowledge.load(*lay(fingerprints=files))
    assert "no field" in caught.value.why
