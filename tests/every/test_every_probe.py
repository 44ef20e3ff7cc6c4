"""Asked of every probe: whatever a peer says, there come observations or an outcome."""

import re
import time
import tomllib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import auditor
from auditor.model.observation import Observation, Outcome
from auditor.plugins import Heard, Probe, load
from tests.drive import CAPTURES, Played, heard_by_bytes, peer, play

PROBES = load("auditor.probes", "PROBE", Probe)
DATA = Path(auditor.__file__).parent / "data"
PORTS = tomllib.loads((DATA / "ports.toml").read_text("utf-8"))
COMMUNITY = "observer-7f3a"
KNOWN = (Observation("ssdp.location", "http://192.0.2.7:80/description.xml"),)
# what devices really say, each of which any port may answer with
CORPUS = {path.name: path.read_bytes() for path in sorted(CAPTURES.iterdir()) if path.is_file()}
MOST_SAYS = {"router_arp": 128}
STREAMS = [probe for probe in PROBES if probe.transport == "tcp"]  # datagrams come whole
every_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)


def vocabulary() -> set[str]:
    rooms = tomllib.loads((DATA / "fields.toml").read_text("utf-8"))
    return {"mac"} | {
        f"{room}.{name}" for room, of in rooms.items() for name in of.get("fields", ())
    }


FIELDS = vocabulary()


def ask(probe, replies) -> Played:
    port = next((port for name in probe.ports for port in PORTS["lists"][name]), 80)
    port = 80 if probe.name == "upnp" else port
    whom = peer(port, tls=probe.tls, community=COMMUNITY, known=KNOWN)
    played = play(probe.speak(whom), replies)
    assert all(seen.field in FIELDS for seen in played.observations)
    assert all(isinstance(seen.value, str) for seen in played.observations)
    assert not any("\x00" in seen.value for seen in played.observations)
    for seen in played.observations:
        seen.value.encode("utf-8")  # no lone surrogates: databases and JSON refuse them
    assert len(played.said) <= MOST_SAYS.get(probe.name, 3)
    return played


@every_probe
def test_it_declares_where_it_goes_and_who_says_so(probe):
    assert probe.transport in {"tcp", "udp"}
    assert probe.source
    assert set(probe.ports) <= set(PORTS["lists"])
    never = {port for ports in PORTS["never"].values() for port in ports}
    assert not never & {port for name in probe.ports for port in PORTS["lists"][name]}


@every_probe
@pytest.mark.parametrize("name", CORPUS)
def test_a_whole_reply_is_read(probe, name):
    ask(probe, lambda _say: CORPUS[name])


@pytest.mark.parametrize("probe", STREAMS, ids=lambda probe: probe.name)
@pytest.mark.parametrize("name", CORPUS)
def test_a_reply_that_drips_in_byte_by_byte_tells_the_same(probe, name):
    raw = CORPUS[name][:600]
    dripped, whole = ask(probe, lambda say: heard_by_bytes(raw, say)), ask(probe, lambda _say: raw)
    assert dripped.outcome is whole.outcome
    # what follows the end of a reply may be missing, because nobody waits for it
    assert set(dripped.value) <= set(whole.value)


@every_probe
def test_a_reply_cut_short_at_any_length_is_read_as_far_as_it_goes(probe):
    for raw in CORPUS.values():
        for end in range(0, min(len(raw), 700), 1 if len(raw) < 400 else 7):
            cut = raw[:end]
            ask(probe, lambda _say, cut=cut: cut)


@every_probe
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=400), certificate=st.binary(max_size=120))
def test_random_bytes_are_an_outcome(probe, raw, certificate):
    ask(probe, lambda _say: Heard(raw, Outcome.ANSWERED, certificate))


@every_probe
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_real_replies_with_bytes_changed_are_an_outcome(probe, data):
    raw = bytearray(data.draw(st.sampled_from(list(CORPUS.values()))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    ask(probe, lambda _say: bytes(raw))


@every_probe
@pytest.mark.parametrize("outcome", list(Outcome))
def test_nothing_but_an_outcome_gives_nothing(probe, outcome):
    assert ask(probe, lambda _say: Heard(b"", outcome)).observations == []


ENDLESS = [
    b"\x00",
    b"\xff",
    b"<",
    b"<a",
    b"<title>",
    b"<link ",
    b"a" * 63 + b".",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\r\nSet-Cookie: c=",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n<link rel='icon' href=",
    b"220-x\r\n",
    b"SSH-",
    b"\xff\xfa",
    b"\x30\x80",
    b"\n",
]


@every_probe
@pytest.mark.parametrize("piece", ENDLESS, ids=repr)
def test_endless_input_costs_little_time_and_memory(probe, piece):
    flood = piece * (200_000 // len(piece))
    tracemalloc.start()
    began = time.process_time()
    ask(probe, lambda _say: flood)
    spent_s = time.process_time() - began
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent_s < 1.0
    assert most_bytes < 16_000_000


CREDENTIALS = re.compile(
    rb"authorization|basic |digest |user=|pass|pwd|cookie|token|login|//[^/\s]*:[^/\s]*@",
    re.IGNORECASE,
)
CHANGING = re.compile(rb"^(?:POST|PUT|DELETE|PATCH|SETUP|PLAY|REGISTER|SET_PARAMETER)\b")


@every_probe
def test_it_sends_no_credential_and_nothing_that_changes_the_device(probe):
    tempting = b"HTTP/1.1 302 Found\r\nLocation: //admin:12345@192.0.2.7/x\r\n\r\n"
    for reply in (*CORPUS.values(), tempting):
        for say in ask(probe, lambda _say, reply=reply: reply).said:
            # the path of a redirect on the same server is the device's own word
            first, _, rest = say.data.partition(b" HTTP/1.1\r\n")
            assert not CREDENTIALS.search(rest or first)
            assert b"@192.0.2.7" not in say.data
            assert not CHANGING.match(say.data)


@every_probe
def test_a_community_is_sent_only_by_those_who_need_it(probe):
    said = b"".join(say.data for say in ask(probe, ()).said)
    assert (COMMUNITY.encode() in said) == probe.needs_community
    without = play(probe.speak(peer(161)), ())
    assert not (probe.needs_community and without.said)


@every_probe
def test_it_asks_with_whole_limits(probe):
    for say in ask(probe, lambda _say: CORPUS["http_app_webs_login.http"]).said:
        assert 0 < say.limit_bytes <= 70_000
        assert say.idle_s <= 2.0
