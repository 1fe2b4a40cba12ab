# SPDX-License-Identifier: Apache-2.0

"""A cloud: its folder, its services, its life."""

from concurrent.futures import ThreadPoolExecutor
import contextlib
import grp
import json
import os
from pathlib import Path
import pwd
import shutil
import sqlite3
import subprocess
import sys
import time
from typing import Any

import configs
import images
from install import DevcloudError
from install import ensure_venv
from install import locked
from install import NEWEST
from install import Say
import populate
from services import free_port
from services import Service

REGIONS = tuple(images.REGIONS)

_PASSWORD = 'devcloud'
USERS = {
    'admin': {'password': _PASSWORD, 'project': 'admin', 'role': 'admin'},
    'demo': {'password': _PASSWORD, 'project': 'demo', 'role': 'member'},
    'reader': {'password': _PASSWORD, 'project': 'demo', 'role': 'reader'},
}


class Cloud:
    """A Keystone, and a Glance and a Nova in each of two regions.

    :param state: the folder of all clouds and of what they run from
    :param name: of this cloud
    :param release: of OpenStack, one of :data:`install.RELEASES`
    :param say: tells the user what goes on
    """

    def __init__(self, state: Path, name: str, release: str, say: Say) -> None:
        self._state = state
        self._release = release
        self._say = say
        # The databases of one release do not suit another.
        folder = name if release == NEWEST else f'{name}-{release}'
        self.home = state / 'clouds' / folder
        self._facts_file = self.home / 'facts.json'
        self._stamp = self.home / 'complete'
        self.services = {
            service: Service(service, self.home)
            for service in (
                'keystone',
                'neutron',
                *(f'glance-{r}' for r in REGIONS),
                *(f'nova-{r}' for r in REGIONS),
            )
        }

    @property
    def clouds_yaml(self) -> Path:
        """The configuration for clients."""
        return self.home / 'clouds.yaml'

    def is_up(self) -> bool:
        """Tell whether all services run."""
        return self._stamp.exists() and all(
            service.pid() is not None for service in self.services.values()
        )

    def up(self, *, fresh: bool = False) -> None:
        """Bring the cloud up, from whatever state it is in."""
        venv = ensure_venv(self._state, self._release, self._say)
        with locked(self._state / 'clouds' / f'{self.home.name}.lock'):
            if fresh:
                self._destroy()
            if self.is_up():
                self._say('The cloud is up already')
                return
            new = not self._stamp.exists()
            if new:
                self._destroy()
                self.home.mkdir(parents=True)
            try:
                facts = self._write_configuration(venv)
                if new:
                    self._make_databases(venv, facts)
                else:
                    self._move_endpoints(facts)
                self._start(venv, facts)
                if new:
                    self._fill(facts)
            except BaseException:
                self._stop()
                raise
            self._stamp.touch()
            self._say(f'The cloud is up: {self.clouds_yaml}')

    def down(self) -> None:
        """Stop the services of the cloud."""
        with locked(self._state / 'clouds' / f'{self.home.name}.lock'):
            self._stop()

    def destroy(self) -> None:
        """Stop the services, and remove all that they keep."""
        with locked(self._state / 'clouds' / f'{self.home.name}.lock'):
            self._destroy()

    def seed(self, region: str, count: int) -> None:
        """Add images to one region."""
        facts = self._known_facts()
        populate.seed(
            self._glance_db(region),
            region,
            facts['seeded'].get(region, 0),
            count,
            facts['projects'],
        )
        facts['seeded'][region] = facts['seeded'].get(region, 0) + count
        self._facts_file.write_text(json.dumps(facts))

    def unseed(self, region: str) -> int:
        """Remove the images that were added to one region."""
        facts = self._known_facts()
        count: int = facts['seeded'].pop(region, 0)
        populate.unseed(self._glance_db(region), region, count)
        self._facts_file.write_text(json.dumps(facts))
        return count

    def status(self) -> dict[str, Any]:
        """Tell all that a program may want to know."""
        up = self.is_up()
        status: dict[str, Any] = {
            'up': up,
            'release': self._release,
            'state': str(self.home),
            'clouds_yaml': str(self.clouds_yaml),
            'users': USERS,
            'pids': {n: s.pid() for n, s in self.services.items()},
        }
        if self._stamp.exists():
            facts = self._known_facts()
            ports = facts['ports']
            status |= {
                'keystone_url': _url(ports['keystone'], '/v3'),
                'projects': facts['projects'],
                'servers': facts['servers'],
                'regions': {
                    region: {
                        'compute_url': _url(ports[f'nova-{region}'], '/v2.1'),
                        'image_url': _url(ports[f'glance-{region}']),
                        'glance_db': str(self._glance_db(region)),
                        'seeded': facts['seeded'].get(region, 0),
                    }
                    for region in REGIONS
                },
            }
        return status

    def environment(self, user: str) -> dict[str, str]:
        """Return the environment of a client."""
        # The client that is installed beside this program comes first.
        here = str(Path(sys.executable).parent)
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith('OS_')},
            'OS_CLIENT_CONFIG_FILE': str(self.clouds_yaml),
            'OS_CLOUD': user,
            'PATH': os.pathsep.join((here, os.environ.get('PATH', ''))),
        }

    def _known_facts(self) -> dict[str, Any]:
        if not self._stamp.exists():
            raise DevcloudError('There is no such cloud yet: bring it up')
        facts: dict[str, Any] = json.loads(self._facts_file.read_text())
        return facts

    def _glance_db(self, region: str) -> Path:
        return self.home / f'glance-{region}' / 'glance.db'

    def _write_configuration(self, venv: Path) -> dict[str, Any]:
        facts: dict[str, Any] = {'ports': {}, 'seeded': {}}
        if self._facts_file.exists():
            facts = json.loads(self._facts_file.read_text())
        # A service that runs keeps its port.
        ports = {
            name: facts['ports'][name]
            if service.pid() is not None
            else free_port(facts['ports'].get(name))
            for name, service in self.services.items()
        }
        moved = ports != facts['ports']
        if moved:
            self._stop()
        facts['old_ports'], facts['ports'] = facts['ports'], ports
        keystone = _url(ports['keystone'], '/v3')
        configs.write_keystone(
            self.home / 'keystone', log=self.services['keystone'].log
        )
        common = {'keystone': keystone, 'password': _PASSWORD}
        etc = venv / 'etc'
        configs.write_neutron(
            self.home / 'neutron',
            etc,
            log=self.services['neutron'].log,
            user='neutron',
            **common,
        )
        for region in REGIONS:
            configs.write_glance(
                self.home / f'glance-{region}',
                etc,
                log=self.services[f'glance-{region}'].log,
                user='glance',
                **common,
            )
            configs.write_nova(
                self.home / f'nova-{region}',
                etc,
                log=self.services[f'nova-{region}'].log,
                user='nova',
                glance=_url(ports[f'glance-{region}']),
                region=region,
                **common,
            )
        self._write_clouds_yaml(keystone)
        self._facts_file.write_text(json.dumps(facts))
        return facts

    def _write_clouds_yaml(self, keystone: str) -> None:
        clouds = {
            name: {
                'auth': {
                    'auth_url': keystone,
                    'username': name,
                    'password': user['password'],
                    'project_name': user['project'],
                    'user_domain_name': 'Default',
                    'project_domain_name': 'Default',
                },
                'region_name': REGIONS[0],
                'identity_api_version': '3',
            }
            for name, user in USERS.items()
        }
        self.clouds_yaml.touch(mode=0o600)
        # JSON is YAML.
        self.clouds_yaml.write_text(
            json.dumps({'clouds': clouds}, indent=2) + '\n'
        )

    def _make_databases(self, venv: Path, facts: dict[str, Any]) -> None:
        self._say('Making databases ...')
        home = self.home
        keystone = _url(facts['ports']['keystone'], '/v3')

        def make(service: str, *words: str) -> None:
            folder = home / (service if service in ('keystone', 'neutron') else f'{service}-{REGIONS[0]}')
            _run([str(venv / 'bin' / 'python'), str(Path(__file__).parent / 'inside' / 'make.py'), service, str(folder), *words])
            self._say(f'  {service}')

        def make_keystone() -> None:
            make('keystone', keystone, REGIONS[0], _PASSWORD)
            service = self.services['keystone']
            service.start(venv / 'bin' / 'python', 'keystone', home / 'keystone', facts['ports']['keystone'])
            service.wait(keystone)
            self._make_identities(facts)
            self._say('  identities')

        with ThreadPoolExecutor() as pool:
            tasks = [pool.submit(make_keystone)]
            tasks += [pool.submit(make, s) for s in ('nova', 'glance', 'neutron')]
            for task in tasks:
                task.result()
        for region in REGIONS[1:]:
            for service in ('glance', 'nova'):
                for path in (home / f'{service}-{REGIONS[0]}').glob('*.db'):
                    shutil.copy(path, home / f'{service}-{region}')
            path = home / f'nova-{region}' / 'api.db'
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                db.execute('UPDATE cell_mappings SET database_connection = replace(database_connection, ?, ?)', (f'/nova-{REGIONS[0]}/', f'/nova-{region}/'))

    def _make_identities(self, facts: dict[str, Any]) -> None:
        ports = facts['ports']
        urls = {
            region: {
                'compute': _url(ports[f'nova-{region}'], '/v2.1'),
                'placement': _url(ports[f'nova-{region}'], '/placement'),
                'image': _url(ports[f'glance-{region}']),
                'network': _url(ports['neutron']),
            }
            for region in REGIONS
        }
        admin = populate.Rest(_url(ports['keystone'], '/v3'), 'admin', _PASSWORD, 'admin')
        facts['projects'] = populate.make_identities(admin, urls, USERS, _PASSWORD)

    def _move_endpoints(self, facts: dict[str, Any]) -> None:
        """Tell the catalog of ports that are others than the last time."""
        path = self.home / 'keystone' / 'keystone.db'
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as db, db:
            for name, port in facts['ports'].items():
                old = facts['old_ports'].get(name, port)
                # By way of a name that is no port: two may have changed
                # places.
                db.execute(
                    'UPDATE endpoint SET url = replace(url, ?, ?)',
                    (_url(old), f'{name}:'),
                )
            for name, port in facts['ports'].items():
                db.execute(
                    'UPDATE endpoint SET url = replace(url, ?, ?)',
                    (f'{name}:', _url(port)),
                )

    def _start(self, venv: Path, facts: dict[str, Any]) -> None:
        self._say('Starting Keystone, Glance and Nova ...')
        python = venv / 'bin' / 'python'
        for name, service in self.services.items():
            service.start(
                python,
                name.partition('-')[0],
                self.home / name,
                facts['ports'][name],
            )
        for name, service in self.services.items():
            service.wait(_url(facts['ports'][name], '/'))

    def _fill(self, facts: dict[str, Any]) -> None:
        self._say('Filling it with users, flavors, servers and images ...')
        ports = facts['ports']
        keystone = _url(ports['keystone'], '/v3')
        urls = {
            region: {
                'compute': _url(ports[f'nova-{region}'], '/v2.1'),
                'image': _url(ports[f'glance-{region}']),
            }
            for region in REGIONS
        }
        admin = populate.Rest(keystone, 'admin', _PASSWORD, 'admin')
        projects = facts['projects']
        facts['servers'] = {}
        demo = populate.Rest(keystone, 'demo', _PASSWORD, 'demo')
        for region in REGIONS:
            facts['servers'][region] = self._fill_region(
                region, admin, demo, urls[region], projects
            )
        self._facts_file.write_text(json.dumps(facts))

    def _fill_region(
        self,
        region: str,
        admin: populate.Rest,
        demo: populate.Rest,
        urls: dict[str, str],
        projects: dict[str, str],
    ) -> dict[str, str]:
        content = images.REGIONS[region]
        populate.make_flavors(admin, urls['compute'], content.flavors)
        # Servers are made from an image, and some images from servers.
        made: dict[str, images.Image] = {}

        def make(number: int, image: images.Image) -> str:
            image_id = image.id or images.image_id(region, number)
            made[image_id] = image
            owner = projects[image.owner]
            populate.make_image(admin, urls['image'], image, image_id, owner)
            return image_id

        boot_id = make(0, images.CIRROS)
        servers = populate.make_servers(
            demo, urls['compute'], content.servers, boot_id
        )
        for number, image in enumerate(content.images(servers), start=1):
            make(number, image)
        populate.adjust_images(self._glance_db(region), made)
        return servers

    def _stop(self) -> None:
        for service in self.services.values():
            service.ask_to_stop()
        for service in self.services.values():
            service.stop()

    def _destroy(self) -> None:
        self._stop()
        self._stamp.unlink(missing_ok=True)
        shutil.rmtree(self.home, ignore_errors=True)


def _url(port: int, path: str = '') -> str:
    return f'http://127.0.0.1:{port}{path}'


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        words = ' '.join([Path(command[0]).name, *command[1:]])
        raise DevcloudError(f'{words} failed:\n{done.stdout[-3000:]}')


def timed(say: Say) -> Say:
    """Put the seconds since now before each line."""
    began = time.monotonic()
    return lambda text: say(f'{time.monotonic() - began:5.1f} s  {text}')
