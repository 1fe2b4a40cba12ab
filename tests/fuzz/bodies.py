# SPDX-License-Identifier: Apache-2.0

"""The bodies of responses with images."""

import json

from osc_compute_images.api import ImagesError
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing import _salvage
from testbed import nova
from tests.fuzz import promises

IMAGES = [
    json.dumps({'image': nova.image(1)}).encode(),
    json.dumps({'image': nova.image(1, server={'id': 'a'})}).encode(),
    json.dumps({'image': {'id': None, 'minDisk': [1], 'name': {}}}).encode(),
    b'{"image": {"id": "a", "OS-DCF:diskConfig": "AUTO", "progress": -1}}',
]

_ODD = {'id': 1, 'name': '\x1b', 'minDisk': 'x', 'server': {'id': 7}}

PAGES = [
    json.dumps(nova.page(nova.images(1, 2), nova.link('x'))).encode(),
    json.dumps(nova.page([])).encode(),
    json.dumps(
        {'images': [nova.image(1, metadata={'a': [1]}), _ODD]}
    ).encode(),
    b'{"images": [{"id": "a", "name": "\\ud800", "metadata": {"x": NaN}}]}',
    b'{"images": "' + b'\\"' * 8000,
    b'{"images": [' + b'{},' * 5000 + b'1]}',
    b'\xef\xbb\xbf{"images": [{"id": "a", "id": "b", "minRam": 1e3}, 5]}',
]


def check_image(body: bytes) -> None:
    """Decode an image."""
    try:
        image = _decode.decode_image(body)
    except ImagesError as e:
        promises.expect_one_line(str(e))
    else:
        promises.expect_shown(image)


def check_page(body: bytes) -> None:
    """Decode a page, with the fast decoder and with the salvaging one."""
    try:
        page = _decode.decode_page(body)
    except ImagesError as e:
        promises.expect_one_line(str(e))
        return
    for image in page.images:
        promises.expect_shown(image)
    # They may differ in the depth that they accept.
    is_deep = body.count(b'[') + body.count(b'{') > 300
    if not is_deep and _is_as_expected(body):
        salvaged = _decode.read_page(body, 'images', _salvage.images)
        assert vars(salvaged) == vars(page)


def _is_as_expected(body: bytes) -> bool:
    """Return whether the fast decoder accepts a page."""
    try:
        _decode._PAGE.decode(body)
    except _decode._DECODE_ERRORS:
        return False
    return True
