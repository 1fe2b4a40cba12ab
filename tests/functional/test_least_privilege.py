# SPDX-License-Identifier: Apache-2.0

"""Roles, and application credentials that can do no more than a job needs.

Keystone, Nova and Glance enforce what the documentation says: each row of its
table of roles, and the access rules.
"""

from collections.abc import Callable
from collections.abc import Iterator
import importlib.metadata
import json
from pathlib import Path
import re
import uuid

import pytest
import yaml

from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import Cloud
from tests.functional.real import IS_OLDEST
from tests.functional.shell import Shell

_SOURCE = Path(__file__).parents[2] / 'doc' / 'source'
_PAGE = _SOURCE / 'least-privilege.rst'
READ, ROTATE = (
    json.loads((_SOURCE / 'access-rules' / f'{name}.json').read_text())
    for name in ('read', 'rotate')
)

IMAGE = ('compute', 'image')

#: Each command, or option, of the table with its role.
ROLES = {
    command: role
    for cell, role in re.findall(
        r'^   \* - (``[^*]*?)\n     - (\w+)\n', _PAGE.read_text(), re.MULTILINE
    )
    for command in re.findall('``(.+?)``', cell)
}

_REQUEST = re.compile(r'REQ: curl -g -i -X (\w+) "?(http://[^/]+)([^ "?]*)')


