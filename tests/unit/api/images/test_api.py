# SPDX-License-Identifier: Apache-2.0

"""The methods of ImagesAPI for images, except lists and filters."""

import re
import time
import uuid

import pytest
import requests
import requests_mock

from osc_compute_images import api as images
from testbed import nova
from tests.unit.conftest import sent

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'


def named(name, *numbers):
    return nova.page([nova.image(number, name=name) for number in numbers])


@pytest.mark.parametrize(
    ('answer', 'of_list', 'kind', 'message'),
    [
        (nova.NOT_FOUND, 200, images.ImageNotFound, '^Image not found.'),
        # Images are served, or it is not known.
        (nova.NO_ROUTE, 200, images.ImageNotFound, 'could not be found'),
        (nova.NO_ROUTE, 500, images.ImageNotFound, 'could not be found'),
        *(
            ({'json': {'image': x}}, 200, images.InvalidResponse, 'instead of')
            for x in (nova.image(2), {})
        ),
    ],
)
def test_get_another_image(api, http, answer, of_list, kind, message):
    http.get(f'{nova.ENDPOINT}/images', status_code=of_list, json={})
    http.get(f'{nova.ENDPOINT}/images/a%25b%3Fc', **answer)
    with pytest.raises(kind, match=message) as caught:
        api.get('a%b?c')
    origin = (404, 'req-1') if kind is images.ImageNotFound else (None, None)
    assert (caught.value.http_status, caught.value.request_id) == origin


CAPITALS = ID.upper()
HEX = ID.replace('-', '')


@pytest.mark.parametrize('given', [ID, CAPITALS, '125', HEX, 'img-1'])
@pytest.mark.parametrize(
    'missing', [None, nova.NOT_FOUND, nova.fault(400, 'badRequest', 'No.')]
)
def test_find_accepts_any_form_of_id_or_a_name(api, http, given, missing):
    image = {'json': {'image': nova.image(1, id=given)}}
    # NOTE: requests-mock ignores case.
    http.get(f'{nova.ENDPOINT}/images/{given}', **(missing or image))
    http.get(nova.DETAIL, json=named(given, 7) if missing else nova.page([]))
    assert api.find(given).id == (nova.image_id(7) if missing else given)
    tried = [r.rpartition('/')[2] for r in sent(http) if 'detail' not in r]
    if missing:
        # What does not look like an ID is looked up as a name first.
        others = {CAPITALS: [CAPITALS, ID], 'img-1': []}
        assert tried == others.get(given, [given])
    else:
        assert tried == [given]
        assert len(sent(http)) == (2 if given == 'img-1' else 1)


@pytest.mark.parametrize('given', [uuid.UUID(ID), images.ImageRef(id=ID)])
def test_find_does_not_look_up_uuid_objects_as_names(api, http, given):
    http.get(ONE, **nova.NOT_FOUND)
    http.get(nova.DETAIL, json=named(ID, 7))
    with pytest.raises(images.ImageNotFound):
        api.find(given)
    assert api.find_all(given) == []


@pytest.mark.parametrize('name', ['.', '..', 'detail', 'a b', 'a/b', 'ä'])
def test_find_requests_no_invalid_ids(api, http, name):
    http.get(nova.DETAIL, json=nova.page([]))
    with pytest.raises(images.ImageNotFound, match=' exists') as caught:
        api.find(name)
    assert caught.value.http_status is None
    assert api.find(name, ignore_missing=True) is None
    assert len(sent(http)) == 2
    with pytest.raises(ValueError, match='is empty'):
        api.find('')
    # A server may split the last one, and delete a property.
    for segment in ('', '.', '..', f'{ID}/metadata/k'):
        for call in (api.get, api.delete):
            with pytest.raises(images.ImageNotFound):
                call(segment)
    assert len(sent(http)) == 2


KV = {'k': 'v'}
CALLS = [
    *(('get',), ('find',), ('find_all',), ('delete',), ('wait_for',)),
    *(('get_metadata',), ('update_metadata', KV), ('replace_metadata', KV)),
    *(('get_metadata_item', 'k'), ('set_metadata_item', 'k', 'v')),
    *(('delete_metadata_item', 'k'), ('delete_metadata_items', ['k'])),
]


