"""Which company a person means by a name; what is only alike is offered and never taken."""

import pytest

from auditor.identify.makers import Makers
from auditor.identify.meant import meant, near
from auditor.identify.schema import EntityFile


def entity(name, **more):
    return EntityFile(id=name.casefold(), name=name, kind="maker", **more)


MAKERS = Makers.of([
    entity("Acmevision", legal_name="Acmevision Digital Technology Co., Ltd.",
           aliases=["Acme Vision Canada"]),
    entity("Otterly"),
])  # fmt: skip


@pytest.mark.parametrize("text", [
    "Acmevision", "ACMEVISION", "acme vision", "Acme-Vision", "  Acmevision. ", "Acmevision Inc",
    "ACMEVISION, INC.", "Acmevision Co., Ltd.", "Acmevision B.V.", "Acmevision S.p.A.",
    "Acme Vision Canada ltée", "Ａｃｍｅｖｉｓｉｏｎ",
])  # fmt: skip
def test_a_name_is_known_in_whatever_way_a_person_writes_it(text):
    assert meant(text, MAKERS) == "Acmevision"


@pytest.mark.parametrize("text", [
    "Acmevison", "Acme", "Acmevision Scale Factory", "Acmevision Digital Tech", "Inc", "", "Ltd Co",
])  # fmt: skip
def test_what_is_only_similar_is_never_taken(text):
    assert meant(text, MAKERS) is None


@pytest.mark.parametrize("text", ["Acmevison", "Acmevision Digital Tech", "Akmevision", "Acmevis"])
def test_what_is_similar_is_offered(text):
    assert near(text, MAKERS)[0] == "Acmevision"


def test_what_resembles_nobody_is_offered_nobody():
    assert near("Zzyzx", MAKERS) == ()
