# SPDX-License-Identifier: Apache-2.0

"""Clouds as they are, not as they are listed: what an oracle knows.

Regions with a Nova each, and Image services that they share. Servers may be in
a cell that does not respond, and their records may be malformed.
"""

import dataclasses
from typing import Any

from testbed import nova

#: How a server is listed. Only the first can be read.
WHOLE = 'whole'
MALFORMED = ('null', 'text', 'no id', 'no image', 'null image')
OWN, OTHER = nova.PROJECT, 'f' * 32
#: The cell that may be down.
CELL = 2


@dataclasses.dataclass
class Record:
    """What Nova knows of a server.

    :param image: the ID of the image that it was booted from; None: a volume
    """

    name: str
    status: str
    task: str | None
    image: str | None


@dataclasses.dataclass
class Server:
    """A server.

    :param records: more than one if it is listed twice
    :param shown: how it is listed
    """

    id: str
    records: list[Record]
    project: str = OWN
    cell: int = 1
    shown: str = WHOLE

    def entries(self) -> list[Any]:
        """Return its records, as they are listed."""
        return [self._entry(record) for record in self.records]

    def _entry(self, record: Record) -> Any:
        if self.shown in ('null', 'text'):
            return None if self.shown == 'null' else 'server'
        entry = {
            'id': self.id,
            'name': record.name,
            'status': record.status,
            'tenant_id': self.project,
            'OS-EXT-STS:task_state': record.task,
            'image': {'id': record.image} if record.image else '',
        }
        if self.shown == 'null image':
            entry['image'] = None
        else:
            for field in ('id', 'image'):
                if self.shown == f'no {field}':
                    del entry[field]
        return entry

    def unknown(self) -> dict[str, Any]:
        """Return what Nova tells of a server while its cell is down."""
        return {
            'id': self.id,
            'status': 'UNKNOWN',
            'tenant_id': self.project,
            'created': '2024-01-01T00:00:00Z',
            'links': [],
        }


@dataclasses.dataclass
class Region:
    """A Nova.

    :param glance: the number of the Image service that it uses
    :param image_url: that of the catalog, or None
    :param offers_unknown: whether it offers microversion 2.69
    :param page: most servers of a page
    :param shows_services: whether the user may list the services of each cell
    """

    name: str
    glance: int
    image_url: str | None
    offers_unknown: bool
    page: int
    shows_services: bool
    servers: list[Server]
    is_up: bool = True
    is_cell_up: bool = True

    def reaches(self, server: Server) -> bool:
        """Return whether the cell of a server responds."""
        return self.is_cell_up or server.cell != CELL

    def can_read(self, server: Server) -> bool:
        """Return whether a server is listed with all that is known of it."""
        return self.is_up and self.reaches(server) and server.shown == WHOLE

    @property
    def hides(self) -> bool:
        """Whether servers are missing from the list without a trace."""
        fits = self.page > 2 * len(self.servers)
        shows = self.offers_unknown and (fits or self.shows_services)
        return not self.is_cell_up and not shows

    def omits(self, server: Server) -> bool:
        """Return whether a server is missing from the list."""
        return self.hides and server.cell == CELL


@dataclasses.dataclass
class World:
    """All regions and images.

    :param glances: the images of each Image service, by ID
    :param is_admin: whether the user sees the servers of all projects
    """

    regions: dict[str, Region]
    glances: list[dict[str, dict[str, Any]]]
    is_admin: bool

    def images(self, region: str) -> dict[str, dict[str, Any]]:
        """Return the images that a region lists, by ID."""
        return self.glances[self.regions[region].glance]

    def sharing(self, region: str, *, listed: list[str]) -> list[Region]:
        """Return the regions whose servers have to be read for one of them.

        The catalog says so, or the images that were listed.
        """
        own = self.regions[region]
        return [
            other
            for other in self.regions.values()
            if other.image_url in (None, own.image_url)
            or own.image_url is None
            or (
                {region, other.name} <= {*listed}
                and own.glance == other.glance
                and self.images(region)
            )
        ]

    def connected(self, region: str, *, listed: list[str]) -> list[Region]:
        """Return the same, those that share images with these, and so on.

        What a server of a selected region uses is kept in all of them.
        """
        found = {region, *listed}
        while True:
            more = {
                each.name
                for name in found
                for each in self.sharing(name, listed=listed)
            }
            if more == found:
                return [self.regions[name] for name in sorted(found)]
            found = more


def image_server(image: dict[str, Any]) -> str | None:
    """Return the ID of the server that an image was taken from."""
    server_id: str | None = image.get('server', {}).get('id')
    return server_id
