"""Officers' decisions in the table of the report: codes in the reader's words, the rest as typed."""

from datetime import UTC, datetime

import pytest

from auditor.formats.decided import motive, settings
from auditor.formats.words import Phrases
from auditor.model.decision import Decision, DecisionKind

AT = datetime(2026, 11, 10, 14, tzinfo=UTC)


def decision(kind, *values, reason="Found it so."):
    return Decision("D-1", kind, "E. Gagnon", AT, reason, (("mac", "44:19:b6:00:00:01"),), values)


CASES = [
    (decision(DecisionKind.IDENTITY, ("trait", "maker"), ("value", "Axis")),
     ["Maker: Axis"], ["Fabricant: Axis"]),
    (decision(DecisionKind.IDENTITY, ("trait", "device_class"), ("value", "recorder")),
     ["Kind of device: Video recorder"], ["Genre d’appareil: Enregistreur vidéo"]),
    (decision(DecisionKind.VERDICT, ("verdict", "conforming")), ["Verdict: Conforming"], ["Résultat: Conforme"]),
    (decision(DecisionKind.REMOVAL, ("step", "unplugged"), ("port", "down"), ("lease", "none")),
     ["Step: unplugged", "Switch port: down", "DHCP lease: none"],
     ["Étape: débranché", "Port du commutateur: inactif", "Bail DHCP: aucun"]),
    (decision(DecisionKind.RECORD, ("asset.purpose", "down")), ["Purpose: down"], ["Usage: down"]),
    (decision(DecisionKind.RECORD, ("sensitive", "yes")), ["Sensitive site: yes"], ["Emplacement sensible: oui"]),
    (decision(DecisionKind.REPORTED, ("duty", "within-a-day"), ("submitted", "2026-11-02")),
     ["Duty: within-a-day", "Submitted on: 2 November 2026"],
     ["Obligation: within-a-day", "Transmis le: 2 novembre 2026"]),
]  # fmt: skip


@pytest.mark.parametrize(("one", "english", "french"), CASES)
def test_what_is_set_stands_in_the_readers_words(words, one, english, french):
    for language, told in (("en", english), ("fr", french)):
        phrases = Phrases(language, words[language], "UTC")
        said = [f"{name}: {value.striptags()}" for name, value in settings(phrases, one)]
        assert [text.replace("\u00a0", " ") for text in said] == told


def test_a_reason_that_the_program_put_there_is_translated_and_a_persons_is_not(words):
    french = Phrases("fr", words["fr"], "UTC")
    step = decision(DecisionKind.REMOVAL, ("step", "unplugged"), reason="unplugged")
    told = decision(
        DecisionKind.IDENTITY, ("trait", "maker"), ("value", "Axis"), reason="unplugged"
    )
    assert motive(french, step) == "débranché"
    assert motive(french, decision(DecisionKind.RECORD, reason="recorded")) == "consigné"
    assert motive(french, told).striptags() == "unplugged"


def test_what_a_person_typed_is_escaped(words):
    one = decision(DecisionKind.RECORD, ("asset.notes", "<b>x"), reason="<i>y")
    english = Phrases("en", words["en"], "UTC")
    assert "<b>" not in settings(english, one)[0][1]
    assert "<i>" not in motive(english, one)


def test_every_field_that_an_officer_records_has_words(words):
    import tomllib
    from pathlib import Path

    import auditor.data

    said = tomllib.loads((Path(auditor.data.__file__).parent / "fields.toml").read_text("utf-8"))
    assert {f"record.asset.{name}" for name in said["asset"]["fields"]} <= words["fr"].keys()
