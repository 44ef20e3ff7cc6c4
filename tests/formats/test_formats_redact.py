"""What a profile takes out stands in no format any more."""

import re
from dataclasses import replace

import pytest

from auditor.errors import UsageError
from auditor.formats.lines import lines, tally
from auditor.formats.redact import PROFILES, redact
from auditor.model.observation import Observation
from tests.formats.sample_report import HQ, LAB


def secrets(report, profile):
    for one in report.devices:
        yield from one.device.ips
        for mac in one.device.macs:
            yield from (mac, mac.replace(":", "-"), mac.replace(":", ""))
        yield from (name for name in one.device.hostnames)
        if one.identity.serial.value:
            yield one.identity.serial.value
    yield from (
        "m.tremblay",
        "M. Tremblay",
        "J. Nguyen",
        "a.roy",
        "10.20.4.0/24",
        "10.31.0.",
        "CHG-2026-1187",
    )
    if profile == "public":
        yield from (HQ, LAB, "Gatineau", "CAM-0001")


@pytest.fixture(scope="module", params=PROFILES)
def redacted(request, report):
    return request.param, redact(report, request.param)


def test_no_format_holds_a_secret(redacted, report, render, every_format):
    profile, slim = redacted
    wanted = {secret.casefold() for secret in secrets(report, profile)}
    for made in every_format:
        if made.name in {"pdf", "xlsx"}:  # compressed; made from the same report as the rest
            continue
        for name, body in render(slim, made).items():
            text = body.decode("utf-8-sig").casefold()
            assert not {secret for secret in wanted if secret in text}, name


def test_counts_stay_true(redacted, report):
    _, slim = redacted
    assert tally(lines(slim)) == tally(lines(report))
    assert slim.coverage.not_assessed == report.coverage.not_assessed


def test_the_same_thing_has_the_same_stand_in_everywhere(redacted):
    _, slim = redacted
    ids = {one.device.id for one in slim.devices}
    assert len(ids) == len(slim.devices)
    assert {finding.device for finding in slim.findings} <= ids


def test_a_contractor_still_finds_the_wall(report):
    slim = redact(report, "contractor")
    assert slim.sites == report.sites
    assert any(one.device.recorded("asset.room") for one in slim.devices)


def test_an_address_inside_foreign_text_goes_too(report):
    first = report.devices[0]
    told = Observation(
        "asset.purpose",
        "see http://192.0.2.77/ or 00-11-22-33-44-55 or 0011.2233.4455 or fe80::1%eth0",
    )
    sighting = replace(first.device.sightings[0], observation=told)
    changed = replace(first, device=replace(first.device, sightings=(sighting,)))
    slim = redact(replace(report, devices=(changed,)), "public")
    text = slim.devices[0].device.recorded("asset.purpose")
    assert not re.search(r"192|0011|00-11|fe80", text), text


def test_a_name_inside_another_word_goes_too(report):
    first = report.devices[0]
    mac = first.device.macs[0].replace(":", "").upper()
    told = replace(
        first.identity.evidence[0], field="rtsp.wwwauth", value=f'Basic realm="AXIS_{mac}"'
    )
    changed = replace(first, identity=replace(first.identity, evidence=(told,)))
    slim = redact(replace(report, devices=(changed,)), "contractor")
    assert mac not in slim.devices[0].identity.evidence[0].value


def test_bytes_of_evidence_and_their_hashes_go(redacted):
    _, slim = redacted
    assert slim.raws == ()
    assert all(e.raw_sha256 is None for one in slim.devices for e in one.identity.evidence)
    assert all(e.raw_sha256 is None for finding in slim.findings for e in finding.evidence)


def test_an_unknown_profile_is_refused(report):
    with pytest.raises(UsageError, match="no redaction profile"):
        redact(report, "everyone")


def test_where_a_hardware_address_is_known_from_stays(redacted, report):
    _, slim = redacted
    before, after = (
        [known.sources for one in whole.devices for known in one.device.mac_sources]
        for whole in (report, slim)
    )
    assert before == after and before
    for one in slim.devices:
        assert tuple(known.mac for known in one.device.mac_sources) == one.device.macs
