# SPDX-License-Identifier: Apache-2.0

"""A cloud and its services."""

import hashlib
from pathlib import Path
import shutil
from typing import Any

import images
from install import DevcloudError
from install import ensure_venv
from install import locked
from install import NEWEST
from install import Say
from layout import Layout
from layout import REGIONS
from processes import Processes

#: Version of a cloud's folder. A cloud with another version is made again.
_FORMAT = 6

_FIRST = REGIONS[0]


class Cloud:
    """A Keystone, and a Glance and a Nova in each of two regions.

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
        self._lock = state / 'clouds' / f'{folder}.lock'
        self._processes = Processes(self.layout)

    def is_up(self) -> bool:
        return self._is_complete() and self._processes.run()

    def up(self, *, fresh: bool = False) -> None:
        """Start the cloud, from any state."""
        venv = ensure_venv(self._state, self._release, self._say)
        with locked(self._lock):
            if self.is_up() and not fresh:
                self._say('The cloud is up already')
                return
            self._processes.stop()
            try:
                if fresh or not self._is_complete():
                    shutil.rmtree(self.layout.home, ignore_errors=True)
                    self._make(venv)
                self._say('Starting Keystone, Glance and Nova ...')
                self._processes.configure(venv)
                self._processes.start(venv)
            except BaseException:
                self._processes.stop()
                raise
            self.layout.learn(format=_FORMAT)
            self._say(f'The cloud is up: {self.layout.clouds_yaml}')

    def down(self) -> None:
        with locked(self._lock):
            self._processes.stop()

    def seed(self, count: int) -> None:
        """Add images to the first region, instead of those added before."""
        facts = self._known_facts()
        number = max(count, facts['seeded'])
        made = images.bulk(_FIRST, number, facts['projects'])
        images.replace(self.layout.glance_db(_FIRST), made, made[:count])
        self.layout.learn(seeded=count)

    def make_backups(self, *, only_remove: bool = False) -> None:
        """Make the images that examples change, afresh in each region."""
        owner = self._known_facts()['projects']['demo']
        for region in REGIONS:
            made = images.backups(region, owner)
            new = [] if only_remove else made
            images.replace(self.layout.glance_db(region), made, new)

    def facts(self) -> dict[str, Any]:
        """Return the facts for programs."""
        self._known_facts()
        return self.layout.describe()

    def _is_complete(self) -> bool:
        return self.layout.facts.get('format') == _FORMAT

    def _known_facts(self) -> dict[str, Any]:
        if not self._is_complete():
            raise DevcloudError('There is no such cloud yet: bring it up')
        return self.layout.facts

    def _make(self, venv: Path) -> None:
        """Copy a filled cloud; the first of its kind is made.

        It is kept as long as this program and the versions of the services are
        the same.
        """
        program = Path(__file__).parent
        files = [*program.rglob('*.py'), *program.rglob('*.txt')]
        sources = b''.join(path.read_bytes() for path in sorted(files))
        key = hashlib.sha256(sources).hexdigest()[:12]
        folder = self._state / 'originals' / f'{self._release}-{key}'
        with locked(folder.with_name(f'{self._release}.lock')):
            if not folder.exists():
                for old in folder.parent.glob(f'{self._release}-*'):
                    shutil.rmtree(old)
                made = folder.with_name(f'unfinished-{self._release}')
                self._fill(venv, made)
                made.rename(folder)
            shutil.copytree(folder, self.layout.home)

    def _fill(self, venv: Path, folder: Path) -> None:
        # Few commands need openstacksdk.
        from building import build

        layout = Layout(folder)
        processes = Processes(layout)
        processes.stop()
        shutil.rmtree(folder, ignore_errors=True)
        try:
            build(venv, layout, processes, self._say)
        finally:
            processes.stop()
