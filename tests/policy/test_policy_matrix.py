"""Ten devices under every instrument, in one table: who changes a pack sees here what changes.

F nonconforming, R review, U undetermined, C conforming, - not applicable. All on a site that is
recorded as sensitive.
"""

import pytest

LETTERS = {
    "F": "nonconforming",
    "R": "review",
    "U": "undetermined",
    "C": "conforming",
    "-": "not_applicable",
}
TABLE = """
                        bare  new   old   silent relabel daughter other router innocent nobody
au-pspf-001-2024        U     U     U     U      U       U        U     U      U        U
au-pspf-002-2024        U     U     U     U      U       U        U     U      U        U
ca-c8-2026              -     -     -     -      -       -        -     -      -        -
ca-gc-hikvision-2025    F     F     F     R      R       R        C     C      C        U
ca-ica-hikvision-2025   -     -     -     -      -       -        -     -      -        -
ca-qc-mcn-2023          U     F     R     R      R       F        U     C      C        U
eu-csa2                 -     -     -     -      -       -        -     -      -        -
eu-parliament-2021      U     F     -     R      R       R        C     -      C        U
in-cctv-er              U     U     -     R      U       U        U     -      U        U
lt-2025                 F     F     F     R      R       F        F     F      C        U
tw-2020                 F     F     F     R      R       F        F     F      C        U
uk-wms-2022-11-24       F     F     F     R      R       F        F     -      C        U
us-1260h-805            R     R     R     R      R       R        R     C      C        U
us-2cfr-200-216         U     F     -     R      R       U        U     U      C        U
us-bis-entity-list      -     -     -     -      -       -        -     -      -        -
us-fcc-2026-06-26       -     -     -     -      -       -        -     -      -        -
us-fcc-22-84            -     -     -     -      -       -        -     -      -        -
us-fcc-25-71            -     -     -     -      -       -        -     -      -        -
us-la-39-1753-1         U     F     -     R      R       F        U     U      C        U
us-ndaa-889a1A          U     F     -     R      R       F        U     U      C        U
us-ndaa-889a1B          U     F     F     R      R       F        U     F      C        U
us-tx-prohibited-tech   F     F     F     R      R       F        F     F      C        U
"""
HEAD, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [
    pytest.param(pack, name, LETTERS[letter], id=f"{pack}:{name}")
    for pack, *letters in ROWS
    for name, letter in zip(HEAD, letters, strict=True)
]
NEW = {"acquired": "2024-07-01", "purpose": "public_safety", "core_network": "yes"}
OLD = {
    "acquired": "2018-06-01",
    "purpose": "public_safety",
    "core_network": "no",
    "category": "dome",
}


def devices(world):
    """The ten, by the name of their column."""
    return {
        "bare": world.device("Hikvision"),
        "new": world.device("Hikvision", funding="federal_award", category="thermal", **NEW),
        "old": world.device("Hikvision", funding="own_funds", **OLD),
        "silent": world.device("Hikvision", "probable", kind=None),
        "relabel": world.device("Hikvision", brand="Corner Shop", acquired="2024-07-01"),
        "daughter": world.device("EZVIZ", acquired="2024-07-01", purpose="public_safety"),
        "other": world.device("Dahua"),
        "router": world.device("Huawei", kind="network"),
        "innocent": world.device("Axis"),
        "nobody": world.device(None),
    }


@pytest.mark.parametrize(("pack", "name", "expected"), CELLS)
def test_every_device_under_every_instrument(world, pack, name, expected):
    facts = {"HQ": {"sensitive": "yes"}}
    assert world.verdict(devices(world)[name], pack, site_facts=facts) == expected


def test_the_table_has_a_row_for_every_pack(world):
    assert [row[0] for row in ROWS] == sorted(world.packs)


@pytest.mark.parametrize("name", HEAD)
def test_no_innocent_and_no_unknown_device_is_ever_accused(name):
    column = HEAD.index(name) + 1
    letters = {row[column] for row in ROWS}
    if name in {"innocent", "nobody"}:
        assert not letters & {"F", "R"}
    if name in {"silent", "relabel"}:
        assert "F" not in letters
        assert "C" not in letters
