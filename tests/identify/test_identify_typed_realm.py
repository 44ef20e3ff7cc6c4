"""What whoever runs a server can type there, and a factory certificate, which nobody types."""

import pytest

from auditor.identify.identify import of_observations
from auditor.model.identity import Standing
from auditor.model.observation import Observation

REALM = ("http.wwwauth", 'Basic realm="Hikvision"')
DIGEST = ("rtsp.wwwauth", 'Digest realm="hikvision", nonce="4e44"')


def standing(shipped, *seen):
    found = of_observations([Observation(*pair) for pair in seen], shipped)
    return found.maker.value, found.maker.standing


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([REALM, ("http.server", "nginx/1.18.0 (Ubuntu)")], id="a-realm"),
        pytest.param([("tls.subject", "O=HIKVISION,CN=proxy.town.example")], id="a-certificate"),
        pytest.param([("tls.issuer", "O=HIKVISION,CN=our own CA")], id="an-authority"),
        pytest.param([DIGEST], id="a-realm-of-RTSP"),
    ],
)
def test_a_name_that_anybody_can_type_is_for_a_person_to_look_at(shipped, seen):
    assert standing(shipped, *seen) == ("Hikvision", Standing.PROBABLE)


def test_a_typed_organisation_of_another_maker_is_no_proof_either(shipped):
    seen = ("tls.subject", "O=DAHUA,CN=proxy.town.example")
    assert standing(shipped, seen) == ("Dahua", Standing.PROBABLE)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([REALM, DIGEST], id="two-kinds"),
        pytest.param([REALM, ("mac", "c0:56:e3:00:00:01")], id="realm-and-address"),
        pytest.param([("http.server", "App-webs/"), DIGEST], id="server-and-RTSP"),
    ],
)
def test_two_kinds_of_it_still_confirm(shipped, seen):
    assert standing(shipped, *seen) == ("Hikvision", Standing.CONFIRMED)


@pytest.mark.parametrize(
    ("subject", "maker"),
    [
        ("CN=www.hikvision.com,OU=DVRNVR,O=HIKVISION,L=HangZhou,ST=ZheJiang,C=CN", "Hikvision"),
        ("C=CN, ST=ZJ, L=HZ, O=HIKVISION, OU=HZ, CN=hikvision.com", "Hikvision"),
        ("OU=DAHUATECH,O=DAHUA,L=HANGZHOU,ST=ZHEJIANG,C=CN,CN=192.168.1.108", "Dahua"),
    ],
)
def test_a_factory_certificate_confirms(shipped, subject, maker):
    assert standing(shipped, ("tls.subject", subject)) == (maker, Standing.CONFIRMED)
