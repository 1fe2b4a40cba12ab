# SPDX-License-Identifier: Apache-2.0

"""Rows, fields and cells."""

import argparse
import io
import itertools
import shutil
import subprocess

from cliff.formatters.shell import ShellFormatter
from hypothesis import given
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import Image
from osc_compute_images.api import ServerRef
from osc_compute_images.output import escaping
from osc_compute_images.output import field
from osc_compute_images.output.escaping import PropertiesColumn
from tests.unit.project.examples import examples

IMAGE = Image(
    id='the-id',
    name='cirros',
    status='ACTIVE',
    progress=100,
    min_disk=1,
    min_ram=512,
    created='2026-11-23T16:11:28Z',
    updated='2026-11-23T17:12:31Z',
    size=21430272,
    metadata={'os_distro': 'cirros'},
    server=ServerRef('the-server'),
)


@pytest.mark.parametrize(
    'columns', [field.columns(long=False), field.columns(long=True)]
)
@pytest.mark.parametrize('image', [IMAGE, Image(id='')])
def test_row_has_a_cell_for_each_header(columns, image):
    assert len(columns.row(image)) == len(columns.headers)


def long_row(image):
    return dict(
        zip(
            field.columns(long=True).headers,
            field.columns(long=True).row(image),
            strict=True,
        )
    )


def test_row_values():
    assert field.columns(long=False).row(IMAGE) == (
        'the-id',
        'cirros',
        'ACTIVE',
    )
    row = long_row(IMAGE)
    properties = row.pop('Properties')
    assert (
        row.items()
        >= {
            'ID': 'the-id',
            'Name': 'cirros',
            'Status': 'ACTIVE',
            'Progress': 100,
            'Server ID': 'the-server',
            'Min Disk': 1,
            'Min RAM': 512,
            'Size': 21430272,
            'Created At': '2026-11-23T16:11:28Z',
            'Updated At': '2026-11-23T17:12:31Z',
        }.items()
    )
    assert properties.machine_readable() == {'os_distro': 'cirros'}
    empty = long_row(Image(id='x'))
    assert empty.pop('ID') == 'x'
    assert empty.pop('Properties').machine_readable() == {}
    assert {*empty.values()} == {None}


def test_fields_are_sorted_and_optional_ones_omitted():
    fields = field.shown(IMAGE)
    assert list(fields) == sorted(fields)
    assert 'disk_config' not in fields
    assert 'region' not in fields
    more = field.shown(
        Image(id='x', disk_config='AUTO'), {'region': 'RegionOne'}
    )
    assert list(more) == sorted(more)
    assert set(more) - set(fields) == {'disk_config', 'region'}
    assert (more['disk_config'], more['region']) == ('AUTO', 'RegionOne')


@pytest.mark.parametrize('value', [None, '', 'plain', 'Bücher 図書'])
def test_plain_text_is_unchanged(value):
    assert escaping.text_cell(value) is value


def test_control_characters_are_escaped_for_people_only():
    cell = escaping.text_cell('a\x1b[2J\nb')
    assert cell.human_readable() == r'a\x1b[2J\nb'
    assert cell.machine_readable() == 'a\x1b[2J\nb'
    assert type(cell.machine_readable()) is str


@pytest.mark.parametrize('character', ['a', '\x1b', '\u202e', 'ä'])
def test_long_text_is_truncated_for_people_only(character):
    most = escaping.MAX_CELL
    long = character * (most + 1)
    cell = escaping.text_cell(long)
    assert len(cell.human_readable()) == most + 3
    assert cell.human_readable().endswith('...')
    assert cell.machine_readable() == long
    assert escaping.text_cell('a' * most) == 'a' * most
    properties = PropertiesColumn({long: long, 'b': long})
    assert len(properties.human_readable()) == most + 3
    assert properties.machine_readable() == {long: long, 'b': long}


@given(st.lists(st.text(st.characters(exclude_categories=['Cs']), max_size=5)))
@examples()
def test_text_sorts_by_code_points(texts):
    cells = sorted(map(escaping.text_cell, texts))
    assert [str(cell) for cell in cells] == sorted(texts)


