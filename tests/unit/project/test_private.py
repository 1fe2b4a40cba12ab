# SPDX-License-Identifier: Apache-2.0

"""Private names of other libraries that the plugin uses.

This is the list. If a library removes one, commands work without the feature,
and a test fails: here, or of the feature.
"""

import ast
import pathlib
import re
import types

from keystoneauth1 import adapter
from openstack.config import loader

import osc_compute_images
from osc_compute_images.api.clouds import _cloud
from osc_compute_images.api.http._session import BoundedSession
from osc_compute_images.commands.list import ListComputeImage

#: Private names and the files that use them; comments say where each name is
#: defined, and what happens without it.
PRIVATE = {
    # keystoneauth1.session.Session: token requests are retried more often.
    '_connect_retries': 'api/http/_session.py',
    # urllib3.HTTPResponse: the deadline of a body is checked less often.
    '_fp': 'api/http/_body.py',
    # openstack.proxy.Proxy: its cache is used for all that is read.
    '_get_cache_key_prefix': 'api/http/_request.py',
    # openstack.config.OpenStackConfig: the regions of a vendor profile are
    # those of the catalog, --all-clouds may prompt for a password, and other
    # options for regions prompt more than once.
    '_get_known_regions': 'api/clouds/_entries.py',
    '_pw_callback': 'api/clouds/_cloud.py targets/logins.py',
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


def test_private_names_are_listed():
    own = {*DOCUMENTED}
    found: dict[str, set[str]] = {}
    for path in FOLDER.rglob('*.py'):
        used = set()
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.ClassDef(name=name)
                    | ast.Name(id=name, ctx=ast.Store())
                    | ast.Attribute(ast.Name('self'), name, ast.Store())
                ):
                    own.add(name)
                case ast.Attribute(attr=name) | ast.Call(
                    ast.Name('getattr' | 'hasattr' | 'setattr'),
                    [_, ast.Constant(str(name)), *_],
                ):
                    used.add(name)
                case ast.ImportFrom(module, names):
                    if not module.startswith(FOLDER.name):
                        used |= {f'{module}.{each.name}' for each in names}
        for name in used:
            if re.fullmatch(r'(\w+\.)*_[A-Za-z]\w*(\.\w+)*', name):
                place = path.relative_to(FOLDER).as_posix()
                found.setdefault(name, set()).add(place)
    # FormattableColumn has this name, and so has one of our columns.
    own.discard('_value')
    found = {name: where for name, where in found.items() if name not in own}
    assert found == {k: {*v.split()} for k, v in PRIVATE.items()}


def test_prompt_has_private_name():
    config = loader.OpenStackConfig([], load_envvars=False, pw_func=input)
    assert config._pw_callback is input


def test_retries_and_regions_without_private_names():
    made = adapter.Adapter(object())
    assert BoundedSession(made).connect_retries is None
    clouds = {'mine': {'regions': ['a', 'b']}, 'other': {'profile': 'p'}}
    config = types.SimpleNamespace(cloud_config={'clouds': clouds})
    for name, regions in (('mine', ['a', 'b']), ('other', [])):
        found = _cloud.Cloud(config, name).configured_regions
        assert [*found] == regions


def test_hooks_add_to_epilog_if_there_are_any():
    command = ListComputeImage(None, None)
    assert not [*command._hooks]
    own = command.get_epilog()
    hook = types.SimpleNamespace(get_epilog=lambda: 'By a hook.')
    command._hooks = [types.SimpleNamespace(obj=hook)]
    hooked = own.replace('\n\nThis', '\n\nBy a hook.\n\nThis')
    assert command.get_epilog() == hooked != own
    del command._hooks
    assert command.get_epilog() == own
