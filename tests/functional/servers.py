# SPDX-License-Identifier: Apache-2.0

"""Servers of the real cloud, through openstacksdk."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from pathlib import Path
import sqlite3
import time
from typing import Any

from tests.functional.real import Cloud
from tests.functional.shell import PATIENCE

#: It supports servers without a network, and returns the ID of a snapshot.
_VERSION = '2.60'


class Compute:
    """The servers API of Nova."""

    def __init__(
        self, cloud: Cloud, user: str, region: str = 'RegionOne'
    ) -> None:
        self._adapter = cloud.connection(user, region).compute
        self._admin = cloud.connection('admin', region).compute

    def flavors(self) -> list[dict[str, Any]]:
        """Return all flavors."""
        found: list[dict[str, Any]] = self._adapter.get(
            '/flavors/detail'
        ).json()['flavors']
        return found

    def boot(
        self, image_id: str, flavor_id: str, name: str = 'made by a test'
    ) -> tuple[str, str]:
        """Create a server; return its ID, or the error message."""
        server = {
            'name': name,
            'imageRef': image_id,
            'flavorRef': flavor_id,
            'networks': 'none',
        }
        answer = self._adapter.post(
            '/servers', json={'server': server}, microversion=_VERSION
        )
        if answer.status_code == 202:
            return answer.json()['server']['id'], ''
        ((kind, fault),) = answer.json().items()
        assert kind in ('badRequest', 'forbidden'), fault
        return '', fault['message']

    def server(self, server_id: str) -> dict[str, Any] | None:
        """Return a server, or None if it does not exist."""
        answer = self._adapter.get(
            f'/servers/{server_id}', microversion=_VERSION
        )
        if answer.status_code == 404:
            return None
        server: dict[str, Any] = answer.json()['server']
        return server

    def do(self, server_id: str, action: str, **how: Any) -> dict[str, Any]:
        """Send a server action, and return Nova's response."""
        answer = self._adapter.post(
            f'/servers/{server_id}/action',
            json={action: how or None},
            microversion=_VERSION,
        )
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json() if answer.content else {}
        return said

    def wait(self, server_id: str, status: str = 'ACTIVE') -> None:
        """Wait until a server has a status, and no task."""

        def now() -> str:
            server = self.server(server_id)
            assert server is not None
            assert server['status'] != 'ERROR', server['fault']
            busy = server['OS-EXT-STS:task_state']
            return 'busy' if busy else str(server['status'])

        wait_until(lambda: now() == status)

    def snapshot(self, server_id: str, name: str) -> str:
        """Create a snapshot of a server; return the ID of the image."""
        made = self.do(server_id, 'createImage', name=name)
        self.wait(server_id)
        return str(made['image_id'])

    def shelve(self, server_id: str) -> None:
        """Shelve a server, without offloading it."""
        self.do(server_id, 'shelve')
        self.wait(server_id, 'SHELVED')

    def offload(self, server_id: str) -> None:
        """Offload a shelved server, as an administrator."""
        self._admin.post(
            f'/servers/{server_id}/action', json={'shelveOffload': None}
        )
        self.wait(server_id, 'SHELVED_OFFLOADED')

    def unshelve(self, server_id: str) -> None:
        """Start a server that is shelved."""
        self.do(server_id, 'unshelve')
        self.wait(server_id)

    def get(self, path: str, version: str = _VERSION) -> tuple[int, Any]:
        """Return the status code and the decoded body of a response."""
        answer = self._adapter.get(path, microversion=version)
        return answer.status_code, answer.json()

    def rename(self, server_id: str, name: str) -> None:
        """Give a server another name."""
        answer = self._adapter.put(
            f'/servers/{server_id}', json={'server': {'name': name}}
        )
        assert answer.status_code == 200, answer.text

    def wait_for_host(self) -> None:
        """Wait until servers can be scheduled."""

        def is_up() -> bool:
            answer = self._admin.get('/os-services?binary=nova-compute')
            return (
                answer.status_code == 200
                and answer.json()['services'][0]['state'] == 'up'
            )

        wait_until(is_up)

    def delete(self, *servers: str) -> None:
        """Delete servers, and wait until they no longer exist."""
        for server_id in servers:
            answer = self._adapter.delete(f'/servers/{server_id}')
            assert answer.status_code == 204, answer.text
        for server_id in servers:
            wait_until(lambda s=server_id: self.server(s) is None)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail if it takes too long."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


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


@contextlib.contextmanager
def cell_down(cloud: Cloud) -> Iterator[None]:
    """Let every query of the database with the servers fail meanwhile."""
    _rename_tables(cloud, '', 'away_')
    try:
        yield
    finally:
        _rename_tables(cloud, 'away_', '')
        # It could not report that it works.
        Compute(cloud, 'demo').wait_for_host()


def _rename_tables(cloud: Cloud, old: str, new: str) -> None:
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


def set_state(
    cloud: Cloud, server_id: str, vm_state: str, task_state: str | None = None
) -> None:
    """Set the state of a server, as Nova stores it."""
    with nova_database(cloud) as db:
        db.execute(
            'UPDATE instances SET vm_state = ?, task_state = ? WHERE uuid = ?',
            (vm_state, task_state, server_id),
        )


@contextlib.contextmanager
def nova_database(cloud: Cloud) -> Iterator[sqlite3.Connection]:
    path = cloud.facts['regions']['RegionOne']['nova_db']
    with contextlib.closing(
        sqlite3.connect(path, timeout=60, isolation_level=None)
    ) as db:
        yield db
