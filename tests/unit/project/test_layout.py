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


def test_exception_tree_in_docstring():
    drawn = {}
    above = {}
    for line in api.__doc__.splitlines():
        match = re.match(r'    ([ |+-]*)([A-Z]\w+)(?:  |$)', line)
        if match and match[2] in api.__all__:
            depth = len(match[1])
            above[depth] = match[2]
            parents = [d for d in above if d < depth]
            drawn[match[2]] = above[max(parents)] if parents else 'Exception'
    real = {
        name: getattr(api, name).__base__.__name__
        for name in api.__all__
        if inspect.isclass(getattr(api, name))
        and issubclass(getattr(api, name), Exception)
    }
    assert drawn == real


def imported_by(code):
    done = subprocess.run(
        [sys.executable, '-c', f'{code}; import sys; print(*sys.modules)'],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_api_does_not_import_the_shell():
    modules = imported_by(
        'import osc_compute_images.api.filters, osc_compute_images.api.clouds'
    )
    assert not modules & {'cliff', 'osc_lib', 'openstackclient', 'openstack'}


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


@pytest.mark.parametrize(
    'path', sorted(ROOT.rglob('*.py')), ids=lambda p: p.stem
)
def test_commands_do_not_import_http_libraries(path):
    tree = ast.parse(path.read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    if 'api' in path.parts or path.stem == 'text':
        assert not {m for m in imported if m.startswith(('osc_lib', 'cliff'))}
    else:
        assert not imported & {'requests', 'urllib3', 'urllib.parse'}


def test_imports_in_functions_are_few_and_say_why():
    # A command has one boundary, or two. Modules below it import at the top.
    allowed = {'commands': 2, 'changes': 1, 'options': 1, 'output': 2}
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
    code = 'import logging, osc_compute_images as o; '
    code += 'logging.getLogger(o.__name__).warning("odd")'
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ''
