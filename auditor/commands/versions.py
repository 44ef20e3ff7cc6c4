"""What a newer version of a list says that the one before it did not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from auditor.model.block import Block
from auditor.model.observation import Attempt, StoredAttempt
from auditor.store.ledger import Ledger

MOST_ROWS = 300_000  # of the version before; more is not compared: memory stays bounded
# what a row is known again by, the best first
_KEYS = ("device.serial", "asset.serial", "mac", "asset.tag", "device.id", "device.hostname", "ip", "asset.name")  # fmt: skip
Said = Sequence[tuple[str, str]]


class Versions:
    """Counts rows that are new, changed and as before, and those that are gone."""

    def __init__(self, before: Iterable[StoredAttempt], run: str = "") -> None:
        self.run = run
        self._before: dict[int, int] | None = {} if run else None
        self._counts: Counter[str] = Counter()
        for stored in before:
            key, content = _of(_said(stored.attempt))
            if self._before is not None:
                self._before[key] = content
                if len(self._before) > MOST_ROWS:
                    self._before = None

    @classmethod
    def of(cls, ledger: Ledger, site: str, name: str) -> "Versions":
        """Compare with the last file of that name that was imported for the site."""
        same = [each for each in ledger.imports(site) if each.name == name]
        if not same:
            return cls(())
        run = same[-1].run
        return cls(ledger.attempts(run=run), run)

    def counted(self, items: Iterable[Attempt | Block]) -> Iterator[Attempt | Block]:
        """Pass items on, counting what they change."""
        if self._before is None:
            yield from items
            return
        for item in items:
            for said in _records(item):
                self._count(*_of(said))
            yield item

    def _count(self, key: int, content: int) -> None:
        assert self._before is not None
        before = self._before.pop(key, None)
        kind = "new" if before is None else "same" if before == content else "changed"
        self._counts[kind] += 1

    def changes(self) -> dict[str, int]:
        """Give the counts; nothing where there is no version to compare with."""
        if self._before is None:
            return {}
        kinds = ("new", "changed", "same")
        return {kind: self._counts[kind] for kind in kinds} | {"gone": len(self._before)}


def _records(item: Attempt | Block) -> Iterator[Said]:
    if isinstance(item, Attempt):
        yield _said(item)
        return
    for ip, mac, _, values in item.records:
        own = [(n, v) for n, v in zip(item.fields, values, strict=True) if v is not None]
        yield [*_ends(ip, mac), *own]


def _said(attempt: Attempt) -> Said:
    end = attempt.endpoint
    return [*_ends(end.ip, end.mac), *((o.field, o.value) for o in attempt.observations)]


def _ends(ip: str | None, mac: str | None) -> Said:
    return [(name, text) for name, text in (("ip", ip), ("mac", mac)) if text]


def _of(said: Said) -> tuple[int, int]:
    fields = dict(said)
    name = next((name for name in _KEYS if name in fields), "")
    return hash((name, fields.get(name))), hash(frozenset(said))
