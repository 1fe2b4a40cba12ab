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
import types

from keystoneauth1 import adapter
from keystoneauth1 import session
from openstack.config import loader

import osc_compute_images
from osc_compute_images.api.clouds import _cloud
from osc_compute_images.api.http._session import BoundedSession
from osc_compute_images.commands.list import ListComputeImage
from osc_compute_images.output import escaping

#: Private names and the files that use them; comments say where each name is
#: defined, and what happens without it.
PRIVATE = {
    # keystoneauth1.session.Session: token requests are retried more often.
    '_connect_retries': 'api/http/_session.py',
    # openstack.config.OpenStackConfig: the regions of a vendor profile are
    # those of the catalog, and --all-clouds may prompt for a password.
    '_get_known_regions': 'api/clouds/_entries.py',
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

#: Private names that are documented: of named tuples.
DOCUMENTED = {'_replace'}


def names(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the names in a module, and whether they are defined there."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(ast.Name('self'), name, ast.Store())
            ):
                yield name, True
            case ast.Attribute(attr=name):
                yield name, False
            case ast.Call(
                ast.Name('getattr' | 'hasattr' | 'setattr'),
                [_, ast.Constant(str(name)), *_],
            ):
                yield name, False
            case ast.ImportFrom(module, imported):
                if not module.startswith(FOLDER.name):
                    yield from (
                        (f'{module}.{i.name}', False) for i in imported
                    )


def test_private_names_are_listed():
    own = {*DOCUMENTED}
    found: dict[str, set[str]] = {}
    for path in FOLDER.rglob('*.py'):
        place = path.relative_to(FOLDER).as_posix()
        for name, is_own in names(ast.parse(path.read_text())):
            if is_own:
                own.add(name)
            elif re.fullmatch(r'(\w+\.)*_[A-Za-z]\w*(\.\w+)*', name):
                found.setdefault(name, set()).add(place)
    # FormattableColumn has this name, and so has one of our columns.
    own.discard('_value')
    found = {name: where for name, where in found.items() if name not in own}
    assert found == {k: {*v.split()} for k, v in PRIVATE.items()}


# -- with these names ------------------------------------------------------


def test_libraries_have_private_names():
    def ask():
        raise NotImplementedError

    config = loader.OpenStackConfig(
        config_files=[], load_envvars=False, pw_func=ask
    )
    assert config._pw_callback is ask
    assert callable(config._get_known_regions)
    assert not [*ListComputeImage(None, None)._hooks]
    assert escaping.HumanSizeColumn(1000)._value == 1000
    parser = argparse.ArgumentParser()
    group = parser.add_argument_group('title')
    option = group.add_argument('--option')
    assert parser._action_groups[2:] == [group]
    assert parser._option_string_actions['--option'] is option
    # Older releases of keystoneauth have no such retries.
    if 'connect_retries' in inspect.signature(session.Session).parameters:
        assert session.Session(connect_retries=7)._connect_retries == 7


def test_hook_adds_to_epilog():
    class Hook:
        obj = types.SimpleNamespace(get_epilog=lambda: 'By a hook.')

    made = ListComputeImage(None, None)
    own = made.get_epilog()
    made._hooks = [Hook]
    hooked = own.replace('\n\nThis', '\n\nBy a hook.\n\nThis')
    assert made.get_epilog() == hooked != own


# -- without these names ---------------------------------------------------


def test_retries_regions_and_epilog():
    made = adapter.Adapter(object())
    assert BoundedSession(made).connect_retries is None
    clouds = {'mine': {'regions': ['a', 'b']}, 'other': {'profile': 'p'}}
    config = types.SimpleNamespace(cloud_config={'clouds': clouds})
    for name, regions in (('mine', ['a', 'b']), ('other', [])):
        assert _cloud.Cloud(config, name).configured_regions == regions
    command = ListComputeImage(None, None)
    expected = command.get_epilog()
    del command._hooks
    assert command.get_epilog() == expected
    assert 'osc-compute-images' in expected
