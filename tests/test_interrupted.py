"""What happens to a scan from outside: signals, a full disk, a link that goes, a clock that jumps."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from auditor import wiring
from auditor.commands import collecting
from auditor.commands.going_on import Record
from auditor.commands.setting import Setting
from auditor.errors import LedgerError
from auditor.model.address import AddressSet
from auditor.model.journal import Sent
from auditor.model.observation import Outcome, Run
from auditor.store.ledger import Ledger
from auditor.store.tables import journal_value
from tests.net.stage import Aside, Cable

ROOT = Path(__file__).parent.parent
AUDITOR = [sys.executable, "-m", "auditor"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
TARGETS = "127.0.7.0/29"
SCOPE = """
networks = ["10.9.0.0/27"]
ports = [80, 554, 3702, 37020]
pace = 40  # below it everybody on a segment is asked so seldom that a scan takes a minute
"""
pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def cables():
    """Lay as many pairs of namespaces as are asked for."""
    if os.geteuid() != 0:
        pytest.skip("skipped, because network namespaces need root here")
    laid = []

    def lay():
        laid.append(Cable())
        laid[-1].lay()
        return laid[-1]

    yield lay
    for cable in laid:
        cable.cut()


def url_of(db):
    return db if "://" in str(db) else f"sqlite:///{db}"


def start(cable, db, *words, **more):
    command = ["ip", "netns", "exec", cable.here, *AUDITOR, "--db", url_of(db), *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENV}
    return subprocess.Popen(command, **(pipes | {"start_new_session": True} | more))


def run(cable, db, *words):
    running = start(cable, db, *words)
    out, err = running.communicate(timeout=120)
    return running.returncode, out, err


def facts(db):
    """Give who was there and how each question ended, without what was put off."""
    with Ledger.open(url_of(db)) as ledger:
        assert ledger.verify().ok
        found = [(a.tool, a.endpoint.ip, a.endpoint.port, a.outcome)
                 for a in (s.attempt for s in ledger.attempts())
                 if a.endpoint.ip and a.outcome is not Outcome.NOT_TRIED]  # fmt: skip
    assert len(found) == len(set(found)), "something is there twice"
    return set(found)


def ended(db):
    with Ledger.open(url_of(db)) as ledger:
        (one,) = ledger.runs()
    return one


def told(folder):
    """Give the tools that something was sent for, by the file beside the ledger and by the ledger."""
    lines = [
        line.split(b"\t")[2]
        for spool in folder.glob("*-sent-*")
        for line in spool.read_bytes().split(b"\n")[1:-1]
    ]
    for db in folder.glob("*.db"):
        with contextlib.suppress(sqlite3.OperationalError):
            with contextlib.closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as ledger:
                lines += [doc for (doc,) in ledger.execute("SELECT doc FROM journal")]
    return {json.loads(line)[5] for line in lines}


def until_sent(folder, tool, limit_s=40):
    """Wait until a run has sent something for a tool."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if tool in told(folder):
            return
        time.sleep(0.005)
    raise AssertionError(f"nothing was sent for {tool}")


SIGNALS = [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 2)]


