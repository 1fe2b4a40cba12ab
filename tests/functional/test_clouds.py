# SPDX-License-Identifier: Apache-2.0

"""Configured regions, and all clouds, on canned servers."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import image
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from tests.functional.conftest import executable
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
DELETE = ('compute', 'image', 'delete')

#: Seconds to wait for an event that must happen.
PATIENCE = 60

pytestmark = pytest.mark.timeout(300, func_only=True)


def secrets(name: str) -> tuple[str, str]:
    """Return the password and the token of a cloud."""
    return f'password-of-{name}', f'gAAAAAB-token-of-{name}'


class Cloud:
    """A Keystone, and a Nova in each region, with its own secrets.

    :param name: in ``clouds.yaml``, and of its secrets
    :param regions: the numbers of the images in each
    :param before: called with each request; may answer it
    """

    def __init__(
        self,
        name: str,
        regions: dict[str, range],
        before: canned_cloud.Handler = lambda request: None,
    ) -> None:
        self.name = name
        self.password, self.token = secrets(name)
        self.novas = {
            region: Server(
                canned_cloud.first_of(
                    before,
                    canned_cloud.Nova([image(n) for n in numbers]),
                )
            )
            for region, numbers in regions.items()
        }
        urls = {r: nova.url + '/v2.1' for r, nova in self.novas.items()}
        self.keystone = Server(
            canned_cloud.first_of(
                before,
                canned_cloud.keystone(urls, self.password, self.token),
            )
        )

    @property
    def servers(self) -> list[Server]:
        """All servers."""
        return [self.keystone, *self.novas.values()]

    def auth(self, **settings: Any) -> dict[str, Any]:
        """Return the section ``auth`` for ``clouds.yaml``."""
        return {
            'auth_url': f'{self.keystone.url}/v3',
            'username': 'demo',
            'password': self.password,
            'project_name': 'demo',
            'user_domain_name': 'Default',
            'project_domain_name': 'Default',
            **settings,
        }

    def entry(self, **settings: Any) -> dict[str, Any]:
        """Return the entry for ``clouds.yaml``."""
        return {'auth': self.auth(), **settings}

    def logins(self) -> int:
        """Return the number of logins."""
        return self.keystone.paths().count('POST /v3/auth/tokens')


@pytest.fixture
def cloud_of() -> Iterator[Callable[..., Cloud]]:
    """Return a function that makes a cloud, which is closed after the test."""
    with contextlib.ExitStack() as ends:

        def make(*args: Any, **more: Any) -> Cloud:
            cloud = Cloud(*args, **more)
            for server in cloud.servers:
                ends.callback(server.close)
            return cloud

        yield make


@pytest.fixture
def shell_of(tmp_path: pathlib.Path) -> Callable[..., Shell]:
    """Return a function that makes a shell from the clouds."""

    def make(
        clouds: dict[str, Any],
        secure: dict[str, Any] | None = None,
        public: dict[str, Any] | None = None,
        **environment: str,
    ) -> Shell:
        (tmp_path / 'clouds.yaml').write_text(json.dumps({'clouds': clouds}))
        (tmp_path / 'secure.yaml').write_text(
            json.dumps({'clouds': secure or {}})
        )
        if public:
            # openstacksdk looks for it in the user's configuration folder.
            home = tmp_path / 'home'
            (home / 'openstack').mkdir(parents=True)
            (home / 'openstack' / 'clouds-public.yaml').write_text(
                json.dumps({'public-clouds': public})
            )
            environment['XDG_CONFIG_HOME'] = str(home)
        return Shell(
            {
                'OS_CLIENT_CONFIG_FILE': str(tmp_path / 'clouds.yaml'),
                'OS_CLIENT_SECURE_FILE': str(tmp_path / 'secure.yaml'),
                **environment,
            }
        )

    return make


def rows(out: str) -> list[list[str]]:
    """Return the rows of ``-f value``."""
    return [line.split(' ') for line in out.splitlines()]


def name(number: int) -> str:
    """Return the name of an image."""
    return str(image(number)['name'])


VALUES = ('-f', 'value', '-c', 'Region', '-c', 'Name')
CLOUDS = (*LIST, '--all-clouds', '-f', 'value', '-c', 'Cloud', *VALUES[2:])

# --- configured regions ---------------------------------------------------


@pytest.fixture
def two_keystones(cloud_of, shell_of):
    """Provide a cloud with two regions that have different Keystones.

    Returns both clouds and the shell.
    """
    one = cloud_of('one', {'east': range(1)})
    two = cloud_of('two', {'west': range(1, 2)})
    shell = shell_of(
        {
            'both': {
                'regions': [
                    {'name': 'east', 'values': {'auth': one.auth()}},
                    {'name': 'west', 'values': {'auth': two.auth()}},
                ]
            }
        },
        OS_CLOUD='both',
    )
    return one, two, shell


def test_regions_with_different_keystones(two_keystones):
    one, two, shell = two_keystones
    listed = shell(*LIST, '--all-regions', *VALUES)
    assert rows(listed.out) == [['east', name(0)], ['west', name(1)]]
    assert (one.logins(), two.logins()) == (1, 1)
    assert_isolated(one, two)


def test_region_works_if_default_region_is_unreachable(two_keystones):
    one, two, shell = two_keystones
    for server in one.servers:
        server.close()
    listed = shell(*LIST, '--region', 'west', *VALUES)
    assert rows(listed.out) == [['west', name(1)]]
    shown = shell(*SHOW, '--region', 'west', name(1), '-f', 'json').json()
    assert shown['region'] == 'west'
    shell(*DELETE, '--region', 'west', name(1))
    assert two.novas['west'].paths()[-1].startswith('DELETE ')


def test_region_equals_os_region_name(two_keystones):
    _one, two, shell = two_keystones
    there = shell(*LIST, '--region', 'west', '-f', 'value', '-c', 'Name')
    asked = [r.path for r in two.keystone.requests]
    same = shell('--os-region-name', 'west', *LIST, *VALUES[:2], '-c', 'Name')
    assert same.out == there.out
    assert [r.path for r in two.keystone.requests] == asked * 2


@pytest.mark.parametrize(
    'words', [LIST, (*SHOW, 'x'), (*DELETE, 'x')], ids=lambda words: words[2]
)
def test_unknown_region_is_rejected_as_by_openstack(two_keystones, words):
    one, two, shell = two_keystones
    line = shell.fails(*words, '--region', 'north')
    assert line == shell.fails('--os-region-name', 'north', *words)
    assert 'Valid choices are east,west' in line
    assert one.logins() == two.logins() == 0


def test_regions_with_same_credentials_share_login(cloud_of, shell_of):
    cloud = cloud_of('x', {f'r{n}': range(n, n + 1) for n in range(4)})
    shell = shell_of({'x': cloud.entry(regions=['r0', 'r1', 'r2', 'r3'])})
    listed = shell('--os-cloud', 'x', *LIST, '--all-regions', *VALUES)
    assert rows(listed.out) == [[f'r{n}', name(n)] for n in range(4)]
    assert cloud.logins() == 1


def test_settings_of_regions(cloud_of, shell_of):
    cloud = cloud_of('x', {'a': range(1), 'b': range(1, 2)})
    aside = cloud_of('aside', {'': range(2, 3)}).novas['']
    retried = [0]

    def fail(request: Request) -> Response | None:
        retried[0] += 1
        return canned_cloud.fault(503, 'computeFault', 'Not now')

    failing = Server(fail)
    shell = shell_of(
        {
            'x': cloud.entry(
                regions=[
                    {
                        'name': 'a',
                        'values': {
                            'compute_endpoint_override': aside.url + '/v2.1'
                        },
                    },
                    {'name': 'b', 'values': {'interface': 'internal'}},
                    {
                        'name': 'c',
                        'values': {
                            'compute_endpoint_override': failing.url + '/v2.1',
                            'status_code_retries': 1,
                        },
                    },
                ]
            )
        },
        OS_CLOUD='x',
    )
    with failing:
        result = shell.run(*LIST, '--all-regions', *VALUES)
    assert rows(result.out) == [['a', name(2)], ['b', name(1)]]
    assert result.err.splitlines()[-1].startswith('Region c: Not now')
    assert (result.code, retried) == (1, [2])


def test_catalog_without_regions(cloud_of, shell_of):
    cloud = cloud_of('x', {'': range(2)})
    shell = shell_of({'x': cloud.entry()}, OS_CLOUD='x')
    listed = shell(*LIST, '--all-regions', '-f', 'json').json()
    assert [(row['Region'], row['Name']) for row in listed] == [
        ('', name(0)),
        ('', name(1)),
    ]


def test_changes_in_named_region(cloud_of, shell_of):
    cloud = cloud_of('x', {'a': range(2), 'b': range(1)})
    shell = shell_of({'x': cloud.entry(region_name='a')}, OS_CLOUD='x')
    shell(*DELETE, '--region', 'b', name(0))
    deleted = {
        region: [p for p in nova.paths() if p.startswith('DELETE')]
        for region, nova in cloud.novas.items()
    }
    assert deleted == {'a': [], 'b': [f'DELETE /v2.1/images/{image(0)["id"]}']}
    both = ('--region', 'a', '--region', 'b')
    shell(*DELETE, *both, name(1))
    assert cloud.novas['a'].paths()[-1].endswith(image(1)['id'])


def test_name_in_several_regions_is_not_changed(cloud_of, shell_of):
    cloud = cloud_of('x', {'a': range(2), 'b': range(1)})
    shell = shell_of({'x': cloud.entry(region_name='a')}, OS_CLOUD='x')
    both = ('--region', 'a', '--region', 'b')
    result = shell.run(*DELETE, *both, name(0))
    assert result.code == 1
    assert '2 images have the name or ID' in result.err
    # Nothing is changed if a region does not respond.
    cloud.novas['b'].close()
    result = shell.run(*DELETE, *both, name(1))
    assert result.code == 1
    for nova in cloud.novas.values():
        assert not [p for p in nova.paths() if p.startswith('DELETE')]


# --- all clouds -----------------------------------------------------------


def assert_isolated(*clouds: Cloud) -> None:
    """Check that no server has received a secret of another cloud."""
    for cloud in clouds:
        for server in cloud.servers:
            got = repr(server.requests)
            for other in clouds:
                if other is not cloud:
                    assert other.password not in got
                    assert other.token not in got


def test_list_all_clouds(cloud_of, shell_of):
    a = cloud_of('a', {'r1': range(1), 'r2': range(1, 2)})
    b = cloud_of('b', {'r1': range(2, 3)})
    c = cloud_of('c', {'r3': range(3, 4)})
    secret = b.entry()
    del secret['auth']['password']
    shell = shell_of(
        {
            'a': a.entry(region_name='r1'),
            'b': {**secret, 'region_name': 'r1'},
            'c': {
                'profile': 'vendor',
                'auth': {k: v for k, v in c.auth().items() if k != 'auth_url'},
            },
        },
        secure={'b': {'auth': {'password': b.password}}},
        public={
            'vendor': {
                'auth': {'auth_url': c.auth()['auth_url']},
                'region_name': 'r3',
            }
        },
        # These belong to one cloud.
        OS_PASSWORD='of-the-environment',
        OS_USERNAME='of-the-environment',
    )
    assert rows(shell(*CLOUDS).out) == [
        ['a', 'r1', name(0)],
        ['b', 'r1', name(2)],
        ['c', 'r3', name(3)],
    ]
    header, *_ = shell(*CLOUDS[:3], '--all-clouds', '-f', 'csv').out.split(
        '\n'
    )
    assert header.startswith('"Cloud","Region","ID"')
    assert rows(shell(*CLOUDS, '--all-regions').out) == [
        ['a', 'r1', name(0)],
        ['a', 'r2', name(1)],
        ['b', 'r1', name(2)],
        ['c', 'r3', name(3)],
    ]
    result = shell.run(*CLOUDS, '--region', 'r2')
    assert rows(result.out) == [['a', 'r2', name(1)]]
    assert result.code == 0
    assert result.err.splitlines() == [
        'Cloud b is skipped: it has none of these regions',
        'Cloud c is skipped: it has none of these regions',
    ]
    assert_isolated(a, b, c)
    for cloud in (a, b, c):
        for server in cloud.servers:
            assert 'of-the-environment' not in repr(server.requests)


def test_failed_cloud_is_reported_and_others_listed(cloud_of, shell_of):
    dead = cloud_of('dead', {'r': range(1)})
    for server in dead.servers:
        server.close()
    wrong = cloud_of('wrong', {'r': range(1)})
    fine = cloud_of('zfine', {'r': range(1)})
    clouds = {
        'dead': dead.entry(),
        'gone': {'profile': 'no-such-vendor', 'auth': {'username': 'x'}},
        'garbage': 7,
        'wrong': wrong.entry(auth=wrong.auth(password='wrong')),
        'without': {'auth': {**fine.auth(), 'password': ''}},
        'zfine': fine.entry(),
    }
    shell = shell_of(clouds)
    result = shell.run(*CLOUDS)
    assert rows(result.out) == [['zfine', '', name(0)]], result.err
    assert result.code == 1
    lines = result.errors()
    # Those with an invalid configuration are known before any request.
    assert [line.split(':')[0].split(',')[0] for line in lines] == [
        f'Cloud {each}'
        for each in ('garbage', 'gone', 'dead', 'without', 'wrong')
    ], result.err


def to(server: Server) -> canned_cloud.Handler:
    """Redirect requests with secrets to another server."""

    def handler(request: Request) -> Response | None:
        if request.method == 'GET' and request.path.startswith('/v3'):
            return None
        location = server.url + request.path
        return Response(status=307, headers={'Location': location})

    return handler


def test_secrets_are_not_sent_to_other_clouds(cloud_of, shell_of):
    fine = cloud_of('fine', {'r': range(1)})
    login = cloud_of('login', {'r': range(1)}, to(fine.keystone))

    def nova(request: Request) -> Response | None:
        if 'images' not in request.path:
            return None
        location = fine.novas['r'].url + request.path
        return Response(status=307, headers={'Location': location})

    answer = cloud_of('answer', {'r': range(1)}, nova)
    clouds = (answer, fine, login)
    shell = shell_of({cloud.name: cloud.entry() for cloud in clouds})
    result = shell.run('--debug', *CLOUDS)
    assert result.code == 1
    assert rows(result.out) == [['fine', '', name(0)]]
    assert_isolated(*clouds)
    for cloud in clouds:
        assert cloud.password not in result.err
        assert cloud.token not in result.err
    quiet = shell.run(*CLOUDS)
    assert [line.partition(':')[0] for line in quiet.err.splitlines()] == [
        'Cloud answer',
        'Cloud login',
    ]


def test_sixteen_clouds_are_queried_in_parallel(cloud_of, shell_of):
    now = [0]
    most = [0]
    changed = threading.Condition()

    def linger(request: Request) -> None:
        if not request.path.endswith('/images/detail'):
            return
        with changed:
            now[0] += 1
            most[0] = max(most[0], now[0])
            changed.notify_all()
            assert changed.wait_for(lambda: most[0] >= 16, PATIENCE)
            now[0] -= 1

    # All clouds use one server, but different logins.
    cloud = cloud_of('x', {'r': range(1)}, linger)
    names = [f'c{n:02}' for n in range(24)]
    shell = shell_of({each: cloud.entry() for each in names})
    assert rows(shell(*CLOUDS).out) == [[each, '', name(0)] for each in names]
    assert most == [16]


def test_show_all_clouds(cloud_of, shell_of):
    a = cloud_of('a', {'r': range(1)})
    b = cloud_of('b', {'r': range(2)})
    shell = shell_of({'a': a.entry(), 'b': b.entry(region_name='r')})
    shown = shell(*SHOW, '--all-clouds', name(1), '-f', 'json').json()
    assert (shown['cloud'], shown['region']) == ('b', 'r')
    line = shell.fails(*SHOW, '--all-clouds', name(0))
    assert line.startswith('2 images have the name or ID')


def test_list_without_clouds(shell_of):
    line = shell_of({}).fails(*LIST, '--all-clouds')
    assert line == 'No clouds found: --all-clouds needs a clouds.yaml'


# --- interruption ---------------------------------------------------------


@pytest.fixture
def hanging(cloud_of, shell_of):
    """Provide a shell of a cloud whose regions hang, except the first."""
    asked = threading.Semaphore(0)
    end = threading.Event()

    def hang(request: Request) -> None:
        if '/images' in request.path and request.query.get('marker'):
            asked.release()
            end.wait(PATIENCE * 3)

    cloud = cloud_of('x', {f'r{n}': range(2500) for n in range(4)}, hang)
    yield shell_of({'x': cloud.entry()}, OS_CLOUD='x'), asked
    end.set()


@pytest.mark.parametrize(
    ('how', 'code'),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
    ],
)
@pytest.mark.parametrize('option', [(), ('--all-regions',)])
def test_command_ends_while_regions_hang(
    hanging, interruptible, how, code, option
):
    shell, asked = hanging
    words = (*LIST, *option, '-f', 'value', '-c', 'Name')
    with subprocess.Popen(
        [executable(), *words],
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        for _ in range(4 if option else 1):
            assert asked.acquire(timeout=PATIENCE)
        assert process.stdout.readline()
        os.kill(process.pid, how)
        # The servers hang three times as long.
        assert process.wait(PATIENCE) == code
