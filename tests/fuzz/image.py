# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""The body of the answer that has one image."""

import json

from osc_compute_images.api import _decode
from osc_compute_images.api import ImagesError
from tests.fuzz import promises
from tests.unit import nova

SEEDS = [
    json.dumps({'image': nova.image(1)}).encode(),
    json.dumps({'image': nova.image(1, server={'id': 'a'})}).encode(),
    json.dumps({'image': {'id': None, 'minDisk': [1], 'name': {}}}).encode(),
    b'{"image": {"id": "a", "OS-DCF:diskConfig": "AUTO", "progress": -1}}',
]


def check(body: bytes) -> None:
    """Read an image."""
    try:
        image = _decode.decode_image(body)
    except ImagesError as e:
        promises.expect_one_line(str(e))
    else:
        promises.expect_shown(image)
