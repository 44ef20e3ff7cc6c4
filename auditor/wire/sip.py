"""SIP OPTIONS: what a door station or recorder that speaks SIP calls itself.

Source: RFC 3261 section 11 (OPTIONS), RFC 3581 (rport: the answer comes back to where the
question came from, whatever Via says). No registration and no credential.
"""

from auditor.wire.http import USER_AGENT

PORT = 5060


def options(ip: str, port: int = PORT) -> bytes:
    """Write one OPTIONS request over UDP; the tags only have to differ between hosts."""
    bare = ip.split("%", 1)[0]
    host = f"[{bare}]" if ":" in bare else bare
    tag = f"{ip}-{port}".encode().hex()[:32]
    return (
        f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP inventory.invalid;branch=z9hG4bK{tag};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:inventory@inventory.invalid>;tag={tag[-8:]}\r\n"
        f"To: <sip:{host}:{port}>\r\n"
        f"Call-ID: {tag}@inventory.invalid\r\nCSeq: 1 OPTIONS\r\n"
        f"User-Agent: {USER_AGENT}\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    ).encode("ascii")
