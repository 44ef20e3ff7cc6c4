"""The same questions as `http`, inside TLS; the certificate is told on the way.

Source: RFC 9110 section 4.2.2 (https), RFC 5280 (certificates).
"""

from auditor.plugins import Probe
from auditor.probes.http import speak

PROBE = Probe(
    name="https",
    transport="tcp",
    ports=("https",),
    speak=speak,
    source="RFC 9110 section 4.2.2",
    order=45,
    tls=True,
)
