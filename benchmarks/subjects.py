# SPDX-License-Identifier: Apache-2.0

"""Programs in Python that list images, each in its own process.

``python subjects.py <name> [<options as JSON>]`` lists all images of the cloud
of the OS_* variables. It prints their number and the wall and CPU time of the
list as JSON, excluding the start of Python, imports and authentication.
"""

from collections.abc import Callable
import json
import os
import sys
import time
from typing import Any
from typing import TYPE_CHECKING
import urllib.parse

if TYPE_CHECKING:
    from keystoneauth1 import session

PAGE = 1000


def _address() -> str:
    """Return the URL of the images; the server needs no token."""
    keystone = urllib.parse.urlsplit(os.environ['OS_AUTH_URL'])
    return f'http://{keystone.netloc}/v2.1/images/detail?limit={PAGE}'


def _with_urllib3(consume: Callable[[bytes], int]) -> Callable[[], int]:
    """List with plain urllib3, with computed markers.

    Like the others: over one connection, which is opened before the time
    starts, with pages of the same size, each body in one read.

    :param consume: returns the number of images of a page
    """
    import uuid

    import urllib3

    first = (0xC0FFEE << 100) - 1
    pool = urllib3.PoolManager()
    address = _address()
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
    """Only the transfer: even counting all images would take time."""

    def count(body: bytes) -> int:
        if body.find(b'"images_links"', -400) > 0:
            return PAGE
        return body.count(b'"minRam"')

    return _with_urllib3(count)


def floor() -> Callable[[], int]:
    """The transfer, and a typed decode into the records of the API.

    It discards the records, and checks nothing.
    """
    import msgspec

    from osc_compute_images.api import Image

    page = msgspec.defstruct('Page', [('images', list[Image])], gc=False)
    decode = msgspec.json.Decoder(page).decode
    return _with_urllib3(lambda body: len(decode(body).images))  # type: ignore[attr-defined]


def _session() -> 'session.Session':
    """Return a session that has a token."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

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
    return keystone


def list_detail() -> Callable[[], int]:
    """Our Python API."""
    from keystoneauth1 import adapter

    from osc_compute_images.api import ImagesAPI

    api = ImagesAPI(adapter.Adapter(_session(), service_type='compute'))

    def run() -> int:
        total = 0
        for _image in api.list_detail():
            total += 1
        return total

    return run


def requests_json() -> Callable[[], int]:
    """A simple program: requests, and json.loads."""
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
    """The SDK of the other commands.

    It requests pages of the same size: without a limit it would request all
    images in one response.
    """
    import openstack

    connection = openstack.connect(load_yaml_config=False)
    connection.authorize()

    def run() -> int:
        total = 0
        for _image in connection.compute.images(limit=PAGE):
            total += 1
        return total

    return run


def sdk_changes(*, delete: bool) -> Callable[[], int]:
    """List all images with openstacksdk, and change each.

    :param delete: delete them instead of setting a property
    """
    import openstack

    connection = openstack.connect(load_yaml_config=False)
    compute = connection.compute

    def run() -> int:
        images = [*compute.images(limit=PAGE)]
        for image in images:
            if delete:
                compute.delete_image(image.id, ignore_missing=False)
            else:
                compute.set_image_metadata(image.id, checked='yes')
        return len(images)

    return run


SUBJECTS: dict[str, Callable[..., Callable[[], int]]] = {
    'transfer': transfer,
    'floor': floor,
    'list_detail': list_detail,
    'requests': requests_json,
    'openstacksdk': openstacksdk,
    'openstacksdk changes': sdk_changes,
}


def main() -> None:
    """Run a subject."""
    name, *options = sys.argv[1:]
    run = SUBJECTS[name](**json.loads(options[0] if options else '{}'))
    began, cpu = time.perf_counter(), time.process_time()
    images = run()
    figures: dict[str, Any] = {
        'images': images,
        'wall': time.perf_counter() - began,
        'cpu': time.process_time() - cpu,
    }
    print(json.dumps(figures))


if __name__ == '__main__':
    main()
