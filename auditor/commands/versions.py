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
        # how many rows of each key are left: a table may name an address many times
        self._before: Counter[int] | None = Counter() if run else None
        self._contents: Counter[int] = Counter()
        self._unlike: Counter[int] = Counter()
        self._same = self._rows = 0
        for rows, stored in enumerate(before, 1):
            if self._before is not None:
                key, content = _of(_said(stored.attempt))
                self._before[key] += 1
                self._contents[content] += 1
                if rows > MOST_ROWS:
                    self._before = None
                    self._contents.clear()

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
        self._rows += 1
        if self._contents.get(content):
            self._contents[content] -= 1
            self._before[key] -= 1
            self._same += 1
        elif key in self._before:
            self._unlike[key] += 1

    def changes(self) -> dict[str, int]:
        """Give the counts; nothing where there is no version to compare with."""
        if self._before is None:
            return {}
        changed = sum(min(count, self._before[key]) for key, count in self._unlike.items())
        gone = self._before.total() - changed
        new = self._rows - self._same - changed
        return {"new": new, "changed": changed, "same": self._same, "gone": gone}


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
