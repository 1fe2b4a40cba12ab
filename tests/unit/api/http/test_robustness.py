# SPDX-License-Identifier: Apache-2.0

"""Hostile and malformed responses."""

import gzip
import json
import math
from typing import NamedTuple

from hypothesis import example
from hypothesis import given
import hypothesis.strategies as st
from keystoneauth1 import adapter
import pytest
import requests

from osc_compute_images import api as images
from osc_compute_images.api import filters
from osc_compute_images.api import ListOpts
from osc_compute_images.api.http import _body
from osc_compute_images.api.http import _error_response
from osc_compute_images.api.http import _settings
from osc_compute_images.targets import streams
from testbed import nova
from tests.unit.conftest import sent
from tests.unit.conftest import set_catalog
from tests.unit.project.examples import examples

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'
EMPTY = {'images': []}
EVIL = '\x1b]0;x\x07'


@given(st.text(max_size=40) | st.from_regex(r'[A-Za-z0-9,:+ -]{0,40}'))
@example('Fri, 31 Dec 2100 23:59:59 GMT')
@example('Fri, 31 Dec 2100 23:59:59 -0000')
@example('Fri, 31 Dec 2100 23:59:59')
@example('Sat, 1 Jan 0 0:0:0 +9999999999')
@example('9' * 5000)
@example('-1')
@examples()
def test_delay_is_limited_for_any_retry_after(text):
    seconds = _error_response.parse_retry_after(text)
    error = images.ServerError('x', http_status=503)
    error.retry_after = seconds
    delay = _settings.Retries().delay(error, 0, math.inf, lambda: 0.0)
    assert seconds is None or seconds >= 0
    assert delay is None or 0 <= delay <= _error_response.MAX_DELAY


ERRORS = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(['error', 'message', 'title', 'code']), inner
        )
    ),
    max_leaves=6,
)


@given(
    st.binary(max_size=60) | ERRORS.map(json.dumps).map(str.encode),
    st.text(max_size=10),
)
@example(json.dumps({'message': f'&#{"9" * 5000};'}).encode(), '')
@example(b'<title>&#x1b;[2J&NewLine;</title>', '')
@example(b'{"error": {"code": 400}}', 'Bad Request')
@example(b'', ' ')
@examples()
def test_message_is_one_printable_line_for_any_body(body, reason):
    message = images.HTTPError(
        _error_response.message_of(400, {}, body, reason)
    ).message
    message.encode()
    assert message
    assert '\x1b' not in message
    assert len(message.splitlines()) == 1
    assert len(message) < 600


def test_only_start_of_error_page_is_searched(api, http):
    # The style of a page may be long before its text.
    page = f'<html>{" " * 65536}<title>late</title>'
    http.get(nova.DETAIL, status_code=400, text=page, reason='Refused')
    with pytest.raises(images.BadRequest, match='Refused') as caught:
        list(api.list_detail())
    assert 'late' not in str(caught.value)


def told(error, caplog):
    return [str(error)] + [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ('entry', 'call'),
    [
        ({'id': EVIL, 'minDisk': 'x'}, lambda api: list(api.list_detail())),
        ({'id': EVIL, 'name': 'x'}, lambda api: api.find('x')),
        ({'id': EVIL}, lambda api: api.get(ID)),
        (
            {'id': EVIL},
            lambda api: list(api.list_detail(ListOpts(limit=1))),
        ),
        (
            {'id': ID, 'status': EVIL},
            lambda api: api.wait_for(ID, timeout=0.001),
        ),
    ],
)
def test_control_characters_of_server_are_escaped(
    api, http, slept, caplog, entry, call
):
    other = {**entry, 'id': entry['id'] + '2'}
    http.get(nova.DETAIL, json=nova.page([entry, other]))
    http.get(ONE, json={'image': entry})
    error = None
    try:
        call(api)
    except images.ImagesError as e:
        error = e
    assert not any('\x1b' in text for text in told(error, caplog))
    assert error or caplog.records


def test_control_characters_in_request_id_are_escaped(api, http):
    headers = {'X-Openstack-Request-Id': EVIL}
    http.get(nova.DETAIL, status_code=400, headers=headers)
    with pytest.raises(images.BadRequest) as caught:
        list(api.list_detail())
    assert '\x1b' not in str(caught.value)


