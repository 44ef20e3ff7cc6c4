"""Union-find over record numbers, with pairs that a decision keeps apart."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

Side = tuple[int, int]  # number of a decision to split, and which of its sides


@dataclass(frozen=True)
class Forest:
    """Which records belong together. joins: the unions that were made, with the reason."""

    parents: "array[int]" = field(default_factory=lambda: array("q"))
    sides: dict[int, frozenset[Side]] = field(default_factory=dict)
    joins: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self) -> int:
        """Make one more record of its own; give its number."""
        self.parents.append(len(self.parents))
        return len(self.parents) - 1

    def root(self, number: int) -> int:
        """Give the record that stands for the whole tree (paths are halved on the way)."""
        parents = self.parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def keep_apart(self, records: Iterable[int], side: Side) -> None:
        """Put records on one side of a split."""
        for number in records:
            root = self.root(number)
            self.sides[root] = self.sides.get(root, frozenset()) | {side}

    def may_join(self, one: int, other: int) -> bool:
        """Tell whether no decision keeps the two trees apart."""
        ours = self.sides.get(self.root(one))
        theirs = self.sides.get(self.root(other))
        if not ours or not theirs:
            return True
        return not any((number, 1 - which) in theirs for number, which in ours)

    def join(self, one: int, other: int, key: str, value: str) -> bool:
        """Join two trees under the lower record; False where a decision forbids it."""
        low, high = sorted((self.root(one), self.root(other)))
        if low == high:
            return True
        if not self.may_join(low, high):
            return False
        self.parents[high] = low
        if high in self.sides:
            self.sides[low] = self.sides.get(low, frozenset()) | self.sides.pop(high)
        self.joins.append((high, key, value))
        return True
