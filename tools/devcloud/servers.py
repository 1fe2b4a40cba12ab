# SPDX-License-Identifier: Apache-2.0

"""Servers of a new cloud, in all states."""

from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

from databases import opened
from images import Server
from install import DevcloudError
from rest import Rest

#: Compute's microversion: it supports "no network", and returns the ID of a
#: snapshot.
_VERSION = 'compute 2.60'

#: Timeout, seconds.
_PATIENCE = 90


class Servers:
    """Makes servers in one region.

    :param urls: URLs of the services, by type
    :param database: path of the database of Nova
    """

    def __init__(
        self, admin: Rest, urls: dict[str, str], database: Path
    ) -> None:
        self._admin = admin
        self._url = f'{urls["compute"]}/servers'
        self._images = f'{urls["image"]}/v2/images'
        self._database = database

    def boot(self, user: Rest, name: str, image_id: str) -> str:
        """Request a server; return its ID."""
        server = {
            'name': name, 'imageRef': image_id, 'flavorRef': '2',
            'networks': 'none',
        }  # fmt: skip
        made = self._ask(user, 'POST', '', {'server': server})
        return str(made['server']['id'])

    def wait(self, server_id: str, status: str = 'ACTIVE') -> None:
        """Wait until a server has a status.

        :raises DevcloudError: if it fails instead
        """

        def now() -> str:
            server = self._ask(self._admin, 'GET', f'/{server_id}')['server']
            if server['status'] == 'ERROR':
                raise DevcloudError(f'{server["name"]}: {server["fault"]}')
            # A task may still run after the status has changed.
            busy = server['OS-EXT-STS:task_state']
            return '' if busy else str(server['status'])

        _wait(now, status)

    def make(self, user: Rest, server: Server, image_id: str) -> str:
        """Create a server, and bring it to its final state; return its ID."""
        server_id = self.boot(user, server.name, image_id)
        self.wait(server_id)
        path = f'/{server_id}/action'
        match server.fate:
            case 'shelved' | 'offloaded':
                self._ask(user, 'POST', path, {'shelve': None})
                self.wait(server_id, 'SHELVED')
                if server.fate == 'offloaded':
                    self._ask(
                        self._admin, 'POST', path, {'shelveOffload': None}
                    )
                    self.wait(server_id, 'SHELVED_OFFLOADED')
            case 'deleted':
                wanted = {'createImage': {'name': f'{server.name}-snapshot'}}
                made = self._ask(user, 'POST', path, wanted)
                image = f'{self._images}/{made["image_id"]}'
                _wait(lambda: str(user('GET', image)['status']), 'active')
                self.wait(server_id)
                self._ask(user, 'DELETE', f'/{server_id}')
            case 'image deleted':
                self._admin('DELETE', f'{self._images}/{image_id}')
            case 'volume':
                # There is no Cinder, so Nova cannot boot from a volume. It
                # then displays an empty image, but no volume is attached.
                with opened(self._database) as db:
                    forget = (
                        "UPDATE instances SET image_ref = '' WHERE uuid = ?"
                    )
                    db.execute(forget, (server_id,))
        return server_id

    def _ask(
        self, user: Rest, method: str, path: str, data: object = None
    ) -> Any:
        return user(
            method, f'{self._url}{path}', data, OpenStack_API_Version=_VERSION
        )


def _wait(now: Callable[[], str], wanted: str) -> None:
    end = time.monotonic() + _PATIENCE
    while (status := now()) != wanted:
        if time.monotonic() > end:
            raise DevcloudError(f'Still {status!r}, not {wanted!r}')
        time.sleep(0.1)
