# SPDX-License-Identifier: Apache-2.0

"""Making a new cloud, with its projects, users and catalog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from databases import make_databases
from filling import fill
from install import Say
from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import SERVICE_USERS
from layout import USERS
from rest import Rest


def build(
    python: Path, layout: Layout, start: Callable[..., None], say: Say
) -> dict[str, Any]:
    """Make databases, start all services and fill them.

    :param python: Python of the cloud's venv
    :param start: starts the named processes, or all
    :return: the facts about the cloud
    """
    facts: dict[str, Any] = {}

    def log_in() -> Rest:
        return Rest(layout.keystone, 'admin', PASSWORD, 'admin')

    def begin_with_keystone() -> None:
        # The other services need their users at start.
        start(python, 'keystone')
        facts['projects'] = _make_identities(log_in(), layout)

    say('Making databases ...')
    make_databases(python, layout, begin_with_keystone)
    start(python)
    say('Filling it with flavors, images and servers ...')
    return facts | fill(log_in(), layout, facts['projects'])


def _make_identities(admin: Rest, layout: Layout) -> dict[str, str]:
    """Make projects, users and the catalog; return the projects' IDs."""
    v3 = admin.keystone

    def make(kind: str, **fields: object) -> str:
        made = admin('POST', f'{v3}/{kind}s', {kind: fields})[kind]
        return str(made['id'])

    roles = {r['name']: r['id'] for r in admin('GET', f'{v3}/roles')['roles']}
    # A token with it is one of a service. Old Keystones do not make it.
    roles['service'] = roles.get('service') or make('role', name='service')
    projects = {'admin': admin.project_id}
    for name in ('demo', 'service'):
        projects[name] = make('project', name=name, domain_id='default')
    service = {
        'password': PASSWORD,
        'project': 'service',
        'role': 'admin service',
    }
    services = dict.fromkeys(SERVICE_USERS, service)
    for name, user in {**USERS, **services}.items():
        if name == 'admin':
            continue
        user_id = make(
            'user', name=name, password=user['password'], domain_id='default'
        )
        for role in user['role'].split():
            admin(
                'PUT',
                f'{v3}/projects/{projects[user["project"]]}/users/{user_id}'
                f'/roles/{roles[role]}',
            )
    # Keystone's bootstrap has created the first region.
    for region in REGIONS[1:]:
        make('region', id=region)
    for kind, name in (
        ('compute', 'nova'), ('image', 'glance'), ('network', 'neutron'),
        ('placement', 'placement'),
    ):  # fmt: skip
        service_id = make('service', type=kind, name=name)
        for region in REGIONS:
            for interface in ('public', 'internal', 'admin'):
                make(
                    'endpoint', service_id=service_id, region_id=region,
                    interface=interface, url=layout.endpoints(region)[kind],
                )  # fmt: skip
    return projects
