# SPDX-License-Identifier: Apache-2.0

"""Decoding of pages and images."""

import json

from hypothesis import given
import hypothesis.strategies as st
import msgspec
import pytest

from osc_compute_images.api import _limits
from osc_compute_images.api import InvalidResponse
from osc_compute_images.api.listing._decode import decode_brief_page
from osc_compute_images.api.listing._decode import decode_image
from osc_compute_images.api.listing._decode import decode_page
from testbed import nova
from tests.fuzz import cost
from tests.unit.project.examples import examples


def decoded(*entries, **more):
    return decode_page(json.dumps({'images': entries, **more}).encode())


#: An entry that is no image: the page cannot be decoded in one pass.
ODD = 'what'


@pytest.mark.parametrize('others', [[], [ODD]])
def test_image_has_all_fields(others):
    server = {'id': 'the-server', 'links': []}
    entry = nova.image(1, **{'server': server, 'OS-DCF:diskConfig': 'AUTO'})
    (image,) = decoded(entry, *others).images
    assert image.server_id == 'the-server'
    del entry['links'], server['links']
    assert msgspec.to_builtins(image) == entry
    with pytest.raises(AttributeError):
        image.name = 'x'


@pytest.mark.parametrize(
    ('key', 'value', 'kept', 'warning'),
    [
        ('minDisk', '1_0', None, '"1_0", not an integer'),
        ('minDisk', 20.5, None, '20.5, not an integer'),
        ('minDisk', 'zwölf', None, '"zwölf", not an integer'),
        ('progress', True, None, 'true, not an integer'),
        ('progress', 1e999, None, '"Infinity", not an integer'),
        ('name', ['x' * 100], None, f'["{"x" * 78}..., not a string'),
        ('metadata', 'x', {}, '"x", not an object'),
        ('server', {}, None, '{}, not an object with a server ID'),
        # Missing values and conversions without a loss cause no warning.
        ('metadata', None, {}, None),
        ('minRam', None, None, None),
        ('minDisk', '20', 20, None),
        ('minDisk', '1e3', 1000, None),
        ('minDisk', 'null', None, None),
        ('minRam', 10**30, 10**30, None),
        ('OS-EXT-IMG-SIZE:size', 1.0e9, 1_000_000_000, None),
        ('name', 'null', 'null', None),
    ],
)
def test_field_of_another_type(caplog, key, value, kept, warning):
    # The others are decoded nevertheless.
    entry = nova.image(2, **{'status': None, key: value})
    page = decoded(nova.image(1), entry)
    assert len(page.images) == 2
    body = json.dumps({'image': entry}).encode()
    for image in (page.images[1], decode_image(body)):
        assert msgspec.to_builtins(image)[key] == kept
        # Any server may be stored in it, and it may need any image.
        assert image.is_complete is (key not in ('metadata', 'server'))
        assert image.created == '2026-11-23T16:11:28Z'
    told = f'Image {entry["id"]}: field {key!r} is {warning}'
    assert caplog.messages == ([told] * 2 if warning else [])
    assert {r.name for r in caplog.records} <= {'osc_compute_images'}


def test_entries_without_image_or_id_are_reported(caplog):
    long = 'x' * (_limits.MAX_ID_LENGTH + 1)
    page = decoded(
        *(nova.image(1), ODD, nova.image(2, id=None)),
        *(nova.image(3, id=long), nova.image(4, id=long[1:])),
    )
    assert [i.id for i in page.images] == [nova.image_id(1), '', '', long[1:]]
    told = "Image without an ID: field 'id' is {}, not a string of 1 to 255 "
    assert caplog.messages == [
        'Entry 1 of the page is "what", not an image',
        told.format('null') + 'characters',
        told.format(f'"{"x" * 79}...') + 'characters',
    ]


def test_many_warnings_are_counted(caplog):
    for count, more in ((5, []), (6, ['... and 1 more'])):
        caplog.clear()
        decoded(*[nova.image(n, minDisk='x') for n in range(count)])
        assert caplog.messages[5:] == more


@pytest.mark.parametrize('text', ['NaN', '-Infinity', '1e999', '9' * 5000])
def test_numbers_that_are_none_become_text(text):
    body = f'{{"images": [1, {{"id": "a", "metadata": {{"x": {text}}}}}]}}'
    (image,) = decode_page(body.encode()).images
    assert image.metadata == {'x': text}


