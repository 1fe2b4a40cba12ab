# SPDX-License-Identifier: Apache-2.0

"""Making a new cloud, and filling it: through its own APIs if possible."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from databases import make_databases
from databases import opened
import images
from images import Image
from install import DevcloudError
from install import Say
from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import USERS
import openstack
from processes import Processes
from regions import CIRROS
from regions import CONTENT
from regions import Server

#: Project and roles, by user of a service.
_SERVICE_USERS = dict.fromkeys(
    ('glance', 'nova'), ('service', 'admin service')
)

#: Seconds.
_PATIENCE = 90


def build(venv: Path, layout: Layout, processes: Processes, say: Say) -> None:
    """Make databases, start all services and fill them.

    :param venv: folder of the cloud's venv
    """
    say('Making databases ...')
    processes.configure(venv)
    make_databases(venv, layout)
    # The other services need their users at start.
    processes.start(venv, 'keystone')
    projects = _make_identities(_connect(layout, 'admin').identity, layout)
    processes.start(venv)
    say('Filling it with flavors, images and servers ...')
    regions = {r: _Filling(layout, projects, r) for r in REGIONS}
    with ThreadPoolExecutor() as pool:
        list(pool.map(_Filling.fill, regions.values()))
    layout.learn(
        projects=projects,
        servers={name: each.seen for name, each in regions.items()},
        other_servers={name: each.others for name, each in regions.items()},
        seeded=0,
    )


def _connect(layout: Layout, user: str, region: str = REGIONS[0]) -> Any:
    config = openstack.config.OpenStackConfig(
        config_files=[str(layout.clouds_yaml)], load_envvars=False
    )
    # At first there is no catalog.
    config.cloud_config['clouds'][user] |= {
        'region_name': region,
        'identity_endpoint_override': layout.keystone,
    }
    return openstack.connection.Connection(config=config.get_one(user))


def _make_identities(keystone: Any, layout: Layout) -> dict[str, str]:
    """Make projects, users and the catalog; return the projects' IDs."""
    roles = {role.name: role for role in keystone.roles()}
    # A token with it is one of a service. Old Keystones do not make it.
    if 'service' not in roles:
        roles['service'] = keystone.create_role(name='service')
    projects = {each.name: each for each in keystone.projects()}
    for name in ('demo', 'service'):
        projects[name] = keystone.create_project(
            name=name, domain_id='default'
        )
    for name, (project, granted) in {**USERS, **_SERVICE_USERS}.items():
        if name == 'admin':
            continue
        user = keystone.create_user(
            name=name, password=PASSWORD, domain_id='default'
        )
        for role in granted.split():
            keystone.assign_project_role_to_user(
                projects[project], user, roles[role]
            )
    for region in REGIONS:
        keystone.create_region(id=region)
    for kind in layout.endpoints(REGIONS[0]):
        service = keystone.create_service(type=kind, name=kind)
        for region in REGIONS:
            for interface in ('public', 'internal', 'admin'):
                # The URL depends on the port, which may change.
                keystone.create_endpoint(
                    service_id=service.id,
                    region_id=region,
                    interface=interface,
                    url='http://127.0.0.1',
                )
    return {name: project.id for name, project in projects.items()}


class _Filling:
    """Fills one region.

    :ivar seen: the IDs of the servers that the user ``demo`` sees, by name
    :ivar others: the IDs of the others
    """

    def __init__(
        self, layout: Layout, projects: dict[str, str], region: str
    ) -> None:
        self._users = {
            user: _connect(layout, user, region) for user in ('admin', 'demo')
        }
        self._admin = self._users['admin']
        self._projects = projects
        self._region = region
        self._glance_db = layout.glance_db(region)
        self._nova_db = layout.nova_db(region)
        #: The names of the images that were made, by ID.
        self._names: dict[str, str | None] = {}
        self.seen: dict[str, str] = {}
        self.others: dict[str, str] = {}

    def fill(self) -> None:
        content = CONTENT[self._region]
        for flavor_id, name, ram, disk in content.flavors:
            self._admin.compute.create_flavor(
                id=flavor_id, name=name, ram=ram, disk=disk, vcpus=1
            )
        # Servers need an image, and some images are taken from servers.
        [boot_id] = self._make_images([CIRROS])
        booted = [
            (name, self._boot('demo', name, boot_id))
            for name in content.servers
        ]
        # The newer one of two with the same name.
        self.seen |= booted
        self._make_images(content.images(self.seen))
        for _name, server_id in booted:
            self._wait(server_id)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._make_server, content.more))
        images.adopt(self._glance_db, self._names)

    def _make_images(self, wanted: Iterable[Image]) -> list[str]:
        """Make images, the newest first; return their IDs."""
        made = [
            image.at(
                number,
                id=image.id or images.image_id(self._region, number),
                owner=self._projects[image.owner],
            )
            for number, image in enumerate(wanted, len(self._names))
        ]
        images.insert(self._glance_db, made)
        self._names |= {image.id: image.name for image in made}
        return [image.id for image in made]

    def _boot(self, user: str, name: str, image_id: str) -> str:
        """Request a server; return its ID."""
        server = self._users[user].compute.create_server(
            name=name, image_id=image_id, flavor_id='2', networks='none'
        )
        return str(server.id)

    def _wait(self, server_id: str, status: str = 'ACTIVE') -> None:
        """Wait until a server has a status, and no task.

        A task may still run after the status has changed.
        """
        for _ in openstack.utils.iterate_timeout(
            _PATIENCE, f'{server_id} is not {status}', wait=0.1
        ):
            server = self._admin.compute.get_server(server_id)
            if server.status == 'ERROR':
                raise DevcloudError(f'{server.name}: {server.fault}')
            if server.status == status and not server.task_state:
                break

    def _make_server(self, server: Server) -> None:
        """Create a server, and bring it to its final state."""
        known = {name: key for key, name in self._names.items()}
        image_id = known[server.image]
        user, admin = self._users[server.project], self._admin
        server_id = self._boot(server.project, server.name, image_id)
        self._wait(server_id)
        match server.fate:
            case 'shelved':
                user.compute.shelve_server(server_id)
                self._wait(server_id, 'SHELVED')
            case 'offloaded':
                user.compute.shelve_server(server_id)
                self._wait(server_id, 'SHELVED')
                admin.compute.post(
                    f'/servers/{server_id}/action',
                    json={'shelveOffload': None},
                )
                self._wait(server_id, 'SHELVED_OFFLOADED')
            case 'deleted':
                user.compute.create_server_image(
                    server_id, f'{server.name}-snapshot', wait=True
                )
                self._wait(server_id)
                user.compute.delete_server(server_id)
            case 'image deleted':
                admin.image.delete_image(image_id)
            case 'volume':
                # There is no Cinder, so Nova cannot boot from a volume. It
                # then displays an empty image, but no volume is attached.
                with opened(self._nova_db) as db:
                    db.execute(
                        "UPDATE instances SET image_ref = '' WHERE uuid = ?",
                        (server_id,),
                    )
        is_seen = server.project == 'demo' and server.fate != 'deleted'
        (self.seen if is_seen else self.others)[server.name] = server_id
