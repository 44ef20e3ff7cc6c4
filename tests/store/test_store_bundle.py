"""Facts that travel: bundles, copies, backups."""

import itertools
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import DataError, LedgerError
from auditor.model.block import Block
from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store import archive, bundle
from auditor.store.ledger import Ledger
from auditor.store.merge import merge

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def attempt(at):
    seen = (Observation("http.title", f"é\x00\ud800 {at % 3}", b"raw %d" % (at % 5)),)
    end = Endpoint(f"10.0.0.{at % 250}", None, 80)
    return Attempt("http", end, Outcome.ANSWERED, seen, NOON + timedelta(seconds=at), 0.5, f"n{at}")


def decision(name, **subject):
    return Decision(name, DecisionKind.RECORD, "A. Roy", NOON, "seen", tuple(subject.items()))


def fill(ledger, site="hq", name="", count=60):
    run = f"{site}{name}"
    ledger.start(Run(run, site, "scan", NOON, scope='{"a":1}'))
    for at in range(0, count, 20):
        ledger.append(run, [attempt(n) for n in range(at, at + 20)])
    ledger.journal(run, [Sent(NOON, "arp", f"10.0.0.{at}") for at in range(30)])
    ledger.finish(run, "complete", ("é",), NOON + timedelta(hours=1))


@pytest.fixture
def site(tmp_path):
    """A site's own ledger: a scan, an import, decisions, and another site beside it."""
    with Ledger.open(f"sqlite:///{tmp_path}/site.db") as ledger:
        fill(ledger)
        fill(ledger, "lab")
        with ledger.importing(Run("imp", "hq", "import", NOON), "ab" * 32, "hq", "a.csv") as batch:
            records = [
                (None, f"02:00:00:00:00:{at:02x}", f"a.csv:{at}", [f"T{at}", None])
                for at in range(50)
            ]
            batch.append([Block("asset_csv", ("asset.tag", "asset.owner"), records, NOON)])
        for act in (decision("d1", site="hq"), decision("d2", site="lab"), decision("d3")):
            ledger.decide(act)
        yield ledger


def facts(ledger, site="hq"):
    return (
        [(s.run, s.attempt) for s in ledger.attempts(site=site)],
        ledger.runs(site),
        ledger.imports(site),
    )


def test_a_bundle_carries_a_site_and_nothing_of_another(site, ledger, tmp_path):
    made = archive.export(site, "hq", tmp_path / "hq.bundle")
    assert made == archive.check(tmp_path / "hq.bundle")
    merged = merge(ledger, tmp_path / "hq.bundle")
    assert (merged.runs, merged.attempts, merged.decisions) == (2, 110, 2)
    assert facts(ledger) == facts(site)
    assert ledger.sites() == ("hq",)
    assert [d.id for d in ledger.decisions()] == ["d1", "d3"]
    assert list(ledger.journaled("hq")) == list(site.journaled("hq"))
    assert ledger.verify().ok


def test_the_same_facts_give_the_same_bytes_from_whichever_ledger(site, ledger, tmp_path):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    archive.export(site, "hq", one)
    archive.export(site, "hq", two)
    merge(ledger, one)
    archive.export(ledger, "hq", three)
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_a_bundle_taken_twice_changes_nothing(site, ledger, tmp_path):
    archive.export(site, "hq", tmp_path / "b")
    merge(ledger, tmp_path / "b")
    before = ledger.head()
    merged = merge(ledger, tmp_path / "b")
    assert (merged.runs, merged.attempts, merged.decisions) == (0, 0, 0)
    assert ledger.head() == before


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=3))
def test_bundles_merge_in_any_order_overlapping_and_repeated(tmp_path_factory, order, again):
    folder = tmp_path_factory.mktemp("merge")
    with Ledger.open(f"sqlite:///{folder}/site.db") as source:
        ledger_run = Run("r", "hq", "scan", NOON)
        source.start(ledger_run)
        paths = []
        for at, after in enumerate((0, 10, 0, 35)):  # overlapping ranges of one growing run
            source.append("r", [attempt(at * 20 + n) for n in range(20)])
            paths.append(folder / f"b{at}")
            archive.export(source, "hq", paths[-1], after)
        source.finish("r", "complete", (), NOON)
        archive.export(source, "hq", folder / "whole")
    with Ledger.open(f"sqlite:///{folder}/target.db") as target:
        for at in (*order, *again):
            merge(target, paths[at])
        merge(target, folder / "whole")
        archive.export(target, "hq", folder / "result")
        assert target.verify().ok
    assert (folder / "result").read_bytes() == (folder / "whole").read_bytes()


