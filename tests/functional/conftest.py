# SPDX-License-Identifier: Apache-2.0

"""The real cloud, and the real ``openstack`` command as a process.

With ``DEVCLOUD_KEEP``, the cloud keeps running between runs of the tests.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import dataclasses
import json
import os
from pathlib import Path
import shutil
import signal
import sqlite3
import subprocess
import sys
from typing import Any
from typing import Self
from typing import TYPE_CHECKING

import openstack
import pytest

from testbed import canned_cloud
from testbed.fork_server import ForkServer

if TYPE_CHECKING:
    from tests.functional.servers import Compute

_ROOT = Path(__file__).parents[2]
_DEVCLOUD = [sys.executable, str(_ROOT / 'tools' / 'devcloud')]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run the tests of a module that use the real cloud in one process.

    They list all images and change some, so they cannot run in parallel with
    each other. With pytest-xdist, each process has a cloud of its own, and
    ``--dist loadgroup`` runs modules in parallel. The repository of restic is
    slow to make, so there is one.
    """
    shared = {'cloud', 'restic'}.intersection(
        getattr(item, 'fixturenames', ())
    )
    if shared and item.config.pluginmanager.hasplugin('xdist'):
        module, _, _test = item.nodeid.partition('::')
        item.add_marker(pytest.mark.xdist_group(module))


@dataclasses.dataclass
class Result:
    """The result of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the standard output of ``-f json``."""
        return json.loads(self.out)

    def errors(self) -> list[str]:
        """Return the lines on stderr, without those about retries."""
        lines = self.err.splitlines()
        return [line for line in lines if 'Retrying in' not in line]


