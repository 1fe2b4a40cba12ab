# SPDX-License-Identifier: Apache-2.0

"""The ``openstack image`` command that is suggested instead.

Its own parser, and its own code, say that it means the same.
"""

import argparse
import re
import shlex
import types

from hypothesis import given
from hypothesis import strategies as st
from openstackclient.image.v2 import image as osc_image
from osc_lib import exceptions
import pytest

from osc_compute_images import counterpart
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.running import COMMANDS
from tests.unit.running import errors
from tests.unit.running import ID
from tests.unit.running import new_fleet

THEIRS = {
    'list': osc_image.ListImage,
    'show': osc_image.ShowImage,
    'set': osc_image.SetImage,
    'unset': osc_image.UnsetImage,
    'delete': osc_image.DeleteImage,
}
POLICY = nova.fault(
    403,
    'forbidden',
    "Policy doesn't allow os_compute_api:images to be performed.",
)
CLOUD = 'openstack --os-cloud=mycloud'
GONE = nova.fault(410, 'gone', 'Gone.')
APP = types.SimpleNamespace(
    options=argparse.Namespace(), parser=argparse.ArgumentParser()
)


def suggestion(name, words):
    """Return the arguments of a command, and what is suggested instead."""
    command = COMMANDS[name](None, None)
    command.app, command.cmd_name = APP, name
    parsed = command.get_parser('').parse_args(words)
    return parsed, counterpart.line_of(command, parsed)


def theirs(line):
    """Parse a suggestion as OpenStackClient does; return the arguments."""
    _openstack, _image, verb, *words = shlex.split(line)
    return THEIRS[verb](None, None).get_parser('').parse_args(words)


@pytest.mark.parametrize(
    ('refusal', 'line'),
    [
        (POLICY, 'list --name web --status active --limit 5 -f json'),
        (GONE, 'list --public --marker x --long'),
        (GONE, 'list --property a=b -c Name --sort-column name'),
        (POLICY, "show -f shell 'a b;$c'"),
        (GONE, 'show --human-readable -- -x'),
        (POLICY, 'set web --property os_distro=b --property=-c=d=e'),
        (GONE, 'delete web db'),
    ],
)
def test_counterpart_is_in_the_only_line(app, http, caplog, refusal, line):
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    http.get(f'{nova.ENDPOINT}/images', **refusal)
    http.get(nova.DETAIL, **refusal)
    verb, *words = shlex.split(line)
    # Flags that are not needed there are left out.
    words += {'delete': ['--force'], 'set': ['--allow-private']}.get(verb, [])
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(verb, *words)
    message = str(caught.value)
    assert not caplog.records
    assert '\n' not in message
    assert f'(HTTP {refusal["status_code"]}) (Request-ID: req-1). ' in message
    assert '). Use the Image service instead' in message
    assert ('is stored in' in message) == line.startswith('delete')
    assert message.endswith(f': {CLOUD} image {line}')


@pytest.mark.parametrize(
    'line',
    [
        *('list --name ubuntu:24.04', 'list --status ACTIVE', 'show in:a,b'),
        *('list --limit 1001', 'list --property a=b --limit 5'),
        *('list --property a=b --property a=c', 'list -c Size'),
        *('list --stat active', "show 'a\x1b'", 'summary'),
        *('prune --keep-last 1 --auto-approve', 'delete -- web --force'),
        # OpenStackClient takes these for other fields than properties.
        *('set web --property is_protected=False', 'unset web --property id'),
        *('list --property hw_cpu_cores=4', 'set web --property location=x'),
        *('unset web --property name', 'list --property os_hidden=yes'),
    ],
)
def test_less_than_what_was_said_is_not_suggested(line):
    name, *words = shlex.split(line)
    assert suggestion(name, words)[1] is None


def forbid_changes(http, answer):
    """Let Compute refuse changes of images."""
    new_fleet().serve(http)
    for method in ('DELETE', 'POST'):
        http.register_uri(method, re.compile('/images/.+'), **answer)


@pytest.mark.parametrize(
    'line',
    [f'delete {ID[1]} {ID[2]}', f'unset --property=image_type {ID[1]}'],
)
def test_policy_may_forbid_only_the_change(app, http, caplog, line):
    forbid_changes(http, POLICY)
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(line)
    assert str(caught.value).endswith(f': {CLOUD} image {line}')
    assert not errors(caplog)
    changes = [r for r in sent(http) if not r.startswith('GET ')]
    assert len(changes) == 1


@pytest.mark.parametrize(
    ('line', 'said', 'shown'),
    [
        ('delete', 'You are not allowed to', '-c protected -c owner'),
        ('set --property=a=b', 'Not authorized for', '-c owner'),
        ('unset --property=image_type', 'Not authorized for', '-c owner'),
        ('set --property=a=b', 'Image metadata limit exceeded', None),
    ],
)
def test_403_of_one_image_says_where_to_look(
    app, http, caplog, line, said, shown
):
    forbid_changes(http, nova.fault(403, 'forbidden', said))
    assert app.run(f'{line} {ID[1]}')[0] == 1
    told, _total = errors(caplog)
    assert said in told
    assert ('protected,' in told) == (line == 'delete')
    if shown is None:
        assert 'It may be ' not in told
    else:
        look = told.partition('"openstack image show ')[2].partition('"')[0]
        assert look == f'{shown} {ID[1]}'
        theirs(f'openstack image show {look}')


NAMES = st.sampled_from(
    ['web', "it's", 'a b', '$(x)', 'a:b', '--all', '--force', 'x=y', '7']
)
WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *('--long', '--public', '--community', '--human-readable'),
                *('--force', '--auto-approve', '--dry-run', '--no-property'),
                *('--allow-private', '--unused', '--all', '--include-used'),
                *('--sort-ascending', '--all-regions', '--status=active'),
                *('--status=error', '--property=a=b', '--property=a'),
                *('--property=a!=b', '--property=owner_id=x', '--limit=7'),
                *('--max-items=9', '--marker=a', '--created-before=1d'),
                *('--keep-property=a', '--max-changes=1', '-fjson', '-cID'),
                *('-cSize', '--sort-column=Name', '--max-width=9', '--lo'),
            ]
        ),
        NAMES.map('--name={}'.format),
    ),
    max_size=4,
)


@pytest.mark.parametrize('name', THEIRS)
@given(words=WORDS, data=st.data())
def test_suggestion_parses_and_means_the_same(name, words, data):
    most = {'list': 0, 'delete': 3}.get(name, 1)
    names = data.draw(st.lists(NAMES, min_size=most > 0, max_size=most))
    try:
        mine, line = suggestion(name, [*words, *['--'] * bool(names), *names])
    except (SystemExit, argparse.ArgumentTypeError):
        # The second is that of an older osc-lib.
        return
    if line is None:
        return
    expected = vars(mine)
    if name == 'list':
        for one in ('name', 'status'):
            value = expected[one]
            expected[one] = value[0] if value else None
        items = {key: value for key, value, _ in mine.property or ()}
        expected['property'] = items or None
    for key, value in vars(theirs(line)).items():
        if key in expected and expected[key] is not False:
            assert value == expected[key], key