@pytest.mark.parametrize('call', CALLS)
def test_methods_accept_image_in_any_form(api, http, call):
    answer = {'image': nova.image(1), 'metadata': KV, 'meta': KV}
    http.register_uri(requests_mock.ANY, re.compile(ONE), json=answer)
    http.delete(re.compile(ONE), status_code=204)
    name, *more = call
    of = getattr(api, name)
    for given in (ID, uuid.UUID(ID), images.Image(id=ID), images.ImageRef(ID)):
        of(given, *more)
    assert len(sent(http)) in (4, 8)
    for wrong in (None, 5, ID.encode(), [ID]):
        with pytest.raises(TypeError, match='image must be an Image'):
            of(wrong, *more)


def test_ambiguous_name_is_an_error_with_ids(api, http):
    entries = [nova.image(n, name='x', id=f'$(touch {n})') for n in (1, 2)]
    http.get(nova.DETAIL, json=nova.page(entries))
    with pytest.raises(images.AmbiguousName) as caught:
        api.find('x')
    assert caught.value.ids == ('$(touch 1)', '$(touch 2)')
    # They are quoted for the shell.
    assert str(caught.value).endswith(": '$(touch 1)', '$(touch 2)'")
    http.get(nova.DETAIL, json=named('golden', *range(500)))
    with pytest.raises(images.AmbiguousName, match='500 images have the') as e:
        api.find('golden')
    assert (len(e.value.ids), len(str(e.value)) < 1000) == (500, True)


@pytest.mark.parametrize(
    'call',
    [
        lambda api: list(api.list()),
        lambda api: api.get(ID),
        lambda api: api.delete(ID),
        lambda api: api.get_metadata(ID),
    ],
)
@pytest.mark.parametrize(
    'refusal',
    [nova.NO_ROUTE, *(nova.fault(n, 'gone', 'No.') for n in (406, 410))],
)
@pytest.mark.parametrize(
    'document',
    [
        {'version': {'min_version': '2.40', 'version': '2.200'}},
        {'version': {'min_version': '2.40', 'version': '9' * 10**6}},
        *({'version': {'min_version': '', 'version': ''}}, [1], None),
    ],
    ids=lambda document: repr(document)[:60],
)
def test_images_not_served_differs_from_missing_image(
    api, http, call, refusal, document
):
    versions = ('2.40', '2.200') if '2.200' in repr(document) else None
    status = 500 if document is None else 200
    http.get(f'{nova.ENDPOINT}/', status_code=status, json=document)
    for method in ('GET', 'DELETE'):
        http.register_uri(method, re.compile('.*/images'), **refusal)
    with pytest.raises(images.ImagesNotServed) as caught:
        call(api)
    assert caught.value.versions == versions
    assert caught.value.http_status == refusal['status_code']
    assert ('2.40 to 2.200' in str(caught.value)) == (versions is not None)


POLICY = "Policy doesn't allow os_compute_api:images to be performed."


@pytest.mark.parametrize(
    ('method', 'message', 'of_list', 'is_forbidden'),
    [
        ('GET', POLICY, None, True),
        ('DELETE', POLICY, None, True),
        # Of a gateway.
        ('GET', 'RBAC: access denied', 403, True),
        ('GET', 'RBAC: access denied', 200, False),
        ('DELETE', 'RBAC: access denied', None, False),
        # Of the Image service.
        ('DELETE', 'You are not allowed to delete the image.', None, False),
        ('GET', f'Not authorized for image {ID}.', None, False),
        ('GET', 'HTTP 403 Forbidden: You are not authorized.', None, False),
    ],
)
def test_forbidden_images_differ_from_forbidden_image(
    api, http, method, message, of_list, is_forbidden
):
    if of_list is not None:
        http.get(f'{nova.ENDPOINT}/images', status_code=of_list, json={})
    http.get(ONE, json={'image': {'id': ID}})
    http.register_uri(method, ONE, **nova.fault(403, 'forbidden', message))
    with pytest.raises(images.Forbidden) as caught:
        {'GET': api.get, 'DELETE': api.delete}[method](ID)
    assert isinstance(caught.value, images.ImagesNotServed) == is_forbidden
    assert str(caught.value) == f'{message} (HTTP 403) (Request-ID: req-1)'
    # An image that was not deleted is read again.
    more = (of_list is not None) + (method == 'DELETE')
    assert len(http.request_history) == 2 + more


