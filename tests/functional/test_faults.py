# SPDX-License-Identifier: Apache-2.0

"""The real command with servers that are hostile or broken.

The output is right, or one line reports the error. How each response is read
is tested offline; here are faults of connections, and what a process prints.
"""

from collections.abc import Iterator
import contextlib
import ssl

import pytest

from testbed import canned_cloud
from testbed import sending
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Nova
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from testbed.faults import self_signed
from tests.functional.shell import Shell

IMAGES = [canned_cloud.image(number) for number in range(3)]
LIST = ('compute', 'image', 'list', '-f', 'value', '-c', 'ID')
LISTED = ''.join(f'{image["id"]}\n' for image in IMAGES)


@contextlib.contextmanager
def cloud(*before: canned_cloud.Handler) -> Iterator[tuple[Server, Shell]]:
    """Run a cloud of three images, with handlers of faults before it."""
    nova = Nova(list(IMAGES))
    with canned_cloud.canned_cloud(nova, '/v2.1', *before) as server:
        yield server, Shell(canned_cloud.environment(server))


def test_untrusted_certificate(tmp_path):
    pem = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Server(Nova(list(IMAGES)), context) as tls:
        elsewhere = canned_cloud.keystone({'RegionOne': f'{tls.url}/v2.1'})
        with cloud(elsewhere) as (_server, shell):
            assert 'certificate' in shell.fails(*LIST)
            assert tls.requests == []
            assert shell('--insecure', *LIST).out == LISTED


@pytest.mark.parametrize(
    'send',
    [
        sending.reset,
        sending.cut_off,
        sending.truncated,
        sending.hang_up,
        sending.garbage,
        sending.broken_chunks,
    ],
)
def test_transient_errors_are_retried(send):
    answer = Response(Response.of({'images': IMAGES}).body, send=send)
    with cloud(in_turn(answer)) as (server, shell):
        result = shell.run(*LIST)
        assert (result.code, result.out) == (0, LISTED)
        assert server.paths().count('GET /v2.1/images/detail') == 2
    [warning] = result.err.splitlines()
    assert 'Retrying in' in warning
    assert warning.isprintable()


@pytest.mark.parametrize(
    ('send', 'timeout', 'told'),
    [
        (sending.endless, 600, 'larger than'),
        (sending.drip_of_head, 1, 'api_timeout'),
    ],
)
def test_endless_response_ends(tmp_path, send, timeout, told):
    with cloud(in_turn(*[Response(send=send)] * 9)) as (server, _shell):
        settings = canned_cloud.configuration(
            server, tmp_path, api_timeout=timeout
        )
        assert told in Shell(settings).fails(*LIST)
