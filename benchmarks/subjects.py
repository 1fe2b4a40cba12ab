# SPDX-License-Identifier: Apache-2.0

"""Programs in Python that list images, each in its own process.

``python subjects.py <function> [<word>]`` lists all images of the cloud of the
OS_* variables. It prints their number and the wall and CPU time of the list as
JSON, excluding the start of Python, imports and authentication: each public
function prepares, and returns what is measured.
"""

from collections.abc import Callable
import json
import os
import sys
import time
from typing import Any
from typing import TYPE_CHECKING
import urllib.parse
import uuid

if TYPE_CHECKING:
    from keystoneauth1 import session

PAGE = 1000


def _address() -> str:
    """Return the URL of the images; the server needs no token."""
    keystone = urllib.parse.urlsplit(os.environ['OS_AUTH_URL'])
    return f'http://{keystone.netloc}/v2.1/images/detail?limit={PAGE}'


def _pages(
    get: Callable[[str], bytes], consume: Callable[[bytes], int]
) -> int:
    """Get all pages of the same size, with computed markers.

    :param get: returns the body of a response
    :param consume: returns the number of images of a page
    """
    total = 0
    marker = ''
    while True:
        count = consume(get(_address() + marker))
        total += count
        if count < PAGE:
            return total
        last = uuid.UUID(int=(0xC0FFEE << 100) + total - 1)
        marker = f'&marker={last}'


def _with_urllib3(consume: Callable[[bytes], int]) -> Callable[[], int]:
    """List with plain urllib3.

    Like the others: over one connection, which is opened before the time
    starts, each body in one read.
    """
    import urllib3

    pool = urllib3.PoolManager()
    pool.request('GET', os.environ['OS_AUTH_URL'])

    def get(url: str) -> bytes:
        response = pool.request('GET', url, preload_content=False)
        body: bytes = response.read()
        response.release_conn()
        return body

    return lambda: _pages(get, consume)


def transfer() -> Callable[[], int]:
    """Only the transfer: even counting all images would take time."""

    def count(body: bytes) -> int:
        if body.find(b'"images_links"', -400) > 0:
            return PAGE
        return body.count(b'"minRam"')

    return _with_urllib3(count)


def _counted() -> Callable[[bytes], int]:
    """Return a function that decodes a page into the records of the API.

    It discards the records, and checks nothing.
    """
    import msgspec

    from osc_compute_images.api import Image

    page = msgspec.defstruct('Page', [('images', list[Image])], gc=False)
    decode = msgspec.json.Decoder(page).decode
    return lambda body: len(decode(body).images)  # type: ignore[attr-defined]


def floor() -> Callable[[], int]:
    """The transfer, and a typed decode."""
    return _with_urllib3(_counted())


def _session() -> 'session.Session':
    """Return a session that has a token."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    names = (
        *('auth_url', 'username', 'password', 'project_name'),
        *('user_domain_name', 'project_domain_name'),
    )
    options: Any = {name: os.environ[f'OS_{name.upper()}'] for name in names}
    keystone = session.Session(v3.Password(**options))
    keystone.get_token()
    return keystone


def keystoneauth() -> Callable[[], int]:
    """An adapter of keystoneauth, and a typed decode."""
    from keystoneauth1 import adapter

    # Without it, keystoneauth would request the version first.
    compute = adapter.Adapter(_session(), endpoint_override=_address())

    def get(url: str) -> bytes:
        body: bytes = compute.get(url).content
        return body

    return lambda: _pages(get, _counted())


def list_detail() -> Callable[[], int]:
    """Our Python API."""
    from keystoneauth1 import adapter

    from osc_compute_images.api import ImagesAPI

    api = ImagesAPI(adapter.Adapter(_session(), service_type='compute'))
    return lambda: sum(1 for _image in api.list_detail())


def requests_json() -> Callable[[], int]:
    """A simple program: requests, and json.loads."""
    import requests

    session = requests.Session()
    session.get(os.environ['OS_AUTH_URL'], timeout=60)
    return lambda: _pages(
        lambda url: session.get(url, timeout=60).content,
        lambda body: len(json.loads(body)['images']),
    )


def openstacksdk(verb: str | None = None) -> Callable[[], int]:
    """The SDK of the other commands.

    It requests pages of the same size: without a limit it would request all
    images in one response.

    :param verb: ``set`` a property of each image, or ``delete`` it
    """
    import openstack

    connection = openstack.connect(load_yaml_config=False)
    connection.authorize()
    compute = connection.compute

    def change() -> int:
        images = [*compute.images(limit=PAGE)]
        for image in images:
            if verb == 'delete':
                compute.delete_image(image.id, ignore_missing=False)
            else:
                compute.set_image_metadata(image.id, checked='yes')
        return len(images)

    def list_() -> int:
        return sum(1 for _image in compute.images(limit=PAGE))

    return change if verb else list_


def main() -> None:
    name, *words = sys.argv[1:]
    run: Callable[[], int] = globals()[name](*words)
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
