"""Verdicts joined to devices, sorted and counted the same way for every format."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.formats.lines import (
    asked,
    attention,
    by_owner,
    by_site,
    exemptions,
    lines,
    tally,
    verdicts,
    worst,
)
from auditor.formats.shards import PART, WHOLE, shards
from auditor.model.annex import Annexes
from auditor.model.decision import Decision, DecisionKind
from auditor.model.policy import SEVERITY, Verdict
from tests.formats.sample_report import HQ, LAB, NOW, sample

VERDICTS = st.lists(st.sampled_from(SEVERITY), min_size=1)


@given(VERDICTS)
def test_the_worst_does_not_depend_on_order_and_is_one_of_them(found):
    assert worst(found) == worst(reversed(found)) == min(found, key=SEVERITY.index)


def test_nothing_said_is_undetermined_and_never_conforming():
    assert worst([]) is Verdict.UNDETERMINED
    assert verdicts([]) == {}


def test_lines_are_sorted_by_site_seriousness_and_address(report):
    found = lines(report)
    sites = [line.assessed.device.site for line in found]
    assert sites == sorted(sites)
    ranks = [SEVERITY.index(line.verdict) for line in found if line.assessed.device.site == HQ]
    assert ranks == sorted(ranks)
    assert len({line.anchor for line in found}) == len(found)


def test_the_order_of_the_report_does_not_matter(report):
    turned = replace(report, devices=report.devices[::-1], findings=report.findings[::-1])
    one, other = lines(report), lines(turned)
    assert [line.assessed.device.id for line in one] == [line.assessed.device.id for line in other]


def test_sites_and_owners_add_up_to_the_whole(report):
    found = lines(report)
    whole = tally(found)
    for verdict, count in whole.verdicts:
        assert count == sum(one.of(verdict) for _, one in by_site(report, found))
        assert count == sum(one.of(verdict) for _, one in by_owner(found))
    assert (
        sum(one.not_assessed for _, one in by_site(report, found)) == report.coverage.not_assessed
    )


def test_a_site_without_devices_is_still_counted(report):
    empty = replace(report, devices=(), findings=())
    assert [site for site, _ in by_site(empty, ())] == sorted((HQ, LAB))


def test_only_what_needs_a_person_needs_attention(report):
    wanted = attention(lines(report))
    assert {line.verdict for line in wanted} == {
        Verdict.NONCONFORMING,
        Verdict.REVIEW,
        Verdict.UNDETERMINED,
    }


def test_a_question_is_put_once_for_all_its_devices(report):
    (one,) = asked(lines(report))
    waiting = {finding.device for finding in report.findings if finding.ask}
    assert {line.assessed.device.id for line in one.lines} == waiting


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (-1, "expired"),
        (0, "ends_very_soon"),
        (7, "ends_very_soon"),
        (8, "ends_soon"),
        (30, "ends_soon"),
        (31, "active"),
    ],
)
def test_an_exemption_holds_until_the_end_of_its_last_day(report, days, state):
    last = report.snapshot.as_of + timedelta(days=days)
    given_ = Decision("E-1", DecisionKind.EXEMPTION, "x", NOW, "because", (), expires=last)
    (one,) = exemptions(replace(report, decisions=(given_,), annexes=Annexes()))
    assert one.state == state


def test_a_withdrawn_exemption_is_listed_as_withdrawn(report):
    given_ = Decision(
        "E-1", DecisionKind.EXEMPTION, "x", NOW, "because", (), expires=date(2030, 1, 1)
    )
    back = Decision("W-1", DecisionKind.WITHDRAWN, "x", NOW, "error", (), withdraws="E-1")
    (one,) = exemptions(replace(report, decisions=(given_, back), annexes=Annexes()))
    assert one.state == "withdrawn"


def many(count):
    small = sample(most=1)
    first = small.devices[0]
    devices = tuple(
        replace(first, device=replace(first.device, id=f"d-{n}", site=f"S{n % 2}"))
        for n in range(count)
    )
    return lines(replace(small, devices=devices, findings=()))


def test_an_ordinary_department_is_one_page():
    assert shards(many(WHOLE)) == ()


def test_a_large_one_is_cut_by_site_into_parts_that_hold_every_device_once():
    found = many(2 * PART + 3)
    parts = shards(found)
    assert [line for part in parts for line in part.lines] == list(found)
    assert all(part.count <= PART for part in parts)
    assert all(len({line.assessed.device.site for line in part.lines}) == 1 for part in parts)
    assert len({part.name for part in parts}) == len(parts) == parts[0].of


def test_a_large_report_links_its_parts_and_every_link_leads_somewhere(render, resources, report):
    import re

    small = sample(most=1)
    devices, findings = [], []
    for number in range(WHOLE // len(small.devices) + 1):
        for one in small.devices:
            name = f"{one.device.id}-{number}"
            devices.append(replace(one, device=replace(one.device, id=name)))
            findings += [
                replace(f, device=name) for f in small.findings if f.device == one.device.id
            ]
    made = render(
        replace(small, devices=tuple(devices), findings=tuple(findings)), languages=("en",)
    )
    index = made["report.en.html"].decode()
    assert len(index) < 1_000_000
    for target in re.findall(r'href="([^"#]*\.html)#?([^"]*)"', index):
        assert target[0] in made, target
        assert not target[1] or f'id="{target[1]}"' in made[target[0]].decode(), target
