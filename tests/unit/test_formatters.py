# SPDX-License-Identifier: Apache-2.0

"""The quick formatters, compared with cliff's own."""

import argparse
import io
import json

from cliff.formatters import commaseparated
from cliff.formatters import json_format
from cliff.formatters import table
from hypothesis import given
from hypothesis import settings
import hypothesis.strategies as st
import pytest

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _formatters

NAMES = ('ID', 'Größe', 'A long header')

TEXTS = st.text('ab% |+-\t\nä映\u0301\x1b', max_size=12) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=5,
)
CELLS = (
    st.none()
    | st.integers()
    | TEXTS.map(_columns.text)
    | st.dictionaries(TEXTS, VALUES, max_size=3).map(_columns.PropertiesColumn)
)


def printed(formatter, rows, **options):
    """Return what a formatter prints."""
    out = io.StringIO()
    parsed_args = argparse.Namespace(
        **{
            'fit_width': False,
            'max_width': 0,
            'noindent': False,
            'print_empty': False,
            **options,
        }
    )
    formatter.emit_list(NAMES, iter(rows), out, parsed_args)
    return out.getvalue()


@pytest.mark.parametrize(
    ('own', 'options'),
    [
        (json_format.JSONFormatter(), {}),
        (json_format.JSONFormatter(), {'noindent': True}),
        (table.TableFormatter(), {}),
        (table.TableFormatter(), {'print_empty': True}),
        (table.TableFormatter(), {'max_width': 30}),
    ],
    ids=['json', 'json, one line', 'table', 'empty table', 'narrow table'],
)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
@settings(derandomize=True, deadline=None)
def test_the_output_is_that_of_cliff(own, options, rows):
    quick = _formatters.quick(own)
    assert quick is not own
    assert printed(quick, rows, **options) == printed(own, rows, **options)


def test_a_json_document_is_the_one_that_is_meant():
    quick = _formatters.quick(json_format.JSONFormatter())
    rows = [('a', 1, None), ('b', 2, 'ä')]
    assert json.loads(printed(quick, rows)) == [
        dict(zip(NAMES, row, strict=True)) for row in rows
    ]


@pytest.mark.parametrize('noindent', [False, True])
@pytest.mark.parametrize('count', [0, 1, 2, 3, 4, 5])
def test_a_json_document_may_be_made_in_batches(monkeypatch, count, noindent):
    monkeypatch.setattr(_formatters, '_BATCH', 2)
    own = json_format.JSONFormatter()
    rows = [('a', n, 'c') for n in range(count)]
    documents = [
        printed(formatter, rows, noindent=noindent)
        for formatter in (_formatters.quick(own), own)
    ]
    assert documents[0] == documents[1]


@pytest.mark.parametrize('value', [float('nan'), float('inf'), 10**400])
def test_numbers_that_json_does_not_have_are_written_as_cliff_does(value):
    own = json_format.JSONFormatter()
    rows = [(value, _columns.PropertiesColumn({'n': [value]}), None)]
    assert printed(_formatters.quick(own), rows) == printed(own, rows)


def test_other_formatters_stay():
    class Other(table.TableFormatter):
        pass

    for formatter in (commaseparated.CSVLister(), Other()):
        assert _formatters.quick(formatter) is formatter