def test_two_sites_with_the_same_addresses_stay_apart(site, ledger, tmp_path):
    for name in ("hq", "lab"):
        archive.export(site, name, tmp_path / name)
        merge(ledger, tmp_path / name)
    assert ledger.sites() == ("hq", "lab")
    assert facts(ledger, "lab") == facts(site, "lab")


def test_a_resumed_run_grows_by_a_second_bundle(site, ledger, tmp_path):
    archive.export(site, "hq", tmp_path / "one")
    site.append("hq", [attempt(n) for n in range(60, 75)])
    site.finish("hq", "complete", ("resumed",), NOON + timedelta(hours=2))
    archive.export(site, "hq", tmp_path / "two")
    merge(ledger, tmp_path / "one")
    assert merge(ledger, tmp_path / "two").attempts == 15
    merge(ledger, tmp_path / "one")
    assert {run.id: run.notes for run in ledger.runs()}["hq"] == ("resumed",)
    assert [s.attempt for s in ledger.attempts(run="hq")] == [
        s.attempt for s in site.attempts(run="hq")
    ]


@pytest.mark.parametrize("where", [0.0, 0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_damaged_bundle_is_refused_whole(site, ledger, tmp_path, where):
    path = tmp_path / "b"
    archive.export(site, "hq", path)
    data = bytearray(path.read_bytes())
    at = int(where * len(data))
    data[at : at + 8] = bytes(byte ^ 0x5A for byte in data[at : at + 8])
    path.write_bytes(data)
    before = ledger.head()
    refusal = None
    try:
        merge(ledger, path)
    except DataError as error:
        refusal = error
    if refusal is None:  # damage in a part of the archive that means nothing: all of it arrived
        assert facts(ledger) == facts(site)
        return
    assert "nothing of it was taken" in refusal.what
    assert refusal.why
    assert ledger.head() == before


@pytest.mark.parametrize("length", [0, 1, 100, 0.5, -1])
def test_a_cut_off_bundle_is_refused_whole(site, ledger, tmp_path, length):
    path = tmp_path / "b"
    archive.export(site, "hq", path)
    data = path.read_bytes()
    path.write_bytes(data[: int(length * len(data)) if isinstance(length, float) else length])
    with pytest.raises(DataError, match="nothing of it was taken"):
        merge(ledger, path)
    assert ledger.head()[0] == 0


def forged(path, out, member, change):
    """Write a bundle anew with one member changed and a manifest that fits."""
    import hashlib

    with zipfile.ZipFile(path) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    parts[f"{member}.jsonl"] = change(parts[f"{member}.jsonl"])
    manifest = json.loads(parts["manifest.json"])
    manifest["hashes"][member] = hashlib.sha256(parts[f"{member}.jsonl"]).hexdigest()
    manifest["rows"][member] = parts[f"{member}.jsonl"].count(b"\n")
    parts["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, data in parts.items():
            zipped.writestr(name, data)
    return out


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        ("attempts", b'"answered"', b'"found"'),
        ("attempts", b'"answered"', b"null"),
        ("attempts", b'"http"', b"17"),
        ("attempts", b",80,", b',"80",'),
        ("attempts", b",80,", b",-1,"),
        ("attempts", b",80,", b",true,"),
        ("attempts", b'+00:00",0.0,', b'+00:00",NaN,'),
        ("attempts", b'["hq",2,', b'["hq",1,'),
        ("attempts", b'["hq",2,', b'["nobody",2,'),
        ("attempts", b"+00:00", b""),
        ("attempts", b'["hq",2,', b'{"hq":[2],'),
        ("attempts", b"\n", b"\nnull\n"),
        ("runs", b'"hq"', b'"lab"'),
        ("runs", b'["complete"', b"[17"),
        ("raws", b'"cmF3', b'"cmG3'),
        ("raws", b'"cmF3', b'"!'),
        ("decisions", b'"record"', b'"guess"'),
        ("decisions", b'"record"', b"null"),
        ("journal", b'"hq"', b"1"),
        ("imports", b'"imp"', b'"nobody"'),
    ],
)
def test_a_forged_bundle_with_a_fitting_manifest_is_refused_whole(
    site, ledger, tmp_path, member, old, new
):
    archive.export(site, "hq", tmp_path / "b")
    path = forged(tmp_path / "b", tmp_path / "f", member, lambda data: data.replace(old, new, 1))
    with pytest.raises(DataError, match="nothing of it was taken"):
        merge(ledger, path)
    assert ledger.head()[0] == 0


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [("attempts", b'"n7"', b'"n8"'), ("decisions", b"seen", b"heard"), ("runs", b"scan", b"spam")],
)
def test_a_bundle_that_contradicts_the_ledger_is_refused_whole(site, tmp_path, member, old, new):
    archive.export(site, "hq", tmp_path / "b")
    path = forged(tmp_path / "b", tmp_path / "f", member, lambda data: data.replace(old, new, 1))
    before = site.head()
    with pytest.raises(DataError, match="contradicts the ledger"):
        merge(site, path)
    assert site.head() == before


