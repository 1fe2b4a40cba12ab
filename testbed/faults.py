# SPDX-License-Identifier: Apache-2.0

"""A certificate that nobody trusts."""

import pathlib
import subprocess


def self_signed(folder: pathlib.Path) -> pathlib.Path:
    """Make a self-signed certificate for 127.0.0.1.

    :returns: a file with the certificate and its key
    """
    pem = folder / 'nova.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days',
         '1', '-subj', '/CN=nova', '-addext', 'subjectAltName=IP:127.0.0.1',
         '-keyout', pem, '-out', pem],
        stderr=subprocess.DEVNULL,
        check=True,
    )  # fmt: skip
    return pem
