"""Commands that conclude from the ledger: assess, report, devices, explain, coverage, reconcile."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor import audit, wiring
from auditor.commands.setting import Setting
from auditor.commands.terminal import emit, safe, table
from auditor.errors import UsageError
from auditor.model.device import Assessed, Coverage
from auditor.model.policy import SEVERITY, Verdict
from auditor.model.report import Report
from auditor.policy.judge import verdicts
from auditor.store.ledger import Ledger

Verdicts = Mapping[str, Mapping[str, Verdict]]  # device id -> pack id -> worst verdict


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is asked to be."""

    format: str = "html,json,csv"
    lang: str = "en,fr"
    mark: str = ""
    out: Path = Path("out")
    packs: tuple[str, ...] = ()
    as_of: str = ""
    redact: str = ""
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """How the inventory is listed."""

    as_json: bool
    maker: str = ""
    verdict: str = ""
    site: str = ""
    packs: tuple[str, ...] = ()
    sort: str = "site"
    columns: str = ""
    group: str = ""


def check(setting: Setting, wanted: Wanted) -> None:
    """Refuse what cannot be rendered before anything costly is done."""
    from auditor.formats.template import asked_for

    wiring.packs(_pack_ids(setting, wanted.packs), _pack_files(setting))
    asked_for(wanted.lang)
    wiring.formats_named(wanted.format)


def assess(
    setting: Setting,
    packs: tuple[str, ...],
    as_of: str,
    fingerprints: Path | None,
    *,
    as_json: bool,
) -> int:
    """Identify and judge everything, say what changed since the last time, and remember it."""
    from auditor import mass
    from auditor.commands import remembering

    with wiring.open_ledger(setting.db) as ledger:
        if not as_json and mass.fits(ledger.decisions()):
            chosen = wiring.packs(_pack_ids(setting, packs), _pack_files(setting))
            when = audit.When(setting.day(as_of), setting.zone)
            answer = remembering.assess(setting, ledger, chosen, when, fingerprints)
            remembering.tell(setting, answer)
            said = dict(answer.verdicts)
            print(sentence(answer.devices, said, answer.not_assessed, answer.whole))
            return _code(said, answer.whole)
        found = _assess(setting, ledger, packs, as_of, fingerprints)
    worst = verdicts_of(found)
    if as_json:
        emit(_device_lines(found, worst))
    print_sentence(setting, found, worst, to_stderr=as_json)
    return exit_code(found.coverage, worst)


def report(setting: Setting, wanted: Wanted) -> int:
    """Render from one frozen snapshot, print the path and one plain sentence."""
    from auditor.formats.manifest import write_folder
    from auditor.formats.template import asked_for

    languages = asked_for(wanted.lang)
    formats = wiring.formats_named(wanted.format)
    with wiring.open_ledger(setting.db) as ledger:
        found = _assess(setting, ledger, wanted.packs, wanted.as_of, None)
        snapshot = _report(setting, ledger, found, wanted)
    words = wiring.words(("en", "fr"))
    files = (
        written
        for each in formats
        for written in each.render(snapshot, words, languages, wiring.resources())
    )
    paths = write_folder(files, wanted.out, snapshot)
    worst = verdicts_of(found)
    print_sentence(setting, found, worst)
    first = next((path for path in paths if path.name.startswith("report.")), paths[0])
    print(safe(first.resolve(), 4000))
    return exit_code(found.coverage, worst)


def devices(setting: Setting, asked: Listing) -> int:
    """List the inventory, one device a line."""
    if asked.verdict and asked.verdict not in set(map(str, Verdict)):
        raise UsageError(
            f"{asked.verdict!r} is no verdict", hint=f"use {', '.join(map(str, Verdict))}"
        )
    with wiring.open_ledger(setting.db) as ledger:
        found = _assess(setting, ledger, asked.packs, "", None)
    worst = verdicts_of(found)
    lines = [line for line in _device_lines(found, worst) if _listed(line, asked)]
    lines.sort(key=lambda line: _cell(line, asked.sort))  # ties stay in order of address
    if asked.as_json:
        emit(lines)
    elif asked.group:
        counted = Counter(_cell(line, asked.group) or "–" for line in lines)
        table(
            [[value, count] for value, count in sorted(counted.items())], (asked.group, "devices")
        )
    else:
        columns = tuple(
            (asked.columns or "id,site,ips,macs,maker,model,standing,verdicts").split(",")
        )
        table([[_cell(line, column) for column in columns] for line in lines], columns)
    return 0