@pytest.fixture
def heeded():
    """Heed signals: a shell lets what it runs in the background ignore some, and children inherit that."""
    ignored = [n for n in {n for n, _ in SIGNALS} if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def stopped(cable, folder, number, times):
    """Stop a scan by signals and resume it; give codes, the status between, and its words."""
    folder.mkdir()
    db = folder / "l.db"
    running = start(cable, db, "scan", TARGETS)
    until_sent(folder, "http")
    for _ in range(times):
        running.send_signal(number)
        time.sleep(0.02)
    _, err = running.communicate(timeout=20)
    status = ended(db).status
    code, _, more = run(cable, db, "scan", "--resume")
    return running.returncode, status, code, ended(db).status, err, more


@pytest.mark.usefixtures("heeded")
def test_a_signal_stops_cleanly_and_a_second_one_at_once(cables, tmp_path):
    with ThreadPoolExecutor(len(SIGNALS)) as pool:
        pairs = [cables() for _ in SIGNALS]
        played = [
            pool.submit(stopped, cable, tmp_path / str(at), *SIGNALS[at])
            for at, cable in enumerate(pairs)
        ]
    for (number, times), play in zip(SIGNALS, played, strict=True):
        code, status, again, last, err, more = play.result()
        assert (code, again, last) == (3, 0, "complete"), (number, times, err, more)
        assert "Traceback" not in err
        assert status == "interrupted" if times == 1 else status in {"running", "interrupted"}
        assert times == 2 or "scan --resume" in err


def test_a_scan_that_nobody_listens_to_any_more_goes_on(cables, tmp_path):
    cable, db = cables(), tmp_path / "l.db"
    running = start(cable, db, "audit", TARGETS, "--out", str(tmp_path / "out"))
    until_sent(tmp_path, "http")
    running.stdout.close()
    running.stderr.close()
    assert running.wait(60) == 3  # the answer could not be given
    assert ended(db).status == "complete"
    assert (tmp_path / "out" / "report.json").is_file()


def test_two_programs_do_not_collect_one_run(cables, tmp_path):
    cable, db = cables(), tmp_path / "l.db"
    running = start(cable, db, "scan", TARGETS, "--pace", "2")  # long enough for the other to start
    until_sent(tmp_path, "icmp")
    code, _, err = run(cable, db, "scan", "--resume")
    assert code == 2 and "still going on" in err
    assert running.poll() is None
    running.terminate()
    assert running.wait(60) == 3
    running.communicate()


FILL = """
set -u
mount -t tmpfs -o size=4m tmpfs "$1"
cd "$1"; shift
"$@" scan TARGETS & scan=$!
while ! ls l.db-sent-* >/dev/null 2>&1; do sleep 0.02; done
sleep 0.3
dd if=/dev/zero of=fill bs=512 2>/dev/null
wait $scan; echo "code $?"
rm fill
"$@" scan --resume; echo "code $?"
cp -a . "$KEPT"
""".replace("TARGETS", TARGETS)


def test_a_disk_that_fills_stops_the_sending_and_the_scan_goes_on_with_room(cables, tmp_path):
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("skipped, because this machine allows no mount namespaces")
    cable, disk, kept = cables(), tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    done = subprocess.run(
        ["ip", "netns", "exec", cable.here, "unshare", "-m", "sh", "-c", FILL, "sh", str(disk),
         *AUDITOR, "--db", "sqlite:///l.db"],
        capture_output=True, text=True, timeout=120, env={**ENV, "KEPT": str(kept)}, check=False,
    )  # fmt: skip
    assert [line for line in done.stdout.splitlines() if line.startswith("code")] == [
        "code 3", "code 0"], done.stderr  # fmt: skip
    assert "error: " in done.stderr and "Traceback" not in done.stderr
    assert run(cable, tmp_path / "whole.db", "scan", TARGETS)[0] == 0
    assert facts(kept / "l.db") == facts(tmp_path / "whole.db")


def serve(ready):
    """Play a web server on every address."""
    import socket
    import threading

    page = b"HTTP/1.1 200 OK\r\nServer: App-webs/\r\nContent-Length: 2\r\n\r\nhi"

    def answer(peer):
        with peer:
            if peer.recv(2_048):
                peer.sendall(page)

    with socket.create_server(("0.0.0.0", 80), backlog=500) as server:
        ready.set()
        while True:
            peer, _ = server.accept()
            threading.Thread(target=answer, args=(peer,), daemon=True).start()


ACCIDENTS = {
    "a cable is pulled while addresses are asked": (
        "arp", ("v1 down", "there"), ("v1 up", "there"), "lost its link"),
    "the interface goes down while groups are asked": (
        "onvif", ("v0 down", "here"), ("v0 up", "here"), "v0 "),
    "a cable is pulled for a moment while hosts are asked": (
        "http", ("v1 down", "there", "v1 up"), None, "link"),
    "the address goes while hosts are asked": (
        "http", ("address",), ("address back",), "lost its address"),
}  # fmt: skip


def happens(cable, act):
    if act[0] == "address":
        cable.ip("addr del 10.9.0.1/24 dev v0", cable.here)
    elif act[0] == "address back":
        cable.ip("addr add 10.9.0.1/24 dev v0", cable.here)
    else:
        for state in (act[0], *act[2:]):
            cable.ip(f"link set {state}", getattr(cable, act[1]))


def accident(cable, folder, name):
    """Play one accident; give how the scan ended, its words, and how the resumed one did."""
    folder.mkdir()
    (folder / "scope.toml").write_text(SCOPE, "utf-8")
    tool, act, mend, _ = ACCIDENTS[name]
    db = folder / "l.db"
    with Aside(cable.there, serve, alone=True):
        running = start(cable, db, "scan", "--scope", str(folder / "scope.toml"))
        try:
            until_sent(folder, tool)
        except AssertionError:
            running.kill()
            print(name, running.communicate(), list(folder.iterdir()))
            raise
        happens(cable, act)
        _, err = running.communicate(timeout=60)
        status = ended(db).status
        if mend:
            happens(cable, mend)
        time.sleep(0.5)  # the kernel tells that a link is there a moment later
        again, _, more = run(cable, db, "scan", "--resume")
    return running.returncode, status, err, again, more


def test_a_link_that_goes_is_said_once_and_nobody_is_silent_for_it(cables, tmp_path):
    pairs = {name: cables() for name in ACCIDENTS}
    whole = cables()
    (tmp_path / "scope.toml").write_text(SCOPE, "utf-8")
    with Aside(whole.there, serve, alone=True):
        assert (
            run(whole, tmp_path / "w.db", "scan", "--scope", str(tmp_path / "scope.toml"))[0] == 0
        )
    wanted = {fact for fact in facts(tmp_path / "w.db") if ":" not in fact[1]}
    assert len(wanted) >= 9
    with ThreadPoolExecutor(len(pairs)) as pool:
        played = {
            name: pool.submit(accident, cable, tmp_path / str(at), name)
            for at, (name, cable) in enumerate(pairs.items())
        }
    for at, (name, play) in enumerate(played.items()):
        code, status, err, again, more = play.result()
        assert (code, status, again) == (3, "interrupted", 0), (name, err, more)
        assert err.count("error: ") == 1 and ACCIDENTS[name][3] in err, (name, err)
        found = {fact for fact in facts(tmp_path / str(at) / "l.db") if ":" not in fact[1]}
        assert found == wanted, (name, found ^ wanted)


class Jumping(Setting):
    """A command whose wall clock is set while it runs."""

    def now(self):
        began = self.said.setdefault("began", time.monotonic())
        late = time.monotonic() - began > 1.0
        return datetime.now(UTC) + (self.said["by"] if late else timedelta(0))


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_jumps_is_said_and_no_time_is_negative(tmp_path, capsys, days):
    db = f"sqlite:///{tmp_path}/l.db"
    setting = Jumping(db, said={"by": timedelta(days=days)})
    asked = collecting.Asked(("127.0.7.1-2",), pace=4.0)
    assert collecting.scan(setting, asked, resume=False) == 0
    assert "the clock " in capsys.readouterr().err
    with Ledger.open(db) as ledger:
        (one,) = ledger.runs()
        moments = [sent.moment for sent in ledger.journaled()]
        assert all(s.attempt.elapsed_s >= 0 for s in ledger.attempts())
    assert one.started <= moments[0] and moments == sorted(moments) and moments[-1] <= one.ended
    assert any("the clock" in note for note in one.notes)


def test_an_authority_ends_by_the_wall_clock_at_once(tmp_path, capsys):
    scope = tmp_path / "scope.toml"
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scope.write_text(f'networks = ["127.0.7.0/24"]\n[authority]\nexpires = {expires}\n', "utf-8")
    setting = Jumping(f"sqlite:///{tmp_path}/l.db", said={"by": timedelta(days=1)})
    began = time.monotonic()
    code = collecting.scan(setting, collecting.Asked((), scope=scope, pace=4.0), resume=False)
    assert code == 3 and time.monotonic() - began < 30
    assert "expired" in capsys.readouterr().err


def test_a_report_whose_file_cannot_take_its_name_leaves_no_torn_one(cables, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("skipped, because strace is not installed")
    cable, db, out = cables(), tmp_path / "l.db", tmp_path / "out"
    assert run(cable, db, "scan", "127.0.7.1")[0] == 0
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=rename",
         "-e", "inject=rename:error=ENOSPC:when=2",
         *AUDITOR, "--db", f"sqlite:///{db}", "report", "--out", str(out)],
        capture_output=True, text=True, timeout=120, env=ENV, check=False,
    )  # fmt: skip
    if "ptrace" in done.stderr:
        pytest.skip("skipped, because this machine lets nobody be traced")
    assert done.returncode in {2, 3} and "error: " in done.stderr and "Traceback" not in done.stderr
    assert not list(out.glob(".*"))
    assert run(cable, db, "report", "--out", str(out))[0] in {0, 1, 3}
    assert run(cable, db, "verify", str(out))[0] == 0


