# SPDX-License-Identifier: Apache-2.0

"""The real command with servers that are hostile, broken or busy.

The output is right, or one line reports the error.
"""

from collections.abc import Iterator
import contextlib
import gzip
import json
import re
import socket
import ssl
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import after_the_first_page
from testbed.canned_cloud import always
from testbed.canned_cloud import fault
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Nova
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from testbed.faults import blank
from testbed.faults import busy
from testbed.faults import DEEP
from testbed.faults import has_secret
from testbed.faults import HTML
from testbed.faults import REFUSED
from testbed.faults import self_signed
from tests.functional.conftest import Result
from tests.functional.conftest import Shell

IMAGES = [canned_cloud.image(number) for number in range(6)]
IDS = [image['id'] for image in IMAGES]
LIST = ('compute', 'image', 'list', '-f', 'value', '-c', 'ID')
#: Everything, in pages of two images.
PAGED = (*LIST, '--limit', '2', '--max-items', '100')


@contextlib.contextmanager
def cloud(
    *before: canned_cloud.Handler, path: str = '/v2.1'
) -> Iterator[tuple[Server, Shell]]:
    """Run a cloud of six images, with handlers of faults before it."""
    nova = Nova(list(IMAGES), path)
    with canned_cloud.canned_cloud(nova, path, *before) as server:
        yield server, Shell(canned_cloud.environment(server))


def configured(server: Server, tmp_path, **settings: Any) -> Shell:
    """Return a shell with a ``clouds.yaml`` that has these settings."""
    return Shell(canned_cloud.configuration(server, tmp_path, **settings))


def one_line(
    result: Result, *, out: str = '', code: int = 1, retries: int = 0
) -> str:
    """Return the error of a command, which must be one line.

    :param retries: how many lines before it report a retry
    """
    assert (result.code, result.out) == (code, out), result.err
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


def page(*images: dict[str, Any], link: str | None = None) -> Response:
    """Return a page with a next link."""
    document: dict[str, Any] = {'images': images}
    if link is not None:
        document['images_links'] = [{'rel': 'next', 'href': link}]
    return Response.of(document)


# -- credentials ----------------------------------------------------------


@pytest.fixture
def foreign() -> Iterator[Server]:
    """Provide a server that does not belong to the cloud."""

    def handler(request: Request) -> Response:
        if request.path.rstrip('/').endswith('v2.1'):
            return versions(f'http://{request.headers["host"]}/v2.1/')
        return page(IMAGES[5])

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
    if status == 200 and url.endswith('one'):
        return Response.of({'version': version})
    return Response.of({'versions': [version]}, status)


def test_next_link_to_foreign_host_is_not_followed(foreign):
    link = f'{foreign.url}/v2.1/images/detail?limit=2&marker={IDS[1]}'
    with cloud(in_turn(page(*IMAGES[:2], link=link))) as (_server, shell):
        assert shell(*PAGED).out == lines(IDS)
    assert foreign.requests == []


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_redirect_to_foreign_host_is_not_followed(foreign, status):
    target = f'{foreign.url}/v2.1/images/detail'
    answer = Response(status=status, headers={'Location': target})
    with cloud(always(answer)) as (server, shell):
        error = one_line(shell.run(*LIST))
        assert pages_asked(server) == 1
    assert target in error
    assert 'the endpoint URL of Compute' in error
    assert foreign.requests == []


@pytest.mark.parametrize(
    'target',
    [
        'http://localhost:{port}/v2.1/images/detail',
        'https://127.0.0.1:{port}/v2.1/images/detail',
        '//localhost:{port}/v2.1/images/detail',
        '/v2.1/images/detail/',
        'file:///etc/passwd',
        '',
    ],
    ids=['localhost', 'scheme', 'no scheme', 'same host', 'file', 'none'],
)
def test_redirect_is_not_followed(target):
    def redirect(request: Request) -> Response | None:
        if not request.path.endswith('/images/detail'):
            return None
        port = request.headers['host'].partition(':')[2]
        location = target.format(port=port)
        return Response(status=302, headers={'Location': location})

    with cloud(redirect) as (server, shell):
        error = one_line(shell.run(*LIST))
        assert 'redirects to' in error
        assert pages_asked(server) == 1
        assert not any(
            has_secret(request)
            for request in server.requests
            if request.headers['host'] != f'127.0.0.1:{server.port}'
        )


