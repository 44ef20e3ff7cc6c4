"""CycloneDX hardware bill of materials: each device as a component (ECMA-424, JSON, 1.6).

For exchange with asset systems. It carries verdicts as properties and says by its
composition whether the inventory is complete.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.formats.lines import Line, lines
from auditor.formats.saying import mac_codes
from auditor.formats.visible import visible
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

NAMESPACE = uuid.UUID("0c0b8b4e-6b3c-5f43-9d5b-3a4b8d8e2f10")


def _properties(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": visible(value)} for name, value in pairs.items() if value]


def _component(line: Line) -> dict[str, Any]:
    device, identity = line.assessed.device, line.assessed.identity
    parts = (identity.brand.value or identity.maker.value, identity.model.value)
    name = " ".join(part for part in parts if part) or line.address
    made: dict[str, Any] = {
        "type": "device",
        "bom-ref": f"device:{visible(device.id)}",
        "name": visible(name),
        "properties": _properties(
            {
                "cdx:device:deviceType": identity.device_class.value or "",
                "cdx:device:serialNumber": identity.serial.value or "",
                "cdx:device:location": device.site,
                "auditor:ip": " ".join(device.ips),
                "auditor:mac": " ".join(device.macs),
                "auditor:mac_sources": mac_codes(device),
                "auditor:hostname": " ".join(device.hostnames),
                "auditor:standing": identity.standing.value,
                "auditor:verdict": line.verdict.value,
                **{f"auditor:verdict:{pack}": verdict.value for pack, verdict in line.by_pack},
                "auditor:first_seen": device.first_seen.isoformat(),
                "auditor:last_seen": device.last_seen.isoformat(),
            }
        ),
    }
    if identity.maker.value:
        made["manufacturer"] = {"name": visible(identity.maker.value)}
    if identity.firmware.value:
        firmware = {
            "type": "firmware",
            "name": "firmware",
            "version": visible(identity.firmware.value),
        }
        made["components"] = [{**firmware, "bom-ref": f"firmware:{visible(device.id)}"}]
    return made


def bill(report: Report, found: Sequence[Line]) -> dict[str, Any]:
    """Give the bill of materials of one snapshot."""
    tool = {"type": "application", "name": "auditor", "version": report.tool_version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, report.snapshot.id)}",
        "version": 1,
        "metadata": {
            "timestamp": report.generated.isoformat(),
            "tools": {"components": [tool]},
            "properties": _properties(
                {
                    "auditor:organisation": report.organisation,
                    "auditor:marking": report.marking,
                    "auditor:snapshot": report.snapshot.id,
                    "auditor:chain_head": report.snapshot.chain_head,
                    "auditor:not_assessed": str(report.coverage.not_assessed),
                }
            ),
        },
        "components": [_component(line) for line in found],
        "compositions": [
            {
                "aggregate": "unknown" if report.coverage.complete else "incomplete",
                "assemblies": [f"device:{visible(line.assessed.device.id)}" for line in found],
            }
        ],
    }


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write one file; it holds codes, not prose, and so needs no language."""
    del words, languages, resources
    text = json.dumps(bill(report, lines(report)), indent=1, ensure_ascii=True)
    yield Written("inventory.cdx.json", (text.encode(), b"\n"))


FORMAT = Format("cyclonedx", render=render, source="ECMA-424 (CycloneDX 1.6)")
