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


@pytest.mark.parametrize(
    'row', [('a\n\u2028é', 1), ('a', 1, 'surplus'), ('a',), (Column(1), None)]
)
def test_a_line_is_what_json_has(formatter, row):
    headers = ('Name', 'Size')
    ours, theirs = io.StringIO(), io.StringIO()
    formatter.load()().emit_list(headers, [row, row], ours, None)
    lines = ours.getvalue().split('\n')
    assert lines.pop() == ''
    options = argparse.Namespace(noindent=False)
    json_format.JSONFormatter().emit_list(headers, [row, row], theirs, options)
    assert [*map(json.loads, lines)] == json.loads(theirs.getvalue())
    assert ours.getvalue().isascii()


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