def explain(setting: Setting, name: str, packs: tuple[str, ...], language: str) -> int:
    """Say why: evidence for and against, the rules, their sources, the coverage."""
    from auditor.identify.explain import explain as explained
    from auditor.identify.explain import explain_finding, load_words

    if language not in {"en", "fr"}:
        raise UsageError(f"no explanation in {language!r}", hint="use en or fr")
    with wiring.open_ledger(setting.db) as ledger:
        found = _assess(setting, ledger, packs, "", None)
    assessed, knowledge = find(found.devices, name), wiring.knowledge()
    words = load_words(knowledge.folder)[language]
    for sentence in explained(assessed, knowledge, language):
        print(safe(sentence, 4000))
    for finding in found.findings:
        if finding.device == assessed.device.id:
            head, *told = explain_finding(finding, words, language)
            print(f"\n{safe(head)}")
            for sentence in told:
                print(f"  {safe(sentence, 4000)}")
    print()
    rows = [
        [a.tool, a.port or "", words[f"outcome_{a.outcome}"], a.when.isoformat(), a.detail]
        for a in assessed.device.asked
    ]
    table(rows, tuple(words[key] for key in ("asked", "port", "outcome", "when", "detail")))
    return 0


def known_devices(setting: Setting, ledger: Ledger) -> tuple[Assessed, ...]:
    """Give every device of the ledger with its identity, unjudged."""
    return _assess(setting, ledger, (), "", None).devices


def assessed(setting: Setting, ledger: Ledger) -> audit.Assessment:
    """Give everything that is concluded of the ledger as it is now."""
    return _assess(setting, ledger, (), "", None)


def frozen(setting: Setting, ledger: Ledger, wanted: Wanted) -> Report:
    """Give the report of the ledger as it is now."""
    found = _assess(setting, ledger, wanted.packs, wanted.as_of, None)
    return _report(setting, ledger, found, wanted)


def find(devices: Iterable[Assessed], name: str) -> Assessed:
    """Find one device by id, IP, MAC, serial, host name or asset tag."""
    wanted = name.casefold().strip()
    found = [assessed for assessed in devices if wanted in _names(assessed)]
    exact = [assessed for assessed in found if assessed.device.id.casefold() == wanted]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        ids = ", ".join(assessed.device.id for assessed in found[:10])
        raise UsageError(f"{name!r} fits {len(found)} devices", why=ids, hint="give the id of one")
    raise UsageError(f"there is no device {name!r}", hint="list them with `auditor devices`")


def _names(assessed: Assessed) -> set[str]:
    device, identity = assessed.device, assessed.identity
    own = (device.id, *device.ips, *device.macs, *device.hostnames)
    tag = device.recorded("asset.tag")
    more = (identity.serial.value, device.recorded("asset.serial"), tag)
    plain = {mac.replace(":", "") for mac in device.macs}
    return {text.casefold() for text in (*own, *more) if text} | plain


def _assess(
    setting: Setting,
    ledger: Ledger,
    packs: tuple[str, ...],
    as_of: str,
    fingerprints: Path | None,
) -> audit.Assessment:
    own = fingerprints or (Path(said) if (said := setting.text("fingerprints")) else None)
    when = audit.When(setting.day(as_of), setting.zone)
    kind = setting.text("organisation_kind")
    return audit.assess(
        ledger,
        wiring.knowledge((own,) if own else ()),
        wiring.packs(_pack_ids(setting, packs), _pack_files(setting)),
        when,
        wiring.presence(),
        {"kind": kind} if kind else None,
    )


def _report(setting: Setting, ledger: Ledger, found: audit.Assessment, wanted: Wanted) -> Report:
    when = audit.When(found.snapshot.as_of, setting.zone)
    cover = audit.Cover(
        setting.text("organisation"),
        wanted.mark or setting.text("mark"),
        setting.text("prepared_by"),
    )
    from auditor.commands.signing import compared, sign

    whole = compared(audit.report(ledger, found, when, cover), ledger)
    if wanted.sign:
        sign(setting, ledger, whole, wanted.sign)
    if wanted.redact:
        from auditor.formats.redact import redact

        return redact(whole, wanted.redact)
    return whole


def _pack_ids(setting: Setting, asked: tuple[str, ...]) -> tuple[str, ...]:
    return asked or setting.texts("packs") or wiring.default_packs()


def _pack_files(setting: Setting) -> tuple[Path, ...]:
    return tuple(map(Path, setting.texts("pack_files")))


def verdicts_of(found: audit.Assessment) -> dict[str, dict[str, Verdict]]:
    """Give the worst verdict of each device under each pack."""
    return {a.device.id: {} for a in found.devices} | verdicts(found.findings)


def counts(worst: Verdicts) -> dict[Verdict, int]:
    """Count devices by their worst verdict under any pack."""
    said = Counter(
        min(mine.values(), key=SEVERITY.index, default=Verdict.UNDETERMINED)
        for mine in worst.values()
    )
    return {verdict: said.get(verdict, 0) for verdict in SEVERITY}


def exit_code(found: Coverage, worst: Verdicts) -> int:
    """Give 3 unless coverage is complete, else 1 where anything is nonconforming, else 0.

    Where no network was looked at, nothing is known of what was missed: that is incomplete too.
    """
    return _code(counts(worst), found.complete if found.subnets else None)


def _code(count: Mapping[Verdict, int], whole: bool | None) -> int:
    if not whole:
        return 3
    return 1 if count[Verdict.NONCONFORMING] else 0


def sentence(
    devices: int, count: Mapping[Verdict, int], not_assessed: int, whole: bool | None
) -> str:
    """Say the answer in one plain sentence. whole: None where no network was scanned."""
    said = (
        f"{devices} devices: {count[Verdict.NONCONFORMING]} nonconforming, "
        f"{count[Verdict.REVIEW]} to review, {count[Verdict.UNDETERMINED]} undetermined, "
        f"{count[Verdict.CONFORMING]} conforming, {count[Verdict.NOT_APPLICABLE]} not applicable; "
        f"{not_assessed} addresses not assessed"
    )
    if whole is None:
        return said + "; no network was scanned: coverage is incomplete"
    return said if whole else said + "; coverage is incomplete"


def print_sentence(
    setting: Setting, found: audit.Assessment, worst: Verdicts, *, to_stderr: bool = False
) -> None:
    """Say the answer, and both reasons where the exit code can tell only one."""
    seen = found.coverage
    whole = seen.complete if seen.subnets else None
    said = sentence(len(found.devices), counts(worst), seen.not_assessed, whole)
    if to_stderr:
        setting.say(said)
    else:
        print(said)


def _device_lines(found: audit.Assessment, worst: Verdicts) -> Iterable[dict[str, Any]]:
    from auditor.formats.json_report import device_json

    return [device_json(a, worst.get(a.device.id, {})) for a in found.devices]


def _listed(line: Mapping[str, Any], asked: Listing) -> bool:
    maker = str(line.get("maker") or "").casefold()
    return (
        (not asked.maker or maker == asked.maker.casefold())
        and (not asked.site or line.get("site") == asked.site)
        and (not asked.verdict or asked.verdict in map(str, line["verdicts"].values()))
    )


def _cell(line: Mapping[str, Any], column: str) -> str:
    value = line.get(column)
    if column not in line:
        records: Mapping[str, Any] = line.get("records", {})
        value = records.get(column, records.get(f"asset.{column}"))
    if isinstance(value, Mapping):
        return " ".join(f"{key}={said}" for key, said in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
