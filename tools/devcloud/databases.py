# SPDX-License-Identifier: Apache-2.0

"""Making and changing the databases of a cloud."""

from collections.abc import Callable
from collections.abc import Iterator
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


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that a service may use; commit at the end."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as db, db:
        yield db


def make_databases(
    python: Path, layout: Layout, after_keystone: Callable[[], None]
) -> None:
    """Make the databases of all services, in parallel.

    :param python: Python of the cloud's venv
    :param after_keystone: called when Keystone's database is ready
    """
    first, *others = REGIONS

    def make_keystone() -> None:
        words = (layout.keystone, first, PASSWORD)
        _make(python, 'keystone', layout.folder('keystone'), *words)
        after_keystone()

    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(make_keystone)]
        for service in ('nova', 'glance'):
            folder = layout.folder(f'{service}-{first}')
            tasks.append(pool.submit(_make, python, service, folder))
        for task in tasks:
            task.result()
    for region in others:
        for service in ('glance', 'nova'):
            target = layout.folder(f'{service}-{region}')
            for path in layout.folder(f'{service}-{first}').glob('*.db'):
                shutil.copy(path, target)
        source = layout.folder(f'nova-{first}')
        _move_cells(layout, region, source, layout.folder(f'nova-{region}'))


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


def move_files(layout: Layout, old: Path) -> None:
    """Update the paths of databases and images.

    :param old: the previous folder of the cloud
    """
    for region in REGIONS:
        _move_cells(layout, region, old, layout.home)
        move = (f'{old}/', f'{layout.home}/')
        _replace(layout.glance_db(region), 'image_locations', 'value', move)


def _move_cells(layout: Layout, region: str, old: Path, new: Path) -> None:
    path = layout.folder(f'nova-{region}') / 'api.db'
    move = (f'{old}/', f'{new}/')
    _replace(path, 'cell_mappings', 'database_connection', move)


def move_endpoints(layout: Layout, old: dict[str, int]) -> None:
    """Update the ports in the catalog.

    :param old: the previous ports
    """
    path = layout.folder('keystone') / 'keystone.db'
    # Through a temporary name, as two services may have swapped ports.
    moves = [
        *((url(port), f'{name}:') for name, port in old.items()),
        *((f'{name}:', url(port)) for name, port in layout.ports.items()),
    ]
    _replace(path, 'endpoint', 'url', *moves)


def _replace(
    path: Path, table: str, column: str, *moves: tuple[str, str]
) -> None:
    with opened(path) as db:
        for move in moves:
            db.execute(
                f'UPDATE {table} SET {column} = replace({column}, ?, ?)', move
            )
