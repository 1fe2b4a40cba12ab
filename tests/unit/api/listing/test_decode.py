# SPDX-License-Identifier: Apache-2.0

"""Decoding of pages and images."""

import contextlib
import json

from hypothesis import given
import hypothesis.strategies as st
import msgspec
import pytest

from osc_compute_images.api import _limits
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api import ServerRef
from osc_compute_images.api.listing import _decode
from osc_compute_images.api.listing import _json
from testbed import nova
from tests.fuzz import cost
from tests.unit.project.examples import examples


def decoded(*entries, **more):
    return _decode.decode_page(
        json.dumps({'images': entries, **more}).encode()
    )


def test_image_has_all_fields():
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


def test_image_is_immutable():
    (image,) = decoded(nova.image()).images
    with pytest.raises(AttributeError):
        image.name = 'x'


@pytest.mark.parametrize('field', sorted(nova.image()))
@pytest.mark.parametrize('null', [True, False])
def test_missing_fields_cause_no_warning(caplog, field, null):
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


def test_unknown_fields_and_statuses_are_accepted(caplog):
    entry = nova.image(1, status='FROZEN', novelty={'deep': [1]})
    (image,) = decoded(entry, other=1).images
    assert image.status == 'FROZEN'
    assert caplog.text == ''


NAME = 'x' * 100

#: A field, its value in JSON, its decoded value, and the warning.
LOSSY = [
    ('minDisk', 'many', None, '"many", not an integer'),
    ('minDisk', '1_0', None, '"1_0", not an integer'),
    ('minDisk', [20], None, '[20], not an integer'),
    ('minDisk', 20.5, None, '20.5, not an integer'),
    ('progress', True, None, 'true, not an integer'),
    ('progress', 1e999, None, '"Infinity", not an integer'),
    ('name', {'a': 1}, None, '{"a": 1}, not a string'),
    ('name', [NAME], None, f'["{NAME[:78]}..., not a string'),
    ('metadata', 'x', {}, '"x", not an object'),
    ('metadata', [], {}, '[], not an object'),
    ('server', {}, None, '{}, not an object with a server ID'),
    ('server', 'x', None, '"x", not an object with a server ID'),
    ('server', {'id': ''}, None, 'not an object with a server ID'),
    ('minDisk', 'zwölf', None, '"zwölf", not an integer'),
    ('server', {'id': 'x' * 256}, None, 'not an object with a server ID'),
]


@pytest.mark.parametrize(('key', 'value', 'kept', 'warning'), LOSSY)
def test_invalid_field_is_reported_and_others_are_kept(
    caplog, key, value, kept, warning
):
    page = decoded(nova.image(1), nova.image(2, **{key: value}))
    assert len(page.images) == 2
    image = page.images[1]
    assert fields(image)[key] == kept
    assert image.created == '2026-11-23T16:11:28Z'
    (record,) = caplog.records
    expected = f'Image {nova.image_id(2)}: field {key!r} is '
    assert record.getMessage().startswith(expected)
    assert warning in record.getMessage()


LOSSLESS = [
    ('minDisk', '20', 20),
    ('minDisk', '20.0', 20),
    ('minDisk', '1e3', 1000),
    ('minDisk', 'null', None),
    ('minRam', 512.0, 512),
    ('OS-EXT-IMG-SIZE:size', 1.0e9, 1_000_000_000),
    ('OS-EXT-IMG-SIZE:size', '5', 5),
    ('name', 12, '12'),
    ('name', 1.5, '1.5'),
    ('name', 'null', 'null'),
    ('id', 7, '7'),
    ('server', {'id': 7}, ServerRef('7')),
]


@pytest.mark.parametrize(('key', 'value', 'kept'), LOSSLESS)
def test_lossless_conversion_causes_no_warning(caplog, key, value, kept):
    # The second image is malformed, so the whole page is salvaged.
    page = decoded(nova.image(1, **{key: value}), nova.image(2, name=7))
    assert fields(page.images[0])[key] == kept
    assert caplog.text == ''


def fields(image):
    return {
        f.encode_name: getattr(image, f.name)
        for f in msgspec.structs.fields(image)
    }


def test_invalid_field_of_single_image(caplog):
    body = json.dumps({'image': nova.image(1, minRam='x')}).encode()
    assert _decode.decode_image(body).min_ram is None
    assert 'minRam' in caplog.text


