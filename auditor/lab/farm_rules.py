"""The packet rules that make one network look like thousands of hosts (nftables ruleset).

Every address of the network is local to the farm, so one program serves them all; the rules
give each its own hardware address, keep the unused ones silent and refuse closed ports.
"""

import json
import subprocess
from collections.abc import Iterable, Sequence

from auditor.errors import EnvironmentLack
from auditor.lab.farm_plan import FarmPlan, Host

DEVICE = "farm0"
COUNTED = {
    "all": "",
    "arp": "ether type arp",
    "ipv4": "ether type ip",
    "tcp": "ip protocol tcp",
    "tcp-syn": "tcp flags & (syn | ack) == syn",
    "tcp-rst": "tcp flags & rst == rst",
    "udp": "ip protocol udp",
    "icmp": "ip protocol icmp",
}


def ruleset(plan: FarmPlan, hosts: Sequence[Host]) -> str:
    """Write the rules of a farm."""
    live = _set("live", "ipv4_addr", (host.ip for host in hosts))
    dead = _set("dead", "ipv4_addr", (host.ip for host in hosts if host.silent))
    macs = _set("macs", "ipv4_addr : ether_addr", (f"{h.ip} : {h.mac}" for h in hosts), "map")
    open_ports = (f"{host.ip} . {port}" for host in hosts for port in host.ports)
    opened = _set("opened", "ipv4_addr . inet_service", open_ports)
    quiet = _set("quiet", "ipv4_addr", (host.ip for host in hosts if host.quiet))
    lost = round(plan.tcp_loss * 1000)
    counters = "".join(f"counter c_{name.replace('-', '_')} {{ }}\n" for name in COUNTED)
    counting = "".join(
        f"{match} counter name c_{name.replace('-', '_')}\n" for name, match in COUNTED.items()
    )
    return f"""
table netdev farm {{
{counters}{live}{dead}{macs}
chain incoming {{
type filter hook ingress device {DEVICE} priority 0; policy accept;
{counting}
{"" if plan.routed else "ether type arp arp daddr ip != @live drop"}
ip daddr {plan.network} ip daddr != @live drop
ip daddr @dead drop
{f"ip protocol tcp numgen random mod 1000 < {lost} drop" if lost else ""}
meta pkttype other meta pkttype set host
}}
chain outgoing {{
type filter hook egress device {DEVICE} priority 0; policy accept;
{"" if plan.routed else "ether saddr set ip saddr map @macs"}
}}
}}
table ip farm {{
{opened}{quiet}
chain incoming {{
type filter hook input priority 0; policy accept;
iifname {DEVICE} ip protocol tcp ip daddr . tcp dport @opened accept
iifname {DEVICE} ip protocol tcp ip daddr @quiet drop
iifname {DEVICE} ip protocol tcp reject with tcp reset
}}
}}
"""


def _set(name: str, kind: str, elements: Iterable[str], word: str = "set") -> str:
    joined = ",\n".join(elements)
    content = f"elements = {{\n{joined}\n}}" if joined else ""
    return f"{word} {name} {{\ntype {kind}\n{content}\n}}\n"


def apply(rules: str) -> None:
    """Load rules into the network that this process is in."""
    try:
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise EnvironmentLack(
            "a farm needs the program nft", why=str(error), hint="install nftables"
        ) from error
    except subprocess.CalledProcessError as error:
        raise EnvironmentLack(
            "this kernel does not take the farm's packet rules",
            why=error.stderr.strip()[:400],
            hint="it needs nftables with the netdev ingress and egress hooks (Linux 5.16)",
        ) from error


def counts() -> dict[str, dict[str, int]]:
    """Give the frames and bytes that have come in, by kind."""
    told = subprocess.run(
        ["nft", "-j", "list", "counters", "table", "netdev", "farm"],
        capture_output=True,
        check=True,
    )
    rows = [row["counter"] for row in json.loads(told.stdout)["nftables"] if "counter" in row]
    named = {row["name"].removeprefix("c_").replace("_", "-"): row for row in rows}
    return {
        name: {"frames": named[name]["packets"], "bytes": named[name]["bytes"]} for name in COUNTED
    }
