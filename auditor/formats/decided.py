"""What an officer's decision sets and why, in the reader's words where it is a code."""

from markupsafe import Markup, escape

from auditor.formats.saying import given, known, trait_value
from auditor.formats.words import Phrases
from auditor.model.decision import Decision, DecisionKind

Setting = tuple[str, Markup]  # what is set, and to what


def settings(phrases: Phrases, decision: Decision) -> tuple[Setting, ...]:
    """Give everything that a decision sets: `Maker: Axis`, `Step: unplugged`."""
    values = dict(decision.values)
    trait = values.get("trait", "")
    if decision.kind is DecisionKind.IDENTITY and trait:
        value = trait_value(phrases, trait, values.get("value", ""))
        return ((known(phrases, "trait", trait), value),)
    return tuple(
        (known(phrases, "record", name), _value(phrases, decision, name, value))
        for name, value in decision.values
    )


def _value(phrases: Phrases, decision: Decision, name: str, value: str) -> Markup:
    """Put a code of the program into words; what a person typed stands as it is."""
    key = f"set.{name}.{value}"
    match decision.kind, name:
        case DecisionKind.VERDICT, "verdict":
            key = f"verdict.{value}.name"
        case DecisionKind.REMOVAL, "step":
            key = f"removal.{value}"
        case DecisionKind.RECORD, _:
            key = f"connected.{value}"  # yes and no
        case DecisionKind.REPORTED, "submitted":
            return escape(phrases.dated(value))
    return escape(phrases.word(key)) if phrases.has(key) else given(value)


def motive(phrases: Phrases, decision: Decision) -> Markup:
    """Give the reason of a decision; one that the program put there is in the reader's words."""
    reason = decision.reason
    step = dict(decision.values).get("step")
    table = "removal" if decision.kind is DecisionKind.REMOVAL and reason == step else "motive"
    key = f"{table}.{reason}"
    return escape(phrases.word(key)) if phrases.has(key) else given(reason)
