"""What changed when knowledge changed: the same facts under two states of the data."""

from collections.abc import Iterable, Mapping

from auditor.identify.explain import Words
from auditor.model.identity import Evidence, Identity
from auditor.model.report import Change

_TRAITS = ("maker", "brand")


def changes(before: Mapping[str, Identity], after: Mapping[str, Identity]) -> tuple[Change, ...]:
    """Compare the identities of the devices (by id) that are in both.

    Each change names what made it: the registry, fingerprints, entities, or new evidence.
    `kind` is `maker`, `brand` or `standing`; `detail` the rules that came or went.
    """
    found = []
    for device in sorted(before.keys() & after.keys()):
        found += list(_changed(device, before[device], after[device]))
    return tuple(found)


def _changed(device: str, old: Identity, new: Identity) -> Iterable[Change]:
    because, rules = _why(old, new)
    for trait in _TRAITS:
        one, other = getattr(old, trait), getattr(new, trait)
        if one.value != other.value:
            yield Change(trait, device, one.value or "", other.value or "", because, rules)
    if old.maker.value == new.maker.value and old.standing is not new.standing:
        yield Change("standing", device, old.standing.value, new.standing.value, because, rules)


def _why(old: Identity, new: Identity) -> tuple[str, str]:
    said, now = _claims(old), _claims(new)
    moved = sorted({rule for rule, *_ in said ^ now})
    seen = {(e.field, e.value) for e in old.evidence}
    fresh = [e for e in new.evidence if (e.rule, e.trait, e.claim) not in said]
    detail = ", ".join(moved[:8])
    if any(rule.startswith("oui:") for rule in moved):
        return "registry", detail
    if any(rule.startswith(("model:", "field:", "word:")) for rule in moved) or not moved:
        return "entities", detail
    if (
        fresh
        and not any((e.field, e.value) in seen for e in fresh)
        and seen
        and _same_data(old, new)
    ):
        return "evidence", detail
    return "fingerprints", detail


def _claims(identity: Identity) -> set[tuple[str, str, str]]:
    return {_claim(e) for e in identity.evidence}


def _claim(evidence: Evidence) -> tuple[str, str, str]:
    return evidence.rule, evidence.trait, evidence.claim


def _same_data(old: Identity, new: Identity) -> bool:
    return bool(old.data_versions) and old.data_versions == new.data_versions


def said(change: Change, words: Words) -> str:
    """Put a change into a sentence."""
    blank = words["nobody"]
    return words[f"changed_{change.kind}"].format(
        because=words[f"because_{change.because}"],
        before=words.get(f"standing_{change.before}", change.before) or blank,
        after=words.get(f"standing_{change.after}", change.after) or blank,
        maker=change.device,
    )
