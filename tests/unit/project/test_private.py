# SPDX-License-Identifier: Apache-2.0

"""Private names of other libraries that the plugin uses.

This is the list. If a library removes one, commands work without the feature,
and these tests fail.
"""

import argparse
import ast
from collections.abc import Iterator
import inspect
import pathlib
import re

from keystoneauth1 import adapter
from keystoneauth1 import session
from openstack.config import loader
import pytest

import osc_compute_images
from osc_compute_images.api.clouds import _cloud
from osc_compute_images.api.http import _settings
from osc_compute_images.commands import show
from osc_compute_images.output import escaping

#: Private names and the files that use them; comments say where each name is
#: defined, and what happens without it.
PRIVATE = {
    # keystoneauth1.session.Session: token requests are retried more often.
    '_connect_retries': 'api/http/_settings.py',
    # openstack.config.OpenStackConfig: the regions of a cloud are those of
    # its catalog, and --all-clouds may prompt for a password.
    '_get_known_regions': 'api/clouds/_cloud.py',
    '_pw_callback': 'targets/logins.py',
    # cliff.command.Command: hooks cannot add to the help.
    '_hooks': 'base.py',
    # argparse.ArgumentParser: the options of the output come first in help,
    # and those of other commands are unknown, without a hint.
    '_action_groups': 'base.py',
    '_option_string_actions': 'options/habits.py',
    # cliff.columns.FormattableColumn: all subclasses in osc-lib use it, too.
    '_value': 'output/escaping.py output/used_by.py',
}

FOLDER = pathlib.Path(osc_compute_images.__file__).parent

#: Private names that are documented: of named tuples, and of commands.
DOCUMENTED = {'_replace', '_epilog'}


def is_private(name: str) -> bool:
    """Return whether any part of a dotted name is private."""
    return any(re.match('_[A-Za-z]', part) for part in name.split('.'))


def own_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are defined or assigned."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(
                value=ast.Name(id='self'), attr=name, ctx=ast.Store()
            ):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Assign(
                targets=[ast.Name(id='__slots__')], value=ast.Tuple(elts=slots)
            ):
                yield from (slot.value for slot in slots)


def other_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are imported or looked up."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                yield name
            case ast.ImportFrom(module=module, names=names):
                if not module.startswith(FOLDER.name):
                    yield from (f'{module}.{each.name}' for each in names)
            case (
                ast.Call(
                    func=ast.Name(id='getattr' | 'hasattr' | 'setattr'),
                    args=[_, ast.Constant(value=str(name)), *_],
                )
                | ast.Call(
                    func=ast.Attribute(attr='import_module'),
                    args=[ast.Constant(value=str(name))],
                )
            ):
                yield name


def used() -> dict[str, set[str]]:
    """Return the private names of other libraries, and the files."""
    own = {*DOCUMENTED}
    found: dict[str, set[str]] = {}
    for path in FOLDER.rglob('*.py'):
        tree = ast.parse(path.read_text())
        own.update(own_names(tree))
        for name in filter(is_private, other_names(tree)):
            place = path.relative_to(FOLDER).as_posix()
            found.setdefault(name, set()).add(place)
    # FormattableColumn has this name, and so has one of our columns.
    own.discard('_value')
    return {name: places for name, places in found.items() if name not in own}


def test_private_names_are_listed():
    assert used() == {k: {*v.split()} for k, v in PRIVATE.items()}


# -- with these names ------------------------------------------------------


def test_session_has_connect_retries():
    if 'connect_retries' not in inspect.signature(session.Session).parameters:
        pytest.skip('This keystoneauth has no such retries')
    assert session.Session(connect_retries=7)._connect_retries == 7


def test_config_has_known_regions_and_pw_callback():
    def ask():
        raise NotImplementedError

    config = loader.OpenStackConfig(
        config_files=[], load_envvars=False, pw_func=ask
    )
    assert config._pw_callback is ask
    assert callable(config._get_known_regions)


def test_cliff_has_private_names():
    assert not [*show.ShowComputeImage(None, None)._hooks]
    assert escaping.HumanSizeColumn(1000)._value == 1000


def test_parser_has_groups_and_options():
    parser = argparse.ArgumentParser()
    group = parser.add_argument_group('title')
    option = group.add_argument('--option')
    assert parser._action_groups[2:] == [group]
    assert parser._option_string_actions['--option'] is option


# -- without these names ---------------------------------------------------


def test_session_without_retries_has_none():
    made = adapter.Adapter(object())
    assert _settings.retries(made).connect == _settings.RETRIES


def test_config_without_known_regions():
    class Config:
        cloud_config = {'clouds': {'mine': {'regions': ['a', 'b']}}}

    assert _cloud.Cloud(Config(), 'mine').configured_regions() == []


def test_epilog_without_hooks():
    made = show.ShowComputeImage(None, None)
    expected = made.get_epilog()
    del made._hooks
    assert made.get_epilog() == expected
    assert 'osc-compute-images' in expected
