"""Commands that show what was looked at, and the books against the wire."""

from pathlib import Path
from typing import Any

from auditor import wiring
from auditor.commands import judging
from auditor.commands.setting import Setting
from auditor.commands.terminal import emit, safe, table
from auditor.model.device import Reach, SubnetCoverage, Unheard
from auditor.model.observation import Outcome

ROUTED_SILENCE = (
    "looked at through a router: silence there proves less than on the segment itself, where a "
    "host must answer ARP"
)


def coverage(setting: Setting, site: str, *, as_json: bool) -> int:
    """Show what was asked, what answered, what was never reached; a table and a picture."""
    with wiring.open_ledger(setting.db) as ledger:
        from auditor.inventory.coverage import coverage as covered

        found = covered(ledger.runs(site or None), ledger.attempts(), wiring.presence())
    if as_json:
        emit(_subnet_json(subnet) for subnet in found.subnets)
        emit(
            {"site": u.site, "run": u.run, "dropped": u.dropped}
            | {"off_link": list(u.off_link), "deaf": list(u.deaf)}
            for u in found.unheard
        )
    else:
        for subnet in found.subnets:
            _print_subnet(subnet)
        for one in found.unheard:
            _print_unheard(one)
        whole = "complete" if found.complete else "not complete"
        print(f"coverage is {whole}; {found.not_assessed} addresses not assessed")
    return 0 if found.complete else 3


def _print_unheard(one: Unheard) -> None:
    said = (
        (f"listening {one.run}", f"{one.dropped} not kept", one.dropped),
        (
            f"listening {one.run}",
            f"nobody listened to {', '.join(one.off_link)}: on no link",
            one.off_link,
        ),
        (
            f"scan {one.run}",
            f"answers from other networks were not heard on {', '.join(one.deaf)} (rp_filter)",
            one.deaf,
        ),
    )
    for run, what in ((run, what) for run, what, holds in said if holds):
        print(f"{run} at {safe(one.site)}: NOT COMPLETE, {what}")


def reconcile(
    setting: Setting, site: str, walkdown: Path | None, lang: str, *, as_json: bool
) -> int:
    """Compare the books with the wire."""
    from auditor.inventory.reconcile import reconcile as compared

    with wiring.open_ledger(setting.db) as ledger:
        found = judging.assessed(setting, ledger)
    lines = [
        line for line in compared(found.devices, found.coverage) if not site or line.site == site
    ]
    if walkdown:
        from auditor.commands import walking
        from auditor.inventory.walkdown import stops

        for path in walking.write(stops(found.devices, lines), walkdown, lang):
            print(safe(path.resolve(), 4000))
        return 0
    if as_json:
        emit(
            {"kind": r.kind, "device": r.device, "site": r.site, "count": r.count}
            | {"detail": dict(r.detail)}
            for r in lines
        )
    else:
        table(
            [
                [r.kind, r.site, r.device, r.count, ", ".join(f"{k}={v}" for k, v in r.detail if v)]
                for r in lines
            ],
            ("kind", "site", "device", "count", "detail"),
        )
    return 0


def _subnet_json(subnet: SubnetCoverage) -> dict[str, Any]:
    return {
        "site": subnet.site,
        "network": subnet.network,
        "addresses": subnet.addresses,
        "assessed": subnet.assessed,
        "complete": subnet.complete,
        "vantage": subnet.vantage,
        "started": subnet.started and subnet.started.isoformat(),
        "ended": subnet.ended and subnet.ended.isoformat(),
        "run": subnet.run,
        "tools": {tool: {str(o): n for o, n in ends} for tool, ends in subnet.tools},
        "gaps": [
            {
                "ranges": gap.ranges,
                "reason": str(gap.reach),
                "count": gap.count,
                "detail": gap.detail,
            }
            for gap in subnet.gaps
        ],
    }


def _print_subnet(subnet: SubnetCoverage) -> None:
    width = 40
    share = round(width * subnet.assessed / max(1, subnet.addresses))
    share = max(share, 1) if subnet.assessed else 0
    picture = "#" * share + "." * (width - share)
    state = "complete" if subnet.complete else "NOT COMPLETE"
    print(safe(f"{subnet.site} {subnet.network} ({subnet.vantage}): {state}"))
    print(f"  [{picture}] {subnet.assessed} of {subnet.addresses} addresses assessed")
    heads = ("tool", *map(str, Outcome))
    rows = [[tool, *(dict(ends).get(o, 0) for o in Outcome)] for tool, ends in subnet.tools]
    table(rows, heads)
    for gap in subnet.gaps:
        shown = ", ".join(gap.ranges[:8]) + (" …" if len(gap.ranges) > 8 else "")
        print(safe(f"  not assessed, {gap.reach}: {gap.count}: {shown} {gap.detail}", 1000))
    if "routed" in subnet.vantage and any(gap.reach is Reach.SILENT for gap in subnet.gaps):
        print("  " + ROUTED_SILENCE)
    print()
