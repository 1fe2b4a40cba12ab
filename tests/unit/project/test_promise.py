# SPDX-License-Identifier: Apache-2.0

"""The promises of ``doc/source/promises.rst``.

Any change here except an addition breaks the programs of users: it needs a new
major version and a release note.
"""

import configparser
import importlib.metadata
import json
import os
import pathlib
import re

import pytest

from osc_compute_images.commands import show
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from testbed import nova
from tests.unit.commands import test_commands
from tests.unit.project import promise

ROOT = pathlib.Path(__file__).parents[3]

BRIEF = {'ID': str, 'Name': str, 'Status': str}
LONG = {
    **BRIEF,
    'Progress': int,
    'Server ID': str,
    'Min Disk': int,
    'Min RAM': int,
    'Size': int,
    'Created At': str,
    'Updated At': str,
    'Properties': dict,
}
SHOWN = {
    'created_at': str,
    'disk_config': str,
    'id': str,
    'min_disk': int,
    'min_ram': int,
    'name': str,
    'progress': int,
    'properties': dict,
    'server_id': str,
    'size': int,
    'status': str,
    'updated_at': str,
}

#: Exit codes of ``show --wait``; other errors are 1, invalid usage is 2.
EXIT_CODES = {
    'EXIT_ERROR': 3,
    'EXIT_DELETED': 4,
    'EXIT_VANISHED': 5,
    'EXIT_TIMEOUT': 6,
}

FULL = nova.image(
    1,
    server={'id': nova.image_id(2), 'links': []},
    **{'OS-DCF:diskConfig': 'AUTO'},
)


def types(document):
    return {key: type(value) for key, value in document.items()}


app = test_commands.app


def printed_by(app, command, *words):
    code, printed = test_commands.run(app, command, '-f', 'json', *words)
    assert code == 0
    return json.loads(printed)


@pytest.mark.parametrize(
    ('words', 'promised'),
    [
        ([], BRIEF),
        (['--long'], LONG),
        (['--region', 'RegionOne'], {'Region': str, **BRIEF}),
        (['--all-regions', '--long'], {'Region': str, **LONG}),
        (['--all-clouds'], {'Cloud': str, 'Region': str, **BRIEF}),
    ],
)
def test_keys_and_types_of_list(app, http, words, promised):
    http.get(nova.DETAIL, json=nova.page([FULL]))
    [listed] = printed_by(app, ListComputeImage, *words)
    assert types(listed) == promised
    assert list(listed) == list(promised)


@pytest.mark.parametrize(
    ('words', 'promised'),
    [
        ([], SHOWN),
        (['--all-regions'], {**SHOWN, 'region': str}),
        (['--all-clouds'], {**SHOWN, 'cloud': str, 'region': str}),
    ],
)
def test_keys_and_types_of_show(app, http, words, promised):
    http.get(f'{nova.ENDPOINT}/images/{FULL["id"]}', json={'image': FULL})
    shown = printed_by(app, ShowComputeImage, FULL['id'], *words)
    assert types(shown) == promised
    assert list(shown) == sorted(promised)


def test_exit_codes_of_show_wait():
    codes = {
        name: value
        for name, value in vars(show).items()
        if name.startswith('EXIT_')
    }
    assert codes == EXIT_CODES


def test_python_api():
    assert promise.STORED.read_text() == promise.text(), (
        'The Python API has changed. If that is intended, run "python -m '
        'tests.unit.project.promise" and review the difference: anything '
        'except an addition breaks the programs of users'
    )


def promised_versions():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    requirements = setup['options']['install_requires'].split()
    return dict(requirement.split('>=') for requirement in requirements)


def test_lowest_versions_in_setup_cfg_and_tox_agree():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / 'tox.ini')
    [section] = [name for name in tox if name.startswith('testenv:lowest')]
    pins = re.findall(r'^(\S+)==(\S+)$', tox[section]['deps'], re.MULTILINE)
    assert promised_versions().items() <= dict(pins).items()


@pytest.mark.skipif(
    'LOWEST' not in os.environ, reason='for the lowest versions only'
)
def test_lowest_versions_are_installed():
    installed = {
        name: importlib.metadata.version(name) for name in promised_versions()
    }
    assert installed == promised_versions()
