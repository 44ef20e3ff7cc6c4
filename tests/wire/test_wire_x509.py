"""Names in certificates, compared with what a full library reads, and where that gives up."""

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from auditor.wire import ber
from auditor.wire.x509 import read_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
DAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
RECORDER = [
    (NameOID.COUNTRY_NAME, "CN"),
    (NameOID.STATE_OR_PROVINCE_NAME, "ZheJiang"),
    (NameOID.LOCALITY_NAME, "HangZhou"),
    (NameOID.ORGANIZATION_NAME, "HIKVISION"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "DVRNVR"),
    (NameOID.COMMON_NAME, "www.hikvision.com"),
]


def name(parts):
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def certificate(subject, issuer=None):
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer or subject))
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(DAY)
        .not_valid_after(DAY + dt.timedelta(days=9))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def test_a_subject_is_written_as_fingerprint_databases_have_it():
    read = read_certificate(certificate(RECORDER, [(NameOID.COMMON_NAME, "Product Root CA")]))
    assert read.subject == "CN=www.hikvision.com,OU=DVRNVR,O=HIKVISION,L=HangZhou,ST=ZheJiang,C=CN"
    assert read.issuer == "CN=Product Root CA"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_every_text_is_read_and_its_commas_escaped(text):
    der = certificate([(NameOID.ORGANIZATION_NAME, text), (NameOID.COMMON_NAME, "cam")])
    escaped = read_certificate(der).subject.removeprefix("CN=cam,O=")
    plain = ""
    letters = iter(escaped)
    for letter in letters:
        plain += next(letters) if letter == "\\" else letter
    assert plain == text


def test_the_same_names_as_a_full_library_reads():
    der = certificate([*RECORDER, (NameOID.EMAIL_ADDRESS, "support@example.com")])
    ours, theirs = read_certificate(der), x509.load_der_x509_certificate(der)
    assert ours.subject == theirs.subject.rfc4514_string({NameOID.EMAIL_ADDRESS: "emailAddress"})


def test_a_negative_serial_number_loses_nothing():
    der = certificate(RECORDER)
    odd = der.replace(b"\x02\x01\x07", b"\x02\x01\x85", 1)
    assert odd != der
    assert read_certificate(odd).subject == read_certificate(der).subject


@pytest.mark.parametrize("tag", [0x1E, 0x1C])
def test_wide_strings_are_decoded(tag):
    text = "Zürich".encode("utf-16-be" if tag == 0x1E else "utf-32-be")
    part = ber.write_item(ber.SEQUENCE, ber.write_object_id("2.5.4.7") + ber.write_item(tag, text))
    names = ber.write_item(ber.SEQUENCE, ber.write_item(ber.SET, part))
    fill = ber.write_item(ber.SEQUENCE, b"")
    body = ber.write_item(ber.SEQUENCE, ber.write_integer(1) + fill + names + fill + names)
    assert read_certificate(ber.write_item(ber.SEQUENCE, body)).subject == "L=Zürich"


def test_a_part_of_two_attributes_and_an_unknown_one_are_written_out():
    def pair(oid, value):
        return ber.write_item(ber.SEQUENCE, ber.write_object_id(oid) + ber.write_item(0x0C, value))

    both = ber.write_item(ber.SET, pair("2.5.4.11", b"a") + pair("1.3.6.1.4.1.9", b"b"))
    names, fill = ber.write_item(ber.SEQUENCE, both), ber.write_item(ber.SEQUENCE, b"")
    body = ber.write_item(ber.SEQUENCE, ber.write_integer(1) + fill + names + fill + names)
    assert read_certificate(ber.write_item(ber.SEQUENCE, body)).subject == "OU=a+1.3.6.1.4.1.9=b"


def test_a_certificate_cut_short_keeps_its_fingerprint():
    der = certificate(RECORDER)
    for end in range(0, len(der), 5):
        assert read_certificate(der[:end]).sha256 == hashlib.sha256(der[:end]).hexdigest()


@given(st.binary(max_size=300))
def test_no_bytes_are_a_reason_to_fail(raw):
    assert len(read_certificate(raw).sha256) == 64


@given(st.lists(st.integers(0, 2**40), min_size=0, max_size=12), st.integers(0, 39))
def test_object_ids_are_read_back(arcs, second):
    dotted = ".".join(map(str, (1, second, *arcs)))
    (item,) = ber.read_items(ber.write_object_id(dotted))
    assert ber.read_object_id(item.body) == dotted


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_read_back(value):
    (item,) = ber.read_items(ber.write_integer(value))
    assert ber.read_integer(item.body) == value


@given(st.binary(max_size=70_000))
def test_any_contents_are_read_back(body):
    (item,) = ber.read_items(ber.write_item(ber.OCTETS, body))
    assert item.body == body


@pytest.mark.parametrize(
    "raw",
    [b"\x30", b"\x30\x05\x00", b"\x30\x80\x00\x00", b"\x1f\x01\x00", b"\x30\x84\xff\xff\xff\xff"],
)
def test_a_damaged_element_is_no_element(raw):
    assert list(ber.read_items(raw)) == []


def test_an_object_id_that_ends_inside_an_arc_is_none():
    assert ber.read_object_id(b"\x2b\x86") is None
    assert ber.read_object_id(b"") is None
    assert ber.read_object_id(b"\x88\x37\x03") == "2.999.3"
