"""Secrets inside of texts that are kept: passwords in addresses, in notes, in descriptions.

Whole columns of secrets are dropped by their headings (see headings.py); here is what a
person wrote into a column where it does not belong.
"""

import re
from collections.abc import Iterable

REMOVED = "[removed]"
# RFC 3986 section 3.2.1: everything before the last @ of an authority is user information
_USER_INFORMATION = re.compile(r"(?<=://)[^/\s?#]*@")
_BARE_LOGIN = re.compile(r"(?<![^\s;,(])[^\s:@/;,]{1,64}:[^\s@/]{1,128}@(?=[\w\[])")
_SAID = re.compile(
    r"(?P<name>\b(?:(?:pass(?:word|wd|phrase|code|e)?|pwd|mdp|mots? de passe|motdepasse|secret|"
    r"communit(?:y|ies)|communaut[eé]s?|psk|pin|puk|token|jeton|(?:api|wifi|wpa|access)[ _-]?key|key|cl[eé]|"
    r"login|identifiants?|credentials?|creds?|verification code|code de v[eé]rification|code|snmp)"
    r"(?: (?:d[eu]|of|for|est|is|root|admin|rtsp|snmp|v2c?|wi-?fi|nip)){0,3})"
    r"\s{0,3}(?:[:=]|->|\bis\b|\best\b)\s{0,3})(?P<value>\"[^\"]{0,200}\"|'[^']{0,200}'|\S{1,200})",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"\b(?P<user>admin|root|administrator|administrateur|user|operator|service)"
    r"(?P<mark>\s{0,2}[/:|]\s{0,2})(?P<word>(?=\S*[\d!@#$%^&*])[^\s,;]{4,64})",
    re.IGNORECASE,
)
# cheap to look for in a whole column at once: without one of each there is nothing to remove
_SIGNS = (":", "=", "->", "|", "/", "@", "is", "est")
_TRACES = (
    "pass", "pwd", "mdp", "secret", "communaut", "communit", "psk", "pin", "puk", "token",
    "jeton", "key", "cle", "clé", "login", "identif", "cred", "code", "snmp", "@", "admin",
    "root", "operator", "user", "service",
)  # fmt: skip


def may_hold(texts: Iterable[str]) -> bool:
    """Tell quickly whether any of these texts may hold a secret."""
    joined = "\n".join(texts).lower()
    return any(sign in joined for sign in _SIGNS) and any(trace in joined for trace in _TRACES)


def clean(text: str) -> str:
    """Give a text without the secrets that stand in it."""
    if not may_hold((text,)):
        return text
    text = _USER_INFORMATION.sub("", text)
    text = _BARE_LOGIN.sub("", text)
    text = _SAID.sub(lambda found: found["name"] + REMOVED, text)
    return _PAIR.sub(lambda found: found["user"] + found["mark"] + REMOVED, text)
