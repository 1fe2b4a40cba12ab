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
    """Provide the entry point that list commands load."""
    [entry_point] = importlib.metadata.entry_points(
        group='cliff.formatter.list', name='jsonl'
    )
    return entry_point


def test_one_object_per_line(formatter):
    out = io.StringIO()
    rows = [('a\n\u2028b', Column({'k': [1]}), None), ('é', Column({}), 2)]
    headers = ('Name', 'Properties', 'Size')
    formatter.load()().emit_list(headers, rows, out, None)
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
    formatter.load()().emit_list(headers, [row], ours, None)
    options = argparse.Namespace(noindent=False)
    json_format.JSONFormatter().emit_list(headers, [row], theirs, options)
    assert [json.loads(ours.getvalue())] == json.loads(theirs.getvalue())


def test_jsonl_formatter_of_cliff_takes_precedence(monkeypatch, formatter):
    # Another formatter of cliff stands for it.
    point = importlib.metadata.EntryPoint(
        *('jsonl', 'cliff.formatters.value:ValueFormatter', formatter.group)
    )
    cliff = types.SimpleNamespace(
        entry_points=importlib.metadata.EntryPoints([point])
    )
    known = {'cliff': cliff}.__getitem__
    monkeypatch.setattr(importlib.metadata, 'distribution', known)
    out = io.StringIO()
    formatter.load()().emit_list(('N',), [['theirs']], out, None)
    assert out.getvalue() == 'theirs\n'
