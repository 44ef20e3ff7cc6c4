"""Text from devices and files, made safe to show without changing what it says.

Control characters move a terminal's cursor, bidirectional ones turn a line round (Unicode
Technical Report 36, 3.2), and a leading `=` makes a spreadsheet calculate (OWASP, CSV
Injection). All are shown as what they are.
"""

import re

# C0, DEL, C1, soft hyphen, Arabic letter mark, zero-width and directional marks, line and
# paragraph separators, embeddings, overrides and isolates, byte order mark, lone surrogates,
# interlinear anchors, tag characters, and the two non-characters that XML forbids
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# what a spreadsheet takes for the start of a formula, full-width forms included
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")


def visible(text: str) -> str:
    """Show every character that would act instead of being read as its escape."""
    return _HIDDEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cell(text: str) -> str:
    """Write `text` so that no spreadsheet takes it for a formula: an apostrophe goes before."""
    shown = visible(text)
    return f"'{shown}" if _FORMULA.match(text) else shown


def dump(raw: bytes, limit_bytes: int = 512) -> tuple[tuple[str, str, str], ...]:
    """Show bytes as people read them: offset, sixteen octets in hex, the printable ones."""
    lines = []
    for start in range(0, min(len(raw), limit_bytes), 16):
        piece = raw[start : start + 16]
        signs = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        lines.append((f"{start:04x}", piece.hex(" "), signs))
    return tuple(lines)
