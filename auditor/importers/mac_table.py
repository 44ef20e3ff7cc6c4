"""Address tables of switches: which device is behind which port; ARP tables pasted with them.

Sources: see tables.py. A port behind which many addresses are leads to another switch.
"""

from collections.abc import Iterator
from typing import BinaryIO

from auditor.importers import network_tables
from auditor.importers.tables import MACS
from auditor.plugins import Importer, Item, Options, Sample


def recognise(sample: Sample) -> int:
    """Tell by rows of a hardware address with its port."""
    return network_tables.likeness(sample, MACS)


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each row."""
    return network_tables.read(file, options)


IMPORTER = Importer(
    name="mac_table", recognise=recognise, read=read, source="ntc-templates; data/tables"
)
