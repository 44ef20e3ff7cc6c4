"""The smallest things that a report says: a code in words, a value as it was found."""

from functools import lru_cache

from markupsafe import Markup, escape

from auditor.formats.visible import visible
from auditor.formats.words import Phrases
from auditor.model.device import Device


def trait_value(phrases: Phrases, name: str, value: str) -> Markup:
    """Name a trait's value: a class in the reader's words, everything else as it was found."""
    if name == "device_class":
        return escape(known(phrases, "class", value))
    return given(value)


@lru_cache(maxsize=4096)
def given(value: str) -> Markup:
    """Show text that a device, a file or a person gave: never a link, in its own direction."""
    return Markup('<bdi lang="" translate="no">{}</bdi>').format(visible(value))


def known(phrases: Phrases, table: str, value: str) -> str:
    """Translate `value` where the words know it; a stranger stands as it came."""
    key = f"{table}.{value}"
    return phrases.word(key) if phrases.has(key) else visible(value)


def mac_sources(phrases: Phrases, device: Device) -> tuple[tuple[str, str], ...]:
    """Give each hardware address with from where it is known, in words."""
    told = {one.mac: one.sources for one in device.mac_sources}
    return tuple(
        (mac, ", ".join(phrases.word(f"mac_source.{source}") for source in told.get(mac, ())))
        for mac in device.macs
    )


def mac_codes(device: Device) -> str:
    """Give the same in codes, for programs: `aa:bb:cc:dd:ee:ff=arp,own_reply`, joined by blanks."""
    return " ".join(f"{one.mac}={','.join(one.sources)}" for one in device.mac_sources)
