# SPDX-License-Identifier: Apache-2.0

"""The real command with servers that are hostile, broken or busy.

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
from testbed.canned_cloud import fault
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Nova
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from testbed.faults import blank
from testbed.faults import busy
from testbed.faults import has_secret
from testbed.faults import HTML
from testbed.faults import self_signed
from tests.functional.conftest import Result
from tests.functional.conftest import Shell

IMAGES = [canned_cloud.image(number) for number in range(6)]
IDS = [image['id'] for image in IMAGES]
LIST = ('compute', 'image', 'list', '-f', 'value', '-c', 'ID')
DELETE = ('compute', 'image', 'delete', IDS[0])
#: Everything, in pages of two images.
PAGED = (*LIST, '--limit', '2', '--max-items', '100')


@contextlib.contextmanager
def cloud(*before: canned_cloud.Handler) -> Iterator[tuple[Server, Shell]]:
    """Run a cloud of six images, with handlers of faults before it."""
    nova = Nova(list(IMAGES))
    with canned_cloud.canned_cloud(nova, '/v2.1', *before) as server:
        yield server, Shell(canned_cloud.environment(server))


def one_line(result: Result, *, out: str = '', retries: int = 0) -> str:
    """Return the error of a command, which must be one line.

    :param retries: how many lines before it report a retry
    """
    assert (result.code, result.out) == (1, out), result.err
    *retries_logged, last = stderr_lines(result)
    assert len(retries_logged) == retries, result.err
    assert all('Retrying in' in line for line in retries_logged)
    return last


def stderr_lines(result: Result) -> list[str]:
    """Return the lines on stderr, which must be printable."""
    assert 'Traceback' not in result.err
    assert not result.err or result.err.endswith('\n')
    lines = result.err.split('\n')[:-1]
    assert all(line.isprintable() for line in lines), result.err
    return lines


def lines(ids: list[str]) -> str:
    return ''.join(f'{each}\n' for each in ids)


def pages_asked(server: Server) -> int:
    return server.paths().count('GET /v2.1/images/detail')


# -- credentials ----------------------------------------------------------


@pytest.fixture
def foreign() -> Iterator[Server]:
    """Provide a server that does not belong to the cloud."""

    def handler(request: Request) -> Response:
        if request.path.rstrip('/').endswith('v2.1'):
            return versions(f'http://{request.headers["host"]}/v2.1/')
        return Response.of({'images': [IMAGES[5]]})

    with Server(handler) as server:
        yield server


def versions(url: str, status: int = 200) -> Response:
    """Return Nova's version document."""
    version = {
        'id': 'v2.1',
        'status': 'CURRENT',
        'version': '2.104',
        'min_version': '2.1',
        'updated': '2013-07-23T11:33:21Z',
        'links': [{'rel': 'self', 'href': url}],
    }
    return Response.of({'versions': [version]}, status)


def test_next_link_to_foreign_host_is_not_followed(foreign):
    link = f'{foreign.url}/v2.1/images/detail?limit=2&marker={IDS[1]}'
    first = {
        'images': IMAGES[:2],
        'images_links': [{'rel': 'next', 'href': link}],
    }
    with cloud(in_turn(Response.of(first))) as (_server, shell):
        assert shell(*PAGED).out == lines(IDS)
    assert foreign.requests == []


@pytest.mark.parametrize(
    ('words', 'method', 'path'),
    [(LIST, 'GET', '/images/detail'), (DELETE, 'DELETE', IDS[0])],
    ids=['list', 'delete'],
)
@pytest.mark.parametrize('status', [302, 307])
def test_redirect_is_not_followed(foreign, status, words, method, path):
    answer = Response(status=status, headers={'Location': foreign.url})
    with cloud(always(answer, method, path)) as (server, shell):
        result = shell.run(*words)
        asked = [r for r in server.requests if r.path.endswith(path)]
    assert (result.code, result.out) == (1, '')
    assert foreign.url in stderr_lines(result)[0]
    assert [r.method for r in asked].count(method) == 1
    assert foreign.requests == []


