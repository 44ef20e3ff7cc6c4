"""A made-up department: two sites, forty devices, every verdict, gaps, exemptions.

Everything here is invented; the addresses of people and places do not exist.
"""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta

from auditor.model.annex import (
    Annex,
    Annexes,
    AnnexItem,
    AnswerRow,
    AnswerTotal,
    BurnPoint,
    Clock,
    Element,
    RemovalRow,
    RemovalStep,
)
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import (
    Asked,
    Assessed,
    Coverage,
    Device,
    Gap,
    Reach,
    Sighting,
    SubnetCoverage,
    Unheard,
)
from auditor.model.hardware import MacSource, known_mac
from auditor.model.identity import (
    Contradiction,
    Evidence,
    Identity,
    Inference,
    Standing,
    Strength,
    Trait,
)
from auditor.model.observation import Endpoint, Observation, Origin, Outcome, Run
from auditor.model.policy import Due, Finding, PackSummary, Question, Source, Text, Verdict
from auditor.model.report import (
    Change,
    DataVersion,
    Discrepancy,
    RawBytes,
    Report,
    Snapshot,
)

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
CA, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
HQ, LAB = "Ottawa – 90 Elgin", "Gatineau – Portage III"
BANNER = b"HTTP/1.1 401 Unauthorized\r\nServer: App-webs/\r\nWWW-Authenticate: Digest\r\n\r\n"


def sha(text: str | bytes) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


CASES = (
    # maker, brand, model, class, standing, owner type, acquired, verdicts, how many
    ("Hikvision", "Hikvision", "DS-2CD2142FWD-I", "camera", "confirmed", "own", "2019-05-02", "NU", 4),
    ("Hikvision", "Hikvision", "DS-7616NI-K2", "recorder", "confirmed", "landlord", "2024-02-11", "NN", 2),
    ("Hikvision", "EZVIZ", "C3TN", "camera", "confirmed", "own", None, "RU", 1),
    ("Hikvision", "LaView", "LV-PB3040", "camera", "probable", "contractor", None, "RU", 2),
    ("Hikvision", None, None, None, "probable", None, None, "RU", 1),
    ("Dahua", "Dahua", "IPC-HDW4431C-A", "camera", "confirmed", "own", "2024-03-18", "CN", 2),
    ("Axis", "Axis", "M3045-V", "camera", "confirmed", "own", "2021-09-30", "CC", 9),
    ("Hanwha", "Hanwha", "XNV-6080R", "camera", "confirmed", "landlord", "2022-01-14", "CC", 6),
    ("Bosch", "Bosch", "NBE-6502-AL", "camera", "confirmed", "own", None, "CC", 3),
    (None, None, None, None, "unknown", None, None, "UU", 3),
    ("DrayTek", "DrayTek", "Vigor2927", "network", "confirmed", "own", None, "XX", 4),
    ("Brother", "Brother", "HL-L6400DW", "other", "probable", "own", None, "XX", 3),
)  # fmt: skip
LETTERS = {
    "N": Verdict.NONCONFORMING, "R": Verdict.REVIEW, "U": Verdict.UNDETERMINED,
    "C": Verdict.CONFORMING, "X": Verdict.NOT_APPLICABLE,
}  # fmt: skip
BECAUSE = {
    Verdict.NONCONFORMING: Text(
        "This device is made by {m}, which the instrument names.",
        "Cet appareil est fabriqué par {m}, que l’instrument nomme.",
    ),
    Verdict.REVIEW: Text(
        "The evidence leads to {m}, but the link is indirect; the instrument does not say whether it reaches that far.",
        "La preuve mène à {m}, mais le lien est indirect ; l’instrument ne dit pas s’il va jusque-là.",
    ),
    Verdict.UNDETERMINED: Text(
        "Whether the instrument applies depends on a fact that is not on file.",
        "L’application de l’instrument dépend d’un fait qui n’est pas au dossier.",
    ),
    Verdict.CONFORMING: Text(
        "The maker is {m}, which the instrument does not name.",
        "Le fabricant est {m}, que l’instrument ne nomme pas.",
    ),
    Verdict.NOT_APPLICABLE: Text(
        "The instrument does not speak of this kind of device.",
        "L’instrument ne vise pas ce genre d’appareil.",
    ),
}
CONSEQUENCE = {
    CA: Text(
        "Purchase and use are prohibited in departments, agencies and Crown corporations.",
        "L’achat et l’utilisation sont interdits dans les ministères, les organismes et les sociétés d’État.",
    ),
    QC: Text(
        "Equipment acquired after 21 December 2023 may not be installed or used; older equipment needs a risk assessment and four controls.",
        "Le matériel acquis après le 21 décembre 2023 ne peut être installé ni utilisé ; le matériel antérieur exige une évaluation des risques et quatre mesures.",
    ),
}
QUESTION = Question(
    "asset.acquired",
    Text("On what day was this device acquired?", "Quel jour cet appareil a-t-il été acquis ?"),
    Text("the custodian of the asset register", "la personne responsable du registre des biens"),
)


def trait(value: str | None, standing: str, evidence: tuple[Evidence, ...] = ()) -> Trait:
    return Trait(value, Standing(standing) if value else Standing.UNKNOWN, evidence)


def _evidence(maker: str, brand: str, mac: str, at: int) -> tuple[Evidence, ...]:
    raw = sha(BANNER)
    return (
        Evidence("maker", maker, "ieee-ma-l@2026-11-02", "mac", mac, Strength.REGISTRANT, "registrant", at),
        Evidence("maker", maker, f"http-{maker.lower()}@3", "http.server", "App-webs/" if maker == "Hikvision" else f"{maker}-httpd/2.1", Strength.PLATFORM, "http", at + 1, raw),
        Evidence("brand", brand, "onvif-name@1", "onvif.scopes", f"onvif://www.onvif.org/name/{brand}", Strength.BRAND, "onvif", at + 2),
    )  # fmt: skip


def identity(case: tuple, mac: str, at: int) -> Identity:
    maker, brand, model, kind, standing = case[:5]
    evidence = _evidence(maker, brand or maker, mac, at) if maker else ()
    if standing == "probable":
        evidence = evidence[:1] + evidence[2:]
    differs = (
        (Contradiction("relabel", "brand", maker, brand, ("onvif-name@1",)),)
        if brand == "LaView"
        else ()
    )
    inferences = (
        (Inference("build_date", "2019-03-14", "firmware V5.5.82 build 190314", ""),)
        if model == "DS-2CD2142FWD-I"
        else ()
    )
    return Identity(
        trait(maker, standing, tuple(e for e in evidence if e.trait == "maker")),
        trait(brand, standing, tuple(e for e in evidence if e.trait == "brand")),
        trait(model, standing), trait(f"SN{at:06d}" if model else None, standing),
        trait("V5.5.53 build 180730" if maker == "Hikvision" and model else None, standing),
        trait(kind, standing), evidence, differs, inferences,
        "oem_rebrand" if brand == "LaView" else None,
    )  # fmt: skip


def device(case: tuple, number: int, site: str, net: str) -> Device:
    maker, *_, owner, acquired, _, _ = case
    seen = NOW - timedelta(hours=3)
    ip, mac = f"{net}.{10 + number}", f"44:19:b6:00:{number // 256:02x}:{number % 256:02x}"
    records = {
        "asset.tag": f"CAM-{number:04d}",
        "asset.owner_type": owner,
        "asset.acquired": acquired,
        "asset.room": f"{number // 10 + 1}-{number % 10:02d}",
    }
    if owner is None:
        records = {}
    sightings = tuple(
        Sighting(Observation(name, value), "asset_csv", Endpoint(ip=ip, transport="file"), seen, Origin.FILE, number * 10)
        for name, value in records.items() if value
    )  # fmt: skip
    asked = (
        Asked("arp", 0, Outcome.ANSWERED, seen),
        Asked("http", 80, Outcome.ANSWERED if maker else Outcome.SILENT, seen),
        Asked("rtsp", 554, Outcome.REFUSED if number % 2 else Outcome.SILENT, seen),
    )
    told = [(MacSource.ARP, "arp")] if site == HQ else [(MacSource.ROUTER_TABLE, "router_arp")]
    told += [(MacSource.OWN_REPLY, "sadp")] if maker == "Hikvision" else []
    return Device(
        f"dev-{sha(mac)[:12]}", site, (ip,), (mac,), (f"cam{number:02d}",) if number % 5 == 0 else (),
        sightings, asked, seen - timedelta(days=40), seen, ("asset_csv", "scan") if records else ("scan",),
        mac_sources=(known_mac(mac, told),),
    )  # fmt: skip


def findings(case: tuple, who: Device, at: int) -> list[Finding]:
    found = []
    for pack, letter in zip((CA, QC), case[7], strict=True):
        verdict = LETTERS[letter]
        because = Text(
            *(t.replace("{m}", case[0] or "–") for t in (BECAUSE[verdict].en, BECAUSE[verdict].fr))
        )
        due = (
            (Due("remediation", Text("Isolate the device from the network.", "Isoler l’appareil du réseau."), date(2026, 12, 1), "America/Toronto", "departmental plan", citation_fr="plan ministériel"),)
            if verdict is Verdict.NONCONFORMING else ()
        )  # fmt: skip
        evidence = _evidence(case[0], case[1] or case[0], who.macs[0], at) if case[0] else ()
        found.append(Finding(
            f"{pack}/listed", pack, "2026.1", who.id, verdict, because, CONSEQUENCE[pack],
            "Order of the Minister of Cybersecurity and Digital Technology, 22 December 2023" if pack == QC else "",
            evidence, due, (QUESTION,) if verdict is Verdict.UNDETERMINED else (),
            citation_fr="Arrêté du ministre de la Cybersécurité et du Numérique, 22 décembre 2023" if pack == QC else "",
        ))  # fmt: skip
    return found


def packs() -> tuple[PackSummary, ...]:
    read = date(2026, 11, 20)
    return (
        PackSummary(
            CA, "2026.1",
            Text("Government of Canada statement on Hikvision (27 June 2025)", "Déclaration du gouvernement du Canada au sujet de Hikvision (27 juin 2025)"),
            "CA", "in_force", date(2026, 11, 20), date(2027, 5, 20), None,
            Text("Departments, agencies and Crown corporations", "Ministères, organismes et sociétés d’État"),
            Text("Purchase or use of Hikvision products; legacy products are not to be used going forward.", "L’achat ou l’utilisation de produits Hikvision ; les produits déjà en place ne doivent plus être utilisés."),
            (Text("No directive, clause or instrument number has been published.", "Aucune directive, clause ni numéro d’instrument n’a été publié."),
             Text("No deadline for removal has been published.", "Aucune date limite de retrait n’a été publiée.")),
            (Source("https://www.canada.ca/", "H", read, "statement of the Minister of Industry"),),
            sha("ca"), actions=(("purchase", "prohibited"), ("use", "prohibited"), ("import_marketing", "not_addressed")),
        ),
        PackSummary(
            QC, "2026.1",
            Text("Quebec ministerial order on video surveillance equipment (22 December 2023)", "Arrêté ministériel du Québec sur le matériel de vidéosurveillance (22 décembre 2023)"),
            "CA-QC", "in_force", date(2026, 11, 20), date(2026, 11, 1),
            "Loi sur la gouvernance et la gestion des ressources informationnelles (RLRQ, c. G-1.03)",
            Text("Public bodies: ministries, state bodies, education and health networks; not municipalities", "Organismes publics : ministères, organismes de l’État, réseaux de l’éducation et de la santé ; non les municipalités"),
            Text("Equipment acquired after 21 December 2023 may not be installed or used.", "Le matériel acquis après le 21 décembre 2023 ne peut être installé ni utilisé."),
            (Text("The number of the order has not been confirmed.", "Le numéro de l’arrêté n’a pas été confirmé."),),
            (Source("https://www.newswire.ca/fr/", "H", read), Source("https://www.fm1077.ca/", "M", read)),
            sha("qc"), overdue=True, legacy=Text("Equipment in place before needs a risk assessment by use and four controls.", "Le matériel déjà en place exige une évaluation des risques selon l’usage et quatre mesures."),
            actions=(("use", "restricted"), ("purchase", "prohibited")),
        ),
    )  # fmt: skip


