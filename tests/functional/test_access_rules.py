# SPDX-License-Identifier: Apache-2.0

"""Application credentials that can do no more than a job needs.

Keystone, Nova and Glance enforce the access rules of the documentation.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
from pathlib import Path
import re

import pytest
import yaml

from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.real import Cloud
from tests.functional.shell import Shell

_SOURCE = Path(__file__).parents[2] / 'doc' / 'source'
_PAGE = _SOURCE / 'least-privilege.rst'
READ, ROTATE = (
    json.loads((_SOURCE / 'access-rules' / f'{name}.json').read_text())
    for name in ('read', 'rotate')
)

IMAGE = ('compute', 'image')

_REQUEST = re.compile(r'REQ: curl -g -i -X (\w+) "?(http://[^/]+)([^ "?]*)')

#: How errors end.
_REASON = (
    r'The request you have made requires authentication\. \(HTTP 401\) '
    r'\(Request-ID: req-[0-9a-f-]+\)'
)


def refusal(rule: str) -> str:
    """Return a regular expression for an error."""
    return (
        'The access rules of the application credential may not allow '
        f'{re.escape(rule)}: {_REASON}'
    )


@pytest.fixture(scope='module')
def limited(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Shell]]:
    """Return a function that creates a credential, as documented."""
    [entry] = re.findall(
        r'code-block:: yaml\n\n((?:    *.*\n)+)', _PAGE.read_text()
    )
    with contextlib.ExitStack() as stack:

        def make(
            rules: list[dict[str, str]],
            role: str = 'member',
            user: str = 'demo',
            **settings: str,
        ) -> Shell:
            folder = tmp_path_factory.mktemp('limited')
            (folder / 'rules.json').write_text(json.dumps(rules))
            credential = ('application', 'credential')
            owner = cloud.shell(user)
            created = owner(
                *(*credential, 'create', '--role', role),
                *('--access-rules', str(folder / 'rules.json')),
                *(folder.name, '-f', 'json'),
            ).json()
            stack.callback(owner, *credential, 'delete', folder.name)
            config = yaml.safe_load(entry)
            auth = config['clouds']['mycloud']['auth'] | {
                'auth_url': cloud.facts['keystone_url'],
                'application_credential_id': created['ID'],
                'application_credential_secret': created['Secret'],
            }
            config['clouds']['mycloud'] |= {'auth': auth, **settings}
            file = folder / 'clouds.yaml'
            file.write_text(yaml.safe_dump(config))
            return Shell(
                {'OS_CLIENT_CONFIG_FILE': str(file), 'OS_CLOUD': 'mycloud'}
            )

        yield make


class Needed:
    """Runs commands, and notes which rules they need."""

    def __init__(self, cloud: Cloud, rules: list[dict[str, str]]) -> None:
        self._keystone = cloud.facts['keystone_url']
        self._rules = [(rule['method'], rule['path']) for rule in rules]
        self.unused = {*self._rules}

    def run(self, shell: Shell, *words: str) -> str:
        """Run a command, of which no request is refused."""
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
    ('check', 'web-1'),
    ('check', '--name-pattern', 'web-1', '--newest-within', '9999d'),
)


def test_commands_that_read(cloud, limited):
    needed = Needed(cloud, READ)
    shell = limited(READ, 'reader')
    for words in READING:
        needed.run(shell, *words)
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


def test_commands_that_rotate(cloud, limited, boot, glance, tmp_path):
    needed = Needed(cloud, ROTATE)
    shell = limited(ROTATE)
    [server_id] = boot('ruled')
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
        for image in glance.images()
        if image.get('instance_uuid') == server_id
    ]
    assert left == ['ruled-3']
    needed.run(shell, 'unset', '--property', 'keep', 'ruled-3')
    needed.run(shell, 'delete', 'ruled-3')
    assert ROTATE[: len(READ)] == READ
    # The test above needs these.
    assert needed.unused < {(rule['method'], rule['path']) for rule in READ}


# --- what they do not allow -----------------------------------------------


def test_image_service_refuses_what_compute_does(limited, images, glance):
    shell = limited(ROTATE)
    image_id = images()
    refused = shell.run('image', 'delete', image_id)
    assert refused.code == 1
    assert '401' in refused.err
    assert glance.image(image_id)
    shell(*IMAGE, 'delete', image_id)
    assert glance.image(image_id) is None


#: Commands, and the last rule that each needs.
CHANGES = {
    'POST /v2.1/servers/{server_id}/action': ('create', 'web-1'),
    'POST /v2.1/images/{image_id}/metadata': ('set', '--property', 'a=b'),
    'DELETE /v2.1/images/{image_id}/metadata/{key}': (
        *('unset', '--property', 'os_distro'),
    ),
    'DELETE /v2.1/images/{image_id}': ('delete',),
}


@pytest.fixture(scope='module')
def cannot_change(limited: Callable[..., Shell]) -> Shell:
    """Provide a shell that can only read, though the user is a member."""
    return limited([rule for rule in ROTATE if rule['method'] == 'GET'])


@pytest.mark.parametrize('rule', CHANGES)
def test_error_names_the_missing_rule(cannot_change, images, glance, rule):
    image_id = images(os_distro='cirros')
    before = glance.image(image_id)
    command, *words = CHANGES[rule]
    what = () if command == 'create' else (image_id,)
    auto = ('--auto-approve', '-q') if command == 'create' else ()
    result = cannot_change.run(*IMAGE, command, *words, *what, *auto)
    assert result.code == 1
    first, last = result.err.splitlines()
    assert re.fullmatch(f'Failed to .*: {refusal(rule)}', first)
    assert last.startswith('1 of 1 ')
    assert glance.image(image_id) == before


def test_error_of_a_list_names_the_missing_rule(limited):
    only = {
        'service': 'compute',
        'method': 'GET',
        'path': '/v2.1/flavors/{flavor_id}',
    }
    shell = limited([only])
    line = shell.fails(*IMAGE, 'list')
    assert re.fullmatch(refusal('GET /v2.1/images/detail'), line)
    result = shell.run(*IMAGE, 'list', '--all-regions')
    assert (result.code, result.out) == (1, '')
    *lines, last = result.err.splitlines()
    for line, region in zip(lines, ('RegionOne', 'RegionTwo'), strict=True):
        named = refusal('GET /v2.1/images/detail')
        assert re.fullmatch(f'Region {region}: {named}', line)
    assert last == 'Every region failed or was skipped'