def test_a_bundle_of_a_newer_version_says_so(site, ledger, tmp_path):
    archive.export(site, "hq", tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "b") as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    parts["manifest.json"] = parts["manifest.json"].replace(b'"0001"', b'"9001"')
    with zipfile.ZipFile(tmp_path / "f", "w") as zipped:
        for name, data in parts.items():
            zipped.writestr(name, data)
    with pytest.raises(DataError, match="newer version"):
        merge(ledger, tmp_path / "f")


def test_a_bundle_that_swells_without_end_is_refused(ledger, site, tmp_path):
    archive.export(site, "hq", tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "b") as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    with zipfile.ZipFile(tmp_path / "f", "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in parts.items():
            zipped.writestr(name, bytes(200 << 20) if name == "runs.jsonl" else data)
    with pytest.raises(DataError, match="nothing of it was taken"):
        merge(ledger, tmp_path / "f")


def test_a_site_that_the_ledger_does_not_know_is_not_exported(site, tmp_path):
    with pytest.raises(LedgerError, match="nothing of site 'paris'"):
        archive.export(site, "paris", tmp_path / "b")
    with pytest.raises(LedgerError, match="cannot write"):
        archive.export(site, "hq", tmp_path / "no" / "such" / "place")


def test_every_order_of_three_bundles_gives_the_same_ledger(site, tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path}/second.db") as second:
        fill(second, "hq", "-other", 40)
        second.decide(decision("d9", site="hq"))
        archive.export(second, "hq", tmp_path / "b2")
    archive.export(site, "hq", tmp_path / "b0")
    archive.export(site, "hq", tmp_path / "b1", after=100)
    results = set()
    for at, order in enumerate(itertools.permutations(range(3))):
        with Ledger.open(f"sqlite:///{tmp_path}/t{at}.db") as target:
            for one in order:
                merge(target, tmp_path / f"b{one}")
            archive.export(target, "hq", tmp_path / "result")
            results.add((tmp_path / "result").read_bytes())
    assert len(results) == 1


def test_the_three_verbs_say_how_many_facts_and_what_is_wrong(site, ledger, tmp_path):
    path = tmp_path / "b"
    written = bundle.export_bundle(site, "hq", path)
    assert bundle.verify_bundle(path) == ()
    assert bundle.merge_bundle(ledger, path) > written - 60  # raw bytes are no rows of the chain
    assert bundle.merge_bundle(ledger, path) == 0
    path.write_bytes(path.read_bytes()[:-100])
    (problem,) = bundle.verify_bundle(path)
    assert "no intact bundle" in problem
