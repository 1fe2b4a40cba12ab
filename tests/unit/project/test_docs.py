# SPDX-License-Identifier: Apache-2.0

"""The documentation agrees with the code."""

import argparse
import ast
import configparser
import contextlib
import enum
import importlib
import inspect
import pathlib
import re
import shlex
import sys
import textwrap
import typing

from openstack.compute.v2 import _proxy
from openstackclient.image.v2 import image as osc_image
from osc_lib.command import command
import pytest

from osc_compute_images import _shell
from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images.api import _limits
from osc_compute_images.api import filters
from osc_compute_images.api.filters import _regex
from osc_compute_images.api.http import _body
from osc_compute_images.changes import interruption
from osc_compute_images.changes.command import PlanCommand
from osc_compute_images.output import bounds
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from tests.unit.project import promise

ROOT = pathlib.Path(__file__).parents[3]
SOURCE = ROOT / 'doc' / 'source'

sys.path.insert(0, str(SOURCE / '_ext'))

import exit_codes  # noqa: E402

PAGES = (*ROOT.glob('*.rst'), *SOURCE.rglob('*.rst'))


def commands():
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    lines = config['options.entry_points']['openstack.compute.v2']
    for line in lines.strip().splitlines():
        name, module, attribute = re.split(r' = |:', line)
        yield (
            name.replace('_', ' '),
            getattr(importlib.import_module(module), attribute),
        )


COMMANDS = dict(commands())


def actions(command_class):
    return command_class(None, None).get_parser('prog')._actions


def options_of(*command_classes):
    """Return the options in the help of commands."""
    return {
        option
        for command_class in command_classes
        for action in actions(command_class)
        for option in action.option_strings
    }


#: Options of all list and show commands.
GENERAL = options_of(
    *(
        type('Any', (base,), {'__module__': __name__, 'take_action': None})
        for base in (command.Lister, command.ShowOne)
    )
)
OWN = options_of(*COMMANDS.values()) - GENERAL
GLOBAL = {
    *('--debug', '--insecure', '--quiet', '--timing', '--verify'),
    *('--access-rules', '--os-interface', '--os-region-name'),
    # pytest
    '--dist',
    # pipx and uv
    *('--include-apps', '--with', '--with-executables-from'),
}


def table(page, number=0):
    """Return the rows of a list-table, as lists of the text of their cells."""
    text = (SOURCE / page).read_text().split('.. list-table::')[number + 1]
    rows = text.partition('\n\n')[2].partition('\n\n')[0]
    return [
        [
            ' '.join(cell.split())
            for cell in re.split(r'^     -(?= |$)', row, flags=re.MULTILINE)
        ]
        for row in re.split(r'^   \* -(?= |$)', rows, flags=re.MULTILINE)[2:]
    ]


def test_security_page_lists_limits():
    limits = {
        name: value
        for module in (_limits, _body, escaping, bounds, _regex)
        for name, value in vars(module).items()
        if name.startswith('MAX_')
    }
    documented = [cells[1] for cells in table('../../SECURITY.rst')]
    assert sorted(f'{n:,}' for n in limits.values()) == sorted(documented)


def words(cell):
    return re.findall(r'``(.*?)``', cell)


def test_each_command_has_a_page():
    pages = {path.stem: path for path in (SOURCE / 'commands').glob('*.rst')}
    assert pages.keys() == {name.split()[-1] for name in COMMANDS}
    for name in COMMANDS:
        text = pages[name.split()[-1]].read_text()
        assert text.splitlines()[1] == f'openstack {name}'
        assert f'\n.. command-reference:: {name}\n' in text


@pytest.mark.parametrize('name', COMMANDS)
def test_options_have_help_and_metavar(name):
    for action in actions(COMMANDS[name]):
        if action.option_strings and {*action.option_strings} <= GENERAL:
            continue
        assert action.help[0].isupper(), action
        assert not action.help.endswith('.'), action
        if action.nargs != 0:
            assert re.fullmatch(
                r'<[a-z=-]+>(\[[=,]<[a-z]+>(\.\.\.)?\])?', action.metavar
            )


