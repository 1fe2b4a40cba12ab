# SPDX-License-Identifier: Apache-2.0

"""The faster table, compared with cliff's own."""

import argparse
import io

from cliff.formatters import commaseparated
from cliff.formatters import json_format
from cliff.formatters import table
from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.commands import _columns
from osc_compute_images.commands import _formatters
from tests.unit.examples import examples

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
    | TEXTS.map(_columns.text_cell)
    | st.dictionaries(TEXTS, VALUES, max_size=3).map(_columns.PropertiesColumn)
)


def printed(formatter, rows, **options):
    """Return what a formatter prints."""
    out = io.StringIO()
    parsed_args = argparse.Namespace(
        **{
            'fit_width': False,
            'max_width': 0,
            'print_empty': False,
            **options,
        }
    )
    formatter.emit_list(NAMES, iter(rows), out, parsed_args)
    return out.getvalue()


@pytest.mark.parametrize(
    'options',
    [{}, {'print_empty': True}, {'max_width': 30}],
    ids=['table', 'empty table', 'narrow table'],
)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
@examples()
def test_output_equals_cliffs(options, rows):
    own = table.TableFormatter()
    fast = _formatters.fast(own)
    assert fast is not own
    assert printed(fast, rows, **options) == printed(own, rows, **options)


def falls_back_to_cliff(monkeypatch):
    """Return whether cliff prints the table; the output must not change."""
    rows = [('a', 1, None)] * 9
    seen = []
    emit_list = table.TableFormatter.emit_list

    def spy(formatter, column_names, data, *others):
        seen.append(len(data))
        emit_list(formatter, column_names, data, *others)

    own = printed(table.TableFormatter(), rows)
    monkeypatch.setattr(table.TableFormatter, 'emit_list', spy)
    assert printed(_formatters.fast(table.TableFormatter()), rows) == own
    return len(rows) in seen


def test_fast_table_is_used(monkeypatch):
    assert not falls_back_to_cliff(monkeypatch)


def test_cliff_formats_table_if_private_names_are_missing(monkeypatch):
    monkeypatch.delattr(table, '_format_row')
    # A release of cliff without this function.
    monkeypatch.setattr(
        table.TableFormatter,
        'add_rows',
        lambda _self, x, _names, rows: x.add_rows([*rows]),
    )
    assert falls_back_to_cliff(monkeypatch)


def test_cliff_formats_table_if_output_differs(monkeypatch):
    monkeypatch.setattr(table.TableFormatter, 'ALIGNMENTS', {}, raising=True)
    add_rows = table.TableFormatter.add_rows

    def centered(formatter, x, names, rows):
        add_rows(formatter, x, names, rows)
        for name in names:
            x.align[name] = 'c'

    monkeypatch.setattr(table.TableFormatter, 'add_rows', centered)
    assert falls_back_to_cliff(monkeypatch)


def test_other_formatters_are_unchanged():
    class Other(table.TableFormatter):
        pass

    for formatter in (
        commaseparated.CSVLister(),
        json_format.JSONFormatter(),
        Other(),
    ):
        assert _formatters.fast(formatter) is formatter