def test_entries_without_image_or_id_are_reported(caplog):
    page = decoded(nova.image(1), 'what', nova.image(2, id=None))
    assert [image.id for image in page.images] == [nova.image_id(1), '']
    assert 'Entry 1 of the page is "what", not an image' in caplog.text
    assert (
        "without an ID: field 'id' is null, not a string of 1 to 255 "
        'characters'
    ) in caplog.text


@pytest.mark.parametrize(
    ('count', 'more'), [(4, ''), (5, ''), (6, '1 more'), (20, '15 more')]
)
def test_many_warnings_are_counted(caplog, count, more):
    decoded(*[nova.image(n, minDisk='x') for n in range(count)])
    named = [r for r in caplog.records if 'minDisk' in r.getMessage()]
    assert len(named) == min(count, 5)
    assert len(caplog.records) == len(named) + bool(more)
    assert more in caplog.text


@pytest.mark.parametrize('text', ['NaN', 'Infinity', '-Infinity'])
def test_nan_and_infinity_become_text(text):
    body = f'{{"images": [{{"id": "a", "metadata": {{"x": {text}}}}}]}}'
    (image,) = _decode.decode_page(body.encode()).images
    assert image.metadata == {'x': text}


@pytest.mark.parametrize('number', ['1e999', '-1e999'])
def test_numbers_too_large_for_a_float_become_text(number):
    body = f'{{"images": [1, {{"id": "a", "metadata": {{"x": {number}}}}}]}}'
    (image,) = _decode.decode_page(body.encode()).images
    assert image.metadata == {'x': number}


def test_huge_numbers():
    body = '{"images": [{"id": "a", "minDisk": %s, "minRam": %s}]}'
    body %= ('9' * 5000, '9' * 30)
    (image,) = _decode.decode_page(body.encode()).images
    assert (image.min_disk, image.min_ram) == (None, int('9' * 30))


def test_last_of_duplicate_keys_wins():
    (image,) = _decode.decode_page(b'{"images":[{"id":"a","id":"b"}]}').images
    assert image.id == 'b'


@pytest.mark.parametrize('name', [b'\xff', b'\\ud800', b'\\udc00x'])
def test_invalid_unicode_is_replaced(name):
    body = b'{"images":[{"id":"a","name":"%s","metadata":{"k":["%s"]}}]}'
    (image,) = _decode.decode_page(body % (name, name)).images
    assert image.name.startswith('\ufffd')
    image.name.encode()


@pytest.mark.parametrize(
    ('written', 'name'),
    [
        (r'\ud83d\ude00', '\U0001f600'),
        (r'\uD83D\uDE00', '\U0001f600'),
        (r'\udfff', '\ufffd'),
        (r'\uDFFF', '\ufffd'),
        (r'\ud7ff\ue000', '\ud7ff\ue000'),
        (r'\\ud800', r'\ud800'),
        (r'\\\ud800', '\\\ufffd'),
        (r'\ud800\ud83d\ude00', '\ufffd\U0001f600'),
        (r'a\\\\b\"', r'a\\b"'),
        ('\U0001f600', '\U0001f600'),
    ],
)
def test_escapes_are_decoded_in_malformed_pages(written, name):
    page = '{"images":[{"id":"a","name":"%s","metadata":{"%s":["%s"]}},[]]}'
    body = (page % (written, written, written)).encode()
    (image,) = _decode.decode_page(body).images
    assert image.name == name
    assert image.metadata == {name: [name]}


def test_control_character_in_string_is_accepted():
    body = b'{"images":[{"id":"a","name":"x\n\x1by"},{"id":"b"}]}'
    first, second = _decode.decode_page(body).images
    assert (first.name, second.id) == ('x\n\x1by', 'b')


@pytest.mark.parametrize('others', [(), (1, {'rel': 2, 'href': 'x'})])
def test_next_link_is_found(others):
    links = [
        *others,
        {'rel': 'self', 'href': 'x'},
        {'rel': 'next', 'href': ''},
        {'rel': 'next', 'href': 'y'},
        {'rel': 'next', 'href': 'z'},
    ]
    page = decoded(nova.image(), images_links=links)
    assert page.next_page_url() == 'y'
    assert (
        decoded(nova.image(), images_links=links[:-2]).next_page_url() is None
    )


def test_brief_page_has_next_link():
    page = _decode.decode_brief_page(
        b'{"images": [{"id": "a", "name": "x"}],'
        b' "images_links": [{"rel": "next", "href": "y"}]}'
    )
    assert (len(page.images), page.next_page_url()) == (1, 'y')


