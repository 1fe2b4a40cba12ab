# SPDX-License-Identifier: Apache-2.0

"""The public names in type checkers and ``pydoc``."""

import ast
import importlib.resources
import inspect
import json
import pathlib
import pickle
import pydoc
import subprocess
import sys

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


def run(*words):
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# Older releases of keystoneauth have no types.
typed = pytest.mark.skipif(
    not importlib.resources.files('keystoneauth1')
    .joinpath('py.typed')
    .is_file(),
    reason='this release of keystoneauth1 has no types',
)


@typed
@pytest.mark.timeout(300)
def test_mypy_passes():
    pytest.importorskip('mypy')
    words = ('--strict', '--follow-imports', 'silent', str(PROGRAM))
    run(sys.executable, '-m', 'mypy', *words)


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
    run(
        *(sys.executable, '-m', 'basedpyright', '--project', str(path)),
        *('--pythonpath', sys.executable),
    )


@pytest.mark.parametrize('module', [api, filters])
def test_public_names_have_help_source_and_pickles(module):
    text = pydoc.plain(pydoc.render_doc(module))
    for name in module.__all__:
        assert f' {name}' in text, name
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
            assert name in inspect.getsource(value)
            assert pickle.loads(pickle.dumps(value)) is value