@pytest.mark.parametrize('status', [400, 403, 409, 500])
def test_refused_deletion_of_image_that_is_gone(api, http, slept, status):
    # Of two at the same time, Glance may refuse one.
    http.delete(ONE, **nova.fault(status, 'forbidden', 'Cannot delete file.'))
    http.get(ONE, **nova.fault(404, 'itemNotFound', 'Image not found.'))
    api.delete(ID)
    # Unlike one that was not there.
    http.delete(ONE, **nova.NOT_FOUND)
    with pytest.raises(images.ImageNotFound):
        api.delete(ID)
    assert api.delete(ID, ignore_missing=True) is None
    # A gateway may have no route for it.
    http.delete(ONE, **nova.NO_ROUTE)
    http.get(f'{nova.ENDPOINT}/images', json=nova.page([]))
    http.get(ONE, json={'image': nova.image(1)})
    http.get(f'{ONE}/metadata', **nova.NO_ROUTE)
    for call in (
        lambda: api.delete(ID, ignore_missing=True),
        lambda: api.get_metadata(ID),
    ):
        with pytest.raises(images.NotFound) as caught:
            call()
        assert not isinstance(caught.value, images.ImageNotFound)


def test_metadata(api, http):
    url = f'{ONE}/metadata'
    answers = [{'a': [1]}, {}, {'a b': 'c'}]
    http.get(url, [{'json': {'metadata': answer}} for answer in answers])
    http.post(url, json={'metadata': {'a': 'ü', 'c': 'd'}})
    http.put(url, json={'metadata': {}})
    http.get(f'{url}/a%20b', json={'meta': {'a b': 'c'}})
    http.put(f'{url}/a%20b', json={'meta': {'a b': 'c'}})
    assert api.get_metadata(ID) == {'a': [1]}
    assert api.update_metadata(ID, {'a': 'ü'}) == {'a': 'ü', 'c': 'd'}
    assert api.replace_metadata(ID, {}) == {}
    assert api.set_metadata_item(ID, 'a b', 'c') is None
    assert api.get_metadata_item(ID, 'a b') == 'c'
    changes = [r for r in http.request_history[2:] if r.method != 'GET']
    assert [r.json() for r in changes] == [
        {'metadata': {'a': 'ü'}},
        {'metadata': {}},
        {'meta': {'a b': 'c'}},
    ]
    assert {r.headers['Content-Type'] for r in changes} == {'application/json'}


def test_missing_metadata_item_is_named(api, http):
    url = f'{ONE}/metadata/k'
    # Nova's messages differ for GET and DELETE.
    http.get(url, **nova.NO_ROUTE)
    fault = nova.fault(404, 'itemNotFound', 'Invalid metadata key')
    http.delete(url, **fault)
    for call in (api.get_metadata_item, api.delete_metadata_item):
        with pytest.raises(images.NotFound, match="property 'k'") as caught:
            call(ID, 'k')
        assert not isinstance(caught.value, images.ImageNotFound)
    http.get(url, **nova.NOT_FOUND)
    with pytest.raises(images.ImageNotFound):
        api.get_metadata_item(ID, 'k')
    # Other items in a response are ignored.
    for meta in ({}, {'K': 'v'}):
        http.get(url, json={'meta': meta})
        with pytest.raises(images.NotFound, match="has no property 'k'"):
            api.get_metadata_item(ID, 'k')
        http.get(url, json={'meta': {**meta, 'k': None}})
        assert api.get_metadata_item(ID, 'k') is None


@pytest.mark.parametrize('key', ['', '..', 'org/os', 'größe', 'x' * 256])
def test_metadata_item_with_key_that_compute_cannot_address(api, http, key):
    http.get(f'{ONE}/metadata', json={'metadata': {key: 'v'}})
    assert api.get_metadata_item(ID, key) == 'v'
    asked = http.call_count
    with pytest.raises((images.InvalidProperty, images.BadRequest)):
        api.set_metadata_item(ID, key, 'v')
    with pytest.raises(images.BadRequest, match='"openstack image unset'):
        api.delete_metadata_item(ID, key)
    assert http.call_count == asked
    http.get(f'{ONE}/metadata', json={'metadata': {}})
    with pytest.raises(images.NotFound, match='no property'):
        api.get_metadata_item(ID, key)


