"""What a scan would do, in words."""

from datetime import datetime

from auditor.model.scope import Plan, Scope


def lines(made: Plan, moment: datetime) -> list[str]:
    """Say it for people. moment: now, for hours and expiry."""
    scope, pace = made.scope, made.scope.pace
    minutes = made.duration_s / 60
    said = [
        f"site {scope.site}: {made.targets.size} addresses in "
        f"{', '.join(scope.networks.cidrs()[:20])}",
        f"sweeps: {', '.join(made.sweeps)}; probes: {', '.join(made.probes)}",
        f"packets to find out who is there, and with which ports: at most {made.packets}, "
        f"about {minutes:.1f} minutes",
        f"then to each host that answers: at most {pace.host_total} connections, "
        f"{pace.host_connects_per_s:g} a second, {pace.host_open} at a time",
        *[
            f"where one hardware address answers for many: at most {made.behind} connections more to "
            "each of those addresses, to learn whether hosts are behind it"
        ]
        * bool(made.behind),
        f"pace ({pace.profile}): {pace.arp_per_s:g} ARP, {pace.packets_per_s:g} packets, "
        f"{pace.connects_per_s:g} connections a second at most; to all of a segment at once "
        f"{pace.discovery_per_30s:g} questions in 30 seconds",
        f"ports never touched: {', '.join(map(str, sorted(scope.never)))}",
        f"authority: {scope.authority.operator} by {scope.authority.source}"
        + (f", approved by {scope.authority.approver}" if scope.authority.approver else ""),
    ]
    said += _standing(scope, moment)
    said += [f"refused: {refusal.addresses}: {refusal.reason}" for refusal in made.refused]
    return [*said, "nothing was sent"]


def _standing(scope: Scope, moment: datetime) -> list[str]:
    """Say until when the authority stands, and in which hours something may be sent."""
    said = []
    if scope.authority.expires:
        said.append(f"the authority ends at {scope.authority.expires.isoformat()}")
    if hours := scope.hours:
        window = f"{hours.start:%H:%M} to {hours.end:%H:%M} on {' '.join(hours.days)}"
        now = "" if hours.allow(moment) else "; now is outside: a scan would send nothing"
        said.append(f"hours: {window} ({hours.zone}){now}")
    return said


def as_json(made: Plan) -> dict[str, object]:
    """Say it for programs."""
    pace = made.scope.pace
    return {
        "site": made.scope.site,
        "addresses": made.targets.size,
        "networks": made.targets.cidrs() if len(made.targets.ranges) < 1000 else [],
        "sweeps": made.sweeps,
        "probes": made.probes,
        "packets": made.packets,
        "minutes": round(made.duration_s / 60, 2),
        "host_connections": pace.host_total,
        "behind_connections": made.behind,
        "pace": {
            "profile": pace.profile,
            "arp_per_s": pace.arp_per_s,
            "pps": pace.packets_per_s,
            "discovery_per_30s": pace.discovery_per_30s,
        },
        "refused": [{"addresses": r.addresses, "reason": r.reason} for r in made.refused],
        "sent": 0,
    }