# ---------------------------------------------------------------- what the one before has sent


def journal(db, folder):
    """Give what was sent by all runs of a ledger: what it holds, and what a killed run left."""
    with Ledger.open(f"sqlite:///{db}") as ledger:
        sent = [one for run in ledger.runs() for one in ledger.journaled(run.id)]
    lines = [line.split(b"\t") for path in folder.glob("*-sent-*")
             for line in path.read_bytes().split(b"\n")[1:-1]]  # fmt: skip
    left = [journal_value((0, moment.decode(), doc.decode())) for _, moment, doc in lines]
    return sorted({*sent, *left}, key=lambda one: one.moment)


def asks_all(one):
    return one.kind == "udp" and ip_address(one.ip).is_multicast


def test_a_new_scan_keeps_to_the_pace_of_the_one_that_was_killed(cables, tmp_path):
    """Whoever hears three questions in thirty seconds does not care which run they are of."""
    cable, db = cables(), tmp_path / "l.db"
    killed = start(cable, db, "scan", "10.9.0.0/28")
    until_sent(tmp_path, "onvif")
    killed.kill()
    killed.communicate()
    before = len([one for one in journal(db, tmp_path) if asks_all(one)])
    again = start(cable, db, "scan", "10.9.0.0/28")
    until = time.monotonic() + 90
    while time.monotonic() < until:
        time.sleep(0.5)
        questions = [one for one in journal(db, tmp_path) if asks_all(one)]
        if len(questions) > before:
            break
    again.kill()
    again.communicate()
    assert before and len(questions) > before, "the second scan asks, too"
    moments = [one.moment for one in questions]
    in_window = [sum(m <= other < m + timedelta(seconds=30) for other in moments) for m in moments]
    assert max(in_window) <= 3


