"""ARP and neighbour tables of routers, switches and computers, and address tables pasted with them.

Sources: see tables.py. What is heard of a device is that somebody exchanged frames with it.
"""

from collections.abc import Iterator
from typing import BinaryIO

from auditor.importers import network_tables
from auditor.importers.tables import ARP
from auditor.plugins import Importer, Item, Options, Sample


def recognise(sample: Sample) -> int:
    """Tell by rows with an address of each kind."""
    return network_tables.likeness(sample, ARP)


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each row."""
    return network_tables.read(file, options)


IMPORTER = Importer(
    name="arp_table", recognise=recognise, read=read, source="ntc-templates; data/tables"
)
