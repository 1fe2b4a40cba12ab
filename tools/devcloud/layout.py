# SPDX-License-Identifier: Apache-2.0

"""The paths and addresses of a cloud."""

import json
import os
from pathlib import Path
import sys
from typing import Any

from regions import REGIONS as CONTENT

REGIONS = tuple(CONTENT)

PASSWORD = 'devcloud'
USERS = {
    'admin': {'password': PASSWORD, 'project': 'admin', 'role': 'admin'},
    'demo': {'password': PASSWORD, 'project': 'demo', 'role': 'member'},
    'reader': {'password': PASSWORD, 'project': 'demo', 'role': 'reader'},
}

#: Users of the services: each has its name, in the project 'service'.
SERVICE_USERS = ('glance', 'nova')

#: The processes, in the order in which they start. Keystone serves all
#: regions; a Nova is its API, conductor, scheduler and compute, the Placement
#: of its region, and what stands in for Neutron.
PROCESSES = (
    'keystone',
    *(f'glance-{region}' for region in REGIONS),
    *(f'nova-{region}' for region in REGIONS),
)


class Layout:
    """The folder of a cloud.

    The facts about it are stored in a file: ``home``, the folder that the
    databases name; ``ports`` of the processes; ``projects``, ``servers`` and
    ``other_servers``, IDs by name; ``seeded``, number of added images.

    :ivar home: the folder
    :ivar ports: port of each process on 127.0.0.1
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports: dict[str, int] = {}
        self._facts = home / 'facts.json'

    def read_facts(self) -> dict[str, Any]:
        """Return the facts that are known."""
        try:
            facts: dict[str, Any] = json.loads(self._facts.read_text())
        except FileNotFoundError:
            facts = {'ports': {}, 'seeded': 0}
        return facts

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Store the facts."""
        self._facts.write_text(json.dumps(facts))

    def folder(self, process: str) -> Path:
        """Return the folder of a process, with its configuration and data."""
        return self.home / process

    def glance_db(self, region: str) -> Path:
        """Return the path of the database of a Glance."""
        return self.folder(f'glance-{region}') / 'glance.db'

    def nova_db(self, region: str) -> Path:
        """Return the path of the database with the servers of a Nova."""
        return self.folder(f'nova-{region}') / 'cell1.db'

    def hold_file(self, region: str) -> Path:
        """Return the file that prevents snapshots from finishing."""
        return self.folder(f'nova-{region}') / 'hold-snapshots'

    @property
    def clouds_yaml(self) -> Path:
        """The configuration for clients."""
        return self.home / 'clouds.yaml'

    @property
    def keystone(self) -> str:
        """The URL of Keystone, with its version."""
        return url(self.ports['keystone'], '/v3')

    def endpoints(self, region: str) -> dict[str, str]:
        """Return the URL of each type of service in a region."""
        nova = self.ports[f'nova-{region}']
        return {
            'compute': url(nova, '/v2.1'),
            'image': url(self.ports[f'glance-{region}']),
            'network': url(nova, '/network'),
            'placement': url(nova, '/placement'),
        }

    def write_clouds_yaml(self) -> None:
        """Write the configuration for clients; only the user may read it."""
        clouds = {
            name: {
                'auth': {
                    'auth_url': self.keystone,
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

    def environment(self, user: str) -> dict[str, str]:
        """Return the environment of a client."""
        # The client in the venv of this program comes first.
        here = str(Path(sys.executable).parent)
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith('OS_')},
            'OS_CLIENT_CONFIG_FILE': str(self.clouds_yaml),
            'OS_CLOUD': user,
            'PATH': os.pathsep.join((here, os.environ.get('PATH', ''))),
        }

    def describe(self) -> dict[str, dict[str, str]]:
        """Return the facts about each region for programs."""
        return {
            region: {
                'compute_url': self.endpoints(region)['compute'],
                'image_url': self.endpoints(region)['image'],
                'glance_db': str(self.glance_db(region)),
                'nova_db': str(self.nova_db(region)),
                'hold_file': str(self.hold_file(region)),
            }
            for region in REGIONS
        }


def url(port: int, path: str = '') -> str:
    """Return a URL of a loopback port."""
    return f'http://127.0.0.1:{port}{path}'
