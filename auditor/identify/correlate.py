"""Which records are one device: keys by weight, conflicts, time windows, officers' decisions.

In this order, so that a weak key never overrules a strong one:
1. what officers decided; 2. registered MAC, serial, device id, asset tag; 3. the end of a serial,
discovery identifiers, locally made MACs; 4. the IP address within a window; 5. the host name. From 3 on a join is refused when the
two sides have different MACs, serials or tags of their own. Sites never mix: 10.0.0.1 at one
is not 10.0.0.1 at another. A MAC that answers for many addresses is a router: its
addresses are no devices until something else answers there.
"""

from collections.abc import Iterable

from auditor.identify.build import build, ip_number
from auditor.identify.decided import Trees, decided, in_force
from auditor.identify.forest import Forest
from auditor.identify.gathered import Group
from auditor.identify.joining import Correlation
from auditor.identify.records import Records
from auditor.model.decision import Decision
from auditor.model.device import Device
from auditor.model.observation import StoredAttempt


def correlate(
    attempts: Iterable[StoredAttempt], decisions: Iterable[Decision] = ()
) -> tuple[Device, ...]:
    """Add the ledger's rows up to devices, sorted by site and address."""
    kept = list(attempts)
    by_seq = {stored.seq: stored for stored in kept}
    groups = group(kept, decisions)
    found = (
        build(
            g.id,
            g.links,
            g.proxies,
            (by_seq[n] for n in g.seqs),
            (by_seq[n] for n in g.silent),
            g.astray,
            g.doubts,
        )
        for g in groups
    )
    return tuple(sorted(found, key=_order))


def group(
    attempts: Iterable[StoredAttempt], decisions: Iterable[Decision] = ()
) -> tuple[Group, ...]:
    """Group ledger rows by device, reading them once and keeping only their keys.

    For ledgers too large to hold: fetch the rows of some groups, then `build` each device.
    """
    records = Records()
    for stored in attempts:
        records.take(stored)
    records.settle()
    acts = in_force(decisions)
    correlation = Correlation(records, Forest())
    groups = correlation.groups(decided(acts, records))
    if not any(act.late for act in acts):
        return groups
    numbers = {seq: number for number, seq in enumerate(records.seqs)}
    devices = {g.id: tuple(numbers[seq] for seq in g.seqs) for g in groups}
    trees = Trees(correlation.forest.root, devices)
    return Correlation(records, Forest()).groups(decided(acts, records, trees))


def _order(device: Device) -> tuple[str, tuple[int, ...], str]:
    return device.site, ip_number(device.ips[0]) if device.ips else (9, 0), device.id