def executable(program: str = 'openstack') -> str:
    """Return the path of an installed program."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else shutil.which(program) or ''


def search_path() -> str:
    """Return a value of PATH that finds these programs first."""
    return os.pathsep.join(
        [str(Path(executable()).parent), os.environ['PATH']]
    )


class Shell:
    """Runs ``openstack``, or another program, with its own environment.

    A command is a fork of a process that has imported the modules, unless an
    import could depend on the environment or the folder.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        program: str = 'openstack',
    ) -> None:
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(('OS_', 'PYTEST_'))
            },
            # The output must not depend on the terminal of the tests.
            'PYTHONWARNINGS': 'ignore',
            **environment,
        }
        self.program = program

    def run(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> Result:
        """Run a command, with any result."""
        done = FORKS[self.program].run(
            *words,
            environment={**self.environment, **(environment or {})},
            cwd=cwd,
            timeout=timeout,
        )
        return Result(
            done.returncode,
            done.stdout.decode(errors='surrogateescape'),
            done.stderr.decode(errors='surrogateescape'),
        )

    def __call__(self, *words: str, **more: Any) -> Result:
        """Run a command, which must succeed without output on stderr."""
        result = self.run(*words, **more)
        assert (result.code, result.err) == (0, '')
        return result

    def images(self, *words: str) -> list[dict[str, Any]]:
        """Return a list of images with all columns."""
        listed: list[dict[str, Any]] = self(
            'compute', 'image', 'list', '--long', '-f', 'json', *words
        ).json()
        return listed

    def fails(self, *words: str, code: int = 1, **more: Any) -> str:
        """Run a command, which must fail; return its error, one line."""
        result = self.run(*words, **more)
        assert (result.code, result.out) == (code, '')
        assert result.err.count('\n') == 1, result.err
        return result.err.rstrip('\n')


#: The arguments are refused once the modules of most commands are imported.
FORKS = {
    program: ForkServer(
        executable(program), (*words, '--status='), Shell({}).environment
    )
    for program, words in {
        'openstack': ('compute', 'image', 'list'),
        'compute-image': ('list',),
    }.items()
}


@pytest.fixture(scope='session', autouse=True)
def forks() -> Iterator[None]:
    """End the processes that fork."""
    with contextlib.ExitStack() as stack:
        for server in FORKS.values():
            stack.enter_context(server)
        yield


class Cloud:
    """The real cloud."""

    def __init__(self) -> None:
        name = os.environ.get('DEVCLOUD_CLOUD', 'test')
        worker = os.environ.get('PYTEST_XDIST_WORKER')
        name = '-'.join(filter(None, (name, worker)))
        self._command = [*_DEVCLOUD, '--cloud', name]
        self.facts: dict[str, Any] = {}

    def do(self, *words: str) -> str:
        """Run the tool."""
        done = subprocess.run(
            [*self._command, *words],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def up(self) -> None:
        """Start a new cloud."""
        self.do(
            'up', *([] if os.environ.get('DEVCLOUD_KEEP') else ['--fresh'])
        )
        self.facts = json.loads(self.do('status', '--json'))

    def connection(
        self, user: str, region: str = 'RegionOne'
    ) -> openstack.connection.Connection:
        """Connect a user through openstacksdk."""
        config = openstack.config.OpenStackConfig(
            config_files=[self.facts['clouds_yaml']], load_envvars=False
        )
        config.cloud_config['clouds'][user]['region_name'] = region
        return openstack.connection.Connection(config=config.get_one(user))

    def shell(self, user: str, **environment: str) -> Shell:
        """Return a shell of a user, in the first region."""
        return Shell(
            {
                'OS_CLIENT_CONFIG_FILE': self.facts['clouds_yaml'],
                'OS_CLOUD': user,
                **environment,
            }
        )


@pytest.fixture(scope='session')
def cloud() -> Iterator[Cloud]:
    """Provide the real cloud, with its seed."""
    cloud = Cloud()
    try:
        cloud.up()
        yield cloud
    finally:
        if not os.environ.get('DEVCLOUD_KEEP'):
            cloud.do('down')


@pytest.fixture(scope='session')
def demo(cloud: Cloud) -> Shell:
    """Provide the shell of an ordinary user."""
    return cloud.shell('demo')


@pytest.fixture(scope='session')
def admin(cloud: Cloud) -> Shell:
    """Provide the shell of an administrator."""
    return cloud.shell('admin')


@pytest.fixture(scope='session')
def reader(cloud: Cloud) -> Shell:
    """Provide the shell of a user with read access only."""
    return cloud.shell('reader')


@pytest.fixture(scope='session')
def configured(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Shell]:
    """Return a function that makes a shell with other settings."""

    def make(**settings: str) -> Shell:
        with open(cloud.facts['clouds_yaml']) as file:
            config = json.load(file)
        config['clouds']['demo'] |= settings
        path = tmp_path_factory.mktemp('configured') / 'clouds.yaml'
        path.write_text(json.dumps(config))
        return cloud.shell('demo', OS_CLIENT_CONFIG_FILE=str(path))

    return make


@pytest.fixture(scope='module')
def quick(cloud: Cloud, demo: Shell) -> Shell:
    """Provide a shell with a token, for hundreds of commands.

    One test checks that the output is the same without it.
    """
    token = demo('token', 'issue', '-f', 'value', '-c', 'id').out.strip()
    return Shell(
        {
            'OS_AUTH_TYPE': 'admin_token',
            'OS_ENDPOINT': cloud.facts['regions']['RegionOne']['compute_url'],
            'OS_TOKEN': token,
        }
    )


class Glance:
    """Glance, through openstacksdk."""

    def __init__(self, cloud: Cloud, user: str, region: str) -> None:
        self._connection = cloud.connection(user, region)

    def get(self, path: str) -> Any:
        """Return the decoded response, or None for a 404."""
        response = self._connection.image.get(path)
        if response.status_code == 404:
            return None
        assert response.status_code == 200, response.text
        return response.json()

    def image(self, image_id: str) -> dict[str, Any] | None:
        """Return the record of an image."""
        image: dict[str, Any] | None = self.get(f'/images/{image_id}')
        return image

    def images(self) -> list[dict[str, Any]]:
        """Return all images that the user can see, the newest first."""
        found: list[dict[str, Any]] = []
        url = '/images?limit=1000'
        while url:
            page = self.get(url)
            found += page['images']
            # Both the path and the endpoint contain the version.
            url = page.get('next', '').removeprefix('/v2')
        return found

    def create(self, data: bytes | None = b'data', **fields: Any) -> str:
        """Create an image; return its ID. Without data it is queued."""
        image = {'disk_format': 'raw', 'container_format': 'bare', **fields}
        made = self._connection.image.post('/images', json=image)
        assert made.status_code == 201, made.text
        image_id: str = made.json()['id']
        if data is not None:
            self.upload(image_id, data)
        return image_id

    def upload(self, image_id: str, data: bytes) -> None:
        """Upload the data of an image."""
        response = self._connection.image.put(
            f'/images/{image_id}/file',
            data=data,
            headers={'Content-Type': 'application/octet-stream'},
        )
        assert response.status_code == 204, response.text

    def delete(self, image_id: str) -> None:
        """Delete an image, if it still exists."""
        self._connection.image.delete(f'/images/{image_id}')


@pytest.fixture(scope='session')
def glance(cloud: Cloud) -> Glance:
    """Provide Glance in the first region, for the ordinary user."""
    return Glance(cloud, 'demo', 'RegionOne')


@pytest.fixture(scope='session')
def admin_glance(cloud: Cloud) -> Glance:
    """Provide Glance in the first region, for the administrator."""
    return Glance(cloud, 'admin', 'RegionOne')


#: Status and progress in Compute, by the status in Glance.
SHOWN_STATUS = {
    'active': ('ACTIVE', 100),
    'queued': ('SAVING', 25),
    'saving': ('SAVING', 50),
    'killed': ('ERROR', 0),
    'deleted': ('DELETED', 0),
    'pending_delete': ('DELETED', 0),
}

_GLANCE_FIELDS = (
    *('id', 'name', 'status', 'size', 'virtual_size', 'visibility', 'tags'),
    *('created_at', 'updated_at', 'owner', 'min_disk', 'min_ram'),
    *('protected', 'disk_format', 'container_format', 'os_hidden'),
    *('checksum', 'os_hash_algo', 'os_hash_value'),
    *('self', 'file', 'schema', 'locations', 'direct_url', 'stores'),
)


def as_shown(image: dict[str, Any]) -> dict[str, Any]:
    """Return the expected row for an image of Glance.

    It is independent of the tested code.
    """
    status, progress = SHOWN_STATUS.get(image['status'], ('UNKNOWN', 0))
    properties = {k: v for k, v in image.items() if k not in _GLANCE_FIELDS}
    for key in ('mappings', 'block_device_mapping'):
        if key in properties:
            properties[key] = json.loads(properties[key])
    return {
        'ID': image['id'],
        'Name': image['name'],
        'Status': status,
        'Progress': progress,
        'Server ID': properties.get('instance_uuid'),
        'Min Disk': image['min_disk'],
        'Min RAM': image['min_ram'],
        'Size': image['size'] or 0,
        'Created At': image['created_at'],
        'Updated At': image['updated_at'],
        'Properties': properties,
    }


@pytest.fixture
def canned() -> Iterator[canned_cloud.Server]:
    """Provide a canned cloud with three images."""
    nova = canned_cloud.Nova([canned_cloud.image(n) for n in range(3)])
    with canned_cloud.canned_cloud(nova) as server:
        yield server


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let commands be interrupted, even if the tests run in the background.

    Commands would inherit that SIGINT is ignored; with nohup, SIGHUP, too.
    """
    before = {
        signal.SIGINT: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Images:
    """Creates images of a user, and removes them."""

    def __init__(
        self, cloud: Cloud, user: str, region: str = 'RegionOne'
    ) -> None:
        self._glance = Glance(cloud, user, region)
        self._database = cloud.facts['regions'][region]['glance_db']
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove all images, in any status."""
        for image_id in self._made:
            image = self._glance.image(image_id)
            if image is not None:
                if image['protected'] or image['status'] != 'active':
                    self.set_status(image_id, 'queued')
                self._glance.delete(image_id)

    def __call__(self, name: str = 'life', **fields: Any) -> str:
        """Create an image, and return its ID."""
        fields = {'visibility': 'private', **fields}
        self._made.append(self._glance.create(name=name, **fields))
        return self._made[-1]

    def in_status(self, status: str) -> str:
        """Create an image with any status."""
        image_id = self(data=None)
        self.set_status(image_id, status)
        return image_id

    def set_status(self, image_id: str, status: str) -> None:
        """Set a status in the database."""
        self._update(image_id, status=status, protected=0)

    def set_created(self, image_id: str, created: str) -> None:
        """Set a creation time in the database: no API sets it."""
        self._update(image_id, created_at=f'{created}.000000')

    def _update(self, image_id: str, **fields: Any) -> None:
        with (
            contextlib.closing(
                sqlite3.connect(self._database, timeout=60)
            ) as database,
            database,
        ):
            assigned = ', '.join(f'{field} = ?' for field in fields)
            database.execute(
                f'UPDATE images SET {assigned} WHERE id = ? AND NOT deleted',
                (*fields.values(), image_id),
            )


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


def told(rows: list[dict[str, Any]], *columns: str) -> dict[str, Any]:
    """Return the columns of rows, by the name of the image."""
    return {row['Name']: tuple(row[c] for c in columns) for row in rows}


@pytest.fixture
def left(glance: Glance) -> Callable[[], set[str]]:
    """Return what returns the names that begin with ``ours-``."""
    return lambda: {
        str(image['name'])
        for image in glance.images()
        if str(image['name']).startswith('ours-')
    }


@pytest.fixture(scope='session')
def compute(cloud: Cloud) -> 'Compute':
    """Provide the servers of the ordinary user."""
    # It imports this module.
    from tests.functional.servers import Compute

    Compute(cloud, 'admin').wait_for_host()
    return Compute(cloud, 'demo')


@pytest.fixture
def boot(
    compute: 'Compute', glance: Glance, images: Images
) -> Iterator[Callable[..., str]]:
    """Return a function that makes a server.

    It boots from an image with properties, ``NAME-base``. The servers and
    their snapshots are deleted after the test.
    """
    made: list[str] = []

    def make(name: str, **properties: str) -> str:
        image_id = images(f'{name}-base', **properties)
        server_id, reason = compute.boot(image_id, '1', name)
        assert server_id, reason
        made.append(server_id)
        compute.wait(server_id)
        return server_id

    yield make
    compute.delete(*(each for each in made if compute.server(each)))
    for image in glance.images():
        if image.get('instance_uuid') in made:
            glance.delete(image['id'])