def test_malformed_links_are_ignored():
    assert decoded(nova.image(), images_links='x').next_page_url() is None
    for link in ({'rel': 'next', 'href': 5}, {'rel': 5, 'href': 'x'}, 'next'):
        assert (
            decoded(nova.image(), images_links=[link]).next_page_url() is None
        )


def test_reason_of_an_invalid_document(monkeypatch):
    def fail(*_args, **_options):
        raise RecursionError

    for body, reason in [
        (b'', 'it is empty'),
        (b' \n', 'it is empty'),
        (b'<html>', 'Expecting value: line 1 column 1 (char 0)'),
        (b'[]', "it has no 'images'"),
        (b'{"images": {}}', "'images' is not a list"),
        (b'{"images": []', 'it is nested too deeply'),
    ]:
        if 'deeply' in reason:
            monkeypatch.setattr(json, 'loads', fail)
        with pytest.raises(InvalidResponse) as caught:
            _decode.decode_page(body)
        assert str(caught.value) == (
            f'The response is not from the images API: {reason}'
        )


def test_image_that_is_not_an_object_is_an_error():
    with pytest.raises(InvalidResponse, match="'image' is not an object"):
        _decode.decode_image(b'{"image": []}')


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
def test_invalid_document_is_an_error(body):
    with pytest.raises(InvalidResponse):
        _decode.decode_page(body)
    with pytest.raises(InvalidResponse):
        _decode.decode_image(body)


def test_byte_order_mark_is_ignored():
    assert _decode.decode_page(b'\xef\xbb\xbf{"images": []}').images == []


ONE = b'{"images":[{"id":"a","name":%s}]}'
ODD = b'{"images":[{"id":"a","minDisk":[],"name":%s}]}'


@pytest.mark.no_cover
@pytest.mark.parametrize('page', [ONE, ODD])
@pytest.mark.parametrize(
    'value',
    [
        b'"' + b'\\"' * 300_000 + b'"',
        b'"' + b'a' * 10_000_000 + b'"',
        b'"\xf0\x9f\x98\x80' + b'a' * 10_000_000 + b'"',
        b'"' + b'\\ud83d' * 1_000_000 + b'"',
        b'9' * 10_000_000,
        b'1.' + b'0' * 10_000_000,
        b'[' * 400_000 + b']' * 400_000,
    ],
    ids=lambda value: value[:10].decode(),
)
def test_cost_of_a_value_is_limited(page, value):
    body = page % value
    with cost.bounded(len(body)):
        (image,) = _decode.decode_page(body).images
    assert image.id == 'a'


#: Values of which many take little text, and much memory. The last takes most.
SMALL = [b'[[]]', b'{"a":1}', b'{"":[]}', b'[' * 100 + b']' * 100]