def test_redirect_of_write_is_not_followed(foreign):
    answer = Response(status=307, headers={'Location': foreign.url})
    redirect = always(answer, 'DELETE', IDS[0])
    with cloud(redirect) as (_server, shell):
        result = shell.run('compute', 'image', 'delete', IDS[0])
    assert result.code == 1
    assert foreign.url in result.err
    assert 'Traceback' not in result.err
    assert foreign.requests == []


@pytest.mark.parametrize('how', ['names', 'names as its only', 'redirects to'])
def test_token_is_not_sent_to_discovered_host(foreign, how):
    """The catalog's URL has no version, so discovery is used."""

    def discovery(request: Request) -> Response | None:
        if request.path not in ('/', '/compute', '/compute/'):
            return None
        if how == 'redirects to':
            location = f'{foreign.url}/v2.1/'
            return Response(status=302, headers={'Location': location})
        return versions(
            f'{foreign.url}/v2.1/{"one" if how != "names" else ""}', 300
        )

    nova = Nova(list(IMAGES), '/compute/v2.1')
    with canned_cloud.canned_cloud(nova, '/compute', discovery) as server:
        shell = Shell(canned_cloud.environment(server))
        result = shell.run(*LIST)
    assert not any(map(has_secret, foreign.requests))
    if result.code:
        one_line(result)
    else:
        assert (result.out, result.err) == (lines(IDS), '')


@pytest.mark.parametrize(
    'words', [LIST, ('compute', 'image', 'show', IDS[1])], ids=['list', 'show']
)
def test_debug_output_has_no_secrets(words):
    with cloud() as (_server, shell):
        result = shell.run('--debug', *words)
    assert result.code == 0
    assert 'REQ: curl' in result.err
    assert canned_cloud.TOKEN not in result.out + result.err
    assert canned_cloud.PASSWORD not in result.out + result.err


def test_debug_output_of_failure_has_no_secrets():
    answer = fault(401, 'error', 'The request requires authentication.')
    with cloud(always(answer)) as (_server, shell):
        result = shell.run('--debug', *LIST)
    assert result.code == 1
    assert canned_cloud.TOKEN not in result.out + result.err
    assert canned_cloud.PASSWORD not in result.out + result.err


# -- paging ---------------------------------------------------------------


@pytest.mark.parametrize(
    'link',
    [
        f'/v2.1/images/detail?limit=2&marker={IDS[1]}',
        f'?marker={IDS[1]}',
        f'http://127.0.0.1:1/elsewhere/images?limit=2&marker={IDS[1]}',
        'http://[::1/images?marker=no',
        'http://127.0.0.1:999999/v2.1/images/detail',
        'http://127.0.0.1/v2.1/images/detail?limit=2',
        'javascript:alert(1)',
        f'http://127.0.0.1/v2.1/images/detail?marker={IDS[4]}',
        '\x00\ud83d',
    ],
)
def test_target_of_next_link_is_ignored(link):
    with cloud(in_turn(page(*IMAGES[:2], link=link))) as (server, shell):
        assert shell(*PAGED).out == lines(IDS)
        asked = [r for r in server.requests if after_the_first_page(r)]
    assert [request.query['marker'] for request in asked] == [
        IDS[1],
        IDS[3],
        IDS[5],
    ]


LINK = 'http://127.0.0.1/v2.1/images/detail?limit=2'

