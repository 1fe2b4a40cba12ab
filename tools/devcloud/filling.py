# SPDX-License-Identifier: Apache-2.0

"""Filling a new cloud, through its own APIs if possible."""

from concurrent.futures import ThreadPoolExecutor
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
        #: Images by ID, the newest first.
        self._made: dict[str, Image] = {}
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
        boot_id = self._make_image(CIRROS)
        booted = [
            (name, self._servers.boot(self._users['demo'], name, boot_id))
            for name in content.servers
        ]
        # The newer one of two with the same name.
        self.seen |= booted
        for image in content.images(self.seen):
            self._make_image(image)
        glance.adjust(self._database, self._made)
        for _name, server_id in booted:
            self._servers.wait(server_id)
        with ThreadPoolExecutor() as pool:
            for _none in pool.map(self._make_server, content.more):
                pass
        self._adopt_snapshots()

    def _make_image(self, image: Image) -> str:
        made_id = image.id or image_id(self._region, len(self._made))
        self._made[made_id] = image
        owner = self._projects[image.owner]
        glance.make(self._admin, self._urls['image'], image, made_id, owner)
        return made_id

    def _make_server(self, server: Server) -> None:
        known = {image.name: key for key, image in self._made.items()}
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
            if image['id'] not in self._made
        }
        for name, made_id in sorted(found.items()):
            self._made[made_id] = Image(name)
        glance.adjust(self._database, self._made)