def test_control_characters_in_versions_are_escaped(api, http):
    http.get(nova.DETAIL, **nova.NO_ROUTE)
    version = {'min_version': EVIL, 'version': '2.1'}
    http.get(f'{nova.ENDPOINT}/', json={'version': version})
    with pytest.raises(images.ImagesNotServed) as caught:
        list(api.list_detail())
    assert '\x1b' not in str(caught.value)


@pytest.mark.parametrize('length', ['9' * 5000, 'x', '-1', '1, 1', '', '٣'])
def test_invalid_content_length_is_ignored(api, http, length):
    http.get(nova.DETAIL, json=EMPTY, headers={'Content-Length': length})
    assert list(api.list_detail()) == []


def compressed(document):
    return gzip.compress(json.dumps(document).encode())


@pytest.mark.parametrize('with_length', [True, False])
def test_compressed_body(api, http, with_length):
    body = compressed(nova.page(nova.images(1)))
    headers = {'Content-Encoding': 'gzip'}
    if with_length:
        headers['Content-Length'] = str(len(body))
    http.get(nova.DETAIL, content=body, headers=headers)
    assert [image.id for image in api.list_detail()] == [ID]


def test_size_of_decompressed_body_is_limited(api, http, monkeypatch):
    monkeypatch.setattr(_body, 'MAX_BODY', 100_000)
    http.get(
        nova.DETAIL,
        content=gzip.compress(bytes(10_000_000)),
        headers={'Content-Encoding': 'gzip', 'Content-Length': '9999'},
    )
    with pytest.raises(images.InvalidResponse, match='larger than 100,000'):
        list(api.list_detail())


def test_invalid_compression_is_retried(api, http, slept):
    bad = {'content': b'not gzip', 'headers': {'Content-Encoding': 'gzip'}}
    http.get(nova.DETAIL, [bad, {'json': EMPTY}])
    assert list(api.list_detail()) == []
    assert slept == [0.5]


@pytest.mark.parametrize('number', [2**63, 10**30, -(10**30), 10.5e300])
def test_large_numbers_from_several_regions(api, http, number):
    entry = nova.image(1, metadata={'n': number, 'in': [number]})
    http.get(nova.DETAIL, json=nova.page([entry]))
    results = streams.in_order(
        {'r': api},
        lambda _key, api: (p.images for p in api.list_detail().pages()),
    )
    ((region, (image,)),) = results
    assert (region, image.metadata['n']) == ('r', number)


@pytest.mark.parametrize(
    ('begin', 'end'), [('["]", ', ']'), ('{"}": "}", "k": ', '}')]
)
@pytest.mark.parametrize('depth', [100, 196, 197, 600, 990, 30_000])
def test_deep_nesting_does_not_affect_other_images(
    api, http, caplog, depth, begin, end
):
    deep = begin * depth + '1' + end * depth
    http.get(
        nova.DETAIL,
        text=(
            f'{{"images": [{{"id": "a", "name": 5, "metadata": '
            f'{{"k": {deep}}}}}, {{"id": "b"}}, {{"id": "c", "name": {deep}}}]'
            f'}}'
        ),
    )
    assert [image.id for image in api.list_detail()] == ['a', 'b', 'c']
    # It is in the metadata of an image of a list: four levels.
    assert (
        'Ignored values nested more than 200 levels deep in the '
        "server's response" in caplog.text
    ) == (depth > 196)


def test_pages_of_flavors_may_be_smaller_than_requested(api, http):
    def flavor(number):
        return {'id': f'{number}', 'name': f'f{number}', 'ram': 1, 'disk': 1}

    # Nova's [api] max_limit is smaller than the limit.
    url = f'{nova.ENDPOINT}/flavors/detail'
    links = [{'rel': 'next', 'href': f'{url}?limit=2&marker=2'}]
    first = {'flavors': [flavor(1), flavor(2)], 'flavors_links': links}
    http.get(f'{nova.ENDPOINT}/flavors/f3', status_code=404)
    http.get(url, [{'json': first}, {'json': {'flavors': [flavor(3)]}}])
    assert api.find_flavor('f3').id == '3'
    assert http.last_request.qs['marker'] == ['2']


class Unfiltered(NamedTuple):
    def to_image_list_query(self):
        return {'property-hw_disk_bus': 'virtio'}


