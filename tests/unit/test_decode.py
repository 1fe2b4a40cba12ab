# SPDX-License-Identifier: Apache-2.0

import contextlib
import json

from hypothesis import given
from hypothesis import settings
import hypothesis.strategies as st
import pytest

from osc_compute_images.api import _decode
from osc_compute_images.api import InvalidResponse
from testbed import nova


def decoded(*entries, **more):
    return _decode.decode_page(
        json.dumps({'images': entries, **more}).encode()
    )


def test_an_image_has_all_that_the_server_sends():
    server = {'id': 'the-server', 'links': []}
    entry = nova.image(1, **{'server': server, 'OS-DCF:diskConfig': 'AUTO'})
    (image,) = decoded(entry).images
    assert image.id == nova.image_id(1)
    assert image.name == 'cirros-1'
    assert (image.status, image.progress) == ('ACTIVE', 100)
    assert (image.min_disk, image.min_ram) == (1, 512)
    assert image.created == '2026-11-23T16:11:28Z'
    assert image.updated == '2026-11-23T17:12:31Z'
    assert image.size == 21430272
    assert image.metadata == {'os_distro': 'cirros'}
    assert (image.server_id, image.disk_config) == ('the-server', 'AUTO')


def test_an_image_cannot_be_changed():
    (image,) = decoded(nova.image()).images
    with pytest.raises(AttributeError):
        image.name = 'x'


@pytest.mark.parametrize('field', sorted(nova.image()))
@pytest.mark.parametrize('null', [True, False])
def test_every_field_but_the_id_may_be_missing(caplog, field, null):
    if field == 'id':
        return
    entry = nova.image()
    entry[field] = None
    if not null:
        del entry[field]
    (image,) = decoded(entry).images
    assert image.id == nova.image_id(0)
    assert image.metadata is not None
    assert caplog.text == ''


def test_unknown_fields_and_words_are_no_error(caplog):
    entry = nova.image(1, status='FROZEN', novelty={'deep': [1]})
    (image,) = decoded(entry, other=1).images
    assert image.status == 'FROZEN'
    assert caplog.text == ''


ODD = [
    ('minDisk', '20', 'min_disk', 20),
    ('minDisk', 'many', 'min_disk', None),
    ('minDisk', [20], 'min_disk', None),
    ('minRam', 512.0, 'min_ram', 512),
    ('progress', 1e999, 'progress', None),
    ('name', 12, 'name', '12'),
    ('name', {'a': 1}, 'name', '{"a": 1}'),
    ('metadata', 'x', 'metadata', {}),
    ('metadata', [], 'metadata', {}),
    ('server', {'id': 7}, 'server_id', '7'),
    ('server', {}, 'server_id', None),
    ('server', 'x', 'server_id', None),
    ('OS-EXT-IMG-SIZE:size', '5', 'size', 5),
]


@pytest.mark.parametrize(('key', 'value', 'field', 'expected'), ODD)
def test_an_odd_field_is_named_and_the_others_are_kept(
    caplog, key, value, field, expected
):
    page = decoded(nova.image(1), nova.image(2, **{key: value}))
    assert len(page.images) == 2
    odd = page.images[1]
    assert getattr(odd, field) == expected
    assert odd.created == '2026-11-23T16:11:28Z'
    assert nova.image_id(2) in caplog.text
    assert repr(key) in caplog.text


def test_an_odd_image_alone(caplog):
    body = json.dumps({'image': nova.image(1, minRam='x')}).encode()
    assert _decode.decode_image(body).min_ram is None
    assert 'minRam' in caplog.text


def test_what_is_no_image_or_has_no_id_is_named(caplog):
    page = decoded(nova.image(1), 'what', nova.image(2, id=None))
    assert [image.id for image in page.images] == [nova.image_id(1), '']
    assert 'Entry 1 of the page is no image' in caplog.text
    assert 'without an ID' in caplog.text


def test_many_oddities_are_summed_up(caplog):
    decoded(*[nova.image(n, minDisk='x') for n in range(20)])
    assert len(caplog.records) == 6
    assert '15 more' in caplog.text


@pytest.mark.parametrize('text', ['NaN', 'Infinity', '-Infinity'])
def test_numbers_that_are_no_json_survive_as_text(text):
    body = f'{{"images": [{{"id": "a", "metadata": {{"x": {text}}}}}]}}'
    (image,) = _decode.decode_page(body.encode()).images
    assert image.metadata == {'x': text}


def test_huge_numbers():
    body = '{"images": [{"id": "a", "minDisk": %s, "minRam": %s}]}'
    body %= ('9' * 5000, '9' * 30)
    (image,) = _decode.decode_page(body.encode()).images
    assert (image.min_disk, image.min_ram) == (None, int('9' * 30))


def test_of_duplicate_keys_the_last_counts():
    (image,) = _decode.decode_page(b'{"images":[{"id":"a","id":"b"}]}').images
    assert image.id == 'b'


@pytest.mark.parametrize('name', [b'\xff', b'\\ud800', b'\\udc00x'])
def test_what_is_no_text_is_replaced(name):
    body = b'{"images":[{"id":"a","name":"%s","metadata":{"k":["%s"]}}]}'
    (image,) = _decode.decode_page(body % (name, name)).images
    assert image.name.startswith('\ufffd')
    image.name.encode()


def test_a_control_character_in_a_text_costs_no_image():
    body = b'{"images":[{"id":"a","name":"x\n\x1by"},{"id":"b"}]}'
    first, second = _decode.decode_page(body).images
    assert (first.name, second.id) == ('x\n\x1by', 'b')


def test_links_of_another_form_are_no_links():
    links = [1, {'rel': 2, 'href': 'x'}, {'rel': 'next', 'href': 'y'}]
    page = decoded(nova.image(), images_links=links)
    assert page.next_url == 'y'
    assert decoded(nova.image(), images_links='x').next_url is None


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'  ',
        b'<html>',
        b'[]',
        b'"images"',
        b'{}',
        b'{"images": null}',
        b'{"images": {}}',
        b'{"images": ' + b'[' * 100_000,
        b'{"images": [' + b'{"a":' * 100_000,
        b'{"images": [{"id": "a"}',
        b'\xff\xfe',
    ],
)
def test_what_is_no_page_is_refused(body):
    with pytest.raises(InvalidResponse):
        _decode.decode_page(body)
    with pytest.raises(InvalidResponse):
        _decode.decode_image(body)


def test_a_byte_order_mark_does_no_harm():
    assert _decode.decode_page(b'\xef\xbb\xbf{"images": []}').images == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*nova.image(), 'server', 'OS-DCF:diskConfig'])
ENTRIES = st.lists(
    JSON | st.dictionaries(FIELDS, JSON, max_size=4), max_size=3
)


@given(st.binary() | st.text().map(str.encode))
@settings(deadline=None, derandomize=True)
def test_any_bytes_are_read_or_refused(body):
    for read in (_decode.decode_page, _decode.decode_image):
        with contextlib.suppress(InvalidResponse):
            read(body)


@given(ENTRIES, JSON)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_images_are_read_as_far_as_they_can_be(entries, links):
    page = decoded(*entries, images_links=links)
    assert len(page.images) == sum(isinstance(e, dict) for e in entries)
    for image in page.images:
        assert isinstance(image.id, str)
        assert isinstance(image.metadata, dict)
