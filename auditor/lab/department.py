"""A simulated department as other programs see it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.lab.holding import Lab
from auditor.lab.reading import load, of
from auditor.lab.truth import Device, Truth


class Department(Lab):
    """Start it, run commands in it, ask it: `with Department.start() as lab: lab.run([…])`."""

    def __init__(self, truth: Truth) -> None:
        """Build and start the department of `truth`."""
        self.truth = truth
        super().__init__("auditor.lab.keeper", {"department": truth.model_dump(mode="json")})

    @classmethod
    def start(cls, truth_path: Path | None = None) -> "Department":
        """Start the department of a truth file (None: the one that comes with the program)."""
        return cls(load(truth_path))

    @classmethod
    def of(
        cls,
        devices: Sequence[Mapping[str, Any] | Device],
        networks: Sequence[str | Mapping[str, str]] = ("10.20.1.0/24",),
        certificates: Mapping[str, Any] | None = None,
    ) -> "Department":
        """Start a small department of the given devices; `reading.of` says what may be left out."""
        return cls(of(devices, networks, certificates))

    @property
    def networks(self) -> tuple[str, ...]:
        """Give the networks of its segments."""
        return tuple(segment.network for segment in self.truth.segments)

    @property
    def interfaces(self) -> Mapping[str, str]:
        """Give the scanner's interface in each segment: the segment's name -> eth0, eth1."""
        near = (segment for segment in self.truth.segments if segment.scanner)
        return {segment.name: f"eth{at}" for at, segment in enumerate(near)}

    def unplug(self, name: str) -> None:
        """Pull the plug of a device: it is gone from the network until `plug`."""
        self.ask(json.dumps({"do": "unplug", "device": name}))

    def plug(self, name: str) -> None:
        """Put the plug of a device in again."""
        self.ask(json.dumps({"do": "plug", "device": name}))
