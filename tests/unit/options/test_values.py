# SPDX-License-Identifier: Apache-2.0

"""Values of options, as the parsers of commands read them."""

import contextlib
import datetime
import functools
import itertools

from hypothesis import assume
from hypothesis import given
import hypothesis.strategies as st
from openstackclient.image.v2 import image as image_commands
import pytest

from osc_compute_images.options import declared
from osc_compute_images.options import habits
from tests.unit.project.examples import examples
from tests.unit.running import COMMANDS


@functools.cache
def parser_of_command(name):
    return COMMANDS[name](None, None).get_parser('openstack x')


TIMES = ('created-before', 'created-after', 'changes-before', 'changes-since')


def read(option, text):
    name = 'prune' if option.startswith('keep-') else 'list'
    parser = parser_of_command('create' if option == 'timeout' else name)
    parsed = parser.parse_args([f'--{option}={text}'])
    value = vars(parsed)[option.replace('-', '_')]
    return value[0] if isinstance(value, list) else value


VALID = {
    'max-items': {'0100': 100},
    'keep-last': {'0': 0},
    'timeout': {'90': 90, '0.5': 0.5},
    'status': {'ACTIVE': 'ACTIVE', 'saving': 'saving'},
    'min-disk': {'10': {'exactly': 10}, '=10': {'exactly': 10}},
    'min-ram': {'<= 20': {'at_most': 20}, ' >=0 ': {'at_least': 0}},
    'size': {
        '4096': {'exactly': 4096},
        '<500MiB': {'less_than': 500 * 2**20},
        ' <= 1.5 gb ': {'at_most': 1_500_000_000},
        '>0.5KiB': {'more_than': 512},
        '2Ti': {'exactly': 2**41},
    },
    'property': {
        'a': ('a', None, True),
        'a=': ('a', '', True),
        'a!=': ('a', '', False),
        'a=!=b': ('a', '!=b', True),
        'a!!=b': ('a!', 'b', False),
    },
    'keep-within': {
        '0d': datetime.timedelta(),
        '90min': datetime.timedelta(minutes=90),
        '1y5d': datetime.timedelta(days=370),
    },
    'changes-before': {'2026-11': '2026-11-01T00:00:00Z'},
    'created-after': {
        '0999-01-01': '0999-01-01T00:00:00Z',
        # Images have whole seconds.
        '2026-11-23T16:11:28.1': '2026-11-23T16:11:29Z',
    },
}


@pytest.mark.parametrize('option', VALID)
def test_valid_values(option):
    for text, value in VALID[option].items():
        assert read(option, text) == value


#: What each kind of value is not.
INVALID = {
    ('limit', 'max-items', 'newest'): '0|-1|1.5| 1|1_0|all|²',
    ('keep-last', 'keep-daily'): '-1|x|1.5',
    ('timeout',): '0|-1|nan|inf|1e999|soon',
    ('status',): 'queued|ACTIVE ',
    ('min-disk', 'min-ram'): '>=|=>10|-1|1.5|10GB|==1|!=1|~5',
    ('size',): 'big|10XB|-1|1.5|>=|1 0|1e3|GB',
    ('name-regex', 'not-name-regex'): '(|*|[a|(?P<n>',
    ('property',): '=|=x|!=x',
    ('group-by',): '|size|name,|property:|Name|name, server',
    ('keep-within',): '|3|6m|7D|-1d|1h30|30min24h|1d1d|24 h|٣d|999999999y',
    TIMES: 'now|-1d|1.5h|24h30m|24 h|30|1700000000|2026-11-23X16:11|2026-02-30'
    '|99999999999w|9999-12-31T23:59:59.5|0001-01-01T00:00+02:00',
}


#: What the errors say is valid.
CHOICES = {
    'status': 'ACTIVE, SAVING, ERROR, DELETED, UNKNOWN',
    'group-by': 'name, server, type, status and property:<key>',
    'keep-within': '(units: y of 365 days, w, d, h and min',
}


@pytest.mark.parametrize('options', INVALID)
def test_invalid_value_is_repeated_in_the_error(options, capsys):
    for option, text in itertools.product(
        options, INVALID[options].split('|')
    ):
        with pytest.raises(SystemExit, match='2'):
            read(option, text)
        error = capsys.readouterr().err.splitlines()[-1]
        assert f'argument --{option}: ' in error
        assert repr(text.split(',')[-1]) in error
        assert CHOICES.get(option, '') in error


@pytest.mark.parametrize(
    'option',
    [
        *('limit', 'timeout', 'status', 'min-disk', 'property'),
        *('keep-within', 'created-after', 'size', 'name-regex', 'group-by'),
    ],
)
@given(
    text=st.text(max_size=12)
    | st.from_regex(r'[-+0-9a-zTW:=<>.,/ ]{0,25}', fullmatch=True)
    | st.integers(0).map(str)
    | st.just('9' * 5000)
    | st.just('9' * 5000 + 'w')
)
@examples()
def test_any_text_is_valid_or_a_usage_error(option, text):
    # NOTE: some releases of argparse fail for "--option=--".
    assume(text != '--')
    with contextlib.suppress(SystemExit):
        read(option, text)


@pytest.mark.parametrize('name', ['list', 'summary', 'prune', 'set', 'unset'])
def test_an_empty_value_is_an_error(name, capsys):
    """It would select what the script did not mean."""
    prefix, negative = ('--with-', '--without-')
    if name not in ('set', 'unset'):
        prefix, negative = '--', '--not-'
    options = [prefix + o.name for o in declared.FILTERS if o.metavar]
    options += [negative + o.name for o in declared.FILTERS if o.negative]
    options += ['--property'] if name == 'unset' else ['--region']
    for option in options:
        with pytest.raises(SystemExit):
            parser_of_command(name).parse_args([f'{option}='])
        told = f'argument {option}: the value is empty (probably an unset var'
        assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ('command', 'words', 'hint'),
    [
        ('set', 'x --min-disk=1', 'openstack image set --min-disk'),
        ('unset', '--tag a x', 'openstack image unset --tag'),
        ('list', '--sort name:asc', 'use --sort-column'),
        ('list', '--all', 'see also --all-regions'),
        ('list', '--tag a', 'openstack image list --tag'),
    ],
)
def test_option_of_another_command_is_refused(command, words, hint, capsys):
    with pytest.raises(SystemExit) as caught:
        parser_of_command(command).parse_args(words.split())
    assert caught.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith('usage: openstack x [options]')
    assert hint in error


@pytest.mark.parametrize('verb', ['set', 'unset', 'list'])
def test_openstack_image_has_the_options_that_are_suggested(verb, capsys):
    table = habits.LISTING if verb == 'list' else habits.ASSIGNING
    for name in itertools.chain.from_iterable(table):
        with pytest.raises(SystemExit):
            parser_of_command(verb).parse_args([f'--{name}'])
        _, found, command = capsys.readouterr().err.partition(
            'openstack image '
        )
        if found:
            word, option = command.split('"')[0].split()
            kind = getattr(image_commands, f'{word.title()}Image')
            parser = kind(None, None).get_parser('')
            assert option in parser.format_help()


@pytest.mark.parametrize('name', ['list', 'summary', 'prune'])
def test_help_names_all_keys_of_groups(name):
    text = ' '.join(parser_of_command(name).format_help().split())
    assert 'type, status or property:<key>' in text
