# SPDX-License-Identifier: Apache-2.0

"""The format of JSON Lines, on any list."""

import importlib.metadata
import io
import json
import subprocess
import sys

from cliff import columns
import pytest

from osc_compute_images.commands import _jsonl


class Column(columns.FormattableColumn):
    def human_readable(self):
        return 'for people'


@pytest.fixture
def formatter():
    """Provide the formatter as every list command gets it."""
    [entry_point] = importlib.metadata.entry_points(
        group='cliff.formatter.list', name='jsonl'
    )
    return entry_point.load()()


def test_each_row_is_an_object_in_a_line_of_its_own(formatter):
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


def test_no_row_is_no_line(formatter):
    out = io.StringIO()
    formatter.emit_list(('Name',), [], out, None)
    assert out.getvalue() == ''


def test_a_row_is_written_before_the_next_is_asked_for(formatter):
    out = io.StringIO()

    def rows():
        for number in range(3):
            assert out.getvalue().count('\n') == number
            yield (number,)

    formatter.emit_list(('N',), rows(), out, None)
    assert out.getvalue().count('\n') == 3


def test_it_gives_way_to_one_of_cliff(monkeypatch, formatter):
    class Theirs:
        def emit_list(self, column_names, data, stdout, parsed_args):
            stdout.write(f'theirs {column_names} {data} {parsed_args}')

    class Cliff:
        entry_points = importlib.metadata.EntryPoints(
            [
                importlib.metadata.EntryPoint(
                    'jsonl', 'tests.unit.test_jsonl:THEIRS', name_space
                )
                for name_space in ('cliff.formatter.list', 'other')
            ]
        )

    monkeypatch.setitem(globals(), 'THEIRS', Theirs)
    monkeypatch.setattr(
        _jsonl.importlib.metadata, 'distribution', {'cliff': Cliff}.get
    )
    out = io.StringIO()
    formatter.emit_list(('N',), [], out, 'args')
    assert out.getvalue() == "theirs ('N',) [] args"


def test_it_adds_nothing_to_the_start_of_other_lists():
    code = 'import cliff.lister, cliff.formatters.json_format, sys; {}'
    code += 'print(*sys.modules)'

    def modules(more):
        return set(
            subprocess.run(
                [sys.executable, '-c', code.format(more)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
        )

    added = modules('import osc_compute_images.commands._jsonl; ') - modules(
        ''
    )
    assert added == {
        'osc_compute_images',
        'osc_compute_images.commands',
        'osc_compute_images.commands._jsonl',
    }
