# SPDX-License-Identifier: Apache-2.0

"""The records of images."""

import datetime
import json
import pickle

import msgspec

from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ServerRef

FULL = Image(
    id='i',
    name='x',
    status='Saving',
    created='2026-11-23T16:11:28Z',
    updated='soon',
    server=ServerRef('s'),
    metadata={'a': 'b', 'list': [{'device': ['vda']}], 'map': {'k': {}}},
)


def test_to_dict_is_a_copy_of_plain_types():
    fields = FULL.to_dict()
    assert list(fields) == [
        *('id', 'name', 'status', 'progress', 'min_disk', 'min_ram'),
        *('created', 'updated', 'size', 'metadata', 'disk_config'),
        'server_id',
    ]
    assert (fields['name'], fields['server_id']) == ('x', 's')
    assert json.loads(json.dumps(fields)) == fields
    assert fields['metadata'] == FULL.metadata
    fields['metadata']['list'][0]['device'].append('vdb')
    fields['metadata']['map']['k']['x'] = 1
    assert FULL.metadata['list'] == [{'device': ['vda']}]
    assert FULL.metadata['map'] == {'k': {}}
    assert type(Image(id='i').to_dict()['metadata']) is dict
    assert ImageRef('i', 'a').to_dict() == {'id': 'i', 'name': 'a'}


def test_image_without_properties_is_not_complete():
    made = Image(id='i')
    assert not made.is_complete
    assert not pickle.loads(pickle.dumps(made)).is_complete
    assert Image(id='i', metadata={}).is_complete


def test_values_of_other_fields():
    newer = msgspec.structs.replace(FULL, name='y')
    assert newer != FULL
    assert hash(newer) == hash(FULL)
    assert {FULL: 1}[pickle.loads(pickle.dumps(FULL))] == 1
    assert FULL.state == 'SAVING'
    time = datetime.datetime(2026, 11, 23, 16, 11, 28, tzinfo=datetime.UTC)
    assert (FULL.created_at, FULL.updated_at) == (time, None)
    empty = Image(id='i')
    assert empty.state is empty.server_id is empty.created_at is None


def test_repr_is_one_short_printable_line():
    assert repr(FULL) == "<Image i 'x' Saving>"
    assert repr(ImageRef('i')) == '<ImageRef i None>'
    for hostile in ('x' * 500, '\x1b[2J\u202e\n' * 50, '\N{CAT FACE}' * 300):
        for record in (Image(id='i', name=hostile), ImageRef('i', hostile)):
            assert repr(record).isprintable()
            assert len(repr(record)) < 160
