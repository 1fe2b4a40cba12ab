# SPDX-License-Identifier: Apache-2.0

"""The JSON Lines formatter."""

import argparse
import importlib.metadata
import io
import json
import types

from cliff import columns
from cliff.formatters import json_format
import pytest


class Column(columns.FormattableColumn):
    def human_readable(self):
        return 'for people'


@pytest.fixture
def formatter():
    """Provide the formatter, loaded as list commands load it."""
    [entry_point] = importlib.metadata.entry_points(
        group='cliff.formatter.list', name='jsonl'
    )
    return entry_point.load()()


def test_one_object_per_line(formatter):
    out = io.StringIO()
    rows = [('a\n\u2028b', Column({'k': [1]}), None), ('é', Column({}), 2)]
    formatter.emit_list(('Name', 'Properties', 'Size'), rows, out, None)
    lines = out.getvalue().split('\n')
    assert lines.pop() == ''
    assert [json.loads(line) for line in lines] == [
        {'Name': 'a\n\u2028b', 'Properties': {'k': [1]}, 'Size': None},
        {'Name': 'é', 'Properties': {}, 'Size': 2},
    ]
    assert out.getvalue().isascii()


@pytest.mark.parametrize('row', [('a', 1, 'surplus'), ('a',)])
def test_odd_row_is_printed_as_in_json(formatter, row):
    headers = ('Name', 'Size')
    ours, theirs = io.StringIO(), io.StringIO()
    formatter.emit_list(headers, [row], ours, None)
    options = argparse.Namespace(noindent=False)
    json_format.JSONFormatter().emit_list(headers, [row], theirs, options)
    assert [json.loads(ours.getvalue())] == json.loads(theirs.getvalue())


class Theirs:
    """A formatter of cliff."""

    def emit_list(self, column_names, data, stdout, parsed_args):
        stdout.write(f'theirs {column_names} {data} {parsed_args}')


def test_jsonl_formatter_of_cliff_takes_precedence(monkeypatch, formatter):
    point = importlib.metadata.EntryPoint(
        'jsonl', f'{__name__}:Theirs', 'cliff.formatter.list'
    )
    points = importlib.metadata.EntryPoints([point])
    monkeypatch.setattr(
        importlib.metadata,
        'distribution',
        lambda name: types.SimpleNamespace(
            entry_points=points if name == 'cliff' else ()
        ),
    )
    out = io.StringIO()
    formatter.emit_list(('N',), [], out, 'args')
    assert out.getvalue() == "theirs ('N',) [] args"
