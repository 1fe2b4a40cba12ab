# SPDX-License-Identifier: Apache-2.0

"""Errors and redirects, their delays, and texts for a terminal.

An error has a status, a reason and some headers, one per line, and then the
body.
"""

import json
import math
import re
import time
from unittest import mock

from keystoneauth1 import adapter
from keystoneauth1 import session
import requests_mock

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import ServerError
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _retries
from osc_compute_images.text import printable
from testbed import nova
from tests.fuzz import promises

_HEADERS = ('Location', 'X-Openstack-Request-Id', 'Retry-After')

_NOT_FOUND = {'itemNotFound': {'code': 404, 'message': 'Image not found.'}}
_UNAUTHORIZED = {'error': {'code': 401, 'title': 'Unauthorized'}}
_NO_ROUTE = {
    'message': 'The resource could not be found.<br /><br />\n\n',
    'code': '404 Not Found',
    'title': 'Not Found',
}
_DATE = 'Fri, 31 Dec 2100 23:59:59 GMT'
_PAGE = '<html><title>502 Bad Gateway</title>&nbsp;</html>'


def _answer(*head: str, body: object = '') -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    return '\n'.join([*head, text]).encode()


ERRORS = [
    _answer('404', 'Not Found', '', 'req-1', '', body=_NOT_FOUND),
    _answer('401', 'Unauthorized', '', '', '', body=_UNAUTHORIZED),
    _answer('404', 'Not Found', '', '', '', body=_NO_ROUTE),
    _answer('502', '', '', '', '5', body=_PAGE),
    _answer('503', 'Unavailable', '', '', _DATE, body='&#27;'),
    _answer('302', 'Found', 'http://elsewhere.example.com/', '', ''),
]


def check_error(data: bytes) -> None:
    """Get an image, with this response."""
    *head, body = (data.split(b'\n', 5) + [b''] * 6)[:6]
    status, reason, *values = [line.decode('latin-1') for line in head]
    number = int(status[:3]) if re.match('[0-9]{3}', status) else 0
    waits: list[float] = []
    with (
        requests_mock.Mocker() as http,
        mock.patch.object(time, 'sleep', waits.append),
    ):
        http.get(
            requests_mock.ANY,
            status_code=300 + number % 300,
            reason=reason,
            headers=dict(zip(_HEADERS, values, strict=True)),
            content=body,
        )
        try:
            _api().get(nova.image_id(1))
        except ImagesError as e:
            promises.expect_one_line(str(e))
        else:
            raise AssertionError('The error was accepted as an image')
    assert len(waits) <= _retries.RETRIES
    assert all(0 <= wait <= _error_response.MAX_DELAY for wait in waits)


def _api() -> ImagesAPI:
    return ImagesAPI(
        adapter.Adapter(session.Session(), endpoint_override=nova.ENDPOINT)
    )


DELAYS = [
    b'120',
    b'Fri, 31 Dec 2100 23:59:59 GMT',
    b'Friday, 31-Dec-99 23:59:59 -0000',
    b'Fri Dec 31 23:59:59 1999',
]


def check_delay(data: bytes) -> None:
    """Check the delay."""
    seconds = _error_response.parse_retry_after(data.decode('latin-1'))
    error = ServerError('x', http_status=503)
    error.retry_after = seconds
    for number in (0.0, 1.0):
        delay = _retries.Retries().delay(
            error, 0, math.inf, lambda n=number: n
        )
        if delay is None:
            # There is no retry.
            assert seconds is not None
            assert seconds > _error_response.MAX_DELAY
        else:
            assert 0 <= delay <= _error_response.MAX_DELAY


TEXTS = [
    b'cirros-0.6.2',
    b'\x1b]0;title\x07',
    'a\u202eb \u00a0 \U000e0041 \U0001f600'.encode(),
    b'\xed\xa0\x80',
]


def check_text(data: bytes) -> None:
    """Escape a text; printable text must stay unchanged."""
    text = data.decode('utf-8', 'surrogateescape')
    shown = printable(text)
    promises.expect_safe(shown)
    assert printable(shown) == shown