@pytest.mark.parametrize('name', COMMANDS)
def test_examples_in_help_are_valid(name):
    made = COMMANDS[name](None, None)
    parser = made.get_parser(f'openstack {name}')
    lines = parser.format_help().splitlines()
    assert len(made.examples) == 2
    for words in made.examples:
        assert f'  openstack {name} {words}' in lines
        parsed = parser.parse_args(shlex.split(words))
        # There is no terminal to ask for approval.
        parsed.auto_approve = True
        made.check(parsed)
    # cliff offers these options for completion.
    own = [
        action
        for action in parser._get_optional_actions()
        if not {*action.option_strings} <= GENERAL
    ]
    assert all(action.help != argparse.SUPPRESS for action in own)


def test_help_of_list_fits(monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    text = COMMANDS['compute image list'](None, None).get_parser('x')
    own, cliffs, _end = re.split(
        '(?s)(output formatters:.*?)(?=Examples:)', text.format_help()
    )
    titles = re.findall('^(\\w.*):$', own, re.MULTILINE)
    assert titles == [
        *('options', 'name', 'state and age', 'size and properties', 'use'),
        *('how many', 'where', 'output'),
    ]
    assert '--sort-column' in cliffs
    assert own.count('\n') < 100


def test_options_are_documented():
    text = ' '.join(page.read_text() for page in PAGES)
    used = {*re.findall(r'--[a-z][\w-]*', text)}
    # filters.rst gives the rule of "--with-" and "--without-".
    named = {
        re.sub('^--with-', '--', option).replace('--without-', '--not-')
        for option in OWN
    }
    # Metadata is the first choice, without another meaning.
    named = (named - {'--metadata'}) | {'--with-metadata'}
    assert named <= used


@pytest.mark.parametrize(
    'page',
    [*PAGES, *(ROOT / 'releasenotes' / 'notes').glob('*.yaml')],
    ids=lambda page: page.stem,
)
def test_documented_options_exist(page):
    text = page.read_text()
    known = OWN | GENERAL | GLOBAL
    if page.name == 'compute-image.rst':
        parser = _shell.ComputeImageShell(plugins=True).parser
        known |= set(parser._option_string_actions) | {'--os-'}
    if page.name == 'coming-from.rst':
        known |= options_of(
            osc_image.ListImage, osc_image.SetImage, osc_image.UnsetImage
        )
        # gcloud and hcloud
        known |= {'--filter', '--selector', '--sort', '--sort-by'}
    if page.name == 'getting-started.rst':
        # podman
        known |= {'--build-arg', '--entrypoint', '--env', '--read-only'}
        known |= {'--rm', '--tag', '--user', '--userns', '--volume'}
    # Options of other programs appear in examples only.
    prose = '\n'.join(
        line
        for line in text.splitlines()
        if 'openstack ' not in line and 'pip install' not in line
    )
    unknown = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', prose)) - known
    assert not unknown, page


def exit_codes_of(command_class):
    """Return the numbers that the modules of a command define."""
    modules = {sys.modules[each.__module__] for each in command_class.__mro__}
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith('EXIT_')
    }


@pytest.mark.parametrize('name', COMMANDS)
def test_exit_codes_are_documented(name):
    documented = [
        row.code
        for row in exit_codes.TABLE
        if name.split()[-1] in row.commands
    ]
    codes = {0, 1, 2} | exit_codes_of(COMMANDS[name])
    if name in ('compute image show', 'compute image check'):
        # The one reads no servers; the other has a level for it.
        codes.remove(base.EXIT_REFUSED)
    if issubclass(COMMANDS[name], PlanCommand):
        codes |= {128 + number for number in interruption.SIGNALS}
    assert documented == sorted(codes)


def test_all_public_modules_are_promised():
    text = (SOURCE / 'promises.rst').read_text()
    names = text.partition('its modules')[2].partition('that do not')[0]
    modules = {
        module.__name__.removeprefix('osc_compute_images.api.')
        for module in promise.MODULES
    }
    assert set(words(names)) == modules


def test_filters_page_lists_filter_options():
    documented = {
        word.split()[0]
        for option, *_ in table('filters.rst')
        for word in words(option)
    }
    assert documented == OWN & options_of(COMMANDS['compute image list']) - {
        *('--long', '--marker', '--all-clouds', '--all-regions'),
        *('--region', '--usage', '--human-readable'),
    }


def test_promised_keys_exist():
    image = api.Image(id='0', disk_config='AUTO')
    of_list, of_show = (
        {word for row in table('promises.rst') for word in words(row[n])}
        for n in (0, 1)
    )
    assert of_list == {
        *('Cloud', 'Region'),
        *field.columns(long=True).headers,
        *used_by.HEADERS,
    }
    assert of_show == set(
        field.shown(image, {'cloud': 'mycloud', 'region': 'RegionOne'})
    )


