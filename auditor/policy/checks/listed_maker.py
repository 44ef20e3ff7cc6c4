"""Made by a company that the instrument names, or by one tied to it."""

from auditor.model.policy import Relations, Text
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import MakerParams, knowing, rate


@knowing
def examine(case: Case, params: MakerParams, relations: Relations) -> Answer:
    """Judge by maker and class of equipment alone."""
    return rate(case, params, relations)[0]


CHECK = Check(
    "listed_maker",
    MakerParams,
    examine,
    Text("Made by a named company", "Fabriqué par une entreprise désignée"),
)
