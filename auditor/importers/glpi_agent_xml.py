"""What the GLPI agent found in a network: devices with their addresses, makers and numbers.

Source: GLPI agent, XML of the tasks NetDiscovery and NetInventory
(`REQUEST/CONTENT/DEVICE`). Communities and logins that stand in it are not read.
"""

from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import device_ip, device_mac, record
from auditor.importers.xml_stream import Broken, Node, elements
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Options, Rejected, Sample

NAME = "glpi_agent_xml"
_TRAITS = {
    "MODEL": "device.model", "SERIAL": "device.serial", "FIRMWARE": "device.firmware",
    "MANUFACTURER": "device.maker", "NAME": "device.hostname", "SNMPHOSTNAME": "device.hostname",
    "DNSHOSTNAME": "device.hostname", "NETBIOSNAME": "device.hostname", "COMMENTS": "snmp.sysdescr",
    "DESCRIPTION": "snmp.sysdescr", "LOCATION": "asset.location", "TYPE": "device.class",
}  # fmt: skip
MOST_ADDRESSES = 64


def recognise(sample: Sample) -> int:
    """Tell by the root and its devices."""
    head = sample.head
    if not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or b"<REQUEST" not in head[:4_096]:
        return 0
    return 95 if b"<DEVICE>" in head or b"<DEVICEID>" in head else 40


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each device."""
    found, broken = 0, None
    for element in elements(file, {"DEVICE"}, "REQUEST"):
        if isinstance(element, Broken):
            broken = element
            yield Rejected(element.line, f"the file is no XML from here on: {element.why}")
            continue
        found += 1
        yield _device(element, options)
    if broken and not found:
        raise DataError(
            f"{options.name or 'the file'} is damaged before its first device", why=broken.why
        )


def _device(device: Node, options: Options) -> Item:
    inner = device.first("INFO") or device
    texts = [(node.name, node.text) for node in (*device.children, *inner.children)]
    ips = [ip for name, text in texts if name == "IP" and (ip := device_ip(text))]
    ips += [ip for node in inner.every("IPS", "IP") if (ip := device_ip(node.text))]
    macs = [mac for name, text in texts if name == "MAC" and (mac := device_mac(text))]
    seen = [(_TRAITS[name], text) for name, text in texts if name in _TRAITS and text]
    ips, macs = list(dict.fromkeys(ips))[:MOST_ADDRESSES], list(dict.fromkeys(macs))
    if not (ips or macs or seen):
        return Rejected(device.line, "names no device")
    more = [("device.ip", ip) for ip in ips[1:]] + [("mac", mac) for mac in macs[1:MOST_ADDRESSES]]
    end = Endpoint(ips[0] if ips else None, macs[0] if macs else None, 0, "file")
    return record(NAME, options, device.line, end, [*seen, *more])


IMPORTER = Importer(
    name=NAME, recognise=recognise, read=read, source="GLPI agent: NetDiscovery, NetInventory"
)
