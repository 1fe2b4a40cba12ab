# SPDX-License-Identifier: Apache-2.0

"""The list of mutants that no test can kill is one of the code as it is."""

import pathlib

import osc_compute_images

PACKAGE = pathlib.Path(osc_compute_images.__file__).parent
LIST = pathlib.Path(__file__).parents[1] / 'mutants' / 'equivalent.txt'


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