@pytest.mark.parametrize('how', ['names', 'redirects to'])
def test_token_is_not_sent_to_discovered_host(foreign, how):
    """The catalog's URL has no version, so discovery is used."""

    def discovery(request: Request) -> Response | None:
        if request.path not in ('/', '/compute', '/compute/'):
            return None
        if how == 'redirects to':
            location = f'{foreign.url}/v2.1/'
            return Response(status=302, headers={'Location': location})
        return versions(f'{foreign.url}/v2.1/', 300)

    nova = Nova(list(IMAGES), '/compute/v2.1')
    with canned_cloud.canned_cloud(nova, '/compute', discovery) as server:
        result = Shell(canned_cloud.environment(server)).run(*LIST)
    assert not any(map(has_secret, foreign.requests))
    if result.code:
        one_line(result)
    else:
        assert (result.out, result.err) == (lines(IDS), '')


@pytest.mark.parametrize('status', [200, 401])
def test_debug_output_has_no_secrets(status):
    refused = fault(401, 'error', 'The request requires authentication.')
    with cloud(*[always(refused)] * (status == 401)) as (_server, shell):
        result = shell.run('--debug', *LIST)
    assert result.code == (status == 401)
    assert 'REQ: curl' in result.err
    assert canned_cloud.TOKEN not in result.out + result.err
    assert canned_cloud.PASSWORD not in result.out + result.err


# -- connections ----------------------------------------------------------


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
    'not gzip': Response(b'{}', headers={'Content-Encoding': 'gzip'}),
    'busy': busy(503, '0'),
    'HTML of a proxy': Response(HTML, 502, {'Content-Type': 'text/html'}),
}


@pytest.mark.parametrize('answer', TRANSIENT.values(), ids=TRANSIENT)
def test_transient_errors_are_retried(answer):
    with cloud(in_turn(answer)) as (server, shell):
        result = shell.run(*LIST)
        assert (result.code, result.out) == (0, lines(IDS))
        assert pages_asked(server) == 2
    (warning,) = stderr_lines(result)
    assert 'Retrying in' in warning


PERMANENT = {
    'reset': (Response(send=canned_cloud.reset), 4, 'Connection'),
    'truncated': (sent_by(canned_cloud.truncated), 4, 'IncompleteRead'),
    'an endless body': (
        Response(send=canned_cloud.endless),
        1,
        'larger than',
    ),
    'an endless body, compressed': (blank(200), 1, 'larger than'),
}


@pytest.mark.parametrize(
    ('answer', 'times', 'message'), PERMANENT.values(), ids=PERMANENT
)
def test_permanent_error_is_one_line(answer, times, message):
    with cloud(always(answer)) as (server, shell):
        error = one_line(shell.run(*LIST), retries=times - 1)
        assert pages_asked(server) == times
    assert message in error
    assert len(error) < 1000


def test_writes_are_not_retried():
    reset = Response(send=canned_cloud.reset)
    with cloud(always(reset, 'DELETE', IDS[0])) as (server, shell):
        result = shell.run(*DELETE)
        assert server.paths().count(f'DELETE /v2.1/images/{IDS[0]}') == 1
    assert (result.code, result.out) == (1, '')
    stderr_lines(result)


def with_compute_at(url: str) -> canned_cloud.Handler:
    """Return Keystone's handler, with a catalog that has another Compute."""
    return canned_cloud.keystone({'RegionOne': url})


def test_refused_connection_is_one_line():
    with socket.create_server(('127.0.0.1', 0)) as unused:
        url = f'http://127.0.0.1:{unused.getsockname()[1]}/v2.1'
    with cloud(with_compute_at(url)) as (_server, shell):
        error = one_line(shell.run(*LIST), retries=3)
    assert f'Unable to establish connection to {url}' in error


@pytest.mark.parametrize('insecure', [False, True])
def test_untrusted_certificate(tmp_path, insecure):
    pem = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Server(Nova(list(IMAGES)), context) as tls:
        elsewhere = with_compute_at(f'{tls.url}/v2.1')
        with cloud(elsewhere) as (_server, shell):
            if insecure:
                assert shell('--insecure', *LIST).out == lines(IDS)
            else:
                error = one_line(shell.run(*LIST))
                assert 'certificate' in error
                assert tls.requests == []


ENDLESS = {
    'no response': canned_cloud.silent,
    'a slow body': canned_cloud.drip,
    'slow headers': canned_cloud.drip_of_head,
}


@pytest.mark.parametrize('send', ENDLESS.values(), ids=ENDLESS)
def test_endless_response_times_out(tmp_path, send):
    with cloud(always(Response(send=send))) as (server, _shell):
        shell = Shell(
            canned_cloud.configuration(server, tmp_path, api_timeout=1)
        )
        error = one_line(shell.run(*LIST))
    assert 'timed out' in error.lower()
    assert 'api_timeout' in error
