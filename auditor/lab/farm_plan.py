"""What a farm grows: thousands of hosts of a few kinds in one large network, from one seed."""

import ipaddress
import random
import tomllib
from collections.abc import Mapping
from functools import cached_property
from itertools import cycle
from string import Template

from auditor.lab.reading import checked, shipped
from auditor.lab.truth import Banner, Datagram, Service, Strict, Talk
from auditor.model.address import Mac

ODD = ("tarpit", "drip", "endless", "reset")  # manners that a farm's TCP servers can have
# All that a hostile host does to whoever connects (see farm_manners).
HOSTILE = (*ODD, "shut", "byte", "continues", "head", "bomb", "lies", "astray", "garbage")
HOSTILE_KIND = "hostile"


# Of a farm behind a router: the scanner and the router before it, the router and the farm behind.
SCANNER, GATEWAY = "192.168.254.2", "192.168.254.1"
INSIDE, FIELD = "192.168.253.1", "192.168.253.2"


class Kind(Strict):
    """A kind of host: its services without TLS, what it is, how frequent it is."""

    name: str
    personas: tuple[str, ...]
    block: str
    vars: Mapping[str, str] = {}
    maker: str | None = None
    listed: bool = False
    weight: int = 1
    services: tuple[Service, ...] = ()

    @cached_property
    def tcp(self) -> dict[int, Talk | Banner]:
        """Give its TCP servers by port."""
        fit = (s for s in self.services if isinstance(s, Talk | Banner))
        return {s.port: s for s in fit if not (isinstance(s, Talk) and s.tls)}

    @cached_property
    def udp(self) -> tuple[Datagram, ...]:
        """Give its UDP services."""
        return tuple(s for s in self.services if isinstance(s, Datagram))


class FarmPlan(Strict):
    """How large and how difficult a farm is.

    live: hosts that answer ARP. dead: so many of them answer nothing else. quiet: share of
    the others that drop what comes to closed ports instead of refusing it. arp_loss: share of
    ARP requests that get no answer; tcp_loss: of TCP frames to hosts that are dropped;
    arp_delay_s: before each ARP answer; delay_s: before each TCP answer. tarpit, drip,
    endless, reset: shares of the hosts whose servers answer in that manner. chatter: broadcast
    frames a second (libpcap programs can hang on a wholly silent link). spread_s: over which
    discovery answers are spread. witness: count every frame (for gentle paces only).
    hostile: so many hosts more, which answer in the manners of `hostile_manners` in turn; the
    others are the same as without them. routed: a
    router stands between the scanner and the farm.
    """

    network: str = "10.77.0.0/16"
    live: int = 3288
    dead: int = 0
    quiet: float = 0.0
    kinds: Mapping[str, int] = {}  # kind: weight; empty: those of the shipped file
    arp_loss: float = 0.0
    tcp_loss: float = 0.0
    arp_delay_s: float = 0.0
    delay_s: float = 0.0
    tarpit: float = 0.0
    drip: float = 0.0
    endless: float = 0.0
    reset: float = 0.0
    chatter: int = 20
    spread_s: float = 0.5
    witness: bool = False
    hostile: int = 0
    hostile_manners: tuple[str, ...] = HOSTILE
    routed: bool = False
    seed: int = 1

    @property
    def scanner(self) -> str:
        """Give the scanner's address: the last of the network, or one before the router."""
        if self.routed:
            return SCANNER
        return str(ipaddress.ip_network(self.network)[-2])

    @property
    def interface(self) -> str:
        """Give the scanner's address with its prefix length."""
        prefix = 30 if self.routed else ipaddress.ip_network(self.network).prefixlen
        return f"{self.scanner}/{prefix}"


