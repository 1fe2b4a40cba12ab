# SPDX-License-Identifier: Apache-2.0

"""Private names of other libraries that the plugin uses.

This is the list. If a library removes one, commands work without the feature,
and these tests fail.
"""

import ast
from collections.abc import Iterator
import importlib
import inspect
import pathlib
import re

from cliff.formatters import table
from keystoneauth1 import session
from openstack.config import loader
import pytest
import requests
import urllib3

import osc_compute_images
from osc_compute_images.api import _cloud
from osc_compute_images.api import _errors
from osc_compute_images.api import filters
from osc_compute_images.api.filters import _linear_regex
from osc_compute_images.api.http import _interim
from osc_compute_images.api.http import _retry
from osc_compute_images.commands import _columns
from osc_compute_images.commands import show

#: By name: where it is, and what there is without it.
PRIVATE = {
    # keystoneauth1.session.Session: a token is retried more often than set.
    '_connect_retries': 'api/http/_retry.py',
    # urllib3.HTTPResponse: an interim response (1xx) is an error.
    '_original_response': 'api/http/_interim.py',
    '_connection': 'api/http/_interim.py',
    '_pool': 'api/http/_interim.py',
    '_fp': 'api/http/_interim.py',
    # openstack.config.OpenStackConfig: the regions of a cloud are those of
    # its catalog, and a cloud of several may ask for its password.
    '_get_known_regions': 'api/_cloud.py',
    '_pw_callback': 'commands/_logins.py',
    # Python: no names are chosen by regular expressions.
    're._parser': 'api/filters/_linear_regex.py',
    're._compiler': 'api/filters/_linear_regex.py',
    # cliff.command.Command: hooks add nothing to the help.
    '_hooks': 'commands/_connect.py',
    # cliff.formatters.table: cliff draws tables itself, more slowly.
    '_format_row': 'commands/_formatters.py',
    # cliff.columns.FormattableColumn: for subclasses; all of osc-lib's use it.
    '_value': 'commands/_columns.py commands/_usage.py',
}

FOLDER = pathlib.Path(osc_compute_images.__file__).parent

#: Those that are documented: of named tuples, and of commands.
DOCUMENTED = {'_replace', '_epilog'}


def is_private(name: str) -> bool:
    """Tell whether any part of a dotted name is."""
    return any(re.match('_[A-Za-z]', part) for part in name.split('.'))


def own_names(tree: ast.AST) -> Iterator[str]:
    """Yield what is defined or assigned."""
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
    """Yield what is imported or looked up."""
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
    """Return the private names that are not our own, and the files."""
    own = {*DOCUMENTED}
    found: dict[str, set[str]] = {}
    for path in FOLDER.rglob('*.py'):
        tree = ast.parse(path.read_text())
        own.update(own_names(tree))
        for name in filter(is_private, other_names(tree)):
            place = path.relative_to(FOLDER).as_posix()
            found.setdefault(name, set()).add(place)
    # FormattableColumn has it, and so has a column of our own.
    own.discard('_value')
    return {name: places for name, places in found.items() if name not in own}


def test_names_are_listed():
    assert used() == {k: {*v.split()} for k, v in PRIVATE.items()}


# -- they are there --------------------------------------------------------


def test_the_session_has_its_retries():
    if 'connect_retries' not in inspect.signature(session.Session).parameters:
        pytest.skip('This keystoneauth has no such retries')
    assert session.Session(connect_retries=7)._connect_retries == 7


@pytest.mark.parametrize(
    'name', ['_original_response', '_connection', '_pool', '_fp']
)
def test_a_response_has_its_connection(name):
    response = urllib3.HTTPResponse(preload_content=False)
    assert hasattr(response, name)


def test_the_configuration_knows_its_regions_and_asks_for_passwords():
    def ask():
        raise NotImplementedError

    config = loader.OpenStackConfig(
        config_files=[], load_envvars=False, pw_func=ask
    )
    assert config._pw_callback is ask
    assert callable(config._get_known_regions)


@pytest.mark.parametrize('name', ['re._parser', 're._compiler'])
def test_python_parses_and_compiles_regular_expressions(name):
    assert importlib.import_module(name)


def test_a_command_has_hooks_and_a_table_rows():
    assert not [*show.ShowComputeImage(None, None)._hooks]
    assert table._format_row(['a']) == ['a']
    assert _columns.HumanSizeColumn(1000)._value == 1000


# -- and without them ------------------------------------------------------


def test_session_without_retries_has_none():
    class Adapter:
        session = object()

    assert _retry.session_retries(Adapter()) is None


def test_without_its_connection_an_interim_response_is_an_error():
    response = requests.Response()
    response.status_code = 103
    response.raw = object()
    response.close = lambda: None
    with pytest.raises(
        _errors.InvalidResponse, match='no valid final response'
    ):
        _interim.final(response)


def test_without_known_regions_they_are_those_of_the_catalog():
    class Config:
        cloud_config = {'clouds': {'mine': {'regions': ['a', 'b']}}}

    assert _cloud.Cloud(Config(), 'mine').configured_regions() == []


@pytest.mark.parametrize('name', ['_PARSER', '_COMPILER'])
def test_without_its_parts_a_regular_expression_is_refused(monkeypatch, name):
    monkeypatch.setattr(_linear_regex, name, None)
    with pytest.raises(ValueError, match='This release of Python'):
        filters.name_regex('a')


def test_without_hooks_the_epilog_is_ours():
    made = show.ShowComputeImage(None, None)
    expected = made.get_epilog()
    del made._hooks
    assert made.get_epilog() == expected
    assert 'osc-compute-images' in expected
