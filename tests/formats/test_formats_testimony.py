"""Evidence as a reader meets it: each thing once, in words, the bytes behind it once."""

import re
from dataclasses import replace

import pytest

from auditor.formats.compared import compared, without_books
from auditor.formats.testimony import (
    MOST_TEXT,
    asked_of,
    conclusions,
    inferred,
    reasons,
    received,
    sentence,
)
from auditor.formats.words import Phrases
from auditor.model.device import Asked
from auditor.model.identity import Evidence, Identity, Inference, Standing, Strength, Trait
from auditor.model.observation import Outcome
from auditor.model.observed import EXCERPT, excerpt, observed
from auditor.model.report import Discrepancy
from tests.formats.sample_report import HQ, NOW, sha

LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])
XML = b"<?xml version='1.0'?>\n<ProbeMatch>\n<DeviceDescription>AC-1</DeviceDescription>\n</ProbeMatch>"
TEXT = XML.decode()


def piece(trait, claim, rule="r@1", field="sadp.reply", value=TEXT, strength="PLATFORM"):
    return Evidence(trait, claim, rule, field, value, Strength(strength), "sadp", 7, sha(XML))


REPLY = (
    piece("maker", "Acme"), piece("maker", "Acme", "s@1"), piece("model", "AC-1", "t@1"),
    piece("brand", "Acme", "u@1"), piece("device_class", "camera", "v@1"),
)  # fmt: skip


def identity(*evidence):
    makers = tuple(e for e in evidence if e.trait == "maker")
    return Identity(maker=Trait("Acme", Standing.CONFIRMED, makers), evidence=evidence)


def plain(markup):
    return re.sub(r"<[^>]+>", "", str(markup))


@LANGUAGES
def test_a_reply_that_five_rules_read_is_one_sentence_without_markup(words, language):
    phrases = Phrases(language, words[language])
    (one,) = reasons(phrases, identity(*REPLY))
    said = plain(sentence(phrases, one))
    assert said.count("Acme") == 1
    assert "AC-1" in said
    assert not re.search(r"xml|ProbeMatch|sadp\.reply", said)


def test_a_brand_that_is_not_the_maker_is_told(words):
    phrases = Phrases("en", words["en"])
    (one,) = reasons(phrases, identity(*REPLY, piece("brand", "Globex")))
    assert "the brand Globex" in plain(sentence(phrases, one))


def test_a_hint_points_at_nobody(words):
    phrases = Phrases("en", words["en"])
    hint = piece("maker", "Acme", field="http.server", value="nginx", strength="HINT")
    (one,) = reasons(phrases, identity(hint))
    assert "This would fit the maker Acme." in plain(sentence(phrases, one))


def test_a_kind_that_says_nothing_is_left_out_of_the_sentence(words):
    phrases = Phrases("en", words["en"])
    (one,) = reasons(phrases, identity(REPLY[0], piece("device_class", "other")))
    assert plain(sentence(phrases, one)).endswith("points to the maker Acme.")


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("http.wwwauth", 'Digest realm="Acme 12", nonce="3e2f", qop="auth"', "Acme 12"),
        ("http.wwwauth", "Negotiate", "Negotiate"),
        ("http.server", 'x realm="y"', 'x realm="y"'),
        ("tls.subject", "CN=cam.example.org,O=Acme Ltd,C=CA", "Acme Ltd (cam.example.org)"),
        ("tls.issuer", "CN=cam.example.org", "cam.example.org"),
        ("tls.issuer", "nothing of the kind", "nothing of the kind"),
        ("telnet.banner", "Hello\r\n  world", "Hello world"),
    ],
)
def test_people_read_the_name_in_a_value(field, value, read):
    assert excerpt(field, value) == read


def test_a_long_value_is_cut():
    assert len(excerpt("http.title", "x" * 9_999)) == EXCERPT


def test_the_same_words_under_two_nonces_are_one_thing():
    two = [
        piece("maker", "Acme", field="rtsp.wwwauth", value=f'Digest realm="A", nonce="{n}"')
        for n in "12"
    ]
    (one,) = observed(two, lambda _: "{value}")
    assert (one.quote, one.strength, one.rules) == ("A", Strength.PLATFORM, ("r@1",))


def test_bytes_are_shown_once_and_what_they_contain_is_not_shown_again(words):
    (reply,) = received({sha(XML): XML}, identity(*REPLY))
    (thing,) = reply.things
    assert thing.value == ""
    assert "&lt;ProbeMatch&gt;" in reply.shown
    (claim, rules), *_ = conclusions(Phrases("en", words["en"]), thing)
    assert (plain(claim), rules) == ("the maker Acme", ("r@1", "s@1"))


def test_what_is_no_text_is_shown_in_octets():
    raw = bytes(range(256)) * 4
    (reply,) = received({sha(XML): raw}, identity(*REPLY))
    assert reply.shown.startswith("0000  00 01 02")
    assert reply.things[0].value == TEXT


def test_a_long_reply_is_cut_and_a_trick_in_it_is_visible():
    raw = b"\xe2\x80\xae<b>" + b"x" * 9_999
    (reply,) = received({sha(XML): raw}, identity(*REPLY))
    assert "<b>" not in reply.shown
    assert "\u202e" not in reply.shown
    assert len(reply.shown) < MOST_TEXT + 300


def test_evidence_without_bytes_still_stands_there():
    (reply,) = received({}, identity(*REPLY))
    assert reply.shown is None
    assert reply.things[0].value == TEXT


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "10\u00a0September\u00a02019"), ("fr", "10\u00a0septembre\u00a02019")],
)
def test_an_inference_names_its_source_and_writes_days_as_people_do(words, language, day):
    one = Inference("build_date", "2019-09-10", "serial number X20190910", "its grammar")
    said = plain(inferred(Phrases(language, words[language]), one))
    assert day in said
    assert "its grammar" not in said
    assert ("serial number" in said) == (language == "en")


def test_ports_of_one_question_are_named_together(words, report):
    device = replace(
        report.devices[0].device,
        asked=tuple(Asked("http", port, Outcome.REFUSED, NOW) for port in (80, 81, 8080)),
    )
    (told,) = asked_of(Phrases("en", words["en"]), device)
    assert told == ("refused", ("web page, ports 80, 81 and 8080",))


def rows(kind, *devices):
    return tuple(Discrepancy(kind, device, HQ) for device in devices)


def test_what_a_person_must_see_about_comes_first_and_in_the_order_of_the_report(report):
    told = replace(report, reconciliation=rows("matched", "a") + rows("not_on_wire", "c", "b"))
    found = compared(told, {"a": 0, "b": 1, "c": 2})
    assert [one.kind for one in found] == ["not_on_wire", "matched"]
    assert [row.device for row in found[0].rows] == ["b", "c"]


def test_without_records_no_device_is_called_missing_from_them(report, render):
    told = replace(report, reconciliation=rows("not_in_books", "a", "b"))
    assert without_books(told)
    assert compared(told, {}) == ()
    page = render(told, languages=("en",))["report.en.html"].decode()
    assert "No asset records were imported" in page
    assert "On the network, not in the records" not in page


def test_a_sentence_stands_for_every_field_in_both_languages(words):
    told = {key for key in words["en"] if key.startswith("evidence.")}
    assert len(told) > 40
    assert told == {key for key in words["fr"] if key.startswith("evidence.")}
