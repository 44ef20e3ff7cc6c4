"""Many records of one table at once: the quick way in for lists of a million lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from auditor.errors import DataError
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome

# ip, mac, detail, and one value for each field of the block (None: not observed)
Record = tuple[str | None, str | None, str, Sequence[str | None]]

_VALUES = itemgetter(3)


@dataclass(frozen=True, slots=True)
class Block:
    """Records that share all but their endpoints and values, e.g. the rows of one sheet.

    It says exactly what its attempts say, without making an object for every cell; the
    ledger takes it in place of them. fields: stand in data/fields.toml.
    """

    tool: str
    fields: tuple[str, ...]
    records: Sequence[Record]
    started: datetime
    outcome: Outcome = Outcome.ANSWERED
    origin: Origin = Origin.FILE
    transport: str = "file"
    port: int = 0

    def __post_init__(self) -> None:
        if self.started.tzinfo is None:
            raise DataError(f"block of {self.tool} carries a time without a zone")
        width = len(self.fields)
        if not {width}.issuperset(map(len, map(_VALUES, self.records))):
            raise DataError(f"a record of {self.tool} has not one value for each of {width} fields")

    def attempts(self) -> Iterator[Attempt]:
        """Give the attempts that the block stands for."""
        for ip, mac, detail, values in self.records:
            seen = tuple(
                Observation(name, value)
                for name, value in zip(self.fields, values, strict=True)
                if value is not None
            )
            end = Endpoint(ip, mac, self.port, self.transport)
            yield Attempt(
                self.tool, end, self.outcome, seen, self.started, 0.0, detail, self.origin
            )
