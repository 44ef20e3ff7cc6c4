"""Namespaces and network devices are made as asked, belong to their process, and end with it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from auditor.lab import enter, kernel

pytestmark = pytest.mark.network

PREPARE = """
import json, os, subprocess, sys
from auditor.lab import kernel
from auditor.lab.links import Far, Links, NEAR, LOOPBACK
from auditor.model.address import Mac
kernel.leave_home()
def ip(*words): return json.loads(subprocess.run(["ip", "-j", *words], capture_output=True).stdout or "[]")
"""


def played(script, timeout=30):
    """Run a script as a process of its own that has left home; give what it prints, as JSON."""
    made = subprocess.run(
        [sys.executable, "-c", PREPARE + script], capture_output=True, text=True, timeout=timeout
    )
    if "EnvironmentLack" in made.stderr:
        pytest.skip(f"skipped, because {made.stderr.splitlines()[-1]}")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def test_home_is_left_for_a_network_with_nothing_in_it():
    names = played('print(json.dumps([link["ifname"] for link in ip("link")]))')
    assert "lo" in names
    assert not [name for name in names if name.startswith(("eth", "en", "wl"))]


def test_a_cable_joins_two_networks_with_the_mac_and_names_asked_for():
    told = played("""
network, = kernel.new_networks(1)
with Links() as links:
    links.bridge("seg0", 10); links.up(10)
    links.pair("port0", 100, 10, Far(network, Mac.parse("c4:2f:90:00:00:07"), "eth0"))
here = {link["ifname"]: link.get("master") for link in ip("link")}
with kernel.inside(network), Links() as links:
    links.up(NEAR)
    there = {link["ifname"]: [link["address"], link["ifindex"]] for link in ip("link")}
print(json.dumps([here, there]))
""")
    here, there = told
    assert here["port0"] == "seg0"
    assert there["eth0"] == ["c4:2f:90:00:00:07", 2]


def test_addresses_routes_and_neighbours_are_as_asked():
    told = played("""
network, = kernel.new_networks(1)
with Links() as links:
    links.pair("a0", 50, 0, Far(network, Mac.parse("02:00:00:00:00:07")))
    links.up(LOOPBACK); links.up(50)
    links.address("10.9.0.1/24", 50)
    links.own("10.8.0.0/16")
    links.on_link("10.8.0.9/32", 50)
    links.through("10.7.0.0/16", "10.9.0.2", 50)
    links.neighbour("10.9.0.2", Mac.parse("02:00:00:00:00:07"), 50)
    links.groups(50)
routes = {route["dst"]: route for route in ip("route", "show", "table", "main")}
near = {n["dst"]: [n.get("lladdr"), n["state"]] for n in ip("neigh", "show", "nud", "permanent")}
print(json.dumps([ip("addr", "show", "dev", "a0")[0]["addr_info"], routes, near]))
""")
    addresses, routes, near = told
    assert [a["local"] for a in addresses if a["family"] == "inet"] == ["10.9.0.1"]
    assert addresses[0]["broadcast"] == "10.9.0.255"
    assert routes["10.8.0.0/16"]["type"] == "local"
    assert routes["10.8.0.9"]["dev"] == "a0"
    assert routes["10.7.0.0/16"]["gateway"] == "10.9.0.2"
    assert near["10.9.0.2"] == ["02:00:00:00:00:07", ["PERMANENT"]]
    assert near["239.255.255.250"][0] == "01:00:5e:7f:ff:fa"


def test_what_the_kernel_refuses_is_an_error_with_its_reason():
    told = played("""
try:
    with Links() as links: links.up(4711)
except OSError as error: print(json.dumps([error.errno, str(error)]))
""")
    assert told == [19, "[Errno 19] netlink request 19: No such device"]


def test_a_held_network_lists_its_members_and_all_are_ended():
    told = played("""
holder = kernel.hold_network()
network = os.open(f"/proc/{holder}/ns/net", os.O_RDONLY)
with kernel.inside(network):
    guest = subprocess.Popen(["sleep", "100"])
before = sorted(kernel.members(network))
assert os.getpid() not in before
kernel.clear(network)
guest.wait()
os.waitpid(holder, 0)
print(json.dumps([before == sorted([holder, guest.pid]), kernel.members(network), guest.returncode]))
""")
    assert told == [True, [], -9]


def test_children_are_ended_and_reaped():
    told = played("""
first, second = kernel.hold_network(), kernel.hold_network()
kernel.end_children()
print(json.dumps([os.path.exists(f"/proc/{pid}") for pid in (first, second)]))
""")
    assert told == [False, False]


def test_a_setting_that_does_not_exist_is_not_made():
    assert played(
        'print(json.dumps([kernel.set_kernel("net.ipv4.no_such_thing", "1"), kernel.set_kernel("net.ipv4.conf.all.rp_filter", "0")]))'
    ) == [False, True]


def test_being_inside_ends_even_after_an_error():
    told = played("""
network, = kernel.new_networks(1)
home = os.stat("/proc/thread-self/ns/net").st_ino
try:
    with kernel.inside(network):
        there = os.stat("/proc/thread-self/ns/net").st_ino
        raise RuntimeError
except RuntimeError: pass
print(json.dumps([there != home, os.stat("/proc/thread-self/ns/net").st_ino == home]))
""")
    assert told == [True, True]


def test_entering_keeps_directory_and_exit_code_and_names_what_is_missing(tmp_path, department):
    told = department.run(["sh", "-c", "pwd; exit 3"], cwd=tmp_path, capture_output=True, text=True)
    assert (told.stdout.strip(), told.returncode) == (str(tmp_path), 3)
    missing = department.run(["no-such-program"], capture_output=True, text=True)
    assert missing.returncode == 1
    assert missing.stderr == "no-such-program: No such file or directory\n"


def test_entering_what_is_gone_fails_at_once():
    gone = subprocess.run(
        [sys.executable, "-I", "-S", enter.__file__, "999999999", "/", "true"],
        capture_output=True,
        text=True,
    )
    assert gone.returncode == 1
    assert "999999999" in gone.stderr


def test_input_output_and_failure_of_a_command_are_passed_on(department):
    assert department.run(["cat"], input=b"through", capture_output=True).stdout == b"through"
    with pytest.raises(subprocess.CalledProcessError):
        department.run(["false"], check=True)
    with pytest.raises(subprocess.TimeoutExpired):
        department.run(["sleep", "20"], timeout=0.3)


def test_the_hint_names_what_to_do_on_debian_and_ubuntu():
    assert "user.max_user_namespaces" in kernel.LACK_HINT
    assert "apparmor_restrict_unprivileged_userns" in kernel.LACK_HINT


def test_an_interrupt_from_the_keyboard_does_not_end_the_lab_under_its_users():
    script = (
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from auditor.lab.department import Department\n"
        "with Department.of([{}]) as lab:\n"
        " print('ready', flush=True); sys.stdin.readline(); print(lab.report()['dead'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        if process.stdout.readline() != "ready\n":
            pytest.skip("skipped, because no namespace is allowed")
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
        out, _ = process.communicate("go on\n", timeout=20)
    assert out == "{}\n"
