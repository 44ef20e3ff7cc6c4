"""Self-made certificates with the names that devices carry, and servers that speak old TLS."""

import ssl
import tempfile
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from auditor.lab.truth import Certificate

_FROM, _UNTIL = datetime(2019, 12, 17, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC)
_KEY_BITS = 2048


def contexts(wanted: Mapping[str, Certificate]) -> dict[str, ssl.SSLContext]:
    """Make a server context for each certificate; they share one key, as cheap devices do."""
    if not wanted:
        return {}
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    with tempfile.TemporaryDirectory() as directory:
        made: dict[str, ssl.SSLContext] = {}
        for name, certificate in wanted.items():
            path = Path(directory, f"{len(made)}.pem")
            path.write_bytes(_pem(certificate, key))
            made[name] = _context(path, old=certificate.old)
        return made


def _pem(certificate: Certificate, key: rsa.RSAPrivateKey) -> bytes:
    subject = x509.Name.from_rfc4514_string(certificate.subject)
    issuer = x509.Name.from_rfc4514_string(certificate.issuer or certificate.subject)
    made = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret + made.public_bytes(serialization.Encoding.PEM)


def _context(path: Path, *, old: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")  # TLS 1.0 signs with SHA-1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(path)
    return context
