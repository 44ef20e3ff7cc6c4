"""Why, in sentences that a non-engineer follows, in both languages; and what changed and why."""

import re
import string
import tomllib
from dataclasses import replace

import pytest

from auditor.identify.correlate import correlate
from auditor.identify.explain import explain, explain_finding, load_words, phrase, shown
from auditor.identify.identify import identify, of_observations
from auditor.identify.knowledge import Knowledge
from auditor.identify.retro import changes, said
from auditor.model.device import Assessed
from auditor.model.identity import Evidence, Identity, Standing, Strength, Trait
from auditor.model.observation import Observation, Outcome
from auditor.model.policy import Finding, Question, Text, Verdict
from tests.identify.conftest import DATA
from tests.identify.made_up import ENTITIES, FINGERPRINTS, REGISTRY, Writer, element, file_of

WORDS = load_words(DATA)
LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])


def told(known, writer, language="en"):
    (device,) = correlate(writer.rows)
    return explain(Assessed(device, identify(device, known)), known, language)


def blanks(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_both_languages_say_the_same_things_with_the_same_blanks():
    assert WORDS["en"].keys() == WORDS["fr"].keys()
    for key, text in WORDS["en"].items():
        assert blanks(text) == blanks(WORDS["fr"][key]), key
        assert text and WORDS["fr"][key]


def test_nobody_is_called_guilty_of_anything():
    for words in WORDS.values():
        for text in words.values():
            assert not re.search(r"illegal|banned|guilty|interdit|coupable|illégal", text)


@LANGUAGES
def test_a_confirmed_maker_with_every_reason(known, language):
    writer = Writer().arp("10.0.0.1", "00:aa:00:00:00:01").http("10.0.0.1", "AcmeWeb/1")
    writer.row("rtsp", "10.0.0.1", outcome=Outcome.SILENT, port=554)
    sentences = told(known, writer, language)
    text = "\n".join(sentences)
    assert "Acme" in sentences[0]
    for shown_part in ("acme-server@1", "oui:00AA00/24@2026-01-02", "00:aa:00:00:00:01", "rtsp"):
        assert shown_part in text
    assert WORDS[language]["because_ip_in_window"] in text
    assert "{" not in text


@LANGUAGES
@pytest.mark.parametrize(
    ("seen", "key"),
    [
        ([("http.server", "AcmeWeb/1")], "maker_probable"),
        ([("http.server", "Web")], "maker_hint"),
        ([], "maker_unknown"),
        ([("http.server", "AcmeWeb/1"), ("rtsp.server", "InitRtsp")], "maker_two"),
    ],
)
def test_the_first_sentence_is_the_answer(known, language, seen, key):
    writer = Writer().row("http", "10.0.0.1", None, *seen)
    expected = WORDS[language][key].split("{")[0]
    assert told(known, writer, language)[0].startswith(expected)


@LANGUAGES
def test_a_relabel_is_told_with_its_source(known, language):
    writer = Writer().arp("10.0.0.1", "00:aa:04:00:00:01").http("10.0.0.1", "AcmeWeb/1")
    text = "\n".join(told(known, writer, language))
    assert WORDS[language]["brand_other"].format(brand="Globex") in text
    assert "https://example.org/acme" in text
    assert WORDS[language]["type_divested"] in text
    assert WORDS[language]["clash_relabel"].format(one="Acme", other="Globex") in text


@LANGUAGES
def test_a_brand_alone_is_told_not_to_be_a_verdict_on_the_unit(known, language):
    writer = Writer().row("http", "10.0.0.1", None, ("http.title", "Globex"))
    text = "\n".join(told(known, writer, language))
    assert (
        WORDS[language]["relation_alone"].split("(")[0].format(brand="Globex", maker="Acme") in text
    )


@LANGUAGES
def test_typed_text_local_addresses_routers_and_inferences_are_labelled(known, language):
    words = WORDS[language]
    writer = Writer().row(
        "onvif", "10.0.0.1", "02:00:00:00:00:01",
        ("onvif.scopes", "onvif://www.onvif.org/hardware/AC-1234"),
        ("device.model", "AC-1234"), ("device.serial", "AC20190910123456"),
    )  # fmt: skip
    text = "\n".join(told(known, writer, language))
    assert words["seen.onvif.scopes"] in text
    assert words["local_mac"].format(mac="02:00:00:00:00:01") in text
    assert "2019-09-10" in text
    assert words["class_camera"] in text
    router = Writer()
    for number in range(1, 20):
        router.arp(f"10.9.0.{number}", "00:aa:02:00:00:01")
    assert words["proxy_arp"].format(value="10.9.0.1-10.9.0.19") in told(known, router, language)


def test_hostile_text_is_shown_escaped_and_short(known):
    evil = "AcmeWeb/\x1b]0;x\x07\u202e\u2066\u200b\u2028" + "A" * 5_000
    text = "\n".join(told(known, Writer().http("10.0.0.1", evil)))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert "\\u001b" in text
    assert max(map(len, text.split("\n"))) < 600


SADP = (
    '<?xml version="1.0"?>\n<ProbeMatch>\n<DeviceDescription>AC-1234</DeviceDescription>\n'
    "<DeviceSN>AC-123420190910AAWR1</DeviceSN>\n</ProbeMatch>"
)


def pieces(value, *claims, field="sadp.reply", strength="PLATFORM"):
    return tuple(
        Evidence(trait, claim, f"rule-{at}@1", field, value, Strength(strength), "sadp", 7)
        for at, (trait, claim) in enumerate(claims)
    )


def assessed(*evidence):
    makers = tuple(e for e in evidence if e.trait == "maker")
    (device,) = correlate(Writer().arp("10.0.0.1", "00:aa:00:00:00:01").rows)
    maker = Trait("Acme", Standing.CONFIRMED, makers)
    return Assessed(device, Identity(maker=maker, evidence=evidence))


@LANGUAGES
def test_one_reply_is_told_once_however_many_rules_read_it(known, language):
    claims = (("maker", "Acme"), ("maker", "Acme"), ("model", "AC-1234"), ("brand", "Acme"))
    sentences = explain(assessed(*pieces(SADP, *claims)), known, language)
    (reason,) = [s for s in sentences if WORDS[language]["seen.sadp.reply"] in s]
    assert reason.count("Acme") == 1
    assert "AC-1234" in reason
    assert all(f"rule-{at}@1" in sentences[-1] for at in range(4))


@LANGUAGES
def test_no_sentence_names_a_field_or_shows_what_machines_say_to_each_other(known, language):
    evidence = pieces(SADP, ("maker", "Acme")) + pieces(
        'Digest realm="Acme 12", nonce="3e2f1a"', ("maker", "Acme"), field="http.wwwauth"
    )
    text = "\n".join(explain(assessed(*evidence), known, language))
    assert not re.search(r"<\?xml|\\u000a|sadp\.reply|http\.wwwauth|nonce|Digest", text)
    assert "Acme 12" in text


@LANGUAGES
@pytest.mark.parametrize("strength", list(Strength))
def test_the_worth_of_each_kind_of_reason_is_said_once(known, language, strength):
    evidence = pieces("a", ("maker", "Acme"), field="http.server", strength=strength)
    evidence += pieces("b", ("maker", "Acme"), field="http.title", strength=strength)
    text = "\n".join(explain(assessed(*evidence), known, language))
    assert text.count(WORDS[language][f"weight_{strength.value}"]) == 1


def test_every_field_of_the_vocabulary_has_a_sentence_of_its_own_or_of_its_family():
    said = tomllib.loads((DATA / "fields.toml").read_text("utf-8"))
    evidence_of_nothing = {"device", "nmap"}
    for family, row in said.items():
        for name in row.get("fields", [""]):
            field = f"{family}.{name}" if name else family
            known_to = phrase(WORDS["fr"], field) != WORDS["fr"]["seen.other"]
            assert known_to or family in evidence_of_nothing or name in {
                "sha256", "version",
            }, field  # fmt: skip


@LANGUAGES
def test_an_instrument_is_told_in_the_language_that_was_asked_for(language):
    finding = Finding(
        "use", "pack-x", "1", "d-1", Verdict.UNDETERMINED, Text("Because.", "Parce que."), Text("So.", "Donc."),
        "An order", ask=(Question("asset.acquired", Text("When?", "Quand?"), Text("the buyer", "l’acheteur")),), citation_fr="Un arrêté",
    )  # fmt: skip
    text = "\n".join(explain_finding(finding, WORDS[language], language))
    there, absent = ("Un arrêté", "An order") if language == "fr" else ("An order", "Un arrêté")
    assert there in text
    assert absent not in text
    assert WORDS[language]["verdict_undetermined"] in text


def test_what_can_be_read_is_shown_as_it_is():
    assert shown("Caméra d’entrée — 海康威视 №5") == "Caméra d’entrée — 海康威视 №5"
    assert shown("a\x00b\ue000") == "a\\u0000b\\ue000"


def test_what_replaced_a_device_behind_an_address_is_named_after_itself(known):
    writer = (
        Writer()
        .http("10.0.0.1", "AcmeWeb/1")
        .row("rtsp", "10.0.0.1", None, ("rtsp.server", "AcmeRtsp"))
    )
    writer.http("10.0.0.1", "InitechWeb", hours=31 * 24, run="r2")
    (device,) = correlate(writer.rows)
    found = identify(device, known)
    assert (found.maker.value, found.standing) == ("Initech", "probable")
    (clash,) = found.contradictions
    assert (clash.code, clash.one, clash.other) == ("replaced", "Initech", "Acme")
    assert "Initech" in "\n".join(explain(Assessed(device, found), known, "fr"))


def test_two_makers_in_one_visit_are_a_contradiction_and_nobody_replaced_anything(known):
    writer = Writer().http("10.0.0.1", "AcmeWeb/1", hours=0)
    writer.http("10.0.0.1", "InitechWeb", hours=40 * 24, run="r2")
    writer.row("rtsp", "10.0.0.1", None, ("rtsp.server", "AcmeRtsp"), hours=40 * 24, run="r2")
    (device,) = correlate(writer.rows)
    assert {clash.code for clash in identify(device, known).contradictions} == {"two_makers"}


def test_what_the_same_question_hears_later_supersedes_the_earlier_answer(known):
    writer = Writer().row("sadp", "10.0.0.1", None, ("device.firmware", "V5.5 build 190910"))
    writer.row("sadp", "10.0.0.1", None, ("device.firmware", "V5.7 build 220112"), hours=24)
    (device,) = correlate(writer.rows)
    found = identify(device, known)
    assert found.firmware.value == "V5.7 build 220112"
    assert found.firmware.against == ()


# ---------------------------------------------------------------- new knowledge, same facts


def judged(known, *seen):
    return {"d-1": of_observations([Observation(*pair) for pair in seen], known)}


MAC = ("mac", "00:aa:07:00:00:01")
SERVER = ("http.server", "Brandnew/1")


def load(lay_folder, tmp_path, **changed):
    return Knowledge.load(*lay_folder(tmp_path, **changed))


@pytest.mark.parametrize(
    ("seen", "changed", "because"),
    [
        ([MAC], {"registry": {**REGISTRY, (24, 0x00AA07): "Acme Cameras Ltd."}}, "registry"),
        (
            [SERVER],
            {"fingerprints": {**FINGERPRINTS, "new.xml": file_of(
                "http.server", element("new", "PLATFORM", "^Brandnew", [(0, "auditor.maker", "Acme")])
            )}},
            "fingerprints",
        ),
        (
            [("asset.model", "AZ-1")],
            {"entities": {**ENTITIES, "acme.toml": ENTITIES["acme.toml"] + (
                "[[model]]\npattern = 'AZ-[0-9]'\nstrength = 'PLATFORM'\nexamples = ['AZ-1']\n"
            )}},
            "entities",
        ),
    ],
)  # fmt: skip
def test_new_knowledge_judges_old_facts_anew_and_says_why(tmp_path, seen, changed, because):
    from tests.identify.conftest import lay_out

    old = load(lay_out, tmp_path / "old")
    new = load(lay_out, tmp_path / "new", **changed)
    (change, *_) = changes(judged(old, *seen), judged(new, *seen))
    assert (change.kind, change.before, change.after, change.because) == (
        "maker",
        "",
        "Acme",
        because,
    )
    for language, words in WORDS.items():
        assert "Acme" in said(change, words), language


def test_nothing_new_is_no_change(known):
    one = judged(known, MAC, ("http.server", "AcmeWeb/1"))
    assert changes(one, one) == ()
    assert changes(one, {}) == ()


def test_a_standing_that_falls_is_a_change(known):
    one, other = (
        judged(known, ("http.server", "AcmeWeb/1")),
        judged(known, ("tls.subject", "O=Acme,")),
    )
    *_, change = changes(one, other)
    assert (change.kind, change.before, change.after) == ("standing", "probable", "confirmed")
    assert "{" not in said(change, WORDS["fr"])


def test_new_evidence_is_told_apart_from_new_knowledge(known):
    versions = (("oui", "1"),)
    before = replace(judged(known, ("http.server", "AcmeWeb/1"))["d-1"], data_versions=versions)
    after = replace(
        judged(known, ("http.server", "AcmeWeb/1"), ("tls.subject", "O=Acme,"))["d-1"],
        data_versions=versions,
    )
    found = changes({"d-1": before}, {"d-1": after})
    assert {change.because for change in found} == {"evidence"}


@LANGUAGES
def test_what_an_officer_says_is_not_told_as_the_devices_own_words(known, language):
    words = WORDS[language]
    said = Evidence(
        "maker", "Acme", "decision:identity-1", "decision", "B. Roy: label read", Strength.OFFICER, "officer"
    )  # fmt: skip
    text = "\n".join(explain(assessed(said), known, language))
    assert words["seen.decision"].format(value="B. Roy: label read") in text
    assert words["weight_OFFICER"] in text
    assert words["weight_SELF_DECLARED"] not in text
    assert words["seen.other"].split("{")[0] not in text
    unknown = replace(said, field="decision.name_unknown", doubt="name_unknown")
    text = "\n".join(explain(assessed(unknown), known, language))
    assert words["seen.decision.name_unknown"].format(value="B. Roy: label read") in text


@LANGUAGES
def test_a_company_is_not_said_to_resell_itself(language):
    from auditor import wiring

    shipped = wiring.knowledge()
    listed = [
        name
        for name in shipped.makers.entities
        if any(row.to == name for row in shipped.makers.relations(name))
    ]
    assert listed
    head = WORDS[language]["relation_alone"].split("(")[0]
    for name in listed:
        one = Assessed(assessed().device, Identity(brand=Trait(name, Standing.PROBABLE)))
        text = "\n".join(explain(one, shipped, language))
        assert head.format(brand=name, maker=name) not in text
        assert WORDS[language]["brand_other"].format(brand=name) in text


@LANGUAGES
def test_a_probable_maker_is_left_to_each_instrument(known, language):
    one = assessed(*pieces("x", ("maker", "Acme")))
    probable = replace(one.identity, maker=replace(one.identity.maker, standing=Standing.PROBABLE))
    first = explain(replace(one, identity=probable), known, language)[0]
    assert not re.search("person", first)
