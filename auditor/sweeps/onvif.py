"""Asks every ONVIF video transmitter of the segment for its types, scopes and addresses.

Source: WS-Discovery 2005/04 and ONVIF Core Specification section 7. Silence proves nothing:
many makers ship with ONVIF switched off.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import wsdiscovery


def read(raw: bytes, sender: str) -> tuple[Found, ...]:
    """Read one ProbeMatches; a Probe, our own included, tells of nobody."""
    return found(wsdiscovery.seen(raw, sender))


SWEEP = Sweep(
    name="onvif",
    medium=Medium.GROUP,
    source="WS-Discovery 2005/04, ONVIF Core Specification section 7",
    group=wsdiscovery.GROUP,
    port=wsdiscovery.PORT,
    request=wsdiscovery.probe,
    read=read,
    order=32,
    again=True,
)
