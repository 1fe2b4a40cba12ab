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

"""What lists images in Python, each run in a process of its own.

``python subjects.py <what>`` lists all images of the cloud in the OS_*
environment, and prints how many they are and what wall and CPU time listing
took, as JSON: without the start of Python, imports and authentication.
"""

from collections.abc import Callable
import json
import os
import sys
import time
from typing import Any
import urllib.parse

PAGE = 1000


def _address() -> str:
    """Return where the images are; the server asks nobody for a token."""
    keystone = urllib.parse.urlsplit(os.environ['OS_AUTH_URL'])
    return f'http://{keystone.netloc}/v2.1/images/detail?limit={PAGE}'


def _with_urllib3(consume: Callable[[bytes], int]) -> Callable[[], int]:
    """List with bare urllib3, page after page by number.

    :param consume: returns how many images a page has
    """
    import uuid

    import urllib3

    first = (0xC0FFEE << 100) - 1
    pool = urllib3.PoolManager()
    address = _address()
    # The others have a connection, too, when they begin.
    pool.request('GET', os.environ['OS_AUTH_URL'])

    def run() -> int:
        total = 0
        marker = ''
        while True:
            response = pool.request(
                'GET', address + marker, preload_content=False
            )
            body = response.read()
            response.release_conn()
            count = consume(body)
            total += count
            if count < PAGE:
                return total
            marker = f'&marker={uuid.UUID(int=first + total)}'

    return run


def transfer() -> Callable[[], int]:
    """Nothing but the bytes."""
    return _with_urllib3(lambda body: body.count(b'"minRam"'))


def floor() -> Callable[[], int]:
    """The bytes, and a typed decode of them."""
    import msgspec

    from osc_compute_images.api import Image

    page = msgspec.defstruct('Page', [('images', list[Image])], gc=False)
    decode = msgspec.json.Decoder(page).decode
    return _with_urllib3(lambda body: len(decode(body).images))  # type: ignore[attr-defined]


def list_detail() -> Callable[[], int]:
    """Our Python API."""
    from keystoneauth1 import adapter
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    from osc_compute_images.api import ImagesAPI

    auth = v3.Password(
        auth_url=os.environ['OS_AUTH_URL'],
        username=os.environ['OS_USERNAME'],
        password=os.environ['OS_PASSWORD'],
        project_name=os.environ['OS_PROJECT_NAME'],
        user_domain_name=os.environ['OS_USER_DOMAIN_NAME'],
        project_domain_name=os.environ['OS_PROJECT_DOMAIN_NAME'],
    )
    keystone = session.Session(auth)
    keystone.get_token()
    api = ImagesAPI(adapter.Adapter(keystone, service_type='compute'))

    def run() -> int:
        total = 0
        for _image in api.list_detail():
            total += 1
        return total

    return run


def requests_json() -> Callable[[], int]:
    """What one writes in five minutes: requests, and json.loads."""
    import requests

    session = requests.Session()
    session.get(os.environ['OS_AUTH_URL'], timeout=60)
    address = _address()

    def run() -> int:
        total = 0
        marker = ''
        while True:
            response = session.get(address + marker, timeout=60)
            images = json.loads(response.content)['images']
            total += len(images)
            if len(images) < PAGE:
                return total
            marker = f'&marker={images[-1]["id"]}'

    return run


def openstacksdk() -> Callable[[], int]:
    """The SDK that the other commands are made of."""
    import openstack

    connection = openstack.connect(load_yaml_config=False)
    connection.authorize()

    def run() -> int:
        total = 0
        for _image in connection.compute.images():
            total += 1
        return total

    return run


SUBJECTS: dict[str, Callable[[], Callable[[], int]]] = {
    'transfer': transfer,
    'floor': floor,
    'list_detail': list_detail,
    'requests': requests_json,
    'openstacksdk': openstacksdk,
}


def main() -> None:
    """Run a subject."""
    run = SUBJECTS[sys.argv[1]]()
    began, cpu = time.perf_counter(), time.process_time()
    images = run()
    told: dict[str, Any] = {
        'images': images,
        'wall': time.perf_counter() - began,
        'cpu': time.process_time() - cpu,
    }
    print(json.dumps(told))


if __name__ == '__main__':
    main()