@pytest.fixture(scope='module')
def limited(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Shell]:
    """Return a function that makes a credential, and its documented entry."""
    if IS_OLDEST:
        pytest.skip('Glance of Zed refuses a credential with access rules')
    [entry] = re.findall(
        r'code-block:: yaml\n\n((?:    *.*\n)+)', _PAGE.read_text()
    )

    def make(
        rules: list[dict[str, str]],
        role: str = 'member',
        user: str = 'demo',
        **settings: str,
    ) -> Shell:
        connection = cloud.connection(user)
        created = connection.identity.create_application_credential(
            connection.current_user_id,
            uuid.uuid4().hex,
            roles=[{'name': role}],
            access_rules=rules,
        )
        config = yaml.safe_load(entry)
        mycloud = config['clouds']['mycloud']
        mycloud |= settings
        mycloud['auth'] |= {
            'auth_url': cloud.facts['keystone_url'],
            'application_credential_id': created.id,
            'application_credential_secret': created.secret,
        }
        file = tmp_path_factory.mktemp('limited') / 'clouds.yaml'
        file.write_text(yaml.safe_dump(config))
        return Shell(
            {'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'mycloud'}
        )

    return make


class Needed:
    """Runs commands, and notes which rules they need.

    :ivar commands: what was run
    """

    def __init__(self, cloud: Cloud, rules: list[dict[str, str]]) -> None:
        self._keystone = cloud.facts['keystone_url']
        self._rules = [(rule['method'], rule['path']) for rule in rules]
        self.unused = {*self._rules}
        self.commands: set[str] = set()

    def run(self, shell: Shell, *words: str) -> str:
        """Run a command, of which no request is refused."""
        self.commands.add('--dry-run' if '--dry-run' in words else words[0])
        result = shell.run(*IMAGE, *words, '--debug')
        assert result.code == 0, (words, result.err[-3000:])
        assert 'RESP: [401]' not in result.err, words
        requests = _REQUEST.findall(result.err)
        for method, host, path in requests:
            if not self._keystone.startswith(host):
                self.unused.discard(self._rule(method, path))
        assert requests
        return result.out

    def _rule(self, method: str, path: str) -> tuple[str, str]:
        """Return the rule for a request: first the one without wildcards."""
        allowing = [
            rule
            for rule in self._rules
            if rule[0] == method
            and re.fullmatch(re.sub('{[^}]*}', '[^/]+', rule[1]), path)
        ]
        return min(allowing, key=lambda rule: rule[1].count('{'))


# --- what the rules allow -------------------------------------------------

READING = (
    ('list', '--all-regions', '--limit', '5'),
    ('list', '--server', 'web-1'),
    ('list', '--used-by', 'web-1'),
    ('list', '--unused', '--usage'),
    ('list', '--flavor', 'm1.small'),
    ('show', 'cirros-0.6.2'),
    ('show', '--wait', '507f217c-612e-5114-8eb2-5ec9a23311b3'),
    ('summary',),
    ('delete', 'cirros-0.6.2', '--dry-run'),
    ('check', 'web-1'),
    ('check', '--name-pattern', 'web-1', '--newest-within', '9999d'),
)

ALL = ('check', '--all-projects', '--name-pattern', 'web-1')


def test_commands_that_read(cloud, limited):
    needed = Needed(cloud, READ)
    shell = limited(READ, 'reader')
    for words in READING:
        needed.run(shell, *words)
    needed.run(limited(READ, 'admin', 'admin'), *ALL)
    [only_admin] = needed.unused
    assert only_admin == ('GET', '/v2.1/os-services')
    nova = cloud.facts['regions']['RegionOne']['compute_url']

    def without_version(request: Request) -> Response | None:
        response = proxy.forward(request)
        # So the list of servers does not tell which cells are down.
        response.headers.pop('Openstack-Api-Version', None)
        return response

    with ForwardingProxy(nova.removesuffix('/v2.1'), '', without_version) as (
        proxy
    ):
        url = f'{proxy.url}/v2.1'
        admin = limited(READ, 'admin', 'admin', compute_endpoint_override=url)
        needed.run(admin, 'list', '--unused')
    assert not needed.unused
    assert needed.commands == {c for c in ROLES if ROLES[c] == 'reader'}


def test_commands_that_rotate(cloud, limited, boot, images, tmp_path):
    needed = Needed(cloud, ROTATE)
    shell = limited(ROTATE)
    server_id = boot('ruled')
    backups = ('--name-pattern', 'ruled-?')
    for number in (1, 2, 3):
        create = ('create', 'ruled', '--image-name', f'ruled-{number}')
        needed.run(shell, *create, '--auto-approve', '--wait')
    needed.run(shell, 'set', '--property', 'keep=yes', 'ruled-3')
    needed.run(shell, 'check', 'ruled', '--newest-within', '1h')
    needed.run(
        *(shell, 'prune', *backups, '--keep-last', '2', '--auto-approve')
    )
    choice = ('delete', *backups, '--keep-property', 'keep=yes')
    plan = tmp_path / 'plan.json'
    plan.write_text(needed.run(shell, *choice, '--dry-run', '-f', 'json'))
    needed.run(shell, 'apply', str(plan), '--auto-approve')
    left = [
        image['name']
        for image in images.images()
        if image.get('instance_uuid') == server_id
    ]
    assert left == ['ruled-3']
    needed.run(shell, 'unset', '--property', 'keep', 'ruled-3')
    needed.run(shell, 'delete', 'ruled-3')
    assert ROTATE[: len(READ)] == READ
    # The test above needs these.
    assert needed.unused < {(rule['method'], rule['path']) for rule in READ}
    assert needed.commands > {c for c in ROLES if ROLES[c] == 'member'}


# --- what less does not allow ---------------------------------------------

#: A call of each command, and of each option in the table.
CALLS = {
    'list': ('list',),
    'show': ('show', '{image}'),
    'summary': ('summary',),
    'check': ('check', 'web-1'),
    '--dry-run': ('delete', '{image}', '--dry-run'),
    'create': ('create', 'web-1', '--auto-approve'),
    'set': ('set', '--property', 'a=b', '{image}'),
    'unset': ('unset', '--property', 'os_distro', '{image}'),
    'delete': ('delete', '{image}'),
    'prune': (
        *('prune', '--name', 'of-role', '--type', 'all', '--auto-approve'),
        *('--group-by', 'name', '--keep-last', '1'),
    ),
    'apply': ('apply', '{plan}', '--auto-approve'),
    '--all-projects': ALL,
}

#: A user without a role.
LESS = {'reader': 'bystander', 'member': 'reader', 'admin': 'demo'}


@pytest.fixture(scope='module')
def bystander(admin: Shell) -> Iterator[None]:
    """Make a user with another role in the project."""
    admin('role', 'create', 'bystander')
    admin('user', 'create', '--password', 'devcloud', 'bystander')
    of_demo = ('--user', 'bystander', '--project', 'demo')
    admin('role', 'add', *of_demo, 'bystander')
    yield
    admin('user', 'delete', 'bystander')
    admin('role', 'delete', 'bystander')


@pytest.mark.parametrize(('command', 'role'), ROLES.items())
def test_less_than_the_role_is_refused(
    cloud, demo, bystander, images, tmp_path, command, role
):
    made = {images('of-role', os_distro='cirros') for _ in range(2)}
    plan = tmp_path / 'plan.json'
    dry_run = ('delete', '--name', 'of-role', '--dry-run', '-f', 'json')
    plan.write_text(demo.run(*IMAGE, *dry_run).out)
    words = [w.format(image=max(made), plan=plan) for w in CALLS[command]]
    # A plan is for the cloud that it was made in, by its name.
    result = cloud.shell('demo', OS_USERNAME=LESS[role]).run(*IMAGE, *words)
    assert result.code
    assert '(HTTP 403)' in result.out + result.err


def test_table_has_each_command():
    points = importlib.metadata.entry_points(group='openstack.compute.v2')
    commands = {
        point.name.rpartition('_')[2]
        for point in points
        if point.name.startswith('compute_image_')
    }
    assert ROLES.keys() == CALLS.keys() > commands


def test_error_names_the_missing_rule(limited, images):
    image_id = images()
    # The user is a member, but the credential can only read.
    shell = limited([rule for rule in ROTATE if rule['method'] == 'GET'])
    failed, _count = shell.run(*IMAGE, 'delete', image_id).err.splitlines()
    assert re.fullmatch(
        'Failed to delete image .*: The access rules of the application '
        'credential may not allow DELETE /v2.1/images/{image_id}: The request '
        r'you have made requires authentication\. \(HTTP 401\) '
        r'\(Request-ID: req-[0-9a-f-]+\)',
        failed,
    )
    # The Image service refuses what Compute does.
    shell = limited(ROTATE)
    refused = shell.run('image', 'delete', image_id)
    assert (refused.code, '401' in refused.err) == (1, True)
    assert images.image(image_id)
    shell(*IMAGE, 'delete', image_id)
    assert images.image(image_id) is None