@pytest.mark.parametrize(
    ('metadata', 'shown'),
    [
        ({}, ''),
        ({'b': '2', 'a': '1'}, "a='1', b='2'"),
        ({'n': 1, 'x': None, 'l': [1]}, "l='[1]', n='1', x='None'"),
        ({'\x1b': 'a\nb'}, r"\x1b='a\nb'"),
    ],
)
def test_properties_are_displayed_in_order_of_keys(metadata, shown):
    assert PropertiesColumn(metadata).human_readable() == shown


def test_properties_sort_by_displayed_text():
    columns = [
        PropertiesColumn(metadata)
        for metadata in ({}, {'a': '1'}, {'a': 2, 'b': '1'}, {'b': []})
    ]
    for shuffled in itertools.permutations(columns):
        assert sorted(shuffled) == columns
    with pytest.raises(TypeError):
        sorted([columns[0], 'text'])


class Stream(io.StringIO):
    """Replaces stdout."""

    def __init__(self, encoding='utf-8', errors='strict', *, tty=False):
        super().__init__()
        self._is = encoding, errors, tty

    encoding = property(lambda self: self._is[0])
    errors = property(lambda self: self._is[1])

    def isatty(self):
        return self._is[2]


ODD = 'Größe 映像 \x1b\U0001f600'
ESCAPED = r'Größe \u6620\u50cf \x1b\U0001f600'


def made(stream, formatter, *cells):
    return escaping.cell_escaper(stream, formatter)(
        map(escaping.text_cell, cells)
    )


def test_table_escapes_characters_that_encoding_lacks():
    [cell] = made(Stream('latin-1'), 'table', ODD)
    assert cell == ESCAPED
    cells = escaping.cell_escaper(Stream('ascii'), 'table')
    properties = PropertiesColumn({'ä': '映', 'b': 1})
    assert cells([1, None, properties]) == (1, None, r"b='1', \xe4='\u6620'")


@pytest.mark.parametrize(
    ('stream', 'formatter'),
    [
        (Stream('utf-8'), 'table'),
        (Stream('ascii', 'replace'), 'table'),
        (Stream('ascii'), 'value'),
        (Stream('ascii'), 'csv'),
        (Stream('ascii'), 'json'),
        (io.StringIO(), 'table'),
    ],
)
def test_other_formats_keep_cells(stream, formatter):
    assert made(stream, formatter, 'a', ODD) == ('a', ODD)


def test_lone_surrogates_are_replaced_in_every_format():
    assert escaping.text_cell('a\ud800b') == 'a\ufffdb'
    assert escaping.text_cell('\x1b\udcff').machine_readable() == '\x1b\ufffd'


HOSTILE = 'a$(touch x)`touch x`\\"; touch x; \'\n${x}!\x1b*'


@pytest.mark.parametrize('shell', ['sh', 'bash', 'dash'])
@pytest.mark.parametrize('name', [HOSTILE, '"', '\\', '$', 'plain', ''])
def test_shell_format_is_quoted(tmp_path, shell, name):
    if shutil.which(shell) is None:
        pytest.skip('not installed')
    image = Image(id='x', name=name, metadata={name: [name]})
    fields = field.shown(image, {'region': name})
    stdout = Stream()
    cells = escaping.cell_escaper(stdout, 'shell')(fields.values())
    options = argparse.Namespace(variables=[], prefix='i_')
    ShellFormatter().emit_one(list(fields), cells, stdout, options)
    program = 'eval "$1"; printf "%s|" "$i_name" "$i_region" "$i_properties"'
    done = subprocess.run(
        [shell, '-c', program, shell, stdout.getvalue()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f'{name}|{name}|{ {name: [name]} }|'
    assert done.stderr == ''
    assert list(tmp_path.iterdir()) == []


def test_shell_format_of_plain_values_is_cliffs():
    cells = escaping.cell_escaper(Stream(), 'shell')([None, 1, 'debian-12'])
    assert [str(cell) for cell in cells] == ['None', '1', 'debian-12']


def test_shell_format_is_escaped_on_terminal():
    [cell] = made(Stream(tty=True), 'shell', '$\x1b')
    assert str(cell) == r'\$\\x1b'
