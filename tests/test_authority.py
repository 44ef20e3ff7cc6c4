"""Authority: command lines, scope files, signatures."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import auditor
from auditor import authority, scope_file, wiring
from auditor.errors import DataError, ScopeRefusal, UsageError
from auditor.model.scope import Pace

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DATA = Path(auditor.__file__).parent / "data"
LISTS, NEVER = authority.port_lists(DATA / "ports.toml")
PACES = authority.profiles(DATA / "profiles.toml")
GOOD = 'site = "OTT"\nnetworks = ["10.1.0.0/24"]\nexclude = ["10.1.0.9"]\n'


def by_hand(*targets, **more):
    return authority.from_command_line(
        targets, site="OTT", moment=NOON, pace=Pace(), lists=LISTS, never=NEVER, **more
    )


def by_file(path, **more):
    given = {"site": "", "moment": NOON, "paces": PACES, "lists": LISTS, "never": NEVER, **more}
    return scope_file.from_file(path, **given)


@pytest.fixture
def scope_at(tmp_path):
    def write(text):
        path = tmp_path / "scope.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    "target", ["10.0.0.0/8", "172.20.0.0/16", "192.168.1.7", "127.0.0.1", "fe80::1"]
)
def test_a_command_line_is_authority_for_own_address_space(target):
    assert by_hand(target).networks


@pytest.mark.parametrize("target", ["8.8.8.8", "10.0.0.0-192.0.2.1", "2001:db8::/64", "100.64.0.1"])
def test_public_space_is_refused_on_a_command_line(target):
    with pytest.raises(ScopeRefusal) as refused:
        by_hand("10.0.0.1", target)
    assert refused.value.hint


def test_multicast_and_broadcast_are_nobody():
    assert "255.255.255.255" not in by_hand("10.0.0.1").networks
    with pytest.raises(ScopeRefusal):
        by_hand("224.0.0.1")


def test_the_ports_never_touched_are_in_every_scope():
    assert {9100, 9107, 502, 102, 47808} <= by_hand("10.0.0.1").never


def test_a_scope_file_is_read_whole(scope_at):
    path = scope_at(
        GOOD + 'profile = "normal"\nsnmp_community = "hush"\n'
        '[hours]\nstart = 22:00:00\nend = 06:00:00\nzone = "America/Toronto"\n'
        '[authority]\napprover = "A. Approver"\nticket = "T-1"\nexpires = 2026-02-01T00:00:00Z\n'
    )
    scope = by_file(path)
    assert (scope.site, scope.pace.profile, scope.community) == ("OTT", "normal", "hush")
    assert "10.1.0.9" in scope.excluded
    assert scope.authority.approver == "A. Approver"
    assert len(scope.authority.sha256) == 64


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("networks = [", DataError, id="no-toml"),
        pytest.param('site = "x"', DataError, id="no-networks"),
        pytest.param(GOOD + "nonsense = 1\nports = [0]\n", DataError, id="unknown-key-and-port"),
        pytest.param('networks = ["192.0.2.0/24"]', ScopeRefusal, id="public-without-approver"),
        pytest.param(GOOD + 'profile = "thorough"', ScopeRefusal, id="fast-without-approver"),
        pytest.param(
            GOOD + "[authority]\nexpires = 2025-01-01T00:00:00Z", ScopeRefusal, id="expired"
        ),
    ],
)
def test_a_bad_scope_file_is_refused(scope_at, text, kind):
    with pytest.raises(kind):
        by_file(scope_at(text))


def test_all_mistakes_are_said_at_once(scope_at):
    with pytest.raises(DataError) as refused:
        by_file(scope_at(GOOD + "nonsense = 1\nports = [0]\n"))
    assert "nonsense" in refused.value.why and "ports" in refused.value.why


def test_public_space_with_an_approver_is_allowed(scope_at):
    path = scope_at('networks = ["192.0.2.0/24"]\n[authority]\napprover = "A. Approver"\n')
    assert "192.0.2.7" in by_file(path).networks


def test_a_signature_is_checked(scope_at, tmp_path):
    path = scope_at(GOOD)
    fingerprint = scope_file.sign(path, tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert by_file(path, trusted=(fingerprint,)).authority.signed_by == fingerprint
    assert scope_file.sign(path, tmp_path / "key") == fingerprint
    with pytest.raises(ScopeRefusal, match="do not trust"):
        by_file(path, trusted=("0" * 64,))


def test_one_changed_byte_breaks_the_signature(scope_at, tmp_path):
    path = scope_at(GOOD)
    scope_file.sign(path, tmp_path / "key")
    path.write_text(GOOD.replace("10.1.0.9", "10.1.0.8"))
    with pytest.raises(ScopeRefusal, match="does not hold"):
        by_file(path)


@pytest.mark.parametrize("text", ["", "{}", '{"key": 1, "signature": 2}', "[]"])
def test_a_damaged_signature_is_refused(scope_at, text):
    path = scope_at(GOOD)
    path.with_name("scope.toml.sig").write_text(text)
    with pytest.raises(ScopeRefusal):
        by_file(path)


def test_an_unsigned_file_is_refused_where_a_signer_is_trusted(scope_at):
    with pytest.raises(ScopeRefusal, match="not signed"):
        by_file(scope_at(GOOD), trusted=("0" * 64,))


def test_a_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        by_file(tmp_path / "none.toml")


def test_a_pace_must_send_something():
    with pytest.raises(UsageError):
        authority.paced(Pace(), 0)
    assert authority.paced(Pace(), 500).host_open == Pace().host_open


def test_what_the_ledger_keeps_holds_no_community(scope_at):
    kept = authority.as_json(by_file(scope_at(GOOD + 'snmp_community = "hush"\n')))
    assert "hush" not in kept
    assert json.loads(kept)["networks"] == ["10.1.0.0/24"]


def test_an_interrupted_run_gets_its_scope_back_with_the_exclusions(scope_at):
    text = GOOD + (
        '[hours]\nstart = 22:00:00\nend = 06:00:00\nzone = "America/Toronto"\n'
        '[authority]\napprover = "A"\nticket = "T"\ncontacts = ["c"]\nexpires = 2026-02-01T00:00:00Z\n'
    )
    scope = by_file(scope_at(text))
    assert authority.from_json(authority.as_json(scope), NOON) == scope
    with pytest.raises(ScopeRefusal, match="expired"):
        authority.from_json(authority.as_json(scope), datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[hours]\nstart = '19:00:00+02:00'\nend = 06:00:00\n", "without a zone"),
        ("[hours]\nstart = 19\nend = 06:00:00\n", "without a zone"),
        ("ports = []\n", "ports"),
    ],
)
def test_hours_and_ports_are_said_plainly_or_refused(scope_at, line, said):
    with pytest.raises(DataError) as refused:
        by_file(scope_at(GOOD + line))
    assert said in refused.value.why


def test_blanks_approve_nothing(scope_at):
    public = 'networks = ["192.0.2.0/24"]\n[authority]\napprover = "  "\n'
    with pytest.raises(ScopeRefusal, match="no approver"):
        by_file(scope_at(public))


def test_a_byte_order_mark_is_no_word(tmp_path):
    path = tmp_path / "scope.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert by_file(path).site == "OTT"


def test_a_run_with_words_for_routers_only_asks_for_its_file_when_it_is_resumed(scope_at):
    path = scope_at(GOOD + '[[router]]\nip = "10.1.0.1"\ncommunity = "word"\n')
    assert json.loads(authority.as_json(by_file(path)))["snmp"] is True
    assert json.loads(authority.as_json(by_hand("10.1.0.1")))["snmp"] is False


@pytest.mark.parametrize("more", [{"pace": 6.0}, {"interface": "eth1"}])
def test_a_command_line_does_not_widen_what_a_file_names(scope_at, more):
    path = scope_at(GOOD + 'pace = 5\ninterface = "eth0"\n')
    with pytest.raises(UsageError, match="scope file"):
        wiring.scope(wiring.Wish((), scope_file=path, **more), NOON)
    narrower = wiring.scope(wiring.Wish((), scope_file=path, pace=4.0, interface="eth0"), NOON)
    assert narrower.pace.frames_per_s == 4.0
