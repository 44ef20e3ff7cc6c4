"""How makers and brands are tied to a company that a law names, and on which day."""

from datetime import date

import pytest

from auditor.model.identity import Evidence, Identity, Standing, Strength, Trait
from auditor.model.policy import Relation
from auditor.policy.ties import claimed_brand, relation_to, tie

SALE = {
    "Lorex": (
        Relation("Lorex", "Dahua", "subsidiary", date(2018, 1, 1), date(2022, 11, 30)),
        Relation("Lorex", "Dahua", "divested", date(2022, 12, 1)),
    )
}
CHAIN = {
    "Kiosk": (Relation("Kiosk", "Daughter", "own_brand"),),
    "Daughter": (Relation("Daughter", "Acme", "subsidiary"),),
    "Shop": (Relation("Shop", "Daughter", "oem_rebrand"),),
    "Loop": (Relation("Loop", "Pool", "affiliate"),),
    "Pool": (Relation("Pool", "Loop", "affiliate"), Relation("Pool", "AA", "country")),
}


@pytest.mark.parametrize(("day", "kinds"), [
    pytest.param(date(2016, 5, 5), None, id="before-it-was-bought-it-was-nobodys-daughter"),
    pytest.param(date(2020, 5, 5), ("subsidiary",), id="bought"),
    pytest.param(date(2022, 11, 30), ("subsidiary",), id="the-last-day"),
    pytest.param(date(2024, 5, 5), ("divested",), id="sold"),
    pytest.param(None, ("subsidiary", "divested"), id="on-an-unknown-day-both-may-be"),
])  # fmt: skip
def test_a_company_that_was_bought_and_sold(day, kinds):
    found = relation_to("Lorex", ["Dahua"], SALE, day)
    assert found == (("Dahua", kinds) if kinds else None)


@pytest.mark.parametrize(("name", "kinds"), [
    pytest.param("Acme", ("listed",), id="the-company-itself"),
    pytest.param("Daughter", ("subsidiary",), id="its-daughter"),
    pytest.param("Kiosk", ("subsidiary",), id="a-trade-name-of-the-daughter"),
    pytest.param("Shop", ("oem_rebrand",), id="a-chain-is-as-strong-as-its-weaker-link"),
    pytest.param("Loop", None, id="a-circle-leads-nowhere"),
    pytest.param("Stranger", None, id="a-stranger"),
])  # fmt: skip
def test_ties_run_over_several_steps(name, kinds):
    found = relation_to(name, ["Acme"], CHAIN, None)
    assert found == (("Acme", kinds) if kinds else None)


def test_of_two_named_companies_the_stronger_tie_counts():
    rows = {"Both": (Relation("Both", "A", "oem_rebrand"), Relation("Both", "B", "subsidiary"))}
    assert relation_to("Both", ["A", "B"], rows, None) == ("B", ("subsidiary",))


def identity(maker=None, brand=None, standing=Standing.CONFIRMED, heard=()):
    return Identity(
        maker=Trait(maker, standing) if maker else Trait(),
        brand=Trait(brand, Standing.CONFIRMED, tuple(heard)) if brand else Trait(),
    )


def test_a_foreign_brand_on_a_named_makers_device_is_a_relabel():
    found = tie(identity("Acme", "Corner Shop"), ["Acme"], {}, None)
    assert (found.kinds, found.name, found.entity) == (("oem_rebrand",), "Corner Shop", "Acme")


def test_a_daughters_brand_on_the_mothers_device_is_the_daughters():
    found = tie(identity("Acme", "Daughter"), ["Acme"], CHAIN, None)
    assert found.kinds == ("subsidiary",)


def test_an_established_maker_is_not_tied_by_what_its_brand_once_sold():
    assert tie(identity("Shop"), ["Acme"], CHAIN, None) is None


def test_a_brand_alone_ties_probably_and_a_hint_not_at_all():
    found = tie(identity(brand="Shop"), ["Acme"], CHAIN, None)
    assert (found.kinds, found.standing) == (("oem_rebrand",), Standing.PROBABLE)
    assert tie(identity("Acme", standing=Standing.HINT), ["Acme"], {}, None) is None


def test_a_brand_that_only_a_list_names_is_not_the_devices_claim():
    heard = Evidence("brand", "Shop", "l@1", "asset.brand", "Shop", Strength.RECORD, "record")
    assert claimed_brand(identity("Acme", "Shop", heard=[heard])) is None
    assert tie(identity("Acme", "Shop", heard=[heard]), ["Acme"], CHAIN, None).kinds == ("listed",)


def test_a_person_who_looked_settles_what_evidence_disputes():
    against = Evidence("maker", "Acme", "r@1", "mac", "x", Strength.REGISTRANT, "registrant")
    looked = Evidence("maker", "Other", "d", "decision", "x", Strength.SELF_DECLARED, "officer")
    disputed = Identity(maker=Trait("Other", Standing.PROBABLE, (), (against,)))
    settled = Identity(maker=Trait("Other", Standing.CONFIRMED, (looked,), (against,)))
    assert tie(disputed, ["Acme"], {}, None).kinds == ("contradiction",)
    assert tie(settled, ["Acme"], {}, None) is None