COMPLETE_LISTS = {
    'the limit is ignored': [page(*IMAGES)],
    'more than the limit': [page(*IMAGES[:4]), page(*IMAGES[4:])],
    'a short page has a next link': [
        page(IMAGES[0], link=LINK),
        page(*IMAGES[1:3]),
    ],
    'the last page is full, and links to an empty one': [
        page(*IMAGES[:2], link=LINK),
        page(*IMAGES[2:4], link=LINK),
        page(*IMAGES[4:], link=LINK),
        page(),
    ],
    'a page repeats the last image of the page before': [
        page(*IMAGES[:2]),
        page(*IMAGES[1:4]),
    ],
    'a page has an image of an earlier page': [
        page(*IMAGES[:2]),
        page(*IMAGES[2:4]),
        page(IMAGES[1], *IMAGES[4:]),
    ],
    'an image is twice on a page': [page(IMAGES[0], IMAGES[0], IMAGES[1])],
    'an image appears, and is newer': [
        page(*IMAGES[:2]),
        page(*IMAGES[2:4]),
    ],
    'malformed links': [
        Response.of({'images': IMAGES[:2], 'images_links': {'next': 7}}),
    ],
    'links that are null': [
        Response.of({'images': IMAGES[:2], 'images_links': None}),
    ],
}


@pytest.mark.parametrize(
    'answers', COMPLETE_LISTS.values(), ids=COMPLETE_LISTS
)
def test_list_is_complete_without_duplicates(answers):
    with cloud(in_turn(*answers)) as (_server, shell):
        assert shell(*PAGED).out == lines(IDS)


INTERRUPTIONS = {
    'a page repeats': ([page(*IMAGES[:2])] * 9, 2, 'repeats'),
    'pages alternate': (
        [page(*IMAGES[:2]), page(*IMAGES[2:4])] * 4,
        4,
        'repeats',
    ),
    'a link without a marker': (
        [page(*IMAGES[:2]), page(link=LINK)],
        2,
        'no marker',
    ),
    'every marker is rejected': (
        [
            page(*IMAGES[:2]),
            *[fault(400, 'badRequest', 'No image found with ID x')] * 9,
        ],
        2,
        'No image found',
    ),
    'a server error': (
        [page(*IMAGES[:2]), fault(500, 'computeFault', 'boom')],
        2,
        'boom',
    ),
    'an HTML page': (
        [page(*IMAGES[:2]), None, Response(b'<html>Hello</html>')],
        4,
        'not from the images API',
    ),
    'no more permission': (
        [page(*IMAGES[:2]), *[fault(403, 'forbidden', 'Not allowed')] * 9],
        2,
        'Not allowed',
    ),
    'too busy': (
        [
            page(*IMAGES[:2]),
            *[fault(429, 'overLimit', 'Too fast', Retry_After='0')] * 4,
        ],
        2,
        'Too fast',
    ),
}


@pytest.mark.parametrize(
    ('answers', 'count', 'message'), INTERRUPTIONS.values(), ids=INTERRUPTIONS
)
def test_error_while_listing_says_how_to_resume(answers, count, message):
    with cloud(in_turn(*answers)) as (_server, shell):
        result = shell.run(*PAGED)
    retries = 3 if message == 'Too fast' else 0
    error = one_line(result, out=lines(IDS[:count]), retries=retries)
    assert message in error
    assert f'after {count} images' in error
    if message in ('No image found', 'Not allowed'):
        # The server accepts no marker.
        assert '; list all again (HTTP 4' in error
        assert '--marker' not in error
    else:
        assert 'List all again' in error
        assert error.endswith(f'--marker {IDS[count - 1]}')


@pytest.mark.parametrize('form', ['value', 'csv'])
def test_marker_in_error_resumes_list(form):
    words = ['compute', 'image', 'list', '-f', form, '-c', 'ID']
    words += ['--limit', '2', '--max-items', '100']
    broken = in_turn(None, None, fault(500, 'computeFault', 'boom'))
    with cloud(broken) as (_server, shell):
        first = shell.run(*words)
        assert first.code == 1
        marker = re.search(r'--marker \S+$', first.err.rstrip())
        rest = shell(*words, *marker[0].split())
    got = first.out.splitlines() + rest.out.splitlines()
    if form == 'csv':
        got = [each.strip('"') for each in got if each != '"ID"']
    assert got == IDS


