"""When enough is known about a host, so that it is left in peace. Pure.

Asked after every answer of every host, so what an observation speaks of is worked out once and
only a host of which maker and model are spoken of is weighed.
"""

from collections.abc import Sequence

from auditor.identify.evidence import of_observation
from auditor.identify.identify import of_observations
from auditor.identify.knowledge import Knowledge
from auditor.model.identity import Standing
from auditor.model.observation import Observation

REMEMBERED = 32_768  # observations
_NEEDED = frozenset({"maker", "model"})  # nothing else gives them a value


class Enough:
    """Tells whether a host's maker is confirmed, and its model and class are told."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._spoken: dict[int, frozenset[str]] = {}

    def __call__(self, seen: Sequence[Observation]) -> bool:
        """Weigh all that was seen of one host so far."""
        spoken = {trait for one in seen for trait in self._traits(one)}
        if not spoken >= _NEEDED:
            return False
        found = of_observations(seen, self.knowledge)
        told = found.model.value is not None and found.device_class.value is not None
        return told and found.maker.standing is Standing.CONFIRMED

    def _traits(self, observation: Observation) -> frozenset[str]:
        """Give the traits that an observation speaks of; its text is not kept."""
        key = hash((observation.field, observation.value))
        if key not in self._spoken:
            if len(self._spoken) >= REMEMBERED:
                self._spoken.clear()
            claims = of_observation(observation, self.knowledge)
            self._spoken[key] = frozenset(claim.trait for claim in claims)
        return self._spoken[key]