def test_opts_may_be_an_object_without_fields(api, http):
    http.get(nova.DETAIL, json={'images': []})
    assert not [*api.list_detail(Unfiltered(), where=filters.name('a'))]
    assert http.last_request.qs == {
        'name': ['a'],
        'property-hw_disk_bus': ['virtio'],
        'limit': ['1000'],
    }


@pytest.mark.parametrize(
    'call',
    [
        lambda api: api.get('\udcff'),
        lambda api: api.find('\udcff'),
        lambda api: api.find_flavor('\udcff'),
        lambda api: api.find_server_id('\udcff'),
        lambda api: api.delete('\udcff'),
        lambda api: list(api.list_detail(ListOpts(name='\udcff'))),
    ],
)
def test_undecodable_argument_is_an_images_error(api, http, call):
    # Python decodes arguments that are not UTF-8 like this.
    with pytest.raises(images.ImagesError):
        call(api)


@pytest.mark.parametrize(
    'fault',
    [
        {'status_code': 503},
        {'exc': requests.exceptions.ConnectionError('reset')},
    ],
)
def test_failed_discovery_is_not_images_not_served(
    http, ksa_session, slept, fault
):
    url = f'{nova.HOST}/compute'
    set_catalog(http, {'RegionOne': url})
    http.get(f'{url}/v2.1/', [fault, {'json': {}}])
    http.get(f'{url}/images/detail', status_code=404)
    http.get(f'{url}/v2.1/images/detail', json=EMPTY)
    compute = adapter.Adapter(ksa_session, service_type='compute')
    outcome = None
    try:
        list(images.ImagesAPI(compute).list_detail())
    except images.ImagesError as e:
        outcome = e
    # The call may fail, but must not report that images are not served.
    assert not isinstance(outcome, images.ImagesNotServed)


def test_listing_continues_after_marker_became_invisible(api, http):
    refusal = nova.fault(403, 'forbidden', 'image ID not visible')
    http.get(
        nova.DETAIL,
        [
            {'json': nova.page(nova.images(1, 2, 3))},
            refusal,
            {'json': nova.page(nova.images(2, 4, 5))},
            {'json': EMPTY},
        ],
    )
    listed = [image.id for image in api.list_detail(ListOpts(limit=3))]
    assert listed == [nova.image_id(n) for n in (1, 2, 3, 4, 5)]
    first = 'GET /v2.1/images/detail?limit=3'
    assert sent(http) == [
        first,
        *[f'{first}&marker={nova.image_id(n)}' for n in (3, 2, 5)],
    ]


def test_marker_may_come_from_previous_page(api, http):
    server = nova.Server(nova.images(1, 2, 3))
    http.get(nova.DETAIL, json=server)
    listing = iter(api.list_detail(ListOpts(limit=1)))
    assert [next(listing).id, next(listing).id] == [ID, nova.image_id(2)]
    server.delete(nova.image_id(2))
    assert [image.id for image in listing] == [nova.image_id(3)]


def test_marker_is_last_image_with_id(api, http):
    nameless = nova.image(2, id=None)
    pages = [[nova.image(1), nameless], [nova.image(3)]]
    http.get(nova.DETAIL, [{'json': nova.page(page)} for page in pages])
    listed = [image.id for image in api.list_detail(ListOpts(limit=2))]
    assert listed == [ID, '', nova.image_id(3)]
    assert sent(http)[1].endswith(f'marker={ID}')


def test_listing_continues_after_invalid_entry(api, http):
    # There is no link if Nova's [api] max_limit is smaller than the limit.
    pages = [['odd', nova.image(1)], [nova.image(2)]]
    http.get(nova.DETAIL, [{'json': nova.page(page)} for page in pages])
    listed = [image.id for image in api.list_detail(ListOpts(limit=2))]
    assert listed == [ID, nova.image_id(2)]


def test_full_page_without_ids_interrupts_listing(api, http):
    http.get(nova.DETAIL, json=nova.page([{'name': 'a'}, {'name': 'b'}]))
    with pytest.raises(images.ListingInterrupted):
        list(api.list_detail(ListOpts(limit=2)))


def test_catalog_without_compute(api, http):
    set_catalog(http, {})
    with pytest.raises(images.EndpointNotFound):
        list(api.list_detail())
