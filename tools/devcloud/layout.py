# SPDX-License-Identifier: Apache-2.0

"""The paths and addresses of a cloud."""

import json
import os
from pathlib import Path
import sys
from typing import Any

REGIONS = ('RegionOne', 'RegionTwo')

#: That of all users.
PASSWORD = 'devcloud'

#: Project and role, by user.
USERS = {
    'admin': ('admin', 'admin'),
    'demo': ('demo', 'member'),
    'reader': ('demo', 'reader'),
}

#: The processes, in the order in which they start. Keystone serves all
#: regions; a Nova is its API, conductor, scheduler and compute, the Placement
#: of its region, and what stands in for Neutron.
PROCESSES = (
    'keystone',
    *(f'glance-{region}' for region in REGIONS),
    *(f'nova-{region}' for region in REGIONS),
)


class Layout:
    """The folder of a cloud. It may be copied: all paths in it are relative.

    The facts about it are stored in a file: ``ports`` of the processes;
    ``projects``, ``servers`` and ``other_servers``, IDs by name; ``seeded``,
    number of added images; ``format`` of the folder, when it is complete.

    :ivar home: the folder
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._facts = home / 'facts.json'

    @property
    def facts(self) -> dict[str, Any]:
        try:
            facts: dict[str, Any] = json.loads(self._facts.read_text())
        except FileNotFoundError:
            facts = {}
        return facts

    def learn(self, **facts: object) -> None:
        self._facts.write_text(json.dumps(self.facts | facts))

    def folder(self, process: str) -> Path:
        """Return the folder of a process, with its configuration and data."""
        return self.home / process

    def glance_db(self, region: str) -> Path:
        return self.folder(f'glance-{region}') / 'glance.db'

    def nova_db(self, region: str) -> Path:
        """Return the path of the database with the servers of a Nova."""
        return self.folder(f'nova-{region}') / 'cell1.db'

    def hold_file(self, region: str) -> Path:
        """Return the file that prevents snapshots from finishing."""
        return self.folder(f'nova-{region}') / 'hold-snapshots'

    @property
    def clouds_yaml(self) -> Path:
        return self.home / 'clouds.yaml'

    def _url(self, process: str, path: str = '') -> str:
        return f'http://127.0.0.1:{self.facts["ports"][process]}{path}'

    @property
    def keystone(self) -> str:
        """The URL of Keystone, with its version."""
        return self._url('keystone', '/v3')

    def endpoints(self, region: str) -> dict[str, str]:
        """Return the URL of each type of service in a region."""
        nova = f'nova-{region}'
        return {
            'identity': self.keystone,
            'compute': self._url(nova, '/v2.1'),
            'image': self._url(f'glance-{region}'),
            'network': self._url(nova, '/network'),
            'placement': self._url(nova, '/placement'),
        }

    def write_clouds_yaml(self) -> None:
        """Write the configuration for clients; only the user may read it."""
        clouds = {
            user: {
                'auth': {
                    'auth_url': self.keystone,
                    'username': user,
                    'password': PASSWORD,
                    'project_name': project,
                    'user_domain_name': 'Default',
                    'project_domain_name': 'Default',
                },
                'region_name': REGIONS[0],
                'identity_api_version': '3',
            }
            for user, (project, _role) in USERS.items()
        }
        self.clouds_yaml.touch(mode=0o600)
        # JSON is YAML.
        self.clouds_yaml.write_text(
            json.dumps({'clouds': clouds}, indent=2) + '\n'
        )

    def environment(self, user: str) -> dict[str, str]:
        # The client in the venv of this program comes first.
        here = str(Path(sys.executable).parent)
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith('OS_')},
            'OS_CLIENT_CONFIG_FILE': str(self.clouds_yaml),
            'OS_CLOUD': user,
            'PATH': os.pathsep.join((here, os.environ.get('PATH', ''))),
        }

    def describe(self) -> dict[str, Any]:
        """Return the facts for programs."""
        facts = self.facts
        kept = ('projects', 'servers', 'other_servers')
        return {
            'clouds_yaml': str(self.clouds_yaml),
            'keystone_url': self.keystone,
            **{name: facts[name] for name in kept},
            'regions': {
                region: {
                    'compute_url': self.endpoints(region)['compute'],
                    'image_url': self.endpoints(region)['image'],
                    'glance_db': str(self.glance_db(region)),
                    'nova_db': str(self.nova_db(region)),
                    'hold_file': str(self.hold_file(region)),
                }
                for region in REGIONS
            },
        }
