# SPDX-License-Identifier: Apache-2.0

"""The documentation agrees with the code."""

import inspect
import pathlib
import re
import shlex
import sys

from openstackclient.image.v2 import image as osc_image
from osc_lib.command import command
import pytest

from osc_compute_images import _shell
from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images.api import _errors
from osc_compute_images.api import _limits
from osc_compute_images.api.filters import _names
from osc_compute_images.api.http import _body
from osc_compute_images.changes import interruption
from osc_compute_images.output import bounds
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output import used_by
from tests.unit.project import promise
from tests.unit.running import COMMANDS

ROOT = pathlib.Path(__file__).parents[3]
SOURCE = ROOT / 'doc' / 'source'

sys.path.insert(0, str(SOURCE / '_ext'))

import exit_codes  # noqa: E402

PAGES = (*ROOT.glob('*.rst'), *SOURCE.rglob('*.rst'))


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
#: Those of the shell, and of commands and programs that pages compare with.
OTHERS = {
    *_shell.ComputeImageShell(plugins=True).parser._option_string_actions,
    *options_of(osc_image.ListImage, osc_image.SetImage, osc_image.UnsetImage),
    *('--os-', '--access-rules'),
    # pytest, pipx and uv
    *('--dist', '--include-apps', '--with', '--with-executables-from'),
    # gcloud and hcloud
    *('--filter', '--selector', '--sort', '--sort-by'),
    # podman
    *('--build-arg', '--entrypoint', '--env', '--read-only', '--rm', '--tag'),
    *('--user', '--userns', '--volume'),
}


def table(page):
    """Return the rows of a list-table, as lists of the text of their cells."""
    text = (SOURCE / page).read_text().split('.. list-table::')[1]
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
        for module in (_limits, _errors, _body, escaping, bounds, _names)
        for name, value in vars(module).items()
        if name.startswith('MAX_')
    }
    documented = [cells[1] for cells in table('../../SECURITY.rst')]
    assert sorted(f'{n:,}' for n in limits.values()) == sorted(documented)


def words(cell):
    return re.findall(r'``(.*?)``', cell)


def test_each_command_has_a_page():
    pages = {path.stem: path for path in (SOURCE / 'commands').glob('*.rst')}
    assert pages.keys() == COMMANDS.keys()
    for name, path in pages.items():
        text = path.read_text()
        assert text.splitlines()[1] == f'openstack compute image {name}'
        assert f'\n.. command-reference:: compute image {name}\n' in text


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
    parser = made.get_parser(f'openstack compute image {name}')
    lines = parser.format_help().splitlines()
    assert len(made.examples) == 2
    for words in made.examples:
        assert f'  {parser.prog} {words}' in lines
        parsed = parser.parse_args(shlex.split(words))
        # There is no terminal to ask for approval.
        parsed.auto_approve = True
        made.check(parsed)


def test_options_of_the_output_come_last():
    parser = COMMANDS['list'](None, None).get_parser('x')
    text = parser.format_help()
    order = ('name:', 'how many:', 'output:', 'output formatters:', 'Examples')
    found = [text.index(f'\n{title}') for title in order]
    assert found == sorted(found)


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
    # Options of other programs appear in examples only.
    prose = '\n'.join(
        line
        for line in text.splitlines()
        if 'openstack ' not in line and 'pip install' not in line
    )
    unknown = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', prose))
    assert not unknown - OWN - GENERAL - OTHERS


@pytest.mark.parametrize('name', COMMANDS)
def test_exit_codes_are_documented(name):
    documented = [r.code for r in exit_codes.TABLE if name in r.commands]
    codes = {0, 1, 2} | {
        value
        for each in COMMANDS[name].__mro__
        for key, value in vars(sys.modules[each.__module__]).items()
        if key.startswith('EXIT_')
    }
    if name in ('show', 'check'):
        # The one reads no servers; the other has a level for it.
        codes.remove(base.EXIT_REFUSED)
    codes |= {128 + number for number in interruption.SIGNALS}
    assert documented == sorted(codes)


def test_all_public_modules_are_promised():
    text = (SOURCE / 'promises.rst').read_text()
    names = text.partition('its modules')[2].partition('that do not')[0]
    assert set(words(names)) == promise.modules().keys()


def test_filters_page_lists_filter_options():
    documented = {
        word.split()[0]
        for option, *_ in table('filters.rst')
        for word in words(option)
    }
    assert documented == OWN & options_of(COMMANDS['list']) - {
        *('--long', '--marker', '--all-clouds', '--all-regions'),
        *('--region', '--usage', '--human-readable'),
    }


def test_promised_keys_exist():
    image = api.Image(id='0', disk_config='AUTO')
    of_list, of_show = (
        {word for row in table('promises.rst') for word in words(row[n])}
        for n in (0, 1)
    )
    assert of_list == {'Cloud', 'Region', *field.LONG, *used_by.HEADERS}
    assert of_show == {*field.shown(image, {'cloud': 'x', 'region': 'y'})}


def test_reference_lists_public_names_and_attributes_of_errors():
    text = (SOURCE / 'api.rst').read_text()
    documented = set(re.findall(r'^\.\. auto\w+:: (\w+)$', text, re.MULTILINE))
    rows = {words(name)[0]: words(own) for name, _, own in table('api.rst')}
    assert documented == {*api.__all__} - rows.keys()
    for name, attributes in rows.items():
        assert issubclass(getattr(api, name), api.ImagesError)
        own = {*inspect.signature(getattr(api, name)).parameters}
        own -= {'message', 'http_status', 'request_id'}
        assert {*attributes} == own, name


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
