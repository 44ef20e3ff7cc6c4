"""A made-up world: Acme and its daughter Acorn, Globex who resells Acme, Initech apart."""

from datetime import UTC, datetime, timedelta

from auditor.model.observation import (
    Attempt,
    Endpoint,
    Observation,
    Origin,
    Outcome,
    StoredAttempt,
)

SOURCE = '{ url = "https://example.org/acme", confidence = "H", read = 2026-01-01 }'

REGISTRY = {
    (24, 0x00AA00): "Acme Cameras Ltd.",
    (24, 0x00AA01): "IEEE Registration Authority",
    (36, 0x00AA01AFA): "Acme Cameras Ltd.",
    (28, 0x00AA012): "Acorn Vision Co.,Ltd",
    (28, 0x00AA013): "Private",
    (24, 0x00AA02): "Initech Networks Inc",
    (24, 0x00AA03): "Acme Scale Factory",
    (24, 0x00AA04): "Globex Retail GmbH",
    (24, 0x00AA05): "Chipper Modules",
}

ENTITIES = {
    "acme.toml": f"""
id = "acme"
name = "Acme"
kind = "maker"
legal_name = "Acme Cameras Ltd."
aliases = ["ACME", "Acme Cameras"]
registrants = ["Acme Cameras Ltd."]
[[relationship]]
to = "Acme"
type = "listed"
valid_from = 2020-01-01
source = {SOURCE}
[[model]]
pattern = 'AC-[0-9]{{4}}'
device_class = "camera"
strength = "PLATFORM"
examples = ["AC-1234"]
[[model]]
pattern = 'AR-[0-9]{{4}}'
device_class = "recorder"
strength = "PLATFORM"
examples = ["AR-1234"]
[[serial]]
pattern = 'AC(?P<build>20[0-9]{{6}})[0-9]{{6}}'
strength = "PLATFORM"
build_format = "%Y%m%d"
examples = ["AC20190910123456"]
[[firmware]]
pattern = 'V[0-9.]+ build ([0-9]{{6}})'
build_format = "%y%m%d"
examples = ["V5.5 build 190910"]
[[lifecycle]]
pattern = 'AC-1[0-9]{{3}}'
status = "end of life"
since = 2022-05-01
generation = "1"
source = {SOURCE}
examples = ["AC-1234"]
""",
    "acorn.toml": f"""
id = "acorn"
name = "Acorn"
kind = "maker"
registrants = ["Acorn Vision Co.,Ltd"]
[[relationship]]
to = "Acme"
type = "subsidiary"
source = {SOURCE}
""",
    "globex.toml": f"""
id = "globex"
name = "Globex"
kind = "maker"
registrants = ["Globex Retail GmbH"]
[[relationship]]
to = "Acme"
type = "oem_rebrand"
valid_from = 2015-01-01
valid_to = 2020-12-31
source = {SOURCE}
[[relationship]]
to = "Acme"
type = "divested"
valid_from = 2021-01-01
source = {SOURCE}
""",
    "initech.toml": """
id = "initech"
name = "Initech"
kind = "maker"
default_class = "network"
registrants = ["Initech Networks Inc"]
""",
    "chipper.toml": """
id = "chipper"
name = "Chipper"
kind = "maker"
registrants = ["Chipper Modules"]
registrant_strength = "HINT"
""",
    "oakleaf.toml": f"""
id = "oakleaf"
name = "Oakleaf"
kind = "brand"
[[relationship]]
to = "Acme"
type = "subsidiary"
source = {SOURCE}
""",
}


def element(name, strength, pattern, params, example="x", more=""):
    said = "".join(
        f'<param pos="{pos}" name="{param}" value="{value}"/>' for pos, param, value in params
    )
    return (
        f'<fingerprint id="{name}" version="1" strength="{strength}" pattern="{pattern}" {more}>'
        f"<description>{name}</description><example>{example}</example>{said}</fingerprint>"
    )


