"""Who registered an address: the longest prefix, and nobody where nothing can be claimed."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import auditor
from auditor.errors import DataError
from auditor.identify import registry as module
from auditor.identify.oui_sources import Provenance, render, sources_toml
from auditor.identify.registry import MANY, Registry, verify

SHIPPED = Path(auditor.__file__).parent.parent / "oui_data"
ROWS = {
    (24, 0x00AA00): "Acme Cameras Ltd.",
    (24, 0x00AA01): "IEEE Registration Authority",
    (36, 0x00AA01AFA): "Acme Cameras Ltd.",
    (28, 0x00AA012): "Acorn Vision Co.,Ltd",
    (24, 0x00AA06): "Whole Block Ltd",
    (28, 0x00AA061): "Private",
    (36, 0x00AA06FFF): "Part Ltd",
    (24, 0x02AA00): "A local block, registered long ago",
}
ADDRESSES = [
    pytest.param(0x00AA00123456, "Acme Cameras Ltd.", "00AA00/24", id="a-whole-block"),
    pytest.param(0x00AA01AFA4B2, "Acme Cameras Ltd.", "00AA01AFA/36", id="the-longest-prefix-wins"),
    pytest.param(0x00AA012FFFFF, "Acorn Vision Co.,Ltd", "00AA012/28", id="a-28-bit-block"),
    pytest.param(0x00AA01000001, None, "", id="a-subdivided-block-names-nobody"),
    pytest.param(0x00AA06000001, "Whole Block Ltd", "00AA06/24", id="the-rest-of-a-block"),
    pytest.param(0x00AA061FFFFF, None, "", id="a-private-part-names-nobody"),
    pytest.param(0x00AA06FFF000, "Part Ltd", "00AA06FFF/36", id="the-last-part"),
    pytest.param(0x02AA00000001, None, "", id="a-local-address-names-nobody"),
    pytest.param(0x01AA00000001, None, "", id="a-group-address-names-nobody"),
    pytest.param(0xFFFFFFFFFFFF, None, "", id="broadcast-names-nobody"),
    pytest.param(0x00AA07000000, None, "", id="an-unregistered-block-names-nobody"),
    pytest.param(0x000000000000, None, "", id="zero-names-nobody"),
]


def lay(folder, rows=ROWS):
    tsv = render(rows)
    made = Provenance("made up", date(2026, 1, 2), "0" * 64, "none")
    (folder / "vendors.tsv").write_bytes(tsv)
    (folder / "SOURCES.toml").write_text(sources_toml(tsv, (made,), made.day), "utf-8")
    return Registry(folder)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return lay(tmp_path_factory.mktemp("oui"))


@pytest.fixture(scope="module")
def shipped():
    return Registry(SHIPPED)


@pytest.mark.parametrize(("address", "expected", "block"), ADDRESSES)
def test_the_first_look_up_searches_the_file(registry, address, expected, block):
    fresh = Registry(registry.path.parent)
    assert fresh.registrant(address) == expected
    assert str(fresh.block(address) or "") == block


@pytest.mark.parametrize(("address", "expected", "block"), ADDRESSES)
def test_who_asks_often_gets_the_same_from_a_table(registry, address, expected, block):
    for _ in range(module._SEARCHES_BEFORE_TABLE + 1):
        registry.registrant(0x00AA00000000)
    assert registry._table is not None
    assert registry.registrant(address) == expected
    assert str(registry.block(address) or "") == block


def test_many_at_once_give_the_same_as_one_by_one(registry):
    asked = [param.values[0] for param in ADDRESSES] * (MANY // len(ADDRESSES) + 2)
    expected = [param.values[1] for param in ADDRESSES] * (MANY // len(ADDRESSES) + 2)
    assert list(registry.registrants(asked)) == expected
    assert list(registry.registrants(iter(asked[:12]))) == expected[:12]
    assert list(registry.registrants(())) == []


@given(values=st.lists(st.integers(0, (1 << 48) - 1), min_size=1, max_size=300))
def test_the_three_ways_agree_on_any_address(shipped, values):
    from auditor.identify.registry_bulk import BulkTable

    blocks = list(shipped.table)
    near = [blocks[value % len(blocks)] << 24 | value & 0xFFFFFF for value in values]
    table = BULK.setdefault("table", None) or BulkTable.of(shipped._text[:])
    BULK["table"] = table
    fresh = Registry(SHIPPED)
    for value, bulk in zip([*values, *near], table.names_of([*values, *near]), strict=True):
        assert shipped.registrant(value) == bulk
    for value in (values + near)[:20]:
        assert fresh.registrant(value) == shipped.registrant(value)


BULK: dict = {}


def test_every_shipped_assignment_is_found_by_its_own_first_address(shipped):
    blocks = [b for b in shipped.blocks() if b.registrant not in module.NOBODY]
    values = [block.prefix << 48 - block.bits for block in blocks]
    wrong = [
        str(block)
        for block, name in zip(blocks, shipped.registrants(values), strict=True)
        if name != block.registrant and not block.prefix >> block.bits - 8 & 0b11
    ]
    # a block may begin with a part of it that somebody else holds
    assert len(wrong) < 5, wrong[:20]


def test_the_shipped_registry_is_what_its_sources_say(shipped):
    assert verify(SHIPPED)
    assert shipped.status.rows == sum(1 for _ in shipped.blocks())
    assert {block.bits for block in shipped.blocks()} == {24, 28, 36}


def test_the_shipped_registry_is_sorted_so_that_a_refresh_is_a_readable_diff():
    keys = [
        line.rsplit(b"\t", 1)[0] for line in (SHIPPED / "vendors.tsv").read_bytes().splitlines()
    ]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("days", "stale"), [(0, False), (180, False), (181, True)])
def test_data_older_than_half_a_year_is_stale(registry, days, stale):
    today = date.fromordinal(date(2026, 1, 2).toordinal() + days)
    assert registry.status.age_days(today) == days
    assert registry.status.stale(today) is stale


def test_a_registry_that_was_changed_by_hand_is_noticed(tmp_path):
    lay(tmp_path)
    assert verify(tmp_path)
    with (tmp_path / "vendors.tsv").open("a") as stream:
        stream.write("24\tFFFFFC\tNobody\n")
    assert not verify(tmp_path)


@pytest.mark.parametrize("what", ["missing", "empty", "no sources", "bad sources"])
def test_a_broken_registry_says_what_to_do(tmp_path, what):
    lay(tmp_path)
    if what == "missing":
        (tmp_path / "vendors.tsv").unlink()
    elif what == "empty":
        (tmp_path / "vendors.tsv").write_bytes(b"")
    elif what == "no sources":
        (tmp_path / "SOURCES.toml").unlink()
    else:
        (tmp_path / "SOURCES.toml").write_text("[registry]\nday = 'x'\n")
    with pytest.raises(DataError) as caught:
        Registry(tmp_path)
    assert "oui update" in caught.value.hint


def test_loading_is_quick_and_brings_no_numpy():
    import subprocess
    import sys

    code = (
        "import sys,time;from pathlib import Path;from auditor.identify.registry import Registry;"
        "t=time.perf_counter();r=Registry(Path(sys.argv[1]));r.registrant(0x2857be000001);"
        "print(time.perf_counter()-t);assert 'numpy' not in sys.modules"
    )
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code, str(SHIPPED)], capture_output=True,
                             text=True, check=True, cwd=SHIPPED.parent).stdout)
        for _ in range(3)
    )  # fmt: skip
    assert seconds < 0.015
