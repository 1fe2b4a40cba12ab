# SPDX-License-Identifier: Apache-2.0

"""Several clouds in files of openstacksdk, each with secrets of its own."""

from collections.abc import Iterator
import contextlib
import json
from typing import Any

import pytest

from testbed import canned_cloud
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.canned_cloud import Server
from tests.functional.shell import Shell

LIST = (
    *('compute', 'image', 'list', '--all-clouds', '-f', 'value'),
    *('-c', 'Cloud', '-c', 'Region', '-c', 'Name'),
)


class Cloud:
    """A Keystone, and a Nova for its regions, with its own secrets.

    :param name: in ``clouds.yaml``, and of its secrets
    :param regions: their names; each has the image of the cloud
    :param before: called with each request; may answer it
    """

    def __init__(
        self,
        name: str,
        *regions: str,
        before: canned_cloud.Handler = lambda request: None,
    ) -> None:
        self.name = name
        self.password = f'password-of-{name}'
        self.token = f'gAAAAAB-token-of-{name}'
        nova = canned_cloud.Nova([canned_cloud.image(0, name=f'of-{name}')])
        self.nova = Server(canned_cloud.first_of(before, nova))
        urls = dict.fromkeys(regions, f'{self.nova.url}/v2.1')
        keystone = canned_cloud.keystone(urls, self.password, self.token)
        self.keystone = Server(canned_cloud.first_of(before, keystone))

    def entry(self, **auth: Any) -> dict[str, Any]:
        """Return the entry for ``clouds.yaml``."""
        return {
            'auth': {
                'auth_url': f'{self.keystone.url}/v3',
                'username': 'demo',
                'password': self.password,
                'project_name': 'demo',
                'user_domain_name': 'Default',
                'project_domain_name': 'Default',
                **auth,
            }
        }


@pytest.fixture
def ends() -> Iterator[contextlib.ExitStack]:
    """Provide a stack that ends the servers of clouds."""
    with contextlib.ExitStack() as stack:
        yield stack


def assert_isolated(*clouds: Cloud) -> None:
    """Check that no server has received a secret of another cloud."""
    for cloud in clouds:
        got = repr(cloud.keystone.requests + cloud.nova.requests)
        assert cloud.password in got
        assert 'of-the-environment' not in got
        for other in clouds:
            if other is not cloud:
                assert other.password not in got
                assert other.token not in got


def redirecting(part: str, server: Server) -> canned_cloud.Handler:
    """Redirect requests with this part in their path to another server."""

    def handler(request: Request) -> Response | None:
        location = {'Location': server.url + request.path}
        return Response(b'', 307, location) if part in request.path else None

    return handler


def test_secrets_are_not_sent_to_other_clouds(ends, tmp_path):
    fine, two = Cloud('fine', 'r'), Cloud('two', 'r', 's')
    to_login = redirecting('/auth/tokens', fine.keystone)
    login = Cloud('login', 'r', before=to_login)
    to_images = redirecting('/images', fine.nova)
    images = Cloud('images', 'r', before=to_images)
    clouds = (fine, images, login, two)
    for cloud in clouds:
        ends.enter_context(cloud.keystone)
        ends.enter_context(cloud.nova)
    entries = {cloud.name: cloud.entry() for cloud in clouds}
    entries['two'] = two.entry(password=None) | {'region_name': 's'}
    secure = {'two': {'auth': {'password': two.password}}}
    for name, content in (('clouds', entries), ('secure', secure)):
        file = tmp_path / f'{name}.yaml'
        file.write_text(json.dumps({'clouds': content}))
    shell = Shell(
        {
            'OS_CLIENT_CONFIG_FILE': str(tmp_path / 'clouds.yaml'),
            'OS_CLIENT_SECURE_FILE': str(tmp_path / 'secure.yaml'),
            # These belong to one cloud.
            'OS_PASSWORD': 'of-the-environment',
            'OS_USERNAME': 'of-the-environment',
        }
    )
    result = shell.run('--debug', *LIST)
    assert result.code == 1
    assert result.out == 'fine  of-fine\ntwo s of-two\n'
    assert_isolated(*clouds)
    for cloud in clouds:
        assert cloud.password not in result.err
        assert cloud.token not in result.err
        failed = cloud in (images, login)
        assert (f'Cloud {cloud.name}: ' in result.err) == failed
    result = shell.run(*LIST, '--region', 'r')
    assert result.out == 'fine r of-fine\ntwo r of-two\n'
