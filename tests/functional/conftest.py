# SPDX-License-Identifier: Apache-2.0

"""Users of the real cloud, what they make there, and canned clouds."""

from collections.abc import Callable
from collections.abc import Iterator
import json
import signal

import pytest

from testbed import canned_cloud
from tests.functional.real import Cloud
from tests.functional.real import Images
from tests.functional.servers import Servers
from tests.functional.servers import wait_for_host
from tests.functional.shell import Shell


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run the tests of a module that use the real cloud in one process.

    They list all images and change some, so they cannot run in parallel with
    each other. With pytest-xdist, each process has a cloud of its own, and
    ``--dist loadgroup`` runs modules in parallel.
    """
    uses_cloud = 'cloud' in getattr(item, 'fixturenames', ())
    if uses_cloud and item.config.pluginmanager.hasplugin('xdist'):
        module, _, _test = item.nodeid.partition('::')
        item.add_marker(pytest.mark.xdist_group(module))


@pytest.fixture(scope='session', autouse=True)
def interruptible() -> None:
    """Let commands be interrupted, even if the tests run in the background.

    Commands would inherit that SIGINT is ignored; with nohup, SIGHUP, too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# --- the real cloud -------------------------------------------------------


@pytest.fixture(scope='session')
def cloud() -> Iterator[Cloud]:
    """Provide the real cloud, with its seed."""
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope='session')
def demo(cloud: Cloud) -> Shell:
    """Provide the shell of an ordinary user."""
    return cloud.shell('demo')


@pytest.fixture(scope='session')
def admin(cloud: Cloud) -> Shell:
    """Provide the shell of an administrator."""
    return cloud.shell('admin')


@pytest.fixture(scope='session')
def at_endpoint(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Shell]:
    """Return a function that makes a shell with another URL of Compute."""

    def make(url: str) -> Shell:
        settings = {**cloud.clouds()['demo'], 'compute_endpoint_override': url}
        path = tmp_path_factory.mktemp('endpoint') / 'clouds.yaml'
        path.write_text(json.dumps({'clouds': {'demo': settings}}))
        return cloud.shell('demo', OS_CLIENT_CONFIG_FILE=str(path))

    return make


@pytest.fixture
def images(cloud: Cloud) -> Iterator[Images]:
    """Provide images of the ordinary user."""
    with Images(cloud, 'demo') as made:
        yield made


@pytest.fixture
def admin_images(cloud: Cloud) -> Iterator[Images]:
    """Provide images of the administrator."""
    with Images(cloud, 'admin') as made:
        yield made


@pytest.fixture(scope='session')
def servers(cloud: Cloud) -> Servers:
    """Provide the servers of the ordinary user."""
    wait_for_host(cloud)
    return Servers(cloud, 'demo')


@pytest.fixture
def boot(servers: Servers, images: Images) -> Iterator[Callable[..., str]]:
    """Return a function that makes a server with a name; it returns the ID.

    It boots from an image with properties, ``NAME-base``. The server and its
    snapshots are deleted after the test.
    """
    made: list[str] = []

    def make(name: str, **properties: str) -> str:
        image_id = images(f'{name}-base', **properties)
        made.append(servers.boot(image_id, name=name))
        servers.wait(made[-1])
        return made[-1]

    yield make
    servers.delete(*filter(servers.exists, made))
    for image in images.images():
        if image.get('instance_uuid') in made:
            images.delete(image['id'])


# --- canned clouds --------------------------------------------------------


@pytest.fixture
def canned() -> Iterator[canned_cloud.Server]:
    """Provide a canned cloud with three images."""
    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
    with canned_cloud.canned_cloud(nova) as server:
        yield server