def coverage() -> Coverage:
    began, ended = NOW - timedelta(hours=4), NOW - timedelta(hours=2)
    tools = (
        ("arp", ((Outcome.ANSWERED, 40), (Outcome.SILENT, 400))),
        ("http", ((Outcome.ANSWERED, 30), (Outcome.REFUSED, 4))),
    )
    return Coverage((
        SubnetCoverage(HQ, "10.20.4.0/24", 254, began, ended, "layer 2 by eth0", 21, tools, (
            Gap(("10.20.4.35-10.20.4.99", "10.20.4.120-10.20.4.254"), Reach.SILENT, 200),
            Gap(("10.20.4.34",), Reach.PRESENT_ONLY, 1),
            Gap(("10.20.4.1-10.20.4.9", "10.20.4.100-10.20.4.122"), Reach.EXCLUDED, 32, "fire and life safety"),
        ), complete=False, run="run-1"),
        SubnetCoverage(LAB, "10.31.0.0/25", 126, began, ended, "routed", 19, tools, (
            Gap(("10.31.0.64-10.31.0.126",), Reach.NOT_REACHED, 63, "interrupted"),
            Gap(("10.31.0.1-10.31.0.9", "10.31.0.30-10.31.0.63"), Reach.SILENT, 44),
        ), complete=False, run="run-2"),
    ), unheard=(Unheard(LAB, "run-4", began, 1_204),))  # fmt: skip


def runs() -> tuple[Run, ...]:
    def scope(site: str, *networks: str) -> str:
        return json.dumps({
            "site": site, "networks": networks, "excluded": ["10.20.4.1-10.20.4.9"], "pace": 200.0, "arp_per_s": 10.0,
            "operator": "m.tremblay", "source": "scope.toml", "approver": "J. Nguyen, Departmental Security Officer",
            "ticket": "CHG-2026-1187", "sha256": sha(site), "signed_by": sha("key"), "hours": "18:00-06:00 America/Toronto",
        })  # fmt: skip

    began, ended = NOW - timedelta(hours=4), NOW - timedelta(hours=2)
    return (
        Run("run-1", HQ, "scan", began, "m.tremblay", scope(HQ, "10.20.4.0/24"), "eth0 10.20.4.5/24", "0.1.0", ended, "complete"),
        Run("run-2", LAB, "scan", began, "m.tremblay", scope(LAB, "10.31.0.0/25"), "routed", "0.1.0", ended, "interrupted"),
        Run("run-3", HQ, "import", began, "a.roy", ended=began + timedelta(minutes=1), status="complete", notes=("assets.csv: 31 rows taken, 2 rejected",)),
    )  # fmt: skip


def decisions(ids: list[str]) -> tuple[Decision, ...]:
    def exemption(number: str, expires: date, reason: str, who: str) -> Decision:
        return Decision(
            number, DecisionKind.EXEMPTION, "J. Nguyen", NOW - timedelta(days=60), reason, (("device", who), ("pack", CA)),
            requested_by="m.tremblay", expires=expires, zone="America/Toronto",
            controls=("isolated VLAN without Internet", "access to the recorder restricted"), document_sha256=sha(number),
        )  # fmt: skip

    return (
        exemption("E-7", date(2026, 12, 10), "Replacement ordered; delivery in December.", ids[0]),
        exemption("E-3", date(2026, 10, 31), "Loading dock during construction.", ids[1]),
        Decision("D-9", DecisionKind.REMOVAL, "a.roy", NOW - timedelta(days=2), "Taken down and sent for disposal.", (("mac", "44:19:b6:00:00:63"),), (("step", "disposed"),)),
    )  # fmt: skip


