"""When enough is known about a host, so that it is left in peace. Pure.

Asked after every answer of every host, so what an observation speaks of is worked out once and
only a host of which maker and model are spoken of is weighed.
"""

from collections.abc import Sequence

from auditor.identify.evidence import claims_of, telling
from auditor.identify.identify import of_observations
from auditor.identify.knowledge import Knowledge
from auditor.model.identity import Standing
from auditor.model.observation import Observation

REMEMBERED = 32_768  # observations, and as many kinds of hosts
_NEEDED = ("model", "maker")  # nothing else gives them a value; few tell a model

# What weighing rests on of each claim that an observation makes (see identify.shapes)
_Claims = tuple[tuple[str, ...], ...]


class Enough:
    """Tells whether a host's maker is confirmed, and its model and class are told."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._spoken: dict[int, _Claims] = {}
        self._weighed: dict[int, frozenset[str]] = {}
        self._fields = {trait: telling(trait, knowledge) for trait in (*_NEEDED, "device_class")}

    def __call__(self, seen: Sequence[Observation]) -> bool:
        """Weigh all that was seen of one host so far."""
        return all(self._speaks_of(trait, seen) for trait in _NEEDED) and not self._missing(seen)

    def needless(self, seen: Sequence[Observation], fields: Sequence[str]) -> bool:
        """Tell whether a reply that is told by these fields cannot add what is missing.

        Only of a host whose maker is confirmed already: of others whatever speaks is welcome.
        """
        if not self._speaks_of("maker", seen):
            return False
        missing = self._missing(seen)
        if "maker" in missing:
            return False
        return not any(field in self._fields[trait] for trait in missing for field in fields)

    def _speaks_of(self, trait: str, seen: Sequence[Observation]) -> bool:
        fields = self._fields[trait]
        return any(
            claim[0] == trait for one in seen if one.field in fields for claim in self._claims(one)
        )

    def _missing(self, seen: Sequence[Observation]) -> frozenset[str]:
        """Give what is not known yet; of hosts that make the same claims it is worked out once."""
        key = hash(tuple([claims for one in seen if (claims := self._claims(one))]))
        if key not in self._weighed:
            if len(self._weighed) >= REMEMBERED:
                self._weighed.clear()
            found = of_observations(seen, self.knowledge)
            known = {
                "maker": found.maker.standing is Standing.CONFIRMED,
                "model": found.model.value is not None,
                "device_class": found.device_class.value is not None,
            }
            self._weighed[key] = frozenset(trait for trait, told in known.items() if not told)
        return self._weighed[key]

    def _claims(self, observation: Observation) -> _Claims:
        """Give what an observation claims."""
        key = hash((observation.field, observation.value))
        if key not in self._spoken:
            if len(self._spoken) >= REMEMBERED:
                self._spoken.clear()
            field = observation.field
            kind = self.knowledge.vocabulary.kind(field)
            self._spoken[key] = tuple([
                (c.trait, c.claim, c.rule, field, kind, c.strength)
                for c in claims_of(field, observation.value, self.knowledge)
                if c.trait != "serial"  # each host's own, and nothing rests on it
            ])  # fmt: skip
        return self._spoken[key]