@pytest.mark.parametrize('form', ['json', 'table', 'yaml'])
def test_error_while_listing_prints_no_partial_document(form):
    broken = in_turn(None, None, fault(500, 'computeFault', 'boom'))
    words = ['compute', 'image', 'list', '-f', form]
    with cloud(broken) as (_server, shell):
        result = shell.run(*words, '--limit', '2', '--max-items', '100')
    assert f'--marker {IDS[3]}' in one_line(result)


@pytest.mark.parametrize(
    ('deleted', 'expected'),
    [
        ([1], IDS),
        # No listed image is left: the list starts over.
        ([0, 1], [*IDS[:2], canned_cloud.image(99)['id'], *IDS[2:]]),
        ([3], [*IDS[:3], *IDS[4:]]),
        ([2, 3, 4, 5], 2),
    ],
    ids=['marker', 'whole page', 'not yet listed', 'all the rest'],
)
def test_images_vanish_and_appear_while_listing(deleted, expected):
    nova = Nova(list(IMAGES))

    def change(request: Request) -> None:
        if 'marker' in request.query and len(nova.images) == len(IMAGES):
            left = [i for n, i in enumerate(IMAGES) if n not in deleted]
            new = [canned_cloud.image(99)]
            if len(left) == len(IMAGES) - 1:
                new.insert(0, canned_cloud.image(98))
            nova.replace([*new, *left])

    with canned_cloud.canned_cloud(nova, '/v2.1', change) as server:
        result = Shell(canned_cloud.environment(server))(*PAGED)
    wanted = IDS[:expected] if isinstance(expected, int) else expected
    assert result.out == lines(wanted)


# -- faults ---------------------------------------------------------------


def sent_by(send) -> Response:
    query = {'limit': '1000'}
    response = Nova(list(IMAGES)).page(
        Request('GET', '', query, {'host': 'nova'}, b'')
    )
    return Response(response.body, send=send)


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
    '429': busy(429),
    '429, at once': busy(429, '0'),
    '503, in a second': busy(503, '1'),
    '503, at a past time': busy(503, 'Wed, 21 Oct 2015 07:28:00 GMT'),
    '503, at a time without a zone': busy(
        503, 'Wed, 21 Oct 2015 07:28:00 -0000'
    ),
    '503, in the year 9999': busy(503, 'Fri, 31 Dec 9999 23:59:60 -9959'),
    '503, negative delay': busy(503, '-5'),
    '503, not a delay': busy(503, 'soon'),
    '502 with HTML': Response(HTML, 502, {'Content-Type': 'text/html'}),
    '504 with HTML': Response(HTML, 504, {'Content-Type': 'text/html'}),
}


@pytest.mark.parametrize('answer', TRANSIENT.values(), ids=TRANSIENT)
def test_transient_errors_are_retried(answer):
    with cloud(in_turn(answer)) as (server, shell):
        result = shell.run(*LIST)
        assert (result.code, result.out) == (0, lines(IDS))
        assert pages_asked(server) == 2
    (warning,) = stderr_lines(result)
    assert 'Retrying in' in warning


@pytest.mark.parametrize('after', ['3600', '9' * 400])
def test_long_retry_after_is_an_error(after):
    with cloud(in_turn(busy(503, after))) as (server, shell):
        error = one_line(shell.run(*LIST))
        assert pages_asked(server) == 1
    assert 'Try again later; the server asks to retry' in error


