# SPDX-License-Identifier: Apache-2.0

"""The promises of ``doc/source/promises.rst``.

Any change here except an addition breaks the programs of users: it needs a new
major version and a release note.
"""

import configparser
import importlib.metadata
import os
import pathlib
import re

import pytest

from testbed import nova
from tests.unit.project import promise

ROOT = pathlib.Path(__file__).parents[3]

ID = nova.image_id(1)
BRIEF = {'ID': ID, 'Name': 'cirros-1', 'Status': 'ACTIVE'}
LONG = {
    **BRIEF,
    'Progress': 100,
    'Server ID': nova.image_id(2),
    'Min Disk': 1,
    'Min RAM': 512,
    'Size': 21430272,
    'Created At': '2026-11-23T16:11:28Z',
    'Updated At': '2026-11-23T17:12:31Z',
    'Properties': {'os_distro': 'cirros'},
}
SHOWN = {
    **{key.lower().replace(' ', '_'): value for key, value in LONG.items()},
    'disk_config': 'AUTO',
}
MINE = {'Cloud': 'mycloud', 'Region': 'RegionOne'}


@pytest.fixture
def image(http):
    """Serve an image with all fields; return it."""
    server = {'id': nova.image_id(2), 'links': []}
    image = nova.image(1, server=server, **{'OS-DCF:diskConfig': 'AUTO'})
    http.get(nova.DETAIL, json=nova.page([image]))
    http.get(f'{nova.ENDPOINT}/images/{ID}', json={'image': image})
    return image


@pytest.mark.parametrize(
    ('line', 'promised'),
    [
        ('list', BRIEF),
        ('list --all-regions --long', {'Region': 'RegionOne', **LONG}),
        ('list --all-clouds', {**MINE, **BRIEF}),
        (f'show {ID}', SHOWN),
        (
            f'show {ID} --all-clouds',
            {**SHOWN, **{k.lower(): MINE[k] for k in MINE}},
        ),
    ],
)
def test_fields(app, image, line, promised):
    got = app.rows(line)
    # Those of show are sorted.
    expected = sorted(promised.items())
    if line.startswith('list'):
        [got], expected = got, [*promised.items()]
    assert [*got.items()] == expected


def test_fields_that_compute_may_leave_out(app, http, image):
    for field in ('OS-DCF:diskConfig', 'server', 'name', 'metadata'):
        del image[field]
    shown = app.rows(f'show {ID}')
    assert SHOWN.keys() - shown.keys() == {'disk_config'}
    [listed] = app.listed('--long')
    empty = {'Name': None, 'Server ID': None, 'Properties': {}}
    assert listed == {**LONG, **empty}


def test_python_api():
    assert promise.STORED.read_text() == promise.text(), (
        'The Python API has changed. If that is intended, run "python -m '
        'tests.unit.project.promise" and review the difference: anything '
        'except an addition breaks the programs of users'
    )


def test_lowest_versions():
    """They are those that are tested: those installed, if LOWEST is set."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    requirements = setup['options']['install_requires'].split()
    promised = dict(requirement.split('>=') for requirement in requirements)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / 'tox.ini')
    [section] = [name for name in tox if name.startswith('testenv:lowest')]
    pins = re.findall(r'^(\S+)==(\S+)$', tox[section]['deps'], re.MULTILINE)
    assert promised.items() <= dict(pins).items()
    if 'LOWEST' in os.environ:
        installed = {
            name: importlib.metadata.version(name) for name in promised
        }
        assert installed == promised
