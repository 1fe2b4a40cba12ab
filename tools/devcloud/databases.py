# SPDX-License-Identifier: Apache-2.0

"""Making and changing the databases of a cloud."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
import grp
import os
from pathlib import Path
import pwd
import shutil
import sqlite3

from install import run
from layout import Layout
from layout import PASSWORD
from layout import REGIONS

#: The commands that make the databases of a service, after the option with its
#: configuration.
_COMMANDS = {
    'keystone': f"""
keystone-manage keystone.conf db_sync
keystone-manage keystone.conf fernet_setup --keystone-user {{}} \
    --keystone-group {{}}
keystone-manage keystone.conf bootstrap --bootstrap-password {PASSWORD}""",
    'glance': """
glance-manage glance-api.conf db_sync""",
    'nova': """
nova-manage nova.conf api_db sync
nova-manage nova.conf cell_v2 map_cell0 \
    --database_connection sqlite:///cell0.db
nova-manage nova.conf db sync
nova-manage nova.conf cell_v2 create_cell --name cell1 \
    --transport-url fake:/// --database_connection sqlite:///cell1.db""",
}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that a service may use; commit at the end."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as db, db:
        yield db


def make_databases(venv: Path, layout: Layout) -> None:
    """Make the databases of all services, in parallel.

    :param venv: folder of the cloud's venv
    """
    first, *others = REGIONS
    user = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name

    def make(service: str) -> None:
        region = '' if service == 'keystone' else f'-{first}'
        for command in _COMMANDS[service].format(user, group).splitlines()[1:]:
            program, config, *words = command.split()
            run(venv / 'bin' / program, '--config-file', config, *words,
                cwd=layout.folder(service + region))  # fmt: skip

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, _COMMANDS))
    for service in ('glance', 'nova'):
        for path in layout.folder(f'{service}-{first}').glob('*.db'):
            for region in others:
                shutil.copy(path, layout.folder(f'{service}-{region}'))


def move_endpoints(layout: Layout) -> None:
    """Write the ports of all processes into the catalog."""
    with opened(layout.folder('keystone') / 'keystone.db') as db:
        db.executemany(
            'UPDATE endpoint SET url = ? WHERE region_id = ? AND service_id = '
            '(SELECT id FROM service WHERE type = ?)',
            [
                (url, region, kind)
                for region in REGIONS
                for kind, url in layout.endpoints(region).items()
            ],
        )
