# SPDX-License-Identifier: Apache-2.0

"""Make the databases of a service: runs in the cloud's venv.

It runs several commands of the service's own tools in one process.

usage: make.py keystone FOLDER URL REGION PASSWORD
       make.py glance|nova FOLDER
"""

from collections.abc import Callable
import grp
import os
from pathlib import Path
import pwd
import shutil
import sqlite3
import sys
import uuid


def _keystone(home: Path, url: str, region: str, password: str) -> None:
    from keystone.cmd import cli

    me = [
        *('--keystone-user', pwd.getpwuid(os.getuid()).pw_name),
        *('--keystone-group', grp.getgrgid(os.getgid()).gr_name),
    ]
    for words in (
        ['db_sync'],
        ['fernet_setup', *me],
        ['credential_setup', *me],
        [
            'bootstrap',
            *('--bootstrap-password', password),
            *('--bootstrap-region-id', region),
            *('--bootstrap-admin-url', url),
            *('--bootstrap-internal-url', url),
            *('--bootstrap-public-url', url),
        ],
    ):
        config = ['--config-file', str(home / 'keystone.conf')]
        # To the service, each is the command line of a new process.
        cli.CONF.clear()
        cli.main(['keystone-manage', *config, *words])


def _glance(home: Path) -> None:
    from glance.cmd import manage

    config = ['--config-file', str(home / 'glance-api.conf')]
    sys.argv = ['glance-manage', *config, 'db_sync']
    manage.main()


def _nova(home: Path) -> None:
    from nova import config
    from nova import context
    from nova import objects
    from nova.db import migration

    config.parse_args(
        ['nova-manage', '--config-file', str(home / 'nova.conf')]
    )
    objects.register_all()
    migration.db_sync(database='api')
    migration.db_sync(database='main')
    shutil.copy(home / 'cell1.db', home / 'cell0.db')
    for name, cell, transport in (
        ('cell0', objects.CellMapping.CELL0_UUID, 'none:///'),
        ('cell1', str(uuid.uuid4()), 'fake:///'),
    ):
        objects.CellMapping(
            context.get_admin_context(),
            uuid=cell,
            name=name,
            transport_url=transport,
            database_connection=f'sqlite:///{home}/{name}.db',
        ).create()


_MAKERS: dict[str, Callable[..., None]] = {
    'keystone': _keystone,
    'glance': _glance,
    'nova': _nova,
}


def main() -> None:
    """Make the databases, in WAL mode."""
    service, folder, *more = sys.argv[1:]
    home = Path(folder)
    _MAKERS[service](home, *more)
    for database in home.glob('*.db'):
        with sqlite3.connect(database) as db:
            db.execute('PRAGMA journal_mode = WAL')
        db.close()


if __name__ == '__main__':
    main()
