# SPDX-License-Identifier: Apache-2.0

"""Imports between the parts, the version and the logger."""

import ast
import graphlib
import importlib.metadata
import pathlib
import re
import subprocess
import sys

import pytest

import osc_compute_images
from osc_compute_images import api
from osc_compute_images.api import http

ROOT = pathlib.Path(api.__file__).parents[1]


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix('').parts
    return '.'.join(parts).removesuffix('.__init__')


MODULES = {name_of(path): path for path in ROOT.rglob('*.py')}


def python(code):
    return subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )


def imported_by(*modules):
    code = f'import sys, {", ".join(modules)}; print(*sys.modules)'
    return {*python(code).stdout.split()}


def test_api_does_not_import_the_shell():
    modules = imported_by(*(n for n in MODULES if n.startswith(api.__name__)))
    assert not modules & {'cliff', 'osc_lib', 'openstackclient', 'openstack'}
    # It takes long, and only name_regex needs it.
    assert 'regex' not in modules


def test_commands_import_nothing_heavy():
    paths = (ROOT / 'commands').glob('[a-z]*.py')
    names = [f'osc_compute_images.commands.{path.stem}' for path in paths]
    assert len(names) > 5
    theirs = imported_by('osc_lib.command.command')
    added = imported_by('osc_lib.command.command', *names) - theirs
    ours = {name for name in added if name.startswith('osc_compute_im')}
    assert not added & {'msgspec', 'rich', 'requests', 'keystoneauth1'}
    assert 'osc_compute_images.api' not in ours
    # Some small modules of the standard library are fine.
    assert len(added - ours) < 10, added
    # Each module costs any other command of "openstack" 0.01 % more.
    assert len(ours) < 20


def test_formatter_imports_no_other_module_of_ours():
    """``openstack`` loads it with every list."""
    modules = imported_by('osc_compute_images.jsonl')
    assert {m for m in modules if m.startswith('osc_compute_images')} == {
        'osc_compute_images',
        'osc_compute_images.jsonl',
    }


def imports_of(path, skipped=()):
    """Return the modules that a module imports, except for types.

    :param skipped: nodes of the syntax tree in which they do not count
    """
    found = set()
    nodes = [ast.parse(path.read_text())]
    while nodes:
        match nodes.pop():
            case ast.If(test=ast.Name('TYPE_CHECKING')):
                pass
            case node if isinstance(node, skipped):
                pass
            case ast.Import(names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module, names):
                full = {f'{module}.{each.name}' for each in names}
                found |= {name if name in MODULES else module for name in full}
            case node:
                nodes += ast.iter_child_nodes(node)
    return found


def test_imports_have_no_circle():
    graph = {
        name: imports_of(path, ast.FunctionDef) & MODULES.keys()
        for name, path in MODULES.items()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_modules_of_http_import_only_those_above_them():
    above = re.findall('^``(_.*)``$', http.__doc__, re.MULTILINE)
    found = {n for n in MODULES if n.startswith(f'{http.__name__}.')}
    assert sorted(f'{http.__name__}.{name}' for name in above) == sorted(found)
    while above:
        imported = imports_of(MODULES[f'{http.__name__}.{above.pop()}'])
        names = {name.rpartition('.')[2] for name in imported & found}
        assert names <= {*above}


def test_only_the_api_imports_http_libraries():
    for name, path in MODULES.items():
        if '.api' not in name and name != 'osc_compute_images.text':
            modules = imports_of(path)
            assert not modules & {'requests', 'urllib3', 'urllib.parse'}, path


def test_imports_in_functions_are_few_and_say_why():
    # A command has one boundary, or two. Modules below it import at the top.
    allowed = {'commands': 3, 'output': 2, '_shell.py': 2}
    block = re.compile(r'((?:\n +# .*)*)(?:\n +(?:from .* )?import .*)+')
    for path in ROOT.rglob('*.py'):
        folder = path.relative_to(ROOT).parts[0]
        if folder != 'api':
            text = re.sub('if TYPE_CHECKING:(\n +.*)+', '', path.read_text())
            reasons = block.findall(text)
            assert all('# NOTE: imported here' in each for each in reasons), (
                path
            )
            assert len(reasons) <= allowed.get(folder, 1), path


def test_version_is_the_installed_one(monkeypatch):
    assert osc_compute_images.__version__ == importlib.metadata.version(
        'osc-compute-images'
    )
    # As with PYTHONPATH.
    monkeypatch.setattr(sys, 'path', [])
    assert osc_compute_images.__version__ == 'unknown'
    with pytest.raises(AttributeError, match='no attribute'):
        osc_compute_images.no_such_name  # noqa: B018


def test_one_logger_silent_by_default():
    for path in ROOT.rglob('api/**/*.py'):
        named = re.findall(r'getLogger\((.*?)\)', path.read_text())
        assert {*named} <= {"'osc_compute_images'"}, path
    done = python(
        'import logging, osc_compute_images as o; '
        'logging.getLogger(o.__name__).warning("odd")'
    )
    assert done.stderr == ''
