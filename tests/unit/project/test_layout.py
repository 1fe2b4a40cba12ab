# SPDX-License-Identifier: Apache-2.0

"""Public names, imports between the parts, and the logger."""

import ast
import importlib.metadata
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

import osc_compute_images
from osc_compute_images import api

ROOT = pathlib.Path(api.__file__).parents[1]


def test_all_lists_public_names():
    public = {
        name
        for name, value in vars(api).items()
        if not name.startswith('_') and not inspect.ismodule(value)
    }
    assert public == set(api.__all__)
    assert len(api.__all__) == len(set(api.__all__))


def python(code):
    return subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )


def imported_by(code):
    return {*python(f'{code}; import sys; print(*sys.modules)').stdout.split()}


def test_api_does_not_import_the_shell():
    modules = imported_by(
        'import osc_compute_images.api.filters, osc_compute_images.api.clouds'
    )
    assert not modules & {'cliff', 'osc_lib', 'openstackclient', 'openstack'}
    # It takes long, and only name_regex needs it.
    assert 'regex' not in modules


def test_commands_import_nothing_heavy():
    names = [p.stem for p in (ROOT / 'commands').glob('[a-z]*.py')]
    assert {'list', 'show'} < set(names)
    ours = imported_by(
        'import osc_lib.command.command; '
        'import '
        + ', '.join(f'osc_compute_images.commands.{n}' for n in names)
    )
    theirs = imported_by('import osc_lib.command.command')
    added = {m for m in ours - theirs if not m.startswith('osc_compute_im')}
    assert not added & {'msgspec', 'rich', 'requests', 'keystoneauth1'}
    assert 'osc_compute_images.api' not in ours
    # Some small modules of the standard library are fine.
    assert len(added) < 10, added
    # Each module costs any other command of "openstack" 0.01 % more.
    assert len({m for m in ours if m.startswith('osc_compute_im')}) < 20


def test_formatter_imports_no_other_module_of_ours():
    """``openstack`` loads it with every list."""
    modules = imported_by('import osc_compute_images.jsonl')
    assert {m for m in modules if m.startswith('osc_compute_images')} == {
        'osc_compute_images',
        'osc_compute_images.jsonl',
    }


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_commands_do_not_import_http_libraries_nor_api_the_shell():
    for path in ROOT.rglob('*.py'):
        modules = {*imports_of(path)}
        if 'api' in path.parts or path.stem == 'text':
            shell = [m for m in modules if m.startswith(('osc_lib', 'cliff'))]
            assert not shell, path
        else:
            assert not modules & {'requests', 'urllib3', 'urllib.parse'}, path


def test_imports_in_functions_are_few_and_say_why():
    # A command has one boundary, or two. Modules below it import at the top.
    allowed = {'commands': 3, 'output': 2, '_shell.py': 2}
    for path in ROOT.rglob('*.py'):
        folder = path.relative_to(ROOT).parts[0]
        if folder == 'api':
            continue
        lines = path.read_text().splitlines()
        blocks = [
            number
            for number, line in enumerate(lines)
            if re.match(' +(from .* )?import ', line)
            and not re.match(' +(from .* )?import ', lines[number - 1])
            and lines[number - 1] != 'if TYPE_CHECKING:'
        ]
        for number in blocks:
            comment = ' '.join(lines[number - 2 : number])
            assert '# NOTE: imported here' in comment, (path, number + 1)
        assert len(blocks) <= allowed.get(folder, 1), path


def test_version_is_the_installed_one():
    assert osc_compute_images.__version__ == importlib.metadata.version(
        'osc-compute-images'
    )
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
