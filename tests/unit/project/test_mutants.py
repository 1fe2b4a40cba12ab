# SPDX-License-Identifier: Apache-2.0

"""How mutants are made, and the list of those that no test can kill."""

import importlib.util
import pathlib

import pytest

import osc_compute_images
from tests.mutants.functions import replace_functions
from tests.mutants.paths import MODULES

PACKAGE = pathlib.Path(osc_compute_images.__file__).parent
LIST = pathlib.Path(__file__).parents[2] / 'mutants' / 'equivalent.txt'


def test_each_equivalent_mutant_is_of_a_line_that_there_is_and_has_a_reason():
    source, mutant = '', None
    for line in LIST.read_text('utf-8').splitlines():
        if line.startswith('    '):
            mutant = None
            continue
        assert mutant is None, f'no reason: {mutant}'
        if line.startswith('['):
            text = (PACKAGE / line.strip('[]')).read_text('utf-8')
            source = ' '.join(text.split())
        elif line and not line.startswith('#'):
            mutant = line
            _function, _, change = line.partition(': ')
            assert ' '.join(change.partition(' => ')[0].split()) in source
    assert mutant is None, f'no reason: {mutant}'


@pytest.mark.parametrize('pattern', MODULES)
def test_modules_to_change_exist(pattern):
    assert [*PACKAGE.glob(pattern)]


MODULE = """
import functools

def plain(a=1):
    return a + 1

class Thing:
    size = 3

    @property
    def name(self):
        return [c.upper() for c in 'ab']

@functools.cache
def cached():
    return (lambda: 'old')()
"""


@pytest.fixture
def module(tmp_path):
    path = tmp_path / 'module_to_change.py'
    path.write_text(MODULE)
    spec = importlib.util.spec_from_file_location('module_to_change', path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    ('old', 'new', 'value'),
    [
        ('a + 1', 'a + 2', (3, ['A', 'B'], 'old')),
        ('c.upper()', 'c', (2, ['a', 'b'], 'old')),
        ("'old'", "'new'", (2, ['A', 'B'], 'new')),
    ],
)
def test_functions_are_replaced(module, old, new, value):
    text = MODULE.replace(old, new)
    assert replace_functions(pathlib.Path(module.__file__), text)
    got = module.plain(), module.Thing().name, module.cached()
    assert got == value


@pytest.mark.parametrize(
    ('old', 'new'),
    [('', ''), ('a=1', 'a=2'), ('size = 3', 'size = 4'), ('cache', 'wraps')],
)
def test_other_changes_need_an_import(module, old, new):
    text = MODULE.replace(old, new) if old else MODULE
    assert not replace_functions(pathlib.Path(module.__file__), text)
    assert (module.plain(), module.Thing.size) == (2, 3)
