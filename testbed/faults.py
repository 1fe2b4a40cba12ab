# SPDX-License-Identifier: Apache-2.0

"""Responses with faults."""

import datetime
import gzip
import ipaddress
import pathlib

from testbed import canned_cloud
from testbed.canned_cloud import fault
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

#: The response of a proxy whose service is down.
HTML = b'<html><head><title>502 Bad Gateway</title></head>\n<hr>nginx</html>'


def has_secret(request: Request) -> bool:
    """Return whether a request contains the token or the password."""
    sent = repr((request.path, request.query, request.headers, request.body))
    return canned_cloud.TOKEN in sent or canned_cloud.PASSWORD in sent


def busy(status: int, after: str = '') -> Response:
    """Return an error of a busy server, with ``Retry-After``."""
    return fault(status, 'overLimit', 'Try again later', Retry_After=after)


def blank(mebibytes: int) -> Response:
    """Return a compressed body of spaces.

    :param mebibytes: its minimum size after decompression
    """
    body = gzip.compress(b' ' * 0x800000, 1) * -(-mebibytes // 8)
    return Response(body, headers={'Content-Encoding': 'gzip'})


def self_signed(folder: pathlib.Path) -> pathlib.Path:
    """Make a self-signed certificate for 127.0.0.1.

    :returns: a file with the certificate and its key
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'nova')])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address('127.0.0.1'))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / 'nova.pem'
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem
