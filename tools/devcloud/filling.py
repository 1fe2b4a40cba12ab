# SPDX-License-Identifier: Apache-2.0

"""Filling a new cloud, through its own APIs if possible."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import glance
import images
from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import USERS
from regions import CIRROS
from regions import REGIONS as CONTENT
from rest import Rest
from servers import Server
from servers import Servers


def fill(
    admin: Rest, layout: Layout, projects: dict[str, str]
) -> dict[str, Any]:
    """Make flavors, images and servers in all regions.

    :return: IDs by region and name: ``servers`` are those that the user
        ``demo`` sees, ``other_servers`` deleted ones and those of others
    """
    with ThreadPoolExecutor() as pool:
        servers = list(
            pool.map(
                lambda region: _Filling(
                    admin, layout, projects, region
                ).fill(),
                REGIONS,
            )
        )
    kinds = ('servers', 'other_servers')
    return {
        kind: dict(zip(REGIONS, ids, strict=True))
        for kind, ids in zip(kinds, zip(*servers, strict=True), strict=True)
    }


class _Filling:
    """Fills one region."""

    def __init__(
        self,
        admin: Rest,
        layout: Layout,
        projects: dict[str, str],
        region: str,
    ) -> None:
        self._admin = admin
        self._users = {'admin': admin, 'demo': _log_in(admin, 'demo')}
        self._projects = projects
        self._region = region
        self._content = CONTENT[region]
        self._urls = layout.endpoints(region)
        self._database = layout.glance_db(region)
        self._servers = Servers(admin, self._urls, layout.nova_db(region))
        #: Images by ID, the newest first.
        self._made: dict[str, images.Image] = {}

    def fill(self) -> tuple[dict[str, str], dict[str, str]]:
        """Make everything; return the IDs of the servers by name."""
        for flavor_id, name, ram, disk in self._content.flavors:
            flavor = {
                'id': flavor_id, 'name': name, 'ram': ram, 'disk': disk,
                'vcpus': 1,
            }  # fmt: skip
            self._admin(
                'POST', f'{self._urls["compute"]}/flavors', {'flavor': flavor}
            )
        # Servers need an image, and some images are taken from servers.
        boot_id = self._make_image(CIRROS)
        booted = [
            (name, self._servers.boot(self._users['demo'], name, boot_id))
            for name in self._content.servers
        ]
        # The newer one of two with the same name.
        servers = dict(booted)
        for image in self._content.images(servers):
            self._make_image(image)
        glance.adjust(self._database, self._made)
        for _name, server_id in booted:
            self._servers.wait(server_id)
        with ThreadPoolExecutor() as pool:
            ids = list(pool.map(self._make_server, self._content.more))
        others: dict[str, str] = {}
        for server, server_id in zip(self._content.more, ids, strict=True):
            seen = server.project == 'demo' and server.fate != 'deleted'
            (servers if seen else others)[server.name] = server_id
        self._adopt_snapshots()
        return servers, others

    def _make_image(self, image: images.Image) -> str:
        image_id = image.id or images.image_id(self._region, len(self._made))
        self._made[image_id] = image
        owner = self._projects[image.owner]
        glance.make(self._admin, self._urls['image'], image, image_id, owner)
        return image_id

    def _make_server(self, server: Server) -> str:
        image_id = next(
            image_id
            for image_id, image in self._made.items()
            if image.name == server.image
        )
        return self._servers.make(
            self._users[server.project], server, image_id
        )

    def _adopt_snapshots(self) -> None:
        """Give the snapshots of Nova times in order, like the other images."""
        url = f'{self._urls["image"]}/v2/images?limit=1000&visibility=private'
        found = [
            image
            for image in self._admin('GET', url)['images']
            if image['id'] not in self._made
        ]
        for image in sorted(found, key=lambda image: str(image['name'])):
            self._made[image['id']] = images.Image(image['name'])
        glance.adjust(self._database, self._made)


def _log_in(admin: Rest, user: str) -> Rest:
    return Rest(admin.keystone, user, PASSWORD, str(USERS[user]['project']))