@pytest.mark.parametrize(
    ('written', 'name'),
    [
        (rb'\ud83d\ude00', '\U0001f600'),
        (rb'\uD83D\uDE00', '\U0001f600'),
        (rb'\udfff', '\ufffd'),
        (rb'\ud7ff\ue000', '\ud7ff\ue000'),
        (rb'\\ud800', r'\ud800'),
        (rb'\\\ud800', '\\\ufffd'),
        (rb'\ud800\ud83d\ude00', '\ufffd\U0001f600'),
        (b'x\n\x1by', 'x\n\x1by'),
        (b'\xff', '\ufffd'),
        ('\U0001f600'.encode(), '\U0001f600'),
    ],
)
def test_texts_of_malformed_pages(written, name):
    page = b'{"images":[{"id":"a","name":"%s","metadata":{"%s":["%s"]}},[]]}'
    body = page % (written, written, written)
    (image,) = decode_page(body).images
    assert image.name == name
    assert image.metadata == {name: [name]}


@pytest.mark.parametrize('read', [decode_page, decode_brief_page])
@pytest.mark.parametrize('others', [[], [ODD]])
def test_next_link_is_found(read, others):
    links = [
        *(1, 'next', {'rel': 2, 'href': 'x'}, {'rel': 'next', 'href': 5}),
        *({'rel': 'self', 'href': 'x'}, {'rel': 'next', 'href': ''}),
        *({'rel': 'next', 'href': 'y'}, {'rel': 'next', 'href': 'z'}),
    ]
    for given_, url in ((links, 'y'), (links[:-2], None), ('x', None)):
        body = {'images': [nova.image(), *others], 'images_links': given_}
        page = read(json.dumps(body).encode())
        assert page.next_page_url() == url
        assert [(i.id, i.name) for i in page.images] == [
            (nova.image_id(0), 'cirros-0')
        ]


MANY = b'{"images": [%s]}'


@pytest.mark.parametrize(
    ('body', 'reason'),
    [
        (b' \n', 'it is empty'),
        (b'<html>', 'Expecting value: line 1 column 1 (char 0)'),
        (b'["images"]', "it has no 'images'"),
        (b'{}', "it has no 'images'"),
        (b'{"images": {}}', "'images' is not a list"),
        (b'{"images": []', 'it is nested too deeply'),
        # A value takes at least two bytes, and a string at least four.
        (MANY % (b'0,' * 99 + b'0'), 'it has more than 100 values'),
        (MANY % (b'"' * 399), 'it has more than 100 values'),
        (
            MANY % b'[%s]' % (b','.join([b'[]'] * 21) + b' ' * 30),
            'it has 24 lists and objects, too many for its size',
        ),
        # As many values, strings, and lists as are accepted.
        (MANY % b'[%s]' % (b'0,' * 97 + b'0'), None),
        (MANY % b'"%s"' % (b'\\"' * 396), None),
        (MANY % b'[%s]' % (b','.join([b'[]'] * 20) + b' ' * 30), None),
        # A short body is not checked.
        (MANY % b'[%s]' % (b','.join([b'[]'] * 27) + b' ' * 4), None),
    ],
)
def test_reason_of_an_invalid_document(monkeypatch, body, reason):
    def fail(*_args, **_options):
        raise RecursionError

    monkeypatch.setattr(_limits, 'MAX_CONTAINERS', 20)
    monkeypatch.setattr(_limits, 'MAX_VALUES', 100)
    if reason is None:
        assert decode_page(body).images == []
        return
    if 'deeply' in reason:
        monkeypatch.setattr(json, 'loads', fail)
    with pytest.raises(InvalidResponse) as caught:
        decode_page(body)
    assert str(caught.value) == (
        f'The response is not from the images API: {reason}'
    )


# -- limits ----------------------------------------------------------------


