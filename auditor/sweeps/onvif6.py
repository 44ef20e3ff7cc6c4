"""Asks the ONVIF video transmitters of the segment that listen on IPv6.

Source: WS-Discovery 2005/04 section 2.4, ONVIF Core Specification section 7. One datagram a segment, and only where IPv6 addresses
of the segment are authorised: what has no IPv4 address is not reached by the other question.
"""

from auditor.plugins import Medium, Sweep
from auditor.sweeps.onvif import read
from auditor.wire import wsdiscovery

SWEEP = Sweep(
    name="onvif6",
    medium=Medium.GROUP,
    source="WS-Discovery 2005/04 section 2.4, ONVIF Core Specification section 7",
    group=wsdiscovery.GROUP6,
    port=wsdiscovery.PORT,
    request=wsdiscovery.probe,
    read=read,
    order=33,
)
