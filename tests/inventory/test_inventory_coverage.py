"""Coverage names every address that was not assessed, and why."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditor.inventory.coverage import coverage
from auditor.model.address import AddressSet
from auditor.model.coverage_note import Note
from auditor.model.device import Reach
from auditor.model.observation import Attempt, Endpoint, Outcome, Run, StoredAttempt

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PRESENCE = frozenset({"arp", "connect"})


def run(networks=("10.0.0.0/29",), excluded=(), status="complete", id="r1", started=NOON):
    scope = json.dumps({"networks": networks, "excluded": excluded})
    return Run(id=id, site="OTT", kind="scan", started=started, scope=scope, status=status)


def attempts(*said, run="r1"):
    return [StoredAttempt(at, run, "OTT", attempt) for at, attempt in enumerate(said, 1)]


def asked(tool, ip, outcome):
    return Attempt(tool, Endpoint(ip=ip), outcome, (), NOON)


def swept(tool="arp", silent=(), left=(), proxy=(), of="10.0.0.0/29"):
    note = Note(*(AddressSet.parse(texts) for texts in ([of], silent, proxy, left)))
    return Attempt(tool, Endpoint(transport="arp"), Outcome.SILENT, (), NOON, detail=str(note))


def gaps(found):
    return {gap.reach: gap.ranges for subnet in found.subnets for gap in subnet.gaps}


def test_a_host_that_told_something_is_assessed():
    said = attempts(
        swept(silent=["10.0.0.0", "10.0.0.2-10.0.0.7"]),
        asked("arp", "10.0.0.1", Outcome.ANSWERED),
        asked("http", "10.0.0.1", Outcome.REFUSED),
    )
    found = coverage([run()], said, PRESENCE)
    assert found.subnets[0].assessed == 1
    assert gaps(found) == {Reach.SILENT: ("10.0.0.0", "10.0.0.2-10.0.0.7")}
    assert found.complete and found.not_assessed == 7


def test_a_host_that_is_there_and_says_nothing_makes_the_visit_incomplete():
    said = attempts(
        swept(silent=["10.0.0.2-10.0.0.7"]),
        asked("arp", "10.0.0.1", Outcome.ANSWERED),
        asked("http", "10.0.0.1", Outcome.SILENT),
    )
    found = coverage([run()], said, PRESENCE)
    assert gaps(found)[Reach.PRESENT_ONLY] == ("10.0.0.1",)
    assert not found.complete


def test_silence_across_a_router_is_no_complete_visit():
    found = coverage([run()], attempts(swept("connect", silent=["10.0.0.0/29"])), PRESENCE)
    assert gaps(found) == {Reach.SILENT: ("10.0.0.0-10.0.0.7",)}
    assert not found.complete


@pytest.mark.parametrize(
    ("said", "reach"),
    [
        pytest.param([swept(left=["10.0.0.4-10.0.0.7"])], Reach.NOT_REACHED, id="left-undone"),
        pytest.param([swept(proxy=["10.0.0.4-10.0.0.7"])], Reach.PROXY, id="a-router-answers"),
        pytest.param([], Reach.NOT_REACHED, id="nothing-was-asked"),
    ],
)
def test_what_was_not_looked_at_is_named_and_incomplete(said, reach):
    found = coverage([run()], attempts(*said), PRESENCE)
    assert reach in gaps(found)
    assert not found.complete


def test_an_interrupted_run_is_incomplete_even_if_all_was_asked():
    said = attempts(swept(silent=["10.0.0.0/29"]))
    assert not coverage([run(status="interrupted")], said, PRESENCE).complete


def test_an_exclusion_is_named_before_everything_else():
    said = attempts(swept(silent=["10.0.0.0/29"]), asked("http", "10.0.0.3", Outcome.ANSWERED))
    found = coverage([run(excluded=["10.0.0.3"])], said, PRESENCE)
    assert gaps(found)[Reach.EXCLUDED] == ("10.0.0.3",)
    assert found.subnets[0].assessed == 0


def test_every_address_is_either_assessed_or_in_one_gap():
    said = attempts(
        swept(silent=["10.0.0.5"], left=["10.0.0.6"], proxy=["10.0.0.7"]),
        asked("http", "10.0.0.1", Outcome.ANSWERED),
        asked("arp", "10.0.0.2", Outcome.ANSWERED),
    )
    subnet = coverage([run(excluded=["10.0.0.0"])], said, PRESENCE).subnets[0]
    assert subnet.assessed + sum(gap.count for gap in subnet.gaps) == subnet.addresses


def test_the_newest_visit_to_a_network_counts():
    later = run(id="r2", started=datetime(2026, 2, 1, tzinfo=UTC))
    old = attempts(asked("http", "10.0.0.1", Outcome.ANSWERED))
    new = attempts(swept(silent=["10.0.0.0/29"]), run="r2")
    found = coverage([run(), later], [*old, *new], PRESENCE)
    assert [subnet.run for subnet in found.subnets] == ["r2"]


def test_counts_belong_to_the_network_they_were_made_in():
    said = attempts(asked("http", "10.0.0.1", Outcome.ANSWERED))
    found = coverage([run(("10.0.0.0/29", "10.0.1.0/29"))], said, PRESENCE)
    assert [dict(s.tools).keys() for s in found.subnets] == [{"http"}, set()]


def test_what_a_resumed_run_asks_again_counts_once():
    first = swept("connect", silent=["10.0.0.1"], left=["10.0.0.4-5"])
    again = swept("connect", left=["10.0.0.4-5"], of="10.0.0.4/31")
    at_last = swept("connect", silent=["10.0.0.5"], left=["10.0.0.4"], of="10.0.0.4/31")
    for said, put_off in (((first,), 2), ((first, again), 2), ((first, again, at_last), 1)):
        (subnet,) = coverage([run()], attempts(*said), PRESENCE).subnets
        ((tool, counts),) = subnet.tools
        assert (tool, dict(counts)[Outcome.NOT_TRIED]) == ("connect", put_off)


def test_nothing_planned_is_not_complete():
    assert not coverage([], [], PRESENCE).complete


def test_replies_that_nobody_read_make_the_visit_incomplete_on_that_segment():
    def said(segment, dropped):
        note = Note(AddressSet(), told=(("dropped", dropped), ("segment", segment)))
        whole = Attempt("sadp", Endpoint(), Outcome.ANSWERED, (), NOON, detail=str(note))
        silent = swept(silent=["10.0.0.0/29"])
        return coverage([run()], attempts(silent, whole), PRESENCE)

    here = said("10.0.0.0-10.0.0.255", "744")
    assert not here.complete
    assert ("sadp", ((Outcome.NOT_TRIED, 744),)) in here.subnets[0].tools
    assert said("10.7.0.0-10.7.0.255", "744").complete
    assert said("10.0.0.0-10.0.0.255", "many").complete  # no number of ours


def test_what_a_router_keeps_from_us_is_not_reached_and_says_why():
    why = "router 10.9.0.1 says administratively prohibited"
    part, network = AddressSet.parse(["10.0.0.2"]), AddressSet.parse(["10.0.0.0/29"])
    told = (("why", why), ("by", "routed by 10.9.0.1 from eth0 10.9.0.2/24"))
    barred = Note(part, barred=part, told=told)
    whole = Note(network, network.minus(part), told=told[1:])
    said = attempts(
        *(Attempt("knock", Endpoint(), Outcome.SILENT, (), NOON, detail=str(note))
          for note in (barred, whole))
    )  # fmt: skip
    (subnet,) = coverage([run()], said, PRESENCE).subnets
    assert [(gap.reach, gap.ranges, gap.detail) for gap in subnet.gaps] == [
        (Reach.NOT_REACHED, ("10.0.0.2",), why),
        (
            Reach.SILENT,
            ("10.0.0.0-10.0.0.1", "10.0.0.3-10.0.0.7"),
            f"{why}, of other addresses nearby",
        ),
    ]
    assert subnet.vantage == "routed by 10.9.0.1 from eth0 10.9.0.2/24"
    assert not subnet.complete


def listened(*dropped, id="l1", started=NOON, networks=("10.0.0.0/29",)):
    """A listening, with its notes of what it could not keep."""
    heard = replace(run(networks, id=id, started=started), kind="listen")
    notes = [Note(AddressSet(), told=(("dropped", str(n)),) if n else ()) for n in dropped]
    said = (
        Attempt("passive", Endpoint(transport="link"), Outcome.ANSWERED, (), NOON, detail=str(note))
        for note in notes
    )
    return heard, attempts(*said, run=id)


WHOLE = attempts(
    swept(silent=["10.0.0.0", "10.0.0.2-10.0.0.7"]),
    asked("arp", "10.0.0.1", Outcome.ANSWERED),
    asked("http", "10.0.0.1", Outcome.REFUSED),
)


def test_a_listening_that_could_not_keep_everything_makes_coverage_incomplete():
    heard, notes = listened(4, 8, 0)
    found = coverage([run(), heard], [*WHOLE, *notes], PRESENCE)
    (one,) = found.unheard
    assert (one.site, one.run, one.dropped) == ("OTT", "l1", 12)
    assert not found.complete and found.subnets[0].complete


def test_a_later_listening_that_kept_everything_makes_it_whole_again():
    heard, notes = listened(12)
    again, more = listened(0, id="l2", started=NOON + timedelta(hours=1))
    found = coverage([run(), heard, again], [*WHOLE, *notes, *more], PRESENCE)
    assert found.unheard == () and found.complete


def test_a_later_listening_elsewhere_does_not():
    heard, notes = listened(12)
    again, more = listened(0, id="l2", started=NOON + timedelta(hours=1), networks=("10.9.0.0/29",))
    found = coverage([run(), heard, again], [*WHOLE, *notes, *more], PRESENCE)
    assert [one.run for one in found.unheard] == ["l1"] and not found.complete


def told(tool, **said):
    note = Note(AddressSet(), told=tuple(said.items()))
    return Attempt(tool, Endpoint(transport="udp"), Outcome.SILENT, (), NOON, detail=str(note))


def test_nobody_listened_to_what_lies_on_no_link_until_a_scan_has_its_own_account_of_it():
    heard, notes = listened(0, networks=("10.7.0.0/30",))
    notes = [*notes, *attempts(told("passive", off_link="10.7.0.0-10.7.0.3"), run="l1")]
    found = coverage([run(), heard], [*WHOLE, *notes], PRESENCE)
    (one,) = found.unheard
    assert (one.run, one.dropped, one.off_link) == ("l1", 0, ("10.7.0.0-10.7.0.3",))
    assert not found.complete
    scanned = run(("10.7.0.0/31",), id="r2")
    (one,) = coverage([run(), scanned, heard], [*WHOLE, *notes], PRESENCE).unheard
    assert one.off_link == ("10.7.0.2-10.7.0.3",)
    scanned = run(("10.7.0.0/24",), id="r2")
    assert coverage([run(), scanned, heard], [*WHOLE, *notes], PRESENCE).unheard == ()


def test_a_segment_on_which_no_factory_address_is_heard_is_not_fully_looked_at():
    segment = "10.0.0.0-10.0.0.255,fe80::-fe80::ff"
    deaf = told("sadp", group="239.255.255.250:37020", deaf="rp_filter", segment=segment)
    found = coverage([run()], [*WHOLE, *attempts(deaf)], PRESENCE)
    (one,) = found.unheard
    assert one.deaf == ("10.0.0.0-10.0.0.255",)
    assert not found.complete and not found.subnets[0].complete
    elsewhere = told("sadp", group="239.255.255.250:37020", deaf="rp_filter", segment="10.9.0.0")
    assert coverage([run()], [*WHOLE, *attempts(elsewhere)], PRESENCE).complete


def replied(tool, ip):
    return Attempt(tool, Endpoint(ip, None, 37020, "udp"), Outcome.ANSWERED, (), NOON)


def asked_all(tool):
    note = Note(AddressSet(), told=(("group", "239.255.255.250:37020"),))
    return Attempt(tool, Endpoint(transport="udp"), Outcome.ANSWERED, (), NOON, detail=str(note))


def test_a_reply_to_a_group_tells_nothing_of_an_address_where_nobody_answers():
    ghost = [replied("sadp", "10.0.0.3"), replied("dhip", "10.0.0.3")]
    said = [*ghost, swept(silent=["10.0.0.0-10.0.0.7"]), asked_all("sadp"), asked_all("dhip")]
    found = coverage([run()], attempts(*said), PRESENCE)
    assert gaps(found) == {Reach.SILENT: ("10.0.0.0-10.0.0.7",)}
    assert found.subnets[0].assessed == 0


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(asked("http", "10.0.0.3", Outcome.REFUSED), id="it-answers-in-person"),
        pytest.param(replied("snmp", "10.0.0.3"), id="it-answers-a-datagram-of-its-own"),
    ],
)
def test_it_does_where_somebody_answers_after_all(more):
    said = attempts(
        replied("sadp", "10.0.0.3"), swept(silent=["10.0.0.0/29"]), asked_all("sadp"), more
    )
    assert coverage([run()], said, PRESENCE).subnets[0].assessed == 1


def test_a_reply_from_an_address_that_nobody_was_asked_for_counts():
    found = coverage([run()], attempts(replied("sadp", "10.0.0.3"), asked_all("sadp")), PRESENCE)
    assert found.subnets[0].assessed == 1