def page_of_many(small, size):
    many = b','.join([small] * (size // (len(small) + 1)))
    return b'{"images":[{"id":"a","metadata":{"a":[%s]}}]}' % many


@pytest.mark.no_cover
@pytest.mark.parametrize('small', SMALL, ids=lambda small: small[:8].decode())
def test_many_small_values_are_rejected(small):
    body = page_of_many(small, 3 * _limits.MAX_VALUES)
    with pytest.raises(InvalidResponse, match='too many for its size'):
        _decode.decode_page(body)


@pytest.mark.no_cover
def test_cost_of_small_values_that_are_not_counted_is_bounded():
    body = page_of_many(SMALL[-1], _limits.MAX_VALUES - 1000)
    with cost.bounded(len(body)):
        (image,) = _decode.decode_page(body).images
    assert image.id == 'a'


def test_page_of_many_images_is_accepted():
    images = [nova.image(n) for n in range(5000)]
    body = json.dumps({'images': images}, separators=(',', ':')).encode()
    assert len(body) > _limits.MAX_VALUES
    assert len(_decode.decode_page(body).images) == 5000


@pytest.mark.no_cover
@pytest.mark.parametrize(
    'body',
    [
        # Unterminated strings with escapes.
        b'{"images":"' + b'\\"' * 130_000,
        b'{"images":' + b'[' * 201 + b'"' + b'\\"' * 130_000,
        b'{"images":"' + b'\\' * 5_000_001,
        b'{"images":' + b'"' * 5_000_000,
        b'{"images":' + b' ' * 10_000_000,
        b'{"images":' + b'[' * 900_000,
        b'{"images":' + b'[' * 2_000_000,
        # Numbers and almost empty images.
        b'{"images":[' + b'1,' * 900_000 + b'1]}',
        b'{"images":[' + b'1,' * 5_000_000 + b'1]}',
        b'{"images":[' + b'{},' * 400_000 + b'{}]}',
        b'{"images":[' + b'{"id":"a"},' * 400_000 + b'{"id":"a"}]}',
    ],
    ids=lambda body: f'{body[:14].decode()}..{len(body)}',
)
def test_cost_of_an_invalid_document_is_limited(body):
    with cost.bounded(len(body)), pytest.raises(InvalidResponse):
        _decode.decode_page(body)
    with cost.bounded(len(body)), pytest.raises(InvalidResponse):
        _decode.decode_image(body)


@pytest.mark.parametrize('levels', [1, 196, 197, 500, 5000])
@pytest.mark.parametrize('kind', ['[%s]', '{"k": %s}'])
def test_deep_property_costs_neither_page_nor_image(caplog, kind, levels):
    begin, _, end = kind.partition('%s')
    deep = f'{begin * levels}"x"{end * levels}'
    entry = json.dumps(nova.image(1))[:-1] + f', "metadata": {{"a": {deep}}}}}'
    other = json.dumps(nova.image(2))
    page = f'{{"images": [{entry}, {other}]}}'.encode()
    first, second = _decode.decode_page(page).images
    assert second.metadata == nova.image(2)['metadata']
    one = _decode.decode_image(f'{{"image": {entry}}}'.encode())
    for image in (first, one):
        # What is kept can be copied and written.
        assert json.dumps(image.to_dict()['metadata'])[:6] == '{"a": '
    is_whole = json.dumps(first.metadata) == f'{{"a": {deep}}}'
    assert is_whole is (levels < 197)
    warned = [r for r in caplog.records if 'nested more' in r.getMessage()]
    assert bool(warned) is not is_whole


def test_warnings_are_logged_by_the_package(caplog):
    decoded({'name': 'no ID'})
    nested = '[' * 2000 + ']' * 2000
    _decode.decode_page(f'{{"images": [{{"id": {nested}}}]}}'.encode())
    assert len(caplog.records) > 1
    assert {r.name for r in caplog.records} == {'osc_compute_images'}


def test_overlong_ids_are_dropped(caplog):
    most = _limits.MAX_ID_LENGTH
    long = [nova.image(n, id=f'{n}' + 'x' * 1_000_000) for n in range(10)]
    body = json.dumps({'images': [*long, {'id': 'y' * most}]}).encode()
    with cost.bounded(len(body)):
        page = _decode.decode_page(body)
    assert [image.id for image in page.images] == [''] * 10 + ['y' * most]
    assert all(len(r.getMessage()) < 300 for r in caplog.records)


@pytest.mark.parametrize('fields', [b'', b', "metadata": 1'])
def test_number_of_entries_is_limited(fields):
    entry = b'{"id": "a"%s}' % fields
    most = _limits.MAX_ENTRIES
    page = b'{"images": [' + b','.join([entry] * most)
    assert len(_decode.decode_page(page + b']}').images) == most
    with pytest.raises(InvalidResponse, match='25,000 entries'):
        _decode.decode_page(page + b',' + entry + b']}')


def test_number_of_strings_is_limited(monkeypatch):
    monkeypatch.setattr(_limits, 'MAX_VALUES', 1000)
    most = b'["' + b'\\"' * 3998 + b'"]'
    assert _json.load(most) == ['"' * 3998]
    with pytest.raises(InvalidResponse, match='1,000 values'):
        _json.load(most.replace(b'["', b'["\\"', 1))


@pytest.mark.parametrize(('value', 'more'), [(b'0,', b'0'), (b'"",', b'""')])
def test_number_of_values_is_limited(monkeypatch, value, more):
    monkeypatch.setattr(_limits, 'MAX_VALUES', 1000)
    body = b'[' + value * 999 + more + b']'
    assert len(_json.load(body)) == 1000
    with pytest.raises(InvalidResponse, match='1,000 values'):
        _json.load(b'[' + value * 1000 + more + b']')


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
@examples()
def test_any_bytes_are_decoded_or_invalid(body):
    for read in (_decode.decode_page, _decode.decode_image):
        with contextlib.suppress(InvalidResponse):
            read(body)


@given(ENTRIES, JSON)
@examples(300)
def test_any_objects_are_decoded_to_images(entries, links):
    page = decoded(*entries, images_links=links)
    assert len(page.images) == sum(isinstance(e, dict) for e in entries)
    for image in page.images:
        assert isinstance(image.id, str)
        assert isinstance(image.metadata, dict)
