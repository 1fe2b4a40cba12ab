# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, through openstacksdk."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from pathlib import Path
import sqlite3
import time

from tests.functional.real import Cloud
from tests.functional.real import opened
from tests.functional.shell import PATIENCE


class Servers:
    """The servers of a user.

    :ivar api: Compute of openstacksdk
    """

    def __init__(
        self, cloud: Cloud, user: str, region: str = 'RegionOne'
    ) -> None:
        self.api = cloud.connection(user, region).compute

    def boot(
        self, image_id: str, flavor_id: str = '1', name: str = 'of a test'
    ) -> str:
        """Create a server; return its ID."""
        server = self.api.create_server(
            name=name,
            image_id=image_id,
            flavor_id=flavor_id,
            networks='none',
        )
        return str(server.id)

    def wait(self, server_id: str, status: str = 'ACTIVE') -> None:
        """Wait until a server has a status, and no task."""

        def is_done() -> bool:
            server = self.api.get_server(server_id)
            assert server.status != 'ERROR', server.fault
            return server.status == status and not server.task_state

        wait_until(is_done)

    def snapshot(self, server_id: str, name: str) -> None:
        """Create a snapshot of a server."""
        self.api.create_server_image(server_id, name)
        self.wait(server_id)

    def shelve(self, server_id: str) -> None:
        """Shelve a server, without offloading it."""
        self.api.shelve_server(server_id)
        self.wait(server_id, 'SHELVED')

    def unshelve(self, server_id: str) -> None:
        """Start a server that is shelved."""
        self.api.unshelve_server(server_id)
        self.wait(server_id)

    def exists(self, server_id: str) -> bool:
        """Return whether a server exists."""
        return self.api.find_server(server_id) is not None

    def delete(self, *servers: str) -> None:
        """Delete servers, and wait until they no longer exist."""
        for server_id in servers:
            self.api.delete_server(server_id)
        wait_until(lambda: not any(map(self.exists, servers)))


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail if it takes too long."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_for_host(cloud: Cloud) -> None:
    """Wait until servers can be scheduled."""
    api = cloud.connection('admin').compute
    wait_until(
        lambda: any(
            host.state == 'up' for host in api.services(binary='nova-compute')
        )
    )


@contextlib.contextmanager
def snapshots_held(cloud: Cloud) -> Iterator[Callable[[], None]]:
    """Prevent Nova from finishing snapshots.

    :return: a function that ends this early
    """
    path = Path(cloud.facts['regions']['RegionOne']['hold_file'])
    path.touch()
    try:
        yield path.unlink
    finally:
        path.unlink(missing_ok=True)


def nova_database(
    cloud: Cloud,
) -> contextlib.AbstractContextManager[sqlite3.Connection]:
    """Open the database with the servers."""
    return opened(cloud.facts['regions']['RegionOne']['nova_db'])


@contextlib.contextmanager
def cell_down(cloud: Cloud) -> Iterator[None]:
    """Let every query of the database with the servers fail meanwhile."""

    def rename(old: str, new: str) -> None:
        with nova_database(cloud) as db:
            # References to the tables must keep their names.
            db.execute('PRAGMA legacy_alter_table = ON')
            tables = db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            db.execute('BEGIN IMMEDIATE')
            for (name,) in tables:
                renamed = f'{new}{name.removeprefix(old)}'
                db.execute(f'ALTER TABLE "{name}" RENAME TO "{renamed}"')
            db.execute('COMMIT')

    rename('', 'away_')
    try:
        yield
    finally:
        rename('away_', '')
        # It could not report that it works.
        wait_for_host(cloud)