# --- waiting --------------------------------------------------------------


FAULT = {'status_code': 500}


def answer_in_turn(http, *answers):
    """Answer with statuses of the image, or faults."""

    def record(status):
        return {'json': {'image': nova.image(1, status=status)}}

    http.get(ONE, [record(a) if isinstance(a, str) else a for a in answers])


def test_interval_of_polls_grows(api, http, slept):
    answer_in_turn(http, *['SAVING'] * 30, 'UNKNOWN', 'ACTIVE')
    seen = []
    image = api.wait_for(ID, on_poll=lambda image: seen.append(image.status))
    assert (image.status, len(seen)) == ('ACTIVE', 32)
    assert slept == sorted(slept)
    assert (slept[0], slept[-1]) == (1, 15)


@pytest.mark.parametrize(
    ('answers', 'wanted', 'found'),
    [
        (['DELETED'], 'DELETED', 'DELETED'),
        ([nova.NOT_FOUND], 'DELETED', 'DELETED'),
        # The case does not matter.
        (['Active'], 'active', 'Active'),
        (['DELETED'], 'ACTIVE', (images.ImageFailed, 'DELETED')),
        (['error'], 'ACTIVE', (images.ImageFailed, 'not become ACTIVE')),
        ([nova.NOT_FOUND], 'ACTIVE', (images.ImageVanished, 'was SAVING')),
        (['SAVING'], 'ACTIVE', (images.WaitTimedOut, 'after 1000 seconds')),
        # Transient errors are retried.
        *(
            ([*[fault] * 5, 'ACTIVE'], 'ACTIVE', 'ACTIVE')
            for fault in (
                FAULT,
                {'status_code': 429},
                {'text': '<html>Welcome to nginx</html>'},
                {'exc': requests.exceptions.ConnectionError('refused')},
            )
        ),
    ],
)
def test_wait_for_status(api, http, slept, answers, wanted, found):
    answer_in_turn(http, 'SAVING', *answers)
    if isinstance(found, str):
        assert api.wait_for(ID, wanted).status == found
        assert len(slept) >= len(answers)
        return
    error, message = found
    with pytest.raises(error, match=message) as caught:
        api.wait_for(ID, wanted, timeout=1000)
    last = 'SAVING' if error is images.ImageVanished else answers[-1]
    assert caught.value.image.status == last
    assert error is not images.WaitTimedOut or sum(slept) == 1000


def test_first_request_of_a_wait_is_not_retried(api, http, slept):
    errors = {images.ImageNotFound: nova.NOT_FOUND, images.ServerError: FAULT}
    for error, answer in errors.items():
        answer_in_turn(http, answer, 'ACTIVE')
        with pytest.raises(error):
            api.wait_for(ID)
    with pytest.raises(ValueError, match="'GONE' is not an image status"):
        api.wait_for(ID, 'gone')


def test_wait_ends_after_five_minutes_of_errors(api, http, slept):
    answer_in_turn(http, 'SAVING', FAULT)
    with pytest.raises(images.ServerError):
        api.wait_for(ID)
    assert 300 < sum(slept) < 330
    # They are counted since the last response.
    slept.clear()
    answer_in_turn(http, *['SAVING', *[FAULT] * 12] * 4, 'ACTIVE')
    assert api.wait_for(ID).status == 'ACTIVE'
    assert sum(slept) > 500


@pytest.mark.parametrize('seen', [None, images.Image(id=ID, status='SAVING')])
def test_wait_timeout_includes_requests(api, http, slept, seen):
    """Without it, a slow response would take ten minutes."""

    def drip(request, _context):
        time.sleep(max(request.timeout))
        raise requests.exceptions.ReadTimeout

    http.get(ONE, text=drip)
    with pytest.raises(images.WaitTimedOut) as caught:
        api.wait_for(seen or ID, timeout=1)
    assert caught.value.image == seen
    assert ('before the image' in str(caught.value)) == (seen is None)
    # There is no retry.
    assert (len(sent(http)), sum(slept)) == (1, 1)
