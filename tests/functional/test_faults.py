# SPDX-License-Identifier: Apache-2.0

"""The real command with servers that are hostile or broken.

The output is right, or one line reports the error. How each response is read
is tested offline; here are faults of connections, and what a process prints.
"""

from collections.abc import Iterator
import contextlib
import socket
import ssl

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import always
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


@pytest.mark.parametrize('insecure', [False, True])
def test_untrusted_certificate(tmp_path, insecure):
    pem = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Server(Nova(list(IMAGES)), context) as tls:
        elsewhere = canned_cloud.keystone({'RegionOne': f'{tls.url}/v2.1'})
        with cloud(elsewhere) as (_server, shell):
            if insecure:
                assert shell('--insecure', *LIST).out == LISTED
            else:
                assert 'certificate' in shell.fails(*LIST)
                assert tls.requests == []


def sent_by(send) -> Response:
    return Response(Response.of({'images': IMAGES}).body, send=send)


TRANSIENT = {
    'reset': sent_by(canned_cloud.reset),
    'reset in mid-body': sent_by(canned_cloud.cut_off),
    'truncated': sent_by(canned_cloud.truncated),
    'closed': sent_by(canned_cloud.hang_up),
    'no HTTP': sent_by(canned_cloud.garbage),
    'broken chunks': sent_by(canned_cloud.broken_chunks),
    'Content-Length too long': Response(
        b'{}', headers={'Content-Length': '9'}, send=canned_cloud.unframed
    ),
}


@pytest.mark.parametrize('answer', TRANSIENT.values(), ids=TRANSIENT)
def test_transient_errors_are_retried(answer):
    with cloud(in_turn(answer)) as (server, shell):
        result = shell.run(*LIST)
        assert (result.code, result.out) == (0, LISTED)
        assert server.paths().count('GET /v2.1/images/detail') == 2
    [warning] = result.err.splitlines()
    assert 'Retrying in' in warning
    assert warning.isprintable()


def test_refused_connection_is_one_line():
    with socket.create_server(('127.0.0.1', 0)) as unused:
        url = f'http://127.0.0.1:{unused.getsockname()[1]}/v2.1'
    elsewhere = canned_cloud.keystone({'RegionOne': url})
    with cloud(elsewhere) as (_server, shell):
        result = shell.run(*LIST)
    assert (result.code, result.out) == (1, '')
    [error] = result.errors()
    assert f'Unable to establish connection to {url}' in error
    assert len(result.err.splitlines()) == 4


ENDLESS = {
    'a body': (canned_cloud.endless, 'larger than'),
    'slow headers': (canned_cloud.drip_of_head, 'api_timeout'),
}


@pytest.mark.parametrize(('send', 'told'), ENDLESS.values(), ids=ENDLESS)
def test_endless_response_ends(tmp_path, send, told):
    with cloud(always(Response(send=send))) as (server, _shell):
        timeout = 1 if told == 'api_timeout' else 600
        shell = Shell(
            canned_cloud.configuration(server, tmp_path, api_timeout=timeout)
        )
        assert told in shell.fails(*LIST)
