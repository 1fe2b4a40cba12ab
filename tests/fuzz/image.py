# SPDX-License-Identifier: Apache-2.0

"""The body of a response with one image."""

import json

from osc_compute_images.api import ImagesError
from osc_compute_images.api.listing import _decode
from testbed import nova
from tests.fuzz import promises

SEEDS = [
    json.dumps({'image': nova.image(1)}).encode(),
    json.dumps({'image': nova.image(1, server={'id': 'a'})}).encode(),
    json.dumps({'image': {'id': None, 'minDisk': [1], 'name': {}}}).encode(),
    b'{"image": {"id": "a", "OS-DCF:diskConfig": "AUTO", "progress": -1}}',
]


def check(body: bytes) -> None:
    """Decode an image."""
    try:
        image = _decode.decode_image(body)
    except ImagesError as e:
        promises.expect_one_line(str(e))
    else:
        promises.expect_shown(image)