class Host:
    """One host of a farm: where it stands, its kind, and how its servers answer."""

    __slots__ = ("ip", "kind", "mac", "manner", "number", "quiet", "silent")

    def __init__(self, ip: int, kind: Kind, manner: str, *, silent: bool, quiet: bool) -> None:
        self.number, self.ip = ip, str(ipaddress.IPv4Address(ip))
        block = Mac.parse(kind.block + ":00:00:00").value
        self.mac = Mac(block | ip & 0xFFFFFF)
        self.kind, self.manner, self.silent, self.quiet = kind, manner, silent, quiet

    @property
    def ports(self) -> tuple[int, ...]:
        """Give its open TCP ports."""
        return () if self.silent else tuple(self.kind.tcp)

    def words(self) -> dict[str, str]:
        """Give the variables that its texts may use."""
        number = f"{int(ipaddress.IPv4Address(self.ip)) % 10**9:09}"
        made = {"number": number, "short": f"J{number[-5:]}"}
        own = {"ip": self.ip, "mac": str(self.mac), "name": f"host-{number}"}
        own["mac_dashes"] = str(self.mac).replace(":", "-")
        own["mac_digits"] = str(self.mac).replace(":", "").upper()
        given = {k: Template(v).safe_substitute(made) for k, v in self.kind.vars.items()}
        return own | given


def kinds(plan: FarmPlan) -> tuple[Kind, ...]:
    """Give the kinds of host of a plan, with their weights and services."""
    content = tomllib.loads(shipped("personas.toml").read_text(encoding="utf-8"))
    truth = checked(content | {"segments": [], "devices": []}, "personas.toml")
    rows = tomllib.loads(shipped("farm.toml").read_text(encoding="utf-8"))["kinds"]
    known = {kind.name: kind for kind in map(Kind.model_validate, rows)}
    drawn = {kind.name: kind.weight for kind in known.values() if kind.weight}
    grown = []
    for name, weight in (plan.kinds or drawn).items():
        kind, variables = known[name], dict[str, str]()
        for persona in kind.personas:
            variables |= truth.personas[persona].vars
        of_kind = (truth.personas[persona].services for persona in kind.personas)
        services = (*(service for group in of_kind for service in group), *kind.services)
        changed = {"weight": weight, "services": services, "vars": variables | dict(kind.vars)}
        grown.append(kind.model_copy(update=changed))
    return tuple(grown)


def grow(plan: FarmPlan) -> tuple[Host, ...]:
    """Give all hosts of a plan, by address; the same plan grows the same hosts."""
    network = ipaddress.ip_network(plan.network)
    dice = random.Random(plan.seed)
    first = int(network.network_address) + 1
    places = sorted(dice.sample(range(first, first + network.num_addresses - 3), plan.live))
    known = kinds(plan)
    drawn = dice.choices(known, [kind.weight for kind in known], k=plan.live)
    silent = set(dice.sample(range(plan.live), plan.dead))
    shares = [getattr(plan, odd) for odd in ODD]
    manners = dice.choices((*ODD, "plain"), [*shares, 1 - sum(shares)], k=plan.live)
    hosts = [
        Host(ip, kind, manner, silent=at in silent, quiet=dice.random() < plan.quiet)
        for at, (ip, kind, manner) in enumerate(zip(places, drawn, manners, strict=True))
    ]
    return tuple(sorted([*hosts, *_hostile(plan, set(places))], key=lambda host: host.number))


def _hostile(plan: FarmPlan, taken: set[int]) -> list[Host]:
    """Give the hostile hosts, on addresses that nobody has taken."""
    if not plan.hostile:
        return []
    network, dice = ipaddress.ip_network(plan.network), random.Random(-plan.seed - 1)
    first = int(network.network_address) + 1
    free = sorted(set(range(first, first + network.num_addresses - 3)) - taken)
    (kind,) = kinds(plan.model_copy(update={"kinds": {HOSTILE_KIND: 1}}))
    places, manners = dice.sample(free, plan.hostile), cycle(plan.hostile_manners)
    return [Host(ip, kind, next(manners), silent=False, quiet=False) for ip in places]
