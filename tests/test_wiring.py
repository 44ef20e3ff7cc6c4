"""What belongs together: scopes narrowed on the command line, packs and formats by their names."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import wiring
from auditor.commands import knowing
from auditor.commands.source_file import kind_of, opened
from auditor.errors import AuditorError, DataError, ScopeRefusal, UsageError
from auditor.plugins import Importer, Medium, load

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def scope_file(tmp_path):
    path = tmp_path / "scope.toml"
    path.write_text('site = "OTT"\nnetworks = ["10.1.0.0/24"]\nexclude = ["10.1.0.9"]\n')
    return path


def scope(*targets, **more):
    return wiring.scope(wiring.Wish(targets, **more), NOON)


# ---------------------------------------------------------------- scopes


def test_a_link_local_target_names_the_interface_that_it_lies_on():
    assert scope("fe80::7%eth1", "fe80::8%eth1").interface == "eth1"
    assert scope("fe80::7%eth1").networks.cidrs() == ("fe80::7/128",)
    assert scope("fe80::7%eth1", interface="eth2").interface == "eth2"
    assert scope("fe80::7").interface is None
    with pytest.raises(UsageError, match="several interfaces"):
        scope("fe80::7%eth1", "fe80::8%eth2")


def test_a_public_address_needs_a_scope_file_however_it_is_written():
    for target in ("8.8.8.8", "::ffff:8.8.8.8", "::ffff:808:808/128", "64:ff9b::808:808"):
        with pytest.raises(ScopeRefusal):
            scope(target)


def test_without_a_target_and_without_a_file_there_is_no_default_network():
    with pytest.raises(UsageError, match="no target"):
        scope()


def test_targets_narrow_a_scope_file(scope_file):
    made = scope("10.1.0.0/28", scope_file=scope_file)
    assert made.networks.cidrs() == ("10.1.0.0/28",)
    assert "10.1.0.9" in made.excluded


@pytest.mark.parametrize("target", ["10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16"])
def test_targets_never_widen_a_scope_file(scope_file, target):
    assert scope(target, scope_file=scope_file).networks.cidrs() == ("10.1.0.0/24",)


def test_targets_beside_a_scope_file_leave_nothing_to_ask(scope_file):
    assert not scope("192.168.0.0/24", scope_file=scope_file).networks


def test_an_exclusion_on_the_command_line_adds_to_that_of_the_file(scope_file):
    made = scope(scope_file=scope_file, exclude=("10.1.0.10-12",))
    assert made.excluded.texts() == ("10.1.0.9-10.1.0.12",)


def test_a_public_address_cannot_be_hidden_behind_its_own_exclusion():
    with pytest.raises(ScopeRefusal):
        scope("8.8.8.8", exclude=("8.8.8.8",))


@pytest.mark.parametrize(
    "target", ["::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808", "0.0.0.0/0", "::/0"]
)
def test_public_space_in_another_dress_is_public_space(target):
    with pytest.raises(ScopeRefusal):
        scope(target)


def test_nobodys_addresses_are_no_targets():
    with pytest.raises(ScopeRefusal):
        scope("255.255.255.255")


def test_the_site_of_the_command_line_goes_before_that_of_the_file(scope_file):
    assert scope(scope_file=scope_file).site == "OTT"
    assert scope(scope_file=scope_file, site="MTL").site == "MTL"
    assert scope("10.0.0.1").site == "default"


def test_a_faster_pace_keeps_the_caps_that_protect_one_host():
    slow, fast = scope("10.0.0.1"), scope("10.0.0.1", pace=5_000.0)
    assert fast.pace.packets_per_s == 5_000.0
    assert fast.pace.host_total == slow.pace.host_total
    assert fast.pace.host_open == slow.pace.host_open


@pytest.mark.parametrize("pace", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pace_that_is_none_is_refused(pace):
    with pytest.raises(UsageError):
        scope("10.0.0.1", pace=pace)


def test_hours_in_a_zone_that_does_not_exist_are_refused_with_the_file(scope_file):
    scope_file.write_text(
        scope_file.read_text() + '[hours]\nstart = 22:00:00\nend = 06:00:00\nzone = "America"\n'
    )
    with pytest.raises(DataError, match="no time zone"):
        scope(scope_file=scope_file)


# ---------------------------------------------------------------- what is found by its name


def test_a_format_is_rendered_once_however_often_it_is_named():
    assert [f.name for f in wiring.formats_named("json, csv,json,,csv")] == ["json", "csv"]


@pytest.mark.parametrize("names", ["", " , ", "json,doc", "JSON", "../json"])
def test_a_format_that_does_not_exist_is_answered_with_those_that_do(names):
    with pytest.raises(UsageError) as refused:
        wiring.formats_named(names)
    assert "json" in refused.value.hint


def test_the_packs_that_judge_by_default_are_shipped():
    names = wiring.default_packs()
    assert names and [pack.id for pack in wiring.packs(names)] == list(names)


def test_a_pack_is_loaded_once_however_often_it_is_named():
    (name, *_) = wiring.default_packs()
    assert [pack.id for pack in wiring.packs((name, name))] == [name]


def test_a_pack_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(UsageError) as refused:
        wiring.packs(("no-such-pack",))
    assert wiring.default_packs()[0] in refused.value.why


def test_sweeps_and_probes_ask_in_an_order_that_does_not_depend_on_chance():
    for found in (wiring.sweeps(), wiring.probes()):
        assert [p.name for p in found] == [
            p.name for p in sorted(found, key=lambda p: (p.order, p.name))
        ]
        assert len({p.name for p in found}) == len(found)


def test_presence_is_said_by_what_only_knocks():
    said = wiring.presence()
    assert {"arp", "connect"} <= said
    assert not said & {sweep.name for sweep in wiring.sweeps() if sweep.medium is Medium.GROUP}


def test_a_constant_of_another_kind_is_a_defect_that_is_named():
    with pytest.raises(DataError, match=r"auditor\.probes\..*PROBE is a Probe"):
        load("auditor.probes", "PROBE", Importer)


def test_what_a_user_refreshed_lies_where_his_system_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert wiring.user_data() == tmp_path / "auditor"
    assert wiring.oui_data() == wiring.shipped("oui_data")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert wiring.user_data() == tmp_path / ".local" / "share" / "auditor"


# ---------------------------------------------------------------- oui and packs


def told(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("mac", "note"),
    [
        ("01:00:5e:00:00:01", "group"),
        ("ff:ff:ff:ff:ff:ff", "group"),
        ("02:42:ac:11:00:02", "local"),
        ("44:19:b6", "no hardware address"),
        ("6.37E+15", "no hardware address"),
        ("\x1b[2J", "no hardware address"),
    ],
)
def test_an_address_without_a_registrant_accuses_nobody(capsys, mac, note):
    code = knowing.oui((mac,), as_json=True)
    (said,) = told(capsys)
    assert said["registrant"] is None and note in said["note"]
    assert code == (2 if note.startswith("no") else 0)


def test_one_address_that_is_none_does_not_hide_the_others(capsys):
    assert knowing.oui(("nonsense", "44:19:b6:00:00:01"), as_json=True) == 2
    assert [bool(line["registrant"]) for line in told(capsys)] == [False, True]


@pytest.mark.parametrize("words", [("update",), ("update", "a", "b"), ("update", "/nowhere")])
def test_an_update_takes_one_file_that_is_there(words):
    with pytest.raises(UsageError):
        knowing.oui(words, as_json=False)


@pytest.mark.parametrize("words", [("show",), ("check",), ("drop", "x"), ("show", "a", "b")])
def test_words_that_packs_cannot_are_answered_with_those_that_it_can(words):
    with pytest.raises(UsageError) as refused:
        knowing.packs(words, "en", as_json=False)
    assert "packs show ID" in refused.value.hint


def test_every_pack_is_shown_in_both_languages(capsys):
    for name in wiring.default_packs():
        knowing.packs(("show", name), "en", as_json=False)
        english = capsys.readouterr().out
        knowing.packs(("show", name), "fr", as_json=False)
        french = capsys.readouterr().out
        assert english and french and english != french


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 5_000, b"id = 1\n" * 1_000])
def test_a_pack_that_is_no_pack_is_told_and_not_a_crash(tmp_path, capsys, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    try:
        code = knowing.packs(("check", str(path)), "en", as_json=False)
    except AuditorError as refused:
        code = 2 if refused.what else 0
    assert code == 2


# ---------------------------------------------------------------- files that are imported


def test_a_folder_a_pipe_and_a_link_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "real.csv").write_text("ip\n10.0.0.1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    for name in ("pipe", "link.csv", ".", "none.csv"):
        with pytest.raises(UsageError), opened(tmp_path / name):
            pass
    with pytest.raises(UsageError), opened(Path("/dev/zero")):
        pass


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("ip\n10.0.0.1\n")
    with opened(path) as source:
        source.check_unchanged()
        path.write_text("ip\n10.0.0.1\n10.0.0.2\n")
        with pytest.raises(DataError, match="changed"):
            source.check_unchanged()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x89PNG\r\n\x1a\n", b"MZ"],
)
def test_a_file_of_no_known_kind_is_refused_with_what_to_do(tmp_path, content):
    path = tmp_path / "thing"
    path.write_bytes(content)
    with opened(path) as source:
        assert not source.is_bundle()
        with pytest.raises(DataError) as refused:
            kind_of(source, wiring.importers(), "")
    assert "--as" in refused.value.hint


def test_a_kind_that_does_not_exist_is_answered_with_those_that_do(tmp_path):
    path = tmp_path / "thing"
    path.write_text("x")
    with opened(path) as source, pytest.raises(UsageError) as refused:
        kind_of(source, wiring.importers(), "no_such_kind")
    assert "asset_csv" in refused.value.hint


def test_a_name_does_not_decide_what_a_file_is(tmp_path):
    path = tmp_path / "nmap.xml"
    path.write_text("IP Address,MAC Address,Serial Number\n10.0.0.1,44:19:b6:00:00:01,S1\n")
    with opened(path) as source:
        assert kind_of(source, wiring.importers(), "").columns
