# SPDX-License-Identifier: Apache-2.0

"""Each row of the table of roles: the role suffices, and less does not."""

from collections.abc import Iterator
import importlib.metadata
from pathlib import Path
import re

import pytest

from tests.functional.real import Cloud
from tests.functional.real import Glance
from tests.functional.real import Images
from tests.functional.shell import Shell

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / 'doc' / 'source' / 'least-privilege.rst'

IMAGE = ('compute', 'image')


def documented() -> Iterator[tuple[str, str]]:
    """Yield each command, or option, of the table with its role."""
    table = _PAGE.read_text().partition('.. list-table::')[2]
    for row in re.findall(
        r'^   \* - (``.*?)\n     - (\w+)\n', table, re.MULTILINE | re.DOTALL
    ):
        for command in re.findall('``(.+?)``', row[0]):
            yield command, row[1]


#: A user without this role, by the role.
LESS = {'reader': 'bystander', 'member': 'reader', 'admin': 'demo'}
USERS = {'reader': 'reader', 'member': 'demo', 'admin': 'admin'}

PRUNE = ('prune', '--type', 'all', '--group-by', 'name', '--keep-last', '1')

#: A call of each command, and what the table says about options.
CALLS = {
    'list': ('list', '--name', 'of-role'),
    'show': ('show', '{image}'),
    'summary': ('summary',),
    'check': ('check', 'web-1'),
    '--dry-run': ('delete', '{image}', '--dry-run'),
    'create': (
        *('create', 'web-1', '--image-name', 'of-role', '--auto-approve'),
        '--wait',
    ),
    'set': ('set', '--property', 'a=b', '{image}'),
    'unset': ('unset', '--property', 'os_distro', '{image}'),
    'delete': ('delete', '{image}'),
    'prune': (*PRUNE, '--name', 'of-role', '--auto-approve'),
    'apply': ('apply', '{plan}', '--auto-approve'),
    '--all-projects': (
        *('check', '--all-projects', '--name-pattern', 'web-1'),
    ),
}


@pytest.fixture(scope='module')
def bystander(admin: Shell) -> Iterator[None]:
    """Make a user with another role in the project."""
    admin('role', 'create', 'bystander')
    user = ('user', 'create', '--password', 'devcloud', 'bystander')
    admin(*user)
    role = ('role', 'add', '--user', 'bystander', '--project', 'demo')
    admin(*role, 'bystander')
    yield
    admin('user', 'delete', 'bystander')
    admin('role', 'delete', 'bystander')


@pytest.mark.usefixtures('bystander')
@pytest.mark.parametrize(('command', 'role'), [*documented()])
def test_role(
    cloud: Cloud,
    demo: Shell,
    glance: Glance,
    images: Images,
    tmp_path: Path,
    command: str,
    role: str,
) -> None:
    made = {images('of-role', os_distro='cirros') for _ in range(2)}
    image_id = max(made)
    plan = tmp_path / 'plan.json'
    if command == 'apply':
        dry_run = (*IMAGE, 'delete', image_id, '--dry-run', '-f', 'json')
        plan.write_text(demo(*dry_run).out)
    words = [word.format(image=image_id, plan=plan) for word in CALLS[command]]

    def run(user: str) -> tuple[int, str]:
        # A plan is for the cloud that it was made in, by its name.
        shell = cloud.shell('demo', OS_USERNAME=user)
        if user == 'admin':
            shell = cloud.shell('admin')
        result = shell.run(*IMAGE, *words)
        return result.code, result.out + result.err

    refused, why = run(LESS[role])
    code, said = run(USERS[role])
    for image in glance.images():
        if image['name'] == 'of-role' and image['id'] not in made:
            glance.delete(image['id'])
    assert refused
    assert '(HTTP 403)' in why
    assert code == 0, said


def test_table_has_each_command() -> None:
    rows = [command for command, _role in documented()]
    assert sorted(rows) == sorted(CALLS)
    points = importlib.metadata.entry_points(group='openstack.compute.v2')
    prefix = 'compute_image_'
    commands = {
        point.name.removeprefix(prefix)
        for point in points
        if point.name.startswith(prefix)
    }
    assert commands < {*CALLS}
