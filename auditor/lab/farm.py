"""A farm as other programs see it: a whole network with thousands of hosts, for the benches."""

from typing import Any

from pydantic import ValidationError

from auditor.errors import DataError
from auditor.lab.farm_plan import FarmPlan, Host, grow
from auditor.lab.holding import Lab

INTERFACE = "eth0"


class Farm(Lab):
    """Start it and run programs against it: `with Farm.start(live=3288) as farm: farm.run([…])`."""

    def __init__(self, plan: FarmPlan) -> None:
        """Build and start the farm of `plan`."""
        self.plan = plan
        self.hosts: tuple[Host, ...] = grow(plan)
        super().__init__("auditor.lab.keeper", {"farm": plan.model_dump(mode="json")})

    @classmethod
    def start(cls, **knobs: Any) -> "Farm":
        """Start a farm; the knobs are the fields of FarmPlan (network, live, arp_loss …)."""
        try:
            plan = FarmPlan.model_validate(knobs)
            return cls(plan)
        except (ValidationError, ValueError, KeyError) as error:
            raise DataError("no such farm", why=str(error), hint="see FarmPlan") from error

    @property
    def network(self) -> str:
        """Give the network, as CIDR."""
        return self.plan.network

    @property
    def open_ports(self) -> frozenset[tuple[str, int]]:
        """Give every (address, port) that takes TCP connections."""
        return frozenset((host.ip, port) for host in self.hosts for port in host.ports)
