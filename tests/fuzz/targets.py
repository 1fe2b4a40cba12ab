# SPDX-License-Identifier: Apache-2.0

"""What is fuzzed: bodies with images, and errors. All keep these promises.

An error has a status, a reason and some headers, one per line, and then the
body.
"""

import json
import re
import time
import unicodedata
from unittest import mock

from keystoneauth1 import adapter
from keystoneauth1 import session
import requests_mock

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _session
from osc_compute_images.api.listing import _decode
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from testbed import nova

#: Categories of control characters.
_ACT = {'Cc', 'Zl', 'Zp', 'Cs'}
_DIRECTIONS = {'LRE', 'RLE', 'PDF', 'LRO', 'RLO', 'LRI', 'RLI', 'FSI', 'PDI'}


def _expect_safe(text):
    """Check that a text can be encoded, and has no control characters."""
    text.encode()
    for character in text:
        assert unicodedata.category(character) not in _ACT, ascii(text)
        assert unicodedata.bidirectional(character) not in _DIRECTIONS


def _expect_one_line(e):
    """Check that an error is one line of limited length."""
    _expect_safe(str(e))
    assert str(e).strip()
    assert len(str(e)) < 5000


def _expect_shown(image):
    """Check that an image can be printed, for people and for machines."""
    for value in field.row_of(field.LONG)(image):
        shown = data = value
        if isinstance(value, escaping.columns.FormattableColumn):
            shown, data = value.human_readable(), value.machine_readable()
        _expect_safe(str(shown))
        json.dumps(data, allow_nan=False, ensure_ascii=False).encode()


def _decoded(decode, body):
    """Return what is decoded, or None after an error of one line."""
    try:
        return decode(body)
    except ImagesError as e:
        _expect_one_line(e)
        return None


def _check_image(body):
    """Decode an image."""
    if (image := _decoded(_decode.decode_image, body)) is not None:
        _expect_shown(image)


def _check_page(body):
    """Decode a page, with the fast decoder and with the salvaging one."""
    page = _decoded(_decode.decode_page, body)
    if page is None:
        return
    for image in page.images:
        _expect_shown(image)
    try:
        _decode._PAGE.decode(body)
    except _decode._DECODE_ERRORS:
        return
    # They may differ in the depth that they accept.
    if body.count(b'[') + body.count(b'{') <= 300:
        salvaged = _decode.read_page(body, 'images', _decode._salvage)
        assert vars(salvaged) == vars(page)


def _check_error(data):
    """Get an image, with this response."""
    *head, body = (data.split(b'\n', 5) + [b''] * 6)[:6]
    status, reason, *values = [line.decode('latin-1') for line in head]
    number = int(status[:3]) if re.match('[0-9]{3}', status) else 0
    names = ('Location', 'X-Openstack-Request-Id', 'Retry-After')
    api = ImagesAPI(
        adapter.Adapter(session.Session(), endpoint_override=nova.ENDPOINT)
    )
    waits = []
    with (
        requests_mock.Mocker() as http,
        mock.patch.object(time, 'sleep', waits.append),
    ):
        http.get(
            requests_mock.ANY,
            status_code=300 + number % 300,
            reason=reason,
            headers=dict(zip(names, values, strict=True)),
            content=body,
        )
        image = _decoded(api.get, nova.image_id(1))
    assert image is None, 'The error was accepted as an image'
    assert len(waits) <= _session.RETRIES
    assert all(0 <= wait <= _error_response.MAX_DELAY for wait in waits)


_ODD = {'id': 1, 'name': '\x1b', 'minDisk': 'x', 'server': {'id': 7}}

_IMAGES = [
    json.dumps({'image': nova.image(1)}).encode(),
    json.dumps({'image': nova.image(1, server={'id': 'a'})}).encode(),
    json.dumps({'image': {'id': None, 'minDisk': [1], 'name': {}}}).encode(),
    b'{"image": {"id": "a", "OS-DCF:diskConfig": "AUTO", "progress": -1}}',
]
_PAGES = [
    json.dumps(nova.page(nova.images(1, 2), nova.link('x'))).encode(),
    json.dumps(nova.page([])).encode(),
    json.dumps(nova.page([nova.image(1, metadata={'a': [1]}), _ODD])).encode(),
    b'{"images": [{"id": "a", "name": "\\ud800", "metadata": {"x": NaN}}]}',
    b'{"images": "' + b'\\"' * 8000,
    b'{"images": [' + b'{},' * 5000 + b'1]}',
    b'\xef\xbb\xbf{"images": [{"id": "a", "id": "b", "minRam": 1e3}, 5]}',
]
_NOT_FOUND = '{"itemNotFound": {"code": 404, "message": "Image not found."}}'
_UNAUTHORIZED = '{"error": {"code": 401, "title": "Unauthorized"}}'
_NO_ROUTE = '{"message": "Not found.<br />\\n", "title": "Not Found"}'
_HTML = '<html><title>502 Bad Gateway</title>&nbsp;</html>'
_DATE = 'Fri, 31 Dec 2100 23:59:59 GMT'
_ERRORS = [
    '\n'.join(lines).encode()
    for lines in (
        ('404', 'Not Found', '', 'req-1', '', _NOT_FOUND),
        ('401', 'Unauthorized', '', '', '', _UNAUTHORIZED),
        ('404', 'Not Found', '', '', '', _NO_ROUTE),
        ('502', '', '', '', '5', _HTML),
        ('503', 'Unavailable', '', '', _DATE, '&#27;'),
        ('302', 'Found', 'http://elsewhere.example.com/', '', '', ''),
    )
]

#: The initial inputs, and what fails for an input that breaks a promise.
TARGETS = {
    'page': (_PAGES, _check_page),
    'image': (_IMAGES, _check_image),
    'error': (_ERRORS, _check_error),
}