PERMANENT = {
    '429': (busy(429, '0'), 4, 'Try again later (HTTP 429)'),
    '503': (busy(503, '0'), 4, 'Try again later (HTTP 503)'),
    '500': (fault(500, 'computeFault', 'boom'), 1, 'boom (HTTP 500)'),
    '502 with HTML': (
        Response(HTML, 502, {'Content-Type': 'text/html', 'Retry-After': '0'}),
        4,
        '502 Bad Gateway nginx (HTTP 502)',
    ),
    'reset': (Response(send=canned_cloud.reset), 4, 'Connection'),
    'truncated': (sent_by(canned_cloud.truncated), 4, 'IncompleteRead'),
    'Content-Length too short': (
        Response(
            page(*IMAGES).body,
            headers={'Content-Length': '40'},
            send=canned_cloud.unframed,
        ),
        1,
        'not from the images API',
    ),
    'an unknown status': (fault(999, 'odd', 'what?'), 1, 'what? (HTTP 999)'),
    'a message with control characters': (
        fault(400, 'badRequest', 'a\x1b[2J\nb\u202ec\r' + 'x' * 9999),
        1,
        r'a\x1b[2J b\u202ec x',
    ),
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


def test_token_rejected_while_listing_is_renewed_once():
    renewed = []

    def refuses(request: Request) -> Response | None:
        """Reject the first token from the second page on."""
        if request.path.endswith('/auth/tokens'):
            renewed.append(request)
        if after_the_first_page(request) and len(renewed) < 2:
            return REFUSED
        return None

    with cloud(refuses) as (server, shell):
        assert shell(*PAGED).out == lines(IDS)
        assert server.paths().count('POST /v3/auth/tokens') == 2


def test_token_that_is_always_rejected_is_one_line():
    refuses = always(REFUSED, where=after_the_first_page)
    with cloud(refuses) as (server, shell):
        result = shell.run(*PAGED)
        assert server.paths().count('POST /v3/auth/tokens') == 2
    error = one_line(result, out=lines(IDS[:2]))
    assert 'requires authentication' in error
    assert error.endswith(f'--marker {IDS[1]}')


def test_expired_token_is_renewed():
    def expired(request: Request) -> Response | None:
        url = f'http://{request.headers["host"]}/v2.1'
        expires = '2020-01-01T00:00:00.000000Z'
        return canned_cloud.keystone({'RegionOne': url}, expires_at=expires)(
            request
        )

    with cloud(expired) as (_server, shell):
        assert shell(*PAGED).out == lines(IDS)


ENDLESS = {
    'no response': canned_cloud.silent,
    'a slow body': canned_cloud.drip,
    'slow headers': canned_cloud.drip_of_head,
}


@pytest.mark.parametrize('send', ENDLESS.values(), ids=ENDLESS)
def test_endless_response_times_out(tmp_path, send):
    with cloud(always(Response(send=send))) as (server, _shell):
        shell = configured(server, tmp_path, api_timeout=1)
        error = one_line(shell.run(*LIST, timeout=60))
    assert 'timed out' in error.lower()
    assert 'api_timeout' in error


def test_timeout_while_listing_says_how_to_resume(tmp_path):
    stalls = always(
        Response(send=canned_cloud.silent), where=after_the_first_page
    )
    with cloud(stalls) as (server, _shell):
        shell = configured(server, tmp_path, api_timeout=1)
        result = shell.run(*PAGED, timeout=60)
    error = one_line(result, out=lines(IDS[:2]))
    assert error.endswith(f'--marker {IDS[1]}')


def test_slow_response_may_take_longer_than_timeout(tmp_path):
    with cloud(always(sent_by(canned_cloud.slowly))) as (server, _shell):
        shell = configured(server, tmp_path, api_timeout=1)
        assert shell(*LIST, timeout=60).out == lines(IDS)


HTTP_503 = busy(503)


@pytest.mark.parametrize(
    ('settings', 'answer', 'times'),
    [
        ({'compute_status_code_retries': 0}, busy(503, '0'), 1),
        ({'compute_status_code_retries': 1}, busy(503), 2),
        ({'compute_connect_retries': 0}, Response(send=canned_cloud.reset), 1),
        ({'compute_connect_retries': 1}, Response(send=canned_cloud.reset), 2),
        ({'compute_connect_retries': 0}, busy(503, '0'), 4),
        # Truncated bodies count as connection errors.
        ({'compute_connect_retries': 4}, sent_by(canned_cloud.truncated), 5),
        ({'compute_status_code_retries': 4}, busy(502, '0'), 5),
        (
            {'status_code_retries': 1, 'status_code_retry_delay': 2},
            HTTP_503,
            2,
        ),
        (
            {'compute_retriable_status_codes': [500]},
            fault(500, 'computeFault', 'boom', Retry_After='0'),
            4,
        ),
    ],
)
def test_configured_retries(tmp_path, settings, answer, times):
    with cloud(always(answer)) as (server, _shell):
        result = configured(server, tmp_path, **settings).run(*LIST)
        assert pages_asked(server) == times
    assert (result.code, result.out) == (1, '')
    one_line(result, retries=times - 1)


@pytest.mark.parametrize(
    'answer',
    [busy(503, '0'), Response(send=canned_cloud.reset)],
    ids=['busy', 'reset'],
)
@pytest.mark.parametrize(
    ('words', 'method', 'path'),
    [
        (['delete'], 'DELETE', IDS[0]),
        (['set', '--property', 'a=b'], 'POST', '/metadata'),
        (['set', '--no-property'], 'PUT', '/metadata'),
        (
            ['unset', '--property', 'os_distro'],
            'DELETE',
            '/metadata/os_distro',
        ),
    ],
    ids=['delete', 'set', 'replace', 'unset'],
)
def test_writes_are_not_retried(words, method, path, answer):
    with cloud(always(answer, method, path)) as (server, shell):
        result = shell.run('compute', 'image', *words, IDS[0])
        writes = [r for r in server.requests if r.method == method]
    assert (result.code, result.out) == (1, '')
    assert 'Traceback' not in result.err
    assert len([w for w in writes if w.path.endswith(path)]) == 1


# -- bodies ---------------------------------------------------------------

NOT_THE_API = {
    'empty': (b'', 'empty'),
    'HTML': (b'<html>Welcome to nginx</html>', 'Expecting value'),
    'null': (b'null', "no 'images'"),
    'a list': (b'[]', "no 'images'"),
    'a number': (b'7', "no 'images'"),
    'an image': (b'{"image": {}}', "no 'images'"),
    'images by ID': (b'{"images": {"a": {}}}', "'images' is not a list"),
    'cut off': (b'{"images": [', 'Expecting value'),
    'UTF-16': (json.dumps({'images': []}).encode('utf-16'), 'Expecting'),
}


@pytest.mark.parametrize(
    ('body', 'message'), NOT_THE_API.values(), ids=NOT_THE_API
)
def test_invalid_body_is_one_line(body, message):
    with cloud(always(Response(body))) as (_server, shell):
        error = one_line(shell.run(*LIST))
    assert 'not from the images API' in error
    assert message in error


def test_deeply_nested_body_is_an_error():
    with cloud(always(Response(b'[' * DEEP))) as (_server, shell):
        result = shell.run(*LIST)
    assert (result.code, result.out) == (1, '')
    assert 'not from the images API' in result.errors()[-1]
    assert 'Traceback' not in result.err


@pytest.mark.parametrize('encoding', ['identity', 'gzip'])
def test_endless_body_is_an_error(encoding):
    answer = Response(send=canned_cloud.endless)
    if encoding == 'gzip':
        answer = blank(200)
    with cloud(always(answer)) as (server, shell):
        assert 'larger than' in one_line(shell.run(*LIST))
        assert pages_asked(server) == 1


def test_compressed_body():
    body = gzip.compress(page(*IMAGES).body)
    answer = Response(body, headers={'Content-Encoding': 'gzip'})
    with cloud(in_turn(answer)) as (_server, shell):
        assert shell(*LIST).out == lines(IDS)


def images_with(malformed: bytes) -> bytes:
    """Return a page of three images, with a malformed second one."""
    before, after = (json.dumps(IMAGES[n]).encode() for n in (0, 2))
    return b'{"images": [%s, %s, %s]}' % (before, malformed, after)


def odd_image(**fields: bytes) -> bytes:
    """Return the second image, with raw JSON fields."""
    given = b', '.join(
        b'"%s": %s' % (k.encode(), v) for k, v in fields.items()
    )
    return b'{"id": "%s", %s}' % (IDS[1].encode(), given)


NESTED = 150
ODD_IMAGES = {
    'a name that is a number': (odd_image(name=b'7'), 'Name', '7', None),
    'a name that is a list': (odd_image(name=b'[7]'), 'Name', None, 'name'),
    'a huge number': (
        odd_image(progress=b'1' + b'0' * 400),
        'Progress',
        10**400,
        None,
    ),
    'a very long number': (
        odd_image(progress=b'1' * 9999),
        'Progress',
        None,
        'progress',
    ),
    'NaN': (odd_image(progress=b'NaN'), 'Progress', None, 'progress'),
    'infinite': (odd_image(minDisk=b'1e999'), 'Min Disk', None, 'minDisk'),
    'a duplicate key': (
        odd_image(name=b'"a", "name": "b"'),
        'Name',
        'b',
        None,
    ),
    'invalid UTF-8': (odd_image(name=b'"\xff"'), 'Name', '\ufffd', None),
    'a lone surrogate': (
        odd_image(name=rb'"\ud800"'),
        'Name',
        '\ufffd',
        None,
    ),
    'properties that are not an object': (
        odd_image(metadata=b'[1]'),
        'Properties',
        {},
        'metadata',
    ),
    'deeply nested properties': (
        odd_image(metadata=b'{"a": %s%s}' % (b'[' * NESTED, b']' * NESTED)),
        'Name',
        None,
        None,
    ),
}


@pytest.mark.parametrize(
    ('image', 'column', 'value', 'field'), ODD_IMAGES.values(), ids=ODD_IMAGES
)
def test_malformed_image_is_listed_with_others(image, column, value, field):
    with cloud(always(Response(images_with(image)))) as (_server, shell):
        result = shell.run(
            *('compute', 'image', 'list', '--long', '-f', 'json')
        )
    assert result.code == 0, result.err
    listed = result.json()
    assert [each['ID'] for each in listed] == IDS[:3]
    assert listed[1][column] == value
    if field is None:
        assert result.err == ''
    else:
        assert result.err.count('\n') == 1
        assert f'{IDS[1]}: field {field!r}' in result.err


@pytest.mark.parametrize('depth', [100, 500, 900, DEEP])
def test_deeply_nested_properties_are_printed(depth):
    image = odd_image(metadata=b'{"a": %s%s}' % (b'[' * depth, b']' * depth))
    with cloud(always(Response(images_with(image)))) as (_server, shell):
        result = shell.run(
            *('compute', 'image', 'list', '--long', '-f', 'csv')
        )
    assert result.code == 0, result.err
    warning = 'Ignored values nested more than 200 levels deep in the server'
    assert result.err.count('\n') == result.err.count(warning)
    assert (warning in result.err) == (depth > 200)
    assert [line[1:37] for line in result.out.splitlines()[1:]] == IDS[:3]


@pytest.mark.parametrize(
    'entry', [b'null', b'[]', b'"x"', b'{}'], ids=lambda e: e.decode()
)
def test_invalid_entry_is_reported(entry):
    with cloud(always(Response(images_with(entry)))) as (_server, shell):
        result = shell.run(*LIST)
    assert result.code == 0, result.err
    shown = [line for line in result.out.splitlines() if line]
    assert shown == [IDS[0], IDS[2]]
    assert result.err.count('\n') == 1


def test_response_with_another_image_is_an_error():
    answer = Response.of({'image': IMAGES[1]})
    with cloud(always(answer, path=IDS[0])) as (_server, shell):
        error = shell.fails('compute', 'image', 'show', IDS[0])
    assert f'instead of image {IDS[0]}' in error