def file_of(field, *elements):
    return f'<fingerprints matches="{field}" preference="0.90">{"".join(elements)}</fingerprints>'


FINGERPRINTS = {
    "http_server.xml": file_of(
        "http.server",
        element("acme-server", "PLATFORM", "^AcmeWeb/", [(0, "auditor.maker", "Acme")]),
        element("initech-server", "PLATFORM", "^InitechWeb", [(0, "auditor.maker", "Initech")]),
        element("acme-like", "HINT", "^Web$", [(0, "auditor.maker", "Acme")]),
        element("recorder", "HINT", "^AcmeWeb/r", [(0, "auditor.device_class", "recorder")]),
    ),
    "http_title.xml": file_of(
        "http.title",
        element("acme-title", "BRAND", "^Acme$", [(0, "auditor.maker", "Acme")]),
        element("globex-title", "BRAND", "^Globex$", [(0, "auditor.brand", "Globex")]),
        element("oakleaf-title", "BRAND", "^Oakleaf$", [(0, "auditor.brand", "Oakleaf")]),
        element("any-title", "HINT", "^Video$", [(0, "auditor.maker", "Acme")]),
    ),
    "http_wwwauth.xml": file_of(
        "http.wwwauth",
        element(
            "acme-realm",
            "PLATFORM",
            "realm=&quot;Acme (AC-[0-9]{4})(?: sn ([0-9A-Z]+))?&quot;",
            [(0, "auditor.maker", "Acme"), (1, "auditor.model", ""), (2, "auditor.serial", "")],
        ),
        element("initech-realm", "SELF_DECLARED", "Initech", [(0, "auditor.maker", "Initech")]),
    ),
    "rtsp_server.xml": file_of(
        "rtsp.server",
        element("acme-rtsp", "PLATFORM", "^AcmeRtsp", [(0, "auditor.maker", "Acme")]),
        element("initech-rtsp", "PLATFORM", "^InitRtsp", [(0, "auditor.maker", "Initech")]),
        element("video-rtsp", "HINT", "^Video", [(0, "auditor.maker", "Acme")]),
    ),
    "tls_subject.xml": file_of(
        "tls.subject",
        element("acme-tls", "SELF_DECLARED", "O=Acme,", [(0, "auditor.maker", "Acme")]),
    ),
    "sadp_reply.xml": file_of(
        "sadp.reply",
        element("acme-sadp", "SELF_DECLARED", "AcmeProbe", [(0, "auditor.maker", "Acme")]),
    ),
    "onvif_scopes.xml": file_of(
        "onvif.scopes",
        element("acme-scope", "PLATFORM", "hardware/AC-", [(0, "auditor.maker", "Acme")]),
        element("acme-name", "BRAND", "name/Acme", [(0, "auditor.maker", "Acme")]),
    ),
}

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Writer:
    """Writes ledger rows one after the other, as a store would hand them out."""

    def __init__(self, site="hq"):
        self.rows = []
        self.site = site

    def row(self, tool, ip=None, mac=None, *seen, hours=0.0, run="r1", site=None, **more):
        attempt = Attempt(
            tool,
            Endpoint(ip, mac, more.get("port", 0), more.get("transport", "tcp")),
            more.get("outcome", Outcome.ANSWERED),
            tuple(Observation(*pair) for pair in seen),
            START + timedelta(hours=hours),
            0.1,
            more.get("detail", ""),
            more.get("origin", Origin.WIRE),
        )
        self.rows.append(StoredAttempt(len(self.rows) + 1, run, site or self.site, attempt))
        return self

    def arp(self, ip, mac, **more):
        return self.row("arp", ip, mac, transport="arp", **more)

    def http(self, ip, server="nginx", **more):
        return self.row("http", ip, None, ("http.server", server), port=80, **more)

    def listed(self, *seen, ip=None, mac=None, **more):
        more = {"run": "list", "transport": "file", **more}
        return self.row("asset_csv", ip, mac, *seen, origin=Origin.FILE, **more)
