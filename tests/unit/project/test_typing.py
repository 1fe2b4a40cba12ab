# SPDX-License-Identifier: Apache-2.0

"""The public names in type checkers."""

import ast
import contextlib
import importlib.resources
import inspect
import json
import pathlib
import pickle
import re
import subprocess
import sys
import textwrap

import openstack.config
import pytest

from osc_compute_images import api
from osc_compute_images.api import filters

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = ROOT / 'tests' / 'typing' / 'program.py'


def test_program_uses_every_public_name():
    used = set()
    for node in ast.walk(ast.parse(PROGRAM.read_text())):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.alias):
            used.add(node.name)
    assert used >= {*api.__all__, *filters.__all__}


# Older releases of keystoneauth and openstacksdk have no types, or few.
typed = pytest.mark.skipif(
    not importlib.resources.files('keystoneauth1')
    .joinpath('py.typed')
    .is_file()
    or not hasattr(openstack.config, '__all__'),
    reason='this release of keystoneauth1 or openstacksdk has no types',
)


def checked(*words):
    """Run a type checker, which must find nothing."""
    done = subprocess.run(
        [sys.executable, '-m', *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


#: What examples take for granted.
_GIVEN = """
from collections.abc import Sequence
from datetime import timedelta
import pathlib
import typing
from keystoneauth1.session import Session
import openstack
from osc_compute_images.api import filters, Image, ImagesAPI, Server
from osc_compute_images.api.changes import plan, retention
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.servers.fleet import Fleet
from osc_compute_images.api.snapshots.plan import Step
"""

_ARGUMENTS = """
    api: ImagesAPI, apis: dict[str, ImagesAPI], session: Session,
    images: Sequence[Image], protection: Protection, steps: Sequence[Step],
"""


def examples_in_python():
    """Yield the examples of each section of a page, and of each module."""
    pages = (ROOT / 'README.rst', *(ROOT / 'doc' / 'source').rglob('*.rst'))
    sections = [
        section
        for page in pages
        for section in re.split(r'\n(?=.+\n===)', page.read_text())
    ]
    sections += [
        ast.get_docstring(ast.parse(path.read_text())) or ''
        for path in (ROOT / 'osc_compute_images' / 'api').rglob('*.py')
    ]
    for section in sections:
        found = ''
        for block in re.findall(r'::\n\n((?: {4,}.*\n?|\n)+)', section):
            code = textwrap.dedent(block)
            with contextlib.suppress(SyntaxError):
                ast.parse(code)
                found += code if re.search(r'\bapi\b|import', code) else ''
        if found:
            yield found


@typed
@pytest.mark.timeout(300)
def test_mypy_passes_for_program_and_examples(tmp_path):
    pytest.importorskip('mypy')
    functions = [
        f'def example_{number}({_ARGUMENTS}) -> None:\n'
        + textwrap.indent(code, '    ')
        for number, code in enumerate(examples_in_python())
    ]
    assert len(functions) > 10
    file = tmp_path / 'examples.py'
    file.write_text('\n'.join([_GIVEN, *functions]))
    words = ('--strict', '--follow-imports', 'silent')
    checked('mypy', *words, '--ignore-missing-imports', PROGRAM, file)


@typed
@pytest.mark.timeout(300)
def test_pyright_passes(tmp_path):
    # NOTE: basedpyright is pyright, bundled with node.
    pytest.importorskip('basedpyright')
    config = {
        'include': [str(PROGRAM)],
        'typeCheckingMode': 'strict',
        'extraPaths': [str(ROOT)],
    }
    path = tmp_path / 'pyrightconfig.json'
    path.write_text(json.dumps(config))
    words = ('--project', path, '--pythonpath', sys.executable)
    checked('basedpyright', *words)


@pytest.mark.parametrize('module', [api, filters])
def test_public_names_have_help_source_and_pickles(module):
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
            assert name in inspect.getsource(value)
            assert pickle.loads(pickle.dumps(value)) is value
