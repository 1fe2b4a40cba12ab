# SPDX-License-Identifier: Apache-2.0

"""Making and changing the databases of a cloud."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import contextlib
from pathlib import Path
import shutil
import sqlite3
import subprocess

from install import DevcloudError
from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import url

_MAKE = Path(__file__).parent / 'inside' / 'make.py'


def make_databases(
    python: Path, layout: Layout, after_keystone: Callable[[], None]
) -> None:
    """Make the databases of all services, in parallel.

    :param python: Python of the cloud's venv
    :param after_keystone: called when Keystone's database is ready
    """
    first = REGIONS[0]

    def make_keystone() -> None:
        _make(
            python, 'keystone', layout.folder('keystone'),
            layout.keystone, first, PASSWORD,
        )  # fmt: skip
        after_keystone()

    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(make_keystone)]
        for process in (f'nova-{first}', f'glance-{first}', 'neutron'):
            service = process.partition('-')[0]
            folder = layout.folder(process)
            tasks.append(pool.submit(_make, python, service, folder))
        for task in tasks:
            task.result()
    for region in REGIONS[1:]:
        _copy(layout, first, region)


def _make(python: Path, service: str, folder: Path, *words: str) -> None:
    command = [str(python), str(_MAKE), service, str(folder), *words]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise DevcloudError(
            f'No database of {service} was made:\n{done.stdout[-3000:]}'
        )


def _copy(layout: Layout, source: str, region: str) -> None:
    """Copy the empty databases of one region to another."""
    for service in ('glance', 'nova'):
        target = layout.folder(f'{service}-{region}')
        for path in layout.folder(f'{service}-{source}').glob('*.db'):
            shutil.copy(path, target)
    _move_cells(
        layout,
        region,
        layout.folder(f'nova-{source}'),
        layout.folder(f'nova-{region}'),
    )


def move_files(layout: Layout, old: Path) -> None:
    """Update the paths of databases and images.

    :param old: the previous folder of the cloud
    """
    for region in REGIONS:
        _move_cells(layout, region, old, layout.home)
        _move(
            layout.glance_db(region),
            'image_locations',
            'value',
            old,
            layout.home,
        )


def _move_cells(layout: Layout, region: str, old: Path, new: Path) -> None:
    path = layout.folder(f'nova-{region}') / 'api.db'
    _move(path, 'cell_mappings', 'database_connection', old, new)


def _move(path: Path, table: str, column: str, old: Path, new: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as db, db:
        db.execute(
            f'UPDATE {table} SET {column} = replace({column}, ?, ?)',
            (f'{old}/', f'{new}/'),
        )


def move_endpoints(layout: Layout, old: dict[str, int]) -> None:
    """Update the ports in the catalog.

    :param old: the previous ports
    """
    path = layout.folder('keystone') / 'keystone.db'
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as db, db:
        # Through a temporary name, as two services may have swapped ports.
        moves = [
            (url(old.get(name, port)), f'{name}:', url(port))
            for name, port in layout.ports.items()
        ]
        for before, between, _after in moves:
            _replace(db, before, between)
        for _before, between, after in moves:
            _replace(db, between, after)


def _replace(db: sqlite3.Connection, old: str, new: str) -> None:
    db.execute('UPDATE endpoint SET url = replace(url, ?, ?)', (old, new))
