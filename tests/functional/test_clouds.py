# SPDX-License-Identifier: Apache-2.0

"""Several clouds in files of openstacksdk, each with secrets of its own."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
import pathlib
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import image
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from tests.functional.conftest import Shell

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
DELETE = ('compute', 'image', 'delete')


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
        self.password = f'password-of-{name}'
        self.token = f'gAAAAAB-token-of-{name}'
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
        **environment: str,
    ) -> Shell:
        for name, entries in (('clouds', clouds), ('secure', secure or {})):
            text = json.dumps({'clouds': entries})
            (tmp_path / f'{name}.yaml').write_text(text)
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


def assert_isolated(*clouds: Cloud) -> None:
    """Check that no server has received a secret of another cloud."""
    for cloud in clouds:
        for server in cloud.servers:
            got = repr(server.requests)
            for other in clouds:
                if other is not cloud:
                    assert other.password not in got
                    assert other.token not in got


VALUES = ('-f', 'value', '-c', 'Region', '-c', 'Name')
CLOUDS = (*LIST, '--all-clouds', '-f', 'value', '-c', 'Cloud', *VALUES[2:])


def test_regions_with_different_keystones(cloud_of, shell_of):
    one = cloud_of('one', {'east': range(1)})
    two = cloud_of('two', {'west': range(1, 2)})
    regions = [
        {'name': 'east', 'values': {'auth': one.auth()}},
        {'name': 'west', 'values': {'auth': two.auth()}},
    ]
    shell = shell_of({'both': {'regions': regions}}, OS_CLOUD='both')
    listed = shell(*LIST, '--all-regions', *VALUES)
    assert rows(listed.out) == [['east', name(0)], ['west', name(1)]]
    assert_isolated(one, two)
    # The default region is not needed for another.
    for server in one.servers:
        server.close()
    shown = shell(*SHOW, '--region', 'west', name(1), '-f', 'json').json()
    assert shown['region'] == 'west'
    shell(*DELETE, '--region', 'west', name(1))
    assert two.novas['west'].paths()[-1].startswith('DELETE ')


def test_list_all_clouds(cloud_of, shell_of):
    a = cloud_of('a', {'r1': range(1), 'r2': range(1, 2)})
    b = cloud_of('b', {'r1': range(2, 3)})
    shell = shell_of(
        {
            'a': a.entry(region_name='r1'),
            'b': {'auth': b.auth(password=None), 'region_name': 'r1'},
        },
        secure={'b': {'auth': {'password': b.password}}},
        # These belong to one cloud.
        OS_PASSWORD='of-the-environment',
        OS_USERNAME='of-the-environment',
    )
    assert rows(shell(*CLOUDS).out) == [
        ['a', 'r1', name(0)],
        ['b', 'r1', name(2)],
    ]
    result = shell.run(*CLOUDS, '--region', 'r2')
    assert (result.code, rows(result.out)) == (0, [['a', 'r2', name(1)]])
    assert_isolated(a, b)
    for cloud in (a, b):
        for server in cloud.servers:
            assert 'of-the-environment' not in repr(server.requests)


def test_failed_cloud_is_reported_and_others_listed(cloud_of, shell_of):
    dead, wrong, fine = (cloud_of(each, {'r': range(1)}) for each in 'abc')
    for server in dead.servers:
        server.close()
    shell = shell_of(
        {
            'dead': dead.entry(),
            'gone': {'profile': 'no-such-vendor', 'auth': {'username': 'x'}},
            'garbage': 7,
            'without': {'auth': fine.auth(password='')},
            'wrong': {'auth': wrong.auth(password='wrong')},
            'zfine': fine.entry(),
        }
    )
    result = shell.run(*CLOUDS)
    assert (result.code, rows(result.out)) == (1, [['zfine', '', name(0)]])
    # Those with an invalid configuration are known before any request.
    assert [line.split(':')[0].split(',')[0] for line in result.errors()] == [
        f'Cloud {each}'
        for each in ('garbage', 'gone', 'dead', 'without', 'wrong')
    ]


def redirecting(part: str, server: Server) -> canned_cloud.Handler:
    """Redirect requests with this part in their path to another server."""

    def handler(request: Request) -> Response | None:
        location = {'Location': server.url + request.path}
        return Response(b'', 307, location) if part in request.path else None

    return handler


def test_secrets_are_not_sent_to_other_clouds(cloud_of, shell_of):
    fine = cloud_of('fine', {'r': range(1)})
    to_login = redirecting('/auth/tokens', fine.keystone)
    login = cloud_of('login', {'r': range(1)}, to_login)
    to_images = redirecting('/images', fine.novas['r'])
    answer = cloud_of('answer', {'r': range(1)}, to_images)
    clouds = (answer, fine, login)
    shell = shell_of({cloud.name: cloud.entry() for cloud in clouds})
    result = shell.run('--debug', *CLOUDS)
    assert result.code == 1
    assert rows(result.out) == [['fine', '', name(0)]]
    assert_isolated(*clouds)
    for cloud in clouds:
        assert cloud.password not in result.err
        assert cloud.token not in result.err
        assert (f'Cloud {cloud.name}: ' in result.err) == (cloud is not fine)
