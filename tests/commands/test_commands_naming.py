"""What an officer may set in one command, and under which names."""

import pytest

from auditor import wiring
from auditor.commands.naming import pairs, settled
from auditor.errors import AuditorError, UsageError


@pytest.fixture(scope="module")
def makers():
    return wiring.knowledge().makers


@pytest.mark.parametrize("texts", [
    ("maker=axis", "maker=Hikvision"), ("class=camera", "device_class=recorder"),
    ("asset.acquired=2020-01-01", "asset.acquired=2024-01-01"), ("verdict:p=review", "verdict:p=review"),
])  # fmt: skip
def test_nothing_is_set_twice_in_one_command(texts):
    with pytest.raises(UsageError, match="set twice"):
        pairs(texts)


@pytest.mark.parametrize("text", ["maker", "maker=", "=Axis", " = ", "maker= "])
def test_what_sets_nothing_is_refused(text):
    with pytest.raises(UsageError):
        pairs([text])


def test_several_things_are_set_in_one_command():
    assert pairs(["maker=Axis", "class=camera", "asset.tag=a=b"]) == (
        ("maker", "Axis"), ("device_class", "camera"), ("asset.tag", "a=b"),
    )  # fmt: skip


def test_every_maker_is_recorded_by_its_canonical_name_however_it_is_written(makers):
    for name, entity in makers.entities.items():
        for text in (name, name.upper(), f"{name} Inc.", *entity.aliases):
            for trait in ("maker", "brand"):
                said = settled(trait, text, makers, as_written=False)
                assert said == makers.named(text) or said == name, text


@pytest.mark.parametrize("trait", ["maker", "brand"])
def test_a_letter_that_is_missing_is_a_name_that_nobody_knows(makers, trait):
    for name in [name for name in makers.entities if len(name) > 6]:
        wrong = name[:4] + name[5:]
        if makers.named(wrong) is None:
            with pytest.raises(AuditorError, match="did you mean"):
                settled(trait, wrong, makers, as_written=False)


def test_an_unknown_name_is_taken_only_where_it_is_said_to_be_meant(makers):
    assert settled("maker", "Zzyzx Cameras", makers, as_written=True) == "Zzyzx Cameras"
    with pytest.raises(AuditorError, match="nobody knows"):
        settled("maker", "Zzyzx Cameras", makers, as_written=False)
    assert settled("maker", "AXIS", makers, as_written=True) == "Axis"
    assert settled("asset.owner", "Zzyzx", makers, as_written=False) == "Zzyzx"
    with pytest.raises(AuditorError, match="no class"):
        settled("device_class", "toaster", makers, as_written=True)
