# SPDX-License-Identifier: Apache-2.0

"""A cloud and its services."""

from pathlib import Path
import shutil
from typing import Any

from building import build
import configs
from databases import move_endpoints
from databases import move_files
import glance
from install import DevcloudError
from install import ensure_venv
from install import locked
from install import NEWEST
from install import Say
from layout import Facts
from layout import Layout
from layout import PROCESSES
from layout import REGIONS
from original import Original
from services import free_port
from services import Service

#: Version of a cloud's data. A cloud with another version is made again.
_FORMAT = '4'

_FIRST = REGIONS[0]


class Cloud:
    """A Keystone and a Neutron; a Glance and a Nova in each of two regions.

    :param state: the folder of all clouds and their venvs
    :param name: name of this cloud
    :param release: release of OpenStack, one of :data:`install.RELEASES`
    :param say: reports progress to the user
    :ivar layout: the paths and addresses of the cloud
    """

    def __init__(self, state: Path, name: str, release: str, say: Say) -> None:
        self._state = state
        self._release = release
        self._say = say
        # Databases of different releases are not compatible.
        folder = name if release == NEWEST else f'{name}-{release}'
        self.layout = Layout(state / 'clouds' / folder)
        self._home = self.layout.home
        self._facts = Facts(self._home / 'facts.json')
        self._stamp = self._home / 'complete'
        self._lock = state / 'clouds' / f'{folder}.lock'
        self._original = Original(state / 'originals', release)
        self._services = {
            name: Service(name, self._home) for name in PROCESSES
        }

    def is_up(self) -> bool:
        """Return whether all services run."""
        return self._is_complete() and all(
            service.pid() is not None for service in self._services.values()
        )

    def up(self, *, fresh: bool = False) -> None:
        """Start the cloud, from any state."""
        venv = ensure_venv(self._state, self._release, self._say)
        python = venv / 'bin' / 'python'
        with locked(self._lock):
            if fresh:
                self._destroy()
            if self.is_up():
                self._say('The cloud is up already')
                return
            try:
                if not self._is_complete():
                    self._destroy()
                    self._make(venv)
                self._begin(venv)
                self._start(python)
            except BaseException:
                self._stop()
                raise
            self._stamp.write_text(_FORMAT)
            self._say(f'The cloud is up: {self.layout.clouds_yaml}')

    def down(self) -> None:
        """Stop the services of the cloud."""
        with locked(self._lock):
            self._stop()

    def seed(self, count: int) -> None:
        """Add images to the first region."""
        facts = self._known_facts()
        there = facts['seeded']
        glance.seed(self.layout.glance_db(_FIRST), _FIRST, there, count,
                    facts['projects'])  # fmt: skip
        facts['seeded'] = there + count
        self._facts.write(facts)

    def unseed(self) -> None:
        """Remove the images that were added."""
        facts = self._known_facts()
        database = self.layout.glance_db(_FIRST)
        glance.unseed(database, _FIRST, facts['seeded'])
        facts['seeded'] = 0
        self._facts.write(facts)

    def make_backups(self) -> None:
        """Make the images that examples change, afresh in each region."""
        facts = self._known_facts()
        for region in REGIONS:
            glance.make_backups(
                self.layout.glance_db(region),
                region,
                facts['projects']['demo'],
            )

    def remove_backups(self) -> None:
        """Remove these images."""
        self._known_facts()
        for region in REGIONS:
            glance.remove_backups(self.layout.glance_db(region), region)

    def facts(self) -> dict[str, Any]:
        """Return the facts for programs."""
        facts = self._known_facts()
        kept = ('projects', 'servers', 'other_servers')
        return {
            'clouds_yaml': str(self.layout.clouds_yaml),
            'keystone_url': self.layout.keystone,
            **{name: facts[name] for name in kept},
            'regions': self.layout.describe(),
        }

    def _is_complete(self) -> bool:
        try:
            return self._stamp.read_text() == _FORMAT
        except FileNotFoundError:
            return False

    def _known_facts(self) -> dict[str, Any]:
        if not self._is_complete():
            raise DevcloudError('There is no such cloud yet: bring it up')
        facts = self._facts.read()
        self.layout.ports = facts['ports']
        return facts

    def _make(self, venv: Path) -> None:
        """Copy a new cloud; the first of its kind is made, and started."""
        with locked(self._state / 'originals' / f'{self._release}.lock'):
            if self._original.exists():
                self._say('Copying a new cloud ...')
                self._original.copy_to(self._home)
                return
            self._home.mkdir(parents=True)
            self._begin(venv)
            made = build(
                venv / 'bin' / 'python', self.layout, self._start, self._say
            )
            self._facts.write(self._facts.read() | made)
            self._original.keep(self._home)

    def _begin(self, venv: Path) -> None:
        """Choose ports, and write the configuration."""
        facts = self._facts.read()
        old = facts['ports']
        home = Path(facts.setdefault('home', str(self._home)))
        is_copy = home != self._home
        # A running service keeps its port. Copies may start at the same time.
        ports = {
            name: old[name]
            if service.pid() is not None
            else free_port(None if is_copy else old.get(name))
            for name, service in self._services.items()
        }
        if ports != old:
            self._stop()
        self.layout.ports = facts['ports'] = ports
        configs.write(self.layout, venv / 'etc')
        self.layout.write_clouds_yaml()
        if old and ports != old:
            move_endpoints(self.layout, old)
        if is_copy:
            move_files(self.layout, home)
            facts['home'] = str(self._home)
        self._facts.write(facts)

    def _start(self, python: Path, *only: str) -> None:
        names = only or PROCESSES
        if not only and any(self._services[n].pid() is None for n in names):
            self._say('Starting Keystone, Neutron, Glance and Nova ...')
        for name in names:
            self._services[name].start(
                python,
                name.partition('-')[0],
                self.layout.folder(name),
                self.layout.ports[name],
            )
        for name in names:
            self._services[name].wait(self.layout.ports[name])

    def _stop(self) -> None:
        for service in self._services.values():
            service.ask_to_stop()
        for service in self._services.values():
            service.stop()

    def _destroy(self) -> None:
        self._stop()
        self._stamp.unlink(missing_ok=True)
        shutil.rmtree(self._home, ignore_errors=True)