def recorded(db, number, now):
    """A run of a ledger as a scan begins it, by a clock that stands."""

    class Standing(Setting):
        def now(self):
            return now

    setting = Standing(f"sqlite:///{db}", quiet=True)
    ledger = wiring.open_ledger(setting.db)
    return Record(setting, ledger, Run(f"run-{number}", "TEST", "scan", now))


def leave(db, how, *sent):
    """Begin a run in a process of its own, note what it sends, and end it."""
    if pid := os.fork():
        os.waitpid(pid, 0)
        return
    record = recorded(db, 1, sent[0].moment)
    record.begin("nowhere")
    for one in sent:
        record.note(one)
    if how == "interrupted":
        record.finish("interrupted", "")
        record.__exit__(None, None, None)
    os.kill(os.getpid(), signal.SIGKILL)


GROUP = "239.255.255.250"


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_what_another_run_sent_just_now_counts(tmp_path, how):
    just_now = datetime.now(UTC)
    sent = (Sent(just_now, "udp", GROUP, 37020), Sent(just_now, "udp", GROUP, 3702),
            Sent(just_now, "tcp", "10.9.0.1", 80), Sent(just_now, "ndp", "ff02::1"))  # fmt: skip
    leave(tmp_path / "l.db", how, *sent)
    record = recorded(tmp_path / "l.db", 2, just_now + timedelta(seconds=0.25))
    record.look_back()
    assert record.called == 3
    assert record.rest_s(1.0) == 0.75


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_what_another_run_sent_long_ago_does_not(tmp_path, how):
    long_ago = datetime.now(UTC)
    leave(tmp_path / "l.db", how, Sent(long_ago, "udp", GROUP, 37020))
    record = recorded(tmp_path / "l.db", 2, long_ago + timedelta(seconds=60))
    record.look_back()
    assert record.called == 0 and record.rest_s(1.0) == 0.0


def test_looking_back_leaves_a_killed_run_to_be_resumed(tmp_path):
    just_now = datetime.now(UTC)
    leave(tmp_path / "l.db", "killed", Sent(just_now, "udp", GROUP, 37020))
    recorded(tmp_path / "l.db", 2, just_now).look_back()
    resumed = recorded(tmp_path / "l.db", 1, just_now)
    resumed.take_up(AddressSet())
    assert resumed.called == 1
    assert len(list(resumed.ledger.journaled("run-1"))) == 1


def test_what_the_ledger_did_not_take_goes_with_the_next_commit(tmp_path):
    """A disk that was full for a moment costs no line of the journal."""
    now = datetime.now(UTC)
    record = recorded(tmp_path / "l.db", 1, now)
    record.begin("nowhere")
    commit, record.ledger.append = record.ledger.append, broken_once(record.ledger.append)
    record.note(Sent(now, "arp", "10.9.0.1", 0))
    with pytest.raises(LedgerError):
        record.keep(())
    record.note(Sent(now, "arp", "10.9.0.2", 0))
    assert record.finish("interrupted", "") is None
    record.ledger.append = commit
    assert [one.ip for one in record.ledger.journaled("run-1")] == ["10.9.0.1", "10.9.0.2"]


def broken_once(append):
    """Refuse the first rows, as a database does that is locked or has no room."""
    refusals = [LedgerError("there is no room", hint="make some")]

    def keep(*rows):
        if refusals:
            raise refusals.pop()
        return append(*rows)

    return keep


def test_what_is_excluded_on_the_way_stays_excluded_when_the_next_part_is_cut_off(tmp_path):
    now, away = datetime.now(UTC), AddressSet.parse(["10.9.0.7"])
    leave(tmp_path / "l.db", "interrupted", Sent(now, "arp", "10.9.0.1", 0))
    second = known(tmp_path, now)
    second.take_up(away)
    (run,) = second.ledger.runs()
    assert run.status == "running"  # whoever looks knows that somebody collects it, or was killed
    second.__exit__(None, None, None)
    third = known(tmp_path, now)
    third.take_up(AddressSet.parse(["10.9.0.9"]))
    assert third.excluded == AddressSet.parse(["10.9.0.7", "10.9.0.9"])


def known(folder, now):
    """Take the run up as the ledger knows it."""
    record = recorded(folder / "l.db", 1, now)
    (record.run,) = record.ledger.runs()
    return record
