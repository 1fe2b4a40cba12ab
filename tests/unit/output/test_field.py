# SPDX-License-Identifier: Apache-2.0

"""Cells: what people see, and what programs read."""

import io
import shutil
import subprocess

import pytest

from osc_compute_images.output import escaping
from osc_compute_images.output.escaping import PropertiesColumn
from testbed import nova
from tests.unit.running import Terminal

ID = nova.image_id(1)


def serve(http, **fields):
    image = nova.image(1, **fields)
    http.get(nova.DETAIL, json=nova.page([image]))
    http.get(f'{nova.ENDPOINT}/images/{ID}', json={'image': image})


@pytest.mark.parametrize('character', ['a', '\x1b', '\u202e', 'ä'])
def test_long_text_is_truncated_for_people_only(character):
    most = escaping.MAX_CELL
    long = character * (most + 1)
    cell = escaping.text_cell(long)
    assert len(cell.human_readable()) == most + 3
    assert cell.human_readable().endswith('...')
    assert cell.machine_readable() == long
    assert type(cell.machine_readable()) is str
    assert escaping.text_cell('a' * most) == 'a' * most
    properties = PropertiesColumn({long: long, 'b': long})
    assert len(properties.human_readable()) == most + 3
    assert properties.machine_readable() == {long: long, 'b': long}


def test_text_sorts_by_code_points_and_has_no_surrogates():
    texts = ['', '\n', 'B', 'a', 'a\x1b', 'b', 'ä', '\u202e']
    cells = sorted(map(escaping.text_cell, reversed(texts)))
    assert [str(cell) for cell in cells] == texts
    assert escaping.text_cell('\x1b\udcff').machine_readable() == '\x1b\ufffd'


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
    column = PropertiesColumn(metadata)
    assert column.human_readable() == shown
    assert PropertiesColumn({}) < column or not metadata
    with pytest.raises(TypeError):
        column < 'text'  # noqa: B015


def stream_of(encoding, errors='strict'):
    """Return what replaces stdout."""
    fields = {'encoding': encoding, 'errors': errors}
    return type('Stream', (io.StringIO,), fields)()


ODD = 'Größe 映像 \x1b\U0001f600'
SAFE = ODD.replace('\x1b', r'\x1b')


@pytest.mark.parametrize(
    ('stream', 'form', 'shown'),
    [
        (stream_of('latin-1'), 'table', r'Größe \u6620\u50cf \x1b\U0001f600'),
        (stream_of('ascii', 'replace'), 'table', SAFE),
        (stream_of('ascii'), 'value', ODD),
        (Terminal(), 'value', SAFE),
        (io.StringIO(), 'table', SAFE),
    ],
)
def test_only_tables_and_terminals_escape(app, http, stream, form, shown):
    serve(http, name=ODD, metadata={'映': 'é'})
    app.stdout = stream
    _, printed = app.run(f'list --long -f {form} -c Name -c Properties')
    assert shown in printed
    assert (r'\u6620' in printed) == (r'\u6620' in shown)


HOSTILE = 'a$(touch x)`touch x`\\"; touch x; \'\n${x}!\x1b*'


@pytest.mark.parametrize('shell', ['sh', 'bash'])
@pytest.mark.parametrize('name', [HOSTILE, '\\', '', None])
def test_shell_format_is_quoted(app, http, tmp_path, shell, name):
    if shutil.which(shell) is None:
        pytest.skip('not installed')
    serve(http, name=name, metadata={str(name): [name]})
    _, printed = app.run(f'show -f shell --prefix i_ {ID}')
    program = 'eval "$1"; printf "%s|" "$i_name" "$i_size" "$i_properties"'
    done = subprocess.run(
        [shell, '-c', program, shell, printed],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f'{name}|21430272|{ {str(name): [name]} }|'
    assert done.stderr == ''
    assert [file.name for file in tmp_path.iterdir()] == ['clouds.yaml']
    # On a terminal, it is also escaped.
    app.stdout = Terminal()
    serve(http, name='$\x1b')
    _, printed = app.run('show', '-f', 'shell', ID)
    assert r'name="\$\\x1b"' in printed