def page_of_many(small, size):
    many = b','.join([small] * (size // (len(small) + 1)))
    return b'{"images":[{"id":"a","metadata":{"a":[%s]}}]}' % many


#: Values of which many take little text, and much memory. The last takes most.
SMALL = [b'[[]]', b'{"a":1}', b'{"":[]}', b'[' * 100 + b']' * 100]

ACCEPTED = [
    page_of_many(SMALL[-1], _limits.MAX_VALUES - 1000),
    *(
        b'{"images":[{"id":"a",%s"name":%s}]}' % (more, value)
        for value in (
            b'"' + b'\\"' * 300_000 + b'"',
            b'"\xf0\x9f\x98\x80' + b'a' * 5_000_000 + b'"',
            b'"' + b'\\ud83d' * 1_000_000 + b'"',
            b'9' * 5_000_000,
            b'1.' + b'0' * 5_000_000,
            b'[' * 400_000 + b']' * 400_000,
        )
        for more in (b'', b'"minDisk":[],')
    ),
]
REFUSED = [
    *(page_of_many(small, 3 * _limits.MAX_VALUES) for small in SMALL),
    *(
        b'{"images":' + rest
        for rest in (
            # Unterminated strings, also with escapes.
            b'[' * 201 + b'"' + b'\\"' * 130_000,
            b'"' + b'\\' * 5_000_001,
            b'"' * 5_000_000,
            b'[' * 900_000,
            b'[' * 2_000_000,
            # Numbers and almost empty images.
            b'[' + b'1,' * 900_000 + b'1]}',
            b'[' + b'1,' * 5_000_000 + b'1]}',
            b'[' + b'{"id":"a"},' * 400_000 + b'{"id":"a"}]}',
        )
    ),
]


@pytest.mark.no_cover
@pytest.mark.parametrize('body', ACCEPTED, ids=len)
def test_cost_of_a_page_is_limited(body):
    with cost.bounded(len(body)):
        (image,) = decode_page(body).images
    assert image.id == 'a'


@pytest.mark.no_cover
@pytest.mark.parametrize('body', REFUSED, ids=len)
def test_cost_of_an_invalid_page_is_limited(body):
    for read in (decode_page, decode_image):
        with cost.bounded(len(body)), pytest.raises(InvalidResponse):
            read(body)


def test_page_of_many_images_is_accepted():
    images = [nova.image(n) for n in range(5000)]
    body = json.dumps({'images': images}, separators=(',', ':')).encode()
    assert len(body) > _limits.MAX_VALUES
    assert len(decode_page(body).images) == 5000


@pytest.mark.parametrize('levels', [1, 196, 197, 500, 5000])
@pytest.mark.parametrize('kind', ['[%s]', '{"k": %s}', '[1, %s, 2]'])
def test_deep_property_loses_neither_page_nor_image(caplog, kind, levels):
    begin, _, end = kind.partition('%s')
    deep = f'{begin * levels}"x"{end * levels}'
    entry = json.dumps(nova.image(1))[:-1] + f', "metadata": {{"a": {deep}}}}}'
    other = json.dumps(nova.image(2))
    page = f'{{"images": [{entry}, {other}]}}'.encode()
    first, second = decode_page(page).images
    assert second.metadata == nova.image(2)['metadata']
    one = decode_image(f'{{"image": {entry}}}'.encode())
    for image in (first, one):
        # What is kept can be copied and written.
        assert json.dumps(image.to_dict()['metadata'])[:6] == '{"a": '
    is_whole = json.dumps(first.metadata) == f'{{"a": {deep}}}'
    assert is_whole is (levels < 197)
    told = (
        "Ignored values nested more than 200 levels deep in the server's "
        'response'
    )
    assert {*caplog.messages} == (set() if is_whole else {told})


def test_number_of_entries_is_limited():
    for entry in (b'{"id":"a"}', b'{"id":"a","metadata":1}'):
        page = MANY % b','.join([entry] * _limits.MAX_ENTRIES)
        assert len(decode_page(page).images) == 25_000
        told = 'a page has more than 25,000 entries'
        with pytest.raises(InvalidResponse, match=told):
            decode_page(page.replace(b'[', b'[' + entry + b','))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*nova.image(), 'server', 'OS-DCF:diskConfig'])
OBJECTS = st.dictionaries(FIELDS, JSON, max_size=4)


@given(st.lists(JSON | OBJECTS, max_size=3), JSON)
@examples(200)
def test_any_objects_are_decoded_to_images(entries, links):
    page = decoded(*entries, images_links=links)
    assert len(page.images) == sum(isinstance(e, dict) for e in entries)
    for image in page.images:
        assert isinstance(image.id, str)
        assert isinstance(image.metadata, dict)
