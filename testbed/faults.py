# SPDX-License-Identifier: Apache-2.0

"""A certificate that nobody trusts."""

import datetime
import pathlib


def self_signed(folder: pathlib.Path) -> pathlib.Path:
    """Make a self-signed certificate.

    :returns: a file with the certificate and its key
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'nova')])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - day, now + day
    ).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = folder / 'nova.pem'
    pem.write_bytes(
        private + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem
