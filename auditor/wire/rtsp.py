"""The two questions that a streaming server answers without a login.

Source: RFC 2326 (RTSP 1.0): OPTIONS section 10.1, DESCRIBE section 10.2. Without credentials
DESCRIBE gives the realm, in which several makers write their name, model or serial number.
"""

from auditor.wire.http import USER_AGENT


def options(ip: str, port: int) -> bytes:
    """Ask which methods the server knows."""
    return _request("OPTIONS", ip, port, 1, "")


def describe(ip: str, port: int) -> bytes:
    """Ask for the description of whatever stands at the root path."""
    return _request("DESCRIBE", ip, port, 2, "Accept: application/sdp\r\n")


def _request(method: str, ip: str, port: int, number: int, more: str) -> bytes:
    bare = ip.split("%", 1)[0]
    host = f"[{bare}]" if ":" in bare else bare
    return (
        f"{method} rtsp://{host}:{port}/ RTSP/1.0\r\nCSeq: {number}\r\n"
        f"User-Agent: {USER_AGENT}\r\n{more}\r\n"
    ).encode("ascii")
