# SPDX-License-Identifier: Apache-2.0

"""The configuration files of the services."""

from pathlib import Path
import shutil
import textwrap

from layout import Layout
from layout import PASSWORD
from layout import PROCESSES
import templates

_FILES = {
    'keystone': {'keystone.conf': templates.KEYSTONE},
    'neutron': {'neutron.conf': templates.NEUTRON},
    'glance': {'glance-api.conf': templates.GLANCE},
    'nova': {
        'nova.conf': templates.NOVA,
        'placement.conf': templates.PLACEMENT,
    },
}

_SHIPPED = {
    'neutron': ('neutron/api-paste.ini',),
    'glance': ('glance/glance-api-paste.ini',),
    'nova': ('nova/api-paste.ini',),
}

_TYPES = {
    'keystone': 'identity',
    'neutron': 'network',
    'glance': 'image',
    'nova': 'compute',
}


def write(layout: Layout, etc: Path) -> None:
    """Write the configuration of all services, each into its folder.

    :param etc: the folder of configuration files from the packages
    """
    for process in PROCESSES:
        service, _, region = process.partition('-')
        home = layout.folder(process)
        home.mkdir(parents=True, exist_ok=True)
        values = {
            'home': home,
            'log': layout.home / f'{process}.log',
            'user': service,
            'type': _TYPES[service],
            'password': PASSWORD,
            'keystone': layout.keystone,
            'region': region,
        }
        if service == 'nova':
            values['glance'] = layout.endpoints(region)['image']
            values['hold_file'] = layout.hold_file(region)
            # A killed test may have left it.
            layout.hold_file(region).unlink(missing_ok=True)
        for name, template in _FILES[service].items():
            text = textwrap.dedent(template).format(**values)
            (home / name).write_text(text.lstrip())
        for path in _SHIPPED.get(service, ()):
            shutil.copy(etc / path, home)
        if service == 'glance':
            for folder in ('images', 'staging', 'tasks'):
                (home / folder).mkdir(exist_ok=True)
