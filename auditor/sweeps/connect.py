"""Knocks on the usual ports with ordinary TCP connections; needs no privilege.

Source: RFC 9293 section 3.5. A refusal is an answer, too: somebody is there and said no.
"""

from auditor.plugins import Medium, Sweep

SWEEP = Sweep(name="connect", medium=Medium.CONNECT, source="RFC 9293 section 3.5", order=20)
