"""What every test tree shares: properties are judged by what holds, not by how busy the machine is."""

from collections import Counter

import pytest
from hypothesis import settings

settings.register_profile("ours", deadline=None)
settings.load_profile("ours")

LONG = ("slow", "browser", "postgres")  # marks of what takes long, whatever else it does


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no worker sits alone over one at the end.

    Workers take whole files in this order (`--no-loadscope-reorder`). Thousands of short tests
    fill what is left at the end; of files of one rank those with the fewest tests come first.
    """
    files = Counter(item.path for item in items)
    marks = {path: set[str]() for path in files}
    for item in items:
        marks[item.path].update(mark.name for mark in item.iter_markers())

    def order(item: pytest.Item) -> tuple[bool, bool, int, str]:
        said = marks[item.path]
        few = files[item.path]
        return not said.intersection(LONG), "network" not in said, few, str(item.path)

    items.sort(key=order)
