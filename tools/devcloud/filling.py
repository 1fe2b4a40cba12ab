# SPDX-License-Identifier: Apache-2.0

"""Filling a new cloud, through its own APIs if possible."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
import dataclasses
from typing import Any

import glance
from images import Image
from images import image_id
from images import Server
from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import USERS
from regions import CIRROS
from regions import REGIONS as CONTENT
from rest import Rest
from servers import Servers


def fill(
    admin: Rest, layout: Layout, projects: dict[str, str]
) -> dict[str, Any]:
    """Make flavors, images and servers in all regions.

    :return: IDs by region and name: ``servers`` are those that the user
        ``demo`` sees, ``other_servers`` deleted ones and those of others
    """
    regions = {
        region: _Filling(admin, layout, projects, region) for region in REGIONS
    }
    with ThreadPoolExecutor() as pool:
        for _none in pool.map(_Filling.fill, regions.values()):
            pass
    return {
        'servers': {name: each.seen for name, each in regions.items()},
        'other_servers': {name: each.others for name, each in regions.items()},
    }


class _Filling:
    """Fills one region.

    :ivar seen: the IDs of the servers that the user ``demo`` sees, by name
    :ivar others: the IDs of the others
    """

    def __init__(
        self,
        admin: Rest,
        layout: Layout,
        projects: dict[str, str],
        region: str,
    ) -> None:
        demo = Rest(admin.keystone, 'demo', PASSWORD, USERS['demo']['project'])
        self._admin = admin
        self._users = {'admin': admin, 'demo': demo}
        self._projects = projects
        self._region = region
        self._urls = layout.endpoints(region)
        self._database = layout.glance_db(region)
        self._servers = Servers(admin, self._urls, layout.nova_db(region))
        #: The names of the images that were made, by ID.
        self._names: dict[str, str | None] = {}
        self.seen: dict[str, str] = {}
        self.others: dict[str, str] = {}

    def fill(self) -> None:
        """Make everything."""
        content = CONTENT[self._region]
        url = f'{self._urls["compute"]}/flavors'
        for flavor_id, name, ram, disk in content.flavors:
            flavor = {'id': flavor_id, 'name': name, 'ram': ram, 'disk': disk}
            self._admin('POST', url, {'flavor': {**flavor, 'vcpus': 1}})
        # Servers need an image, and some images are taken from servers.
        [boot_id] = self._make_images([CIRROS])
        booted = [
            (name, self._servers.boot(self._users['demo'], name, boot_id))
            for name in content.servers
        ]
        # The newer one of two with the same name.
        self.seen |= booted
        self._make_images(content.images(self.seen))
        for _name, server_id in booted:
            self._servers.wait(server_id)
        with ThreadPoolExecutor() as pool:
            for _none in pool.map(self._make_server, content.more):
                pass
        self._adopt_snapshots()

    def _make_images(self, images: Iterable[Image]) -> list[str]:
        """Make images, the newest first; return their IDs."""
        made = {}
        for number, image in enumerate(images, len(self._names)):
            made_id = image.id or image_id(self._region, number)
            owner = self._projects[image.owner]
            made[made_id] = dataclasses.replace(image.at(number), owner=owner)
        glance.insert(self._database, made)
        self._names |= {key: image.name for key, image in made.items()}
        return [*made]

    def _make_server(self, server: Server) -> None:
        known = {name: key for key, name in self._names.items()}
        user = self._users[server.project]
        server_id = self._servers.make(user, server, known[server.image])
        is_seen = server.project == 'demo' and server.fate != 'deleted'
        (self.seen if is_seen else self.others)[server.name] = server_id

    def _adopt_snapshots(self) -> None:
        """Give the snapshots of Nova times in order, like the other images."""
        url = f'{self._urls["image"]}/v2/images?limit=1000&visibility=private'
        found = {
            str(image['name']): image['id']
            for image in self._admin('GET', url)['images']
            if image['id'] not in self._names
        }
        named = enumerate(sorted(found.items()), len(self._names))
        times = {found_id: Image(name).at(n) for n, (name, found_id) in named}
        glance.set_times(self._database, times)
