# SPDX-License-Identifier: Apache-2.0

"""The body of a page of images."""

import json

from osc_compute_images.api import ImagesError
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing import _salvage
from testbed import nova
from tests.fuzz import promises

_ODD = {'id': 1, 'name': '\x1b', 'minDisk': 'x', 'server': {'id': 7}}

SEEDS = [
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


def check(body: bytes) -> None:
    """Decode a page, with the fast decoder and with the salvaging one."""
    try:
        page = _decode.decode_page(body)
    except ImagesError as e:
        promises.expect_one_line(str(e))
        return
    for image in page.images:
        promises.expect_shown(image)
    if not is_deep(body) and is_as_expected(body):
        salvaged = _decode.read_page(body, 'images', _salvage.images)
        assert vars(salvaged) == vars(page)


def is_deep(body: bytes) -> bool:
    """Return whether the nesting is so deep that the decoders may differ."""
    return body.count(b'[') + body.count(b'{') > 300


def is_as_expected(body: bytes) -> bool:
    """Return whether the fast decoder accepts a page."""
    try:
        _decode._PAGE.decode(body)
    except _decode._DECODE_ERRORS:
        return False
    return True