ERRORS = {
    name
    for name in api.__all__
    if inspect.isclass(getattr(api, name))
    and issubclass(getattr(api, name), Exception)
}


def test_reference_lists_public_names():
    text = (SOURCE / 'api.rst').read_text()
    documented = set(re.findall(r'^\.\. auto\w+:: (\w+)$', text, re.MULTILINE))
    assert documented == set(api.__all__) - ERRORS


def test_constants_and_members_of_enumerations_are_documented():
    for module in (api, *promise.MODULES):
        source = inspect.getsource(module)
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, enum.Enum):
                members = inspect.getsource(value)
                for each in value:
                    assert re.search(rf'#: .+\n    {each.name} = ', members)
            elif not callable(value) and not typing.get_args(value):
                assert re.search(rf'#: .+\n{name}\b', source), name


def test_reference_lists_errors_with_their_attributes():
    above = [Exception]
    documented = []
    for name, _raised, attributes in table('api.rst'):
        error = getattr(api, words(name)[0])
        del above[name.count('|_|') + (error is not api.ImagesError) + 1 :]
        assert error.__base__ is above[-1], name
        above.append(error)
        own = {*inspect.signature(error).parameters} - {
            *('message', 'http_status', 'request_id')
        }
        assert {*words(attributes)} == own, name
        documented.append(error.__name__)
    assert sorted(documented) == sorted(ERRORS)


def test_calls_in_coming_from_exist():
    owners = {'api': api.ImagesAPI, 'page': api.ImagePage}
    sdk_rows = table('coming-from.rst', 3)
    for *_others, here in table('coming-from.rst', 2) + sdk_rows:
        for owner, call in re.findall(r'(api|page)\.(\w+)\(', here):
            assert hasattr(owners[owner], call), call
    assert len(sdk_rows) > 9
    for sdk, *_others in sdk_rows:
        # Several calls are those of several releases.
        calls = re.findall(r'(\w*images?\w*)\(', sdk)
        known = [call for call in calls if hasattr(_proxy.Proxy, call)]
        assert known or not calls, f'coming-from.rst: no call exists: {sdk}'


def test_link_targets_exist():
    for page in ROOT.glob('*.rst'):
        targets = re.findall(
            r'^\.\. (?:_.*|image:): (.*)$', page.read_text(), re.MULTILINE
        )
        for target in targets:
            assert target.startswith('https:') or (ROOT / target).exists()


def test_source_tree_in_contributing_exists():
    text = (ROOT / 'CONTRIBUTING.rst').read_text()
    _, _, text = text.partition('Source tree\n')
    text = text.partition('::\n\n')[2].partition('\n\n')[0]
    folder = ROOT
    for line in text.splitlines():
        names = re.findall(r'\S+(?:/|\.py)(?=\s)', line[:36])
        assert names, line
        for name in names:
            # The parts of a folder are indented.
            path = folder / name if line[4] == ' ' else ROOT / name
            assert path.exists(), name
        if line[4] != ' ':
            folder = ROOT / names[0]


OWNERS = {'api': api.ImagesAPI, 'filters': filters}


def calls_in_examples():
    """Yield the calls in literal blocks of pages and modules, in Python."""
    paths = (*PAGES, *(ROOT / 'osc_compute_images' / 'api').rglob('*.py'))
    for path in paths:
        text = path.read_text()
        for block in re.findall(r'::\n\n((?:    .*\n|\n)+)', text):
            nodes = []
            with contextlib.suppress(SyntaxError):
                nodes = ast.walk(ast.parse(textwrap.dedent(block)))
            for node in nodes:
                match node:
                    case ast.Call(
                        ast.Attribute(ast.Name(owner), attr=call)
                    ) if owner in OWNERS:
                        yield path.name, owner, call, node


def test_python_examples_match_signatures():
    examples = [*calls_in_examples()]
    assert len(examples) > 30
    for name, owner, call, node in examples:
        arguments = [None] * (len(node.args) + (owner == 'api'))
        keywords = {word.arg: None for word in node.keywords}
        function = getattr(OWNERS[owner], call)
        try:
            inspect.signature(function).bind(*arguments, **keywords)
        except TypeError as e:
            pytest.fail(f'{name}: {ast.unparse(node)}: {e}')
