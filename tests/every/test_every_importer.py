"""Every importer is asked the same: what of damage, of cuts, of other encodings, of secrets?

Each has samples in tests/importers/samples/NAME; a secret in a sample is `Tr0ub4dor`.
"""

import io
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor import wiring
from auditor.commands.importing import Asked, items_of, run
from auditor.commands.setting import Setting
from auditor.commands.source_file import kind_of, opened
from auditor.errors import DataError
from auditor.importers.headings import shipped
from auditor.model.block import Block
from auditor.model.observation import Attempt, Origin, Outcome
from auditor.plugins import Mapped, Noted, Options, Rejected, Sample
from auditor.store.ledger import Ledger

SAMPLES = Path(__file__).parents[1] / "importers" / "samples"
SECRET = "Tr0ub4dor"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
OPTIONS = Options("hq", MOMENT, name="sample")
IMPORTERS = wiring.importers()
PAIRS = [
    pytest.param(each, path, id=f"{each.name}-{path.name}")
    for each in IMPORTERS
    for path in sorted((SAMPLES / each.name).glob("*"))
]
CUTS, FLIPS, SMALL_BYTES = 60, 60, 1_500


def read(importer, raw):
    """In this process: the jail is tested elsewhere, and here anything that escapes is a defect."""
    return list(importer.read(io.BytesIO(raw), OPTIONS))


def facts(items):
    found = []
    for item in items:
        found += item.attempts() if isinstance(item, Block) else []
        found += [item] if isinstance(item, Attempt) else []
    return found


def survives(importer, raw):
    """Read bytes that may be anything: records or a refusal in words, and never a secret."""
    said = ""
    items = []
    try:
        items = read(importer, raw)
    except DataError as refusal:
        said = f"{refusal.what}{refusal.why}{refusal.hint}"
    assert SECRET not in said
    for item in items:
        assert isinstance(item, Attempt | Block | Rejected | Noted | Mapped)
    assert SECRET not in repr(items)
    return items


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda each: each.name)
def test_it_says_what_it_reads_and_has_samples(importer):
    assert importer.source
    assert list((SAMPLES / importer.name).glob("*"))


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_a_sample_is_recognised_by_its_content(importer, path, tmp_path):
    unnamed = tmp_path / "x"
    unnamed.write_bytes(path.read_bytes())
    with opened(unnamed) as source:
        assert kind_of(source, IMPORTERS, "").name == importer.name


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_records_speak_the_vocabulary(importer, path):
    found = facts(read(importer, path.read_bytes()))
    assert found
    places = {"ip", "seen", "make_model", "client_id"}
    for attempt in found:
        assert {o.field for o in attempt.observations} <= shipped().fields - places
        assert attempt.origin in {Origin.FILE, Origin.SIGHTING}
        assert attempt.outcome is Outcome.ANSWERED
        assert attempt.started <= MOMENT + timedelta(days=1)
        assert attempt.detail.startswith("sample")
        assert attempt.tool


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_a_sample_may_be_cut_anywhere(importer, path):
    raw = path.read_bytes()
    chance = random.Random(1)
    cuts = range(len(raw)) if len(raw) < SMALL_BYTES and not importer.isolated else {
        chance.randrange(len(raw)) for _ in range(CUTS)
    }  # fmt: skip
    for cut in cuts:
        survives(importer, raw[:cut])


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_a_sample_may_be_damaged_anywhere(importer, path):
    raw = path.read_bytes()
    chance = random.Random(2)
    for _ in range(FLIPS):
        broken = bytearray(raw)
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with suppress(DataError):  # a heading may be damaged: what is secret cannot be told
            read(importer, bytes(broken))


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda each: each.name)
def test_noise_is_refused_and_breaks_nothing(importer):
    chance = random.Random(3)
    for size in (0, 1, 10, 1_000, 100_000):
        raw = chance.randbytes(size)
        assert 0 <= importer.recognise(Sample("x", raw, size)) <= 100
        survives(importer, raw)
        survives(importer, bytes(size))


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_a_secret_never_gets_through(importer, path):
    survives(importer, path.read_bytes())


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_the_encoding_of_a_text_does_not_matter(importer, path):
    raw = path.read_bytes()
    if importer.isolated or b"\0" in raw or not raw.isascii():
        return  # no text, or a sample whose encoding is its point
    text = raw.decode()
    expected = [(a.endpoint, a.observations) for a in facts(read(importer, raw))]
    for encoding in ("utf-8-sig", "utf-16") if importer.columns else ("utf-8-sig",):
        found = facts(survives(importer, text.encode(encoding)))
        assert [(a.endpoint, a.observations) for a in found] == expected


@pytest.mark.parametrize(("importer", "path"), PAIRS)
def test_twice_is_once(importer, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    setting = Setting("sqlite:///once.db", quiet=True)
    assert run(setting, Asked((path,), site="hq", json=True)) == 0
    with Ledger.open(setting.db) as ledger:
        before = ledger.head()
    assert run(setting, Asked((path,), site="hq", json=True)) == 0
    with Ledger.open(setting.db) as ledger:
        assert ledger.head() == before
        assert before[0] > 1
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(("importer", "path"), [pair for pair in PAIRS if pair.values[0].isolated])
def test_the_jail_says_the_same(importer, path):
    with opened(path) as source:
        assert facts(items_of(importer, source, OPTIONS)) == facts(
            read(importer, path.read_bytes())
        )


@pytest.mark.parametrize("importer", [i for i in IMPORTERS if i.columns and not i.isolated], ids=lambda i: i.name)  # fmt: skip
@pytest.mark.parametrize(
    "headings",
    [
        "Asset Tag,Serial Number,IP Address,MAC Address,Model,Location,Password",
        "Étiquette,N° de série,Adresse IP,Adresse MAC,Modèle,Emplacement,Mot de passe",
        "ASSET_TAG,serial-number,Ip address,mac_address,model,LOCATION,Admin PWD",
        "N° d’inventaire,Numéro de série,ADRESSE IP,adresse_mac,MODELE,Localisation,Communauté SNMP",
    ],
)
def test_headings_are_english_or_french(importer, headings):
    raw = f"{headings}\nA1,SN-1234-X,10.0.0.1,44:19:b6:00:00:01,AC-1,Hall,{SECRET}\n".encode()
    (found,) = facts(survives(importer, raw))
    assert {o.field: o.value for o in found.observations} == {
        "asset.tag": "A1", "asset.serial": "SN-1234-X", "asset.model": "AC-1",
        "asset.location": "Hall",
    }  # fmt: skip
    assert (found.endpoint.ip, found.endpoint.mac) == ("10.0.0.1", "44:19:b6:00:00:01")
