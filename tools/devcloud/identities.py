# SPDX-License-Identifier: Apache-2.0

"""The projects, users and catalog of a new cloud."""

from collections.abc import Callable

from layout import Layout
from layout import PASSWORD
from layout import REGIONS
from layout import SERVICE_USERS
from layout import USERS
from rest import Rest


def make_identities(admin: Rest, layout: Layout) -> dict[str, str]:
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
    _make_catalog(make, layout)
    return projects


def _make_catalog(make: Callable[..., str], layout: Layout) -> None:
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