def annexes(devices: list[Assessed]) -> Annexes:
    """Forms, duties, answers and removals as the policy room fills them in."""
    bad = [one for one in devices if one.identity.maker.value == "Hikvision"][:3]
    form = [
        ("contract", "Contract number", "Numéro du contrat", None, True),
        ("brand", "Brand", "Marque", "Hikvision", True),
        ("model", "Model number", "Numéro de modèle", "DS-2CD2142FWD-I", True),
        ("cage", "CAGE code, if known", "Code CAGE, s’il est connu", None, False),
    ]
    elements = tuple(
        Element(key, Text(en, fr), value, required) for key, en, fr, value, required in form
    )
    due = Due(
        "report",
        Text(
            "Report to the contracting officer.", "Signaler à l’agent de négociation des contrats."
        ),
        date(2026, 11, 24),
        "America/Toronto",
        "FAR 52.204-25(d)(2)(i)",
    )
    items = tuple(
        AnnexItem(one.device.id, one.device.site, Verdict.NONCONFORMING, elements, (due,))
        for one in bad
    )
    answers = tuple(
        AnswerRow(
            one.device.id, "", one.device.site, one.identity.device_class.value or "unknown", one.device.recorded("asset.owner_type") or "unknown",
            "yes", one.identity.maker.value, one.identity.brand.value, one.identity.model.value, one.device.recorded("asset.acquired"), None, None, None,
        )
        for one in devices if one.identity.device_class.value in {"camera", "recorder"}
    )  # fmt: skip
    totals: dict[tuple[str, str, str], int] = {}
    for row in answers:
        key = (row.site, row.device_class, row.owner_type)
        totals[key] = totals.get(key, 0) + 1
    who = bad[0].device
    return Annexes(
        clocks=(Clock(who.id, CA, due, "due", 1), Clock(bad[1].device.id, QC, due, "overdue", -3, provisional=True)),
        annexes=(
            Annex("us-889", "us-ndaa-889a1B", "2026.1", Text("Section 889 annex", "Annexe relative à l’article 889"), Text("The elements that the clause asks for.", "Les éléments que la clause exige."), "FAR 52.204-25(d)(2)", items, (Text("A single report within 72 hours has not been confirmed.", "Un rapport unique dans les 72 heures n’a pas été confirmé."),)),
            Annex("ca-qc", QC, "2026.1", Text("Quebec annex: risk assessment and four controls", "Annexe du Québec : évaluation des risques et quatre mesures"), Text("For equipment acquired before the order.", "Pour le matériel acquis avant l’arrêté."), "", items[:1]),
        ),
        answers=answers,
        totals=tuple(AnswerTotal("", site, kind, owner, "yes", count) for (site, kind, owner), count in sorted(totals.items())),
        removals=(
            RemovalRow(who.id, who.site, "isolated", (RemovalStep("isolated", date(2026, 11, 20), "a.roy", "D-8"),)),
            RemovalRow("dev-000000000000", HQ, "disposed", (RemovalStep("disposed", date(2026, 11, 21), "a.roy", "D-9", "disposal_record"),), "disposal_record"),
        ),
        burn_down=tuple(BurnPoint(date(2026, month, 1), found, isolated, 0, 31 - found - isolated) for month, found, isolated in ((5, 31, 0), (6, 29, 0), (7, 22, 2), (8, 21, 3), (9, 14, 3), (10, 9, 3), (11, 6, 2))),
    )  # fmt: skip


def sample(most: int = 99) -> Report:
    """Make the same report every time, with at most so many devices of a kind."""
    devices, found = [], []
    number = 0
    for case in CASES:
        for _ in range(min(case[8], most)):
            number += 1
            site, net = (HQ, "10.20.4") if number % 2 else (LAB, "10.31.0")
            who = device(case, number, site, net)
            devices.append(Assessed(who, identity(case, who.macs[0], number * 10)))
            found += findings(case, who, number * 10)
    ids = [one.device.id for one in devices]
    return Report(
        NOW, "0.1.0", Snapshot(sha("snapshot"), sha("head"), 1843, date(2026, 11, 23), "America/Toronto"),
        "Department of Made-up Affairs", (LAB, HQ), runs(), coverage(), packs(), tuple(devices), tuple(found),
        (
            DataVersion("oui", "2026-11-02", date(2026, 11, 2), sha("oui"), 57_211, 21),
            DataVersion("fingerprints", "14", date(2026, 11, 18), sha("fp"), 312, 5),
            DataVersion("entities", "6", date(2026, 5, 1), sha("en"), 94, 206, stale=True),
        ),
        decisions(ids),
        (
            Change("new", ids[4], "", "nonconforming", "evidence"),
            Change("verdict", ids[6], "conforming", "review", "rules", "oem_rebrand rule 14 → 15"),
            Change("gone", "dev-000000000000", "nonconforming", "", "proof", "disposal record D-9"),
        ),
        (
            Discrepancy("matched", "", HQ, count=18),
            Discrepancy("not_in_books", ids[9], LAB, (("ips", "10.31.0.22"),)),
            Discrepancy("not_on_wire", "", HQ, (("asset.tag", "CAM-0099"),)),
            Discrepancy("channels_unaccounted", ids[4], HQ, (("channels", "16"), ("cameras_seen", "4")), 12),
        ),
        (RawBytes(sha(BANNER), BANNER),),
        "PROTECTED B / PROTÉGÉ B", "M. Tremblay", ("stale_data:entities:206",),
        tuple(
            (date(2026, month, 1), ((Verdict.NONCONFORMING, bad), (Verdict.REVIEW, 6)))
            for month, bad in ((5, 31), (6, 29), (7, 24), (8, 24), (9, 17), (10, 12), (11, 8))
        ),
        annexes(devices),
    )  # fmt: skip
