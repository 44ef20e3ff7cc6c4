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
    r"(?P<name>\b(?:(?:pass(?:word|wd|phrase|code|e)?|pwd|pw|pswd|mdp|mots? de passe|motdepasse|secret|"
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
# `password X`, `mdp admin X`, `password changed to X`: without a sign, X shows what it is
_BARE = re.compile(
    r"(?P<name>\b(?:password|passwd|pswd|pwd|pw|mdp|mots? de passe|motdepasse|passphrase|psk|passcode)"
    r"(?:\s{1,3}(?:is|est|was|set|reset|changed|change|chang[eé]|to|à|en|par|for|pour|the|le|new|nouveau|old|default|par"
    r"|d[eé]faut|root|admin|administrator|user|of|du|de|camera|web|rtsp|now)){0,4}\s{1,3})"
    r"(?P<value>(?=\S*[\d!@#$%^&*])[^\s,;]{4,64})",
    re.IGNORECASE,
)
_LETTERS = re.compile(
    r"(?P<name>\bu(?:ser)?\s?[:=]\s?[^\s,;]{1,64}[\s,;/]{1,3}p(?:ass|w|wd)?\s?[:=]\s?)(?P<value>\S{1,64})",
    re.IGNORECASE,
)
_ONLY_PAIR = re.compile(
    r"(?P<name>\s*(?:admin|root|administrator|administrateur)\s*,\s*)(?P<value>\S{4,64})\s*",
    re.IGNORECASE,
)
# cheap to look for in a whole column at once: without one of each there is nothing to remove
_SIGNS = (":", "=", "->", "|", "/", "@", "is", "est")
_TRACES = (
    "pass", "pwd", "mdp", "secret", "communaut", "communit", "psk", "pin", "puk", "token",
    "jeton", "key", "cle", "clé", "login", "identif", "cred", "code", "snmp", "@", "admin",
    "root", "operator", "user", "service", "p:", "p =", "p=", "p :",
)  # fmt: skip
_SURE = ("password", "passwd", "pswd", "pwd", "pw", "mdp", "de passe", "motdepasse", "passphrase", "psk", "passcode",
         "admin,", "admin ,", "root,", "root ,", "administrator,", "administrateur,")  # fmt: skip


def may_hold(texts: Iterable[str]) -> bool:
    """Tell quickly whether any of these texts may hold a secret."""
    joined = "\n".join(texts).lower()
    if any(trace in joined for trace in _SURE):
        return True
    return any(sign in joined for sign in _SIGNS) and any(trace in joined for trace in _TRACES)


def clean(text: str) -> str:
    """Give a text without the secrets that stand in it."""
    if not may_hold((text,)):
        return text
    text = _USER_INFORMATION.sub("", text)
    text = _BARE_LOGIN.sub("", text)
    if found := _ONLY_PAIR.fullmatch(text):
        return found["name"] + REMOVED
    for form in (_SAID, _BARE, _LETTERS):
        text = form.sub(lambda found: found["name"] + REMOVED, text)
    return _PAIR.sub(lambda found: found["user"] + found["mark"] + REMOVED, text)
