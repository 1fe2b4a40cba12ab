# SPDX-License-Identifier: Apache-2.0

"""The methods of ImagesAPI for images, except lists and filters."""

import re
import time
import uuid

from keystoneauth1 import adapter
from keystoneauth1 import session
import pytest
import requests
import requests_mock
import urllib3

from osc_compute_images import api as images
from testbed import canned_cloud
from testbed import nova
from testbed import sending
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
    http.get(f'{nova.ENDPOINT}/images/a%2Fb%3Fc', **answer)
    with pytest.raises(kind, match=message) as caught:
        api.get('a/b?c')
    origin = (404, 'req-1') if kind is images.ImageNotFound else (None, None)
    assert (caught.value.http_status, caught.value.request_id) == origin


CAPITALS = ID.upper()
HEX = ID.replace('-', '')


@pytest.mark.parametrize('given', [ID, CAPITALS, '125', HEX, 'img-1'])
def test_find_accepts_any_form_of_id(api, http, given):
    http.get(nova.DETAIL, json=nova.page([]))
    http.get(
        f'{nova.ENDPOINT}/images/{given}',
        json={'image': nova.image(1, id=given)},
    )
    assert api.find(given).id == given
    # An argument that does not look like an ID is looked up as a name first.
    assert len(sent(http)) == (2 if given == 'img-1' else 1)


@pytest.mark.parametrize('given', ['125', HEX, CAPITALS])
@pytest.mark.parametrize(
    'answer', [nova.NOT_FOUND, nova.fault(400, 'badRequest', 'No UUID.')]
)
def test_find_falls_back_to_lower_case_and_name(api, http, given, answer):
    # NOTE: requests-mock ignores case.
    http.get(f'{nova.ENDPOINT}/images/{given}', **answer)
    http.get(nova.DETAIL, json=named(given, 7))
    assert api.find(given).id == nova.image_id(7)
    tried = [r.rpartition('/')[2] for r in sent(http)[:-1]]
    assert tried == ([CAPITALS, ID] if given == CAPITALS else [given])


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
    assert len(sent(http)) == 1
    with pytest.raises(ValueError, match='is empty'):
        api.find('')
    for segment in ('', '.', '..'):
        with pytest.raises(images.ImageNotFound):
            api.get(segment)
    assert len(sent(http)) == 1


GIVEN = [ID, uuid.UUID(ID), images.Image(id=ID), images.ImageRef(id=ID)]


@pytest.mark.parametrize('given', GIVEN)
def test_methods_accept_image_in_any_form(api, http, given):
    answer = {
        'image': nova.image(1),
        'metadata': {'k': 'v'},
        'meta': {'k': 'v'},
    }
    http.register_uri(requests_mock.ANY, re.compile(ONE), json=answer)
    http.delete(re.compile(ONE), status_code=204)
    calls = [
        (api.get,),
        (api.find,),
        (api.find_all,),
        (api.delete,),
        (api.get_metadata,),
        (api.update_metadata, {'k': 'v'}),
        (api.replace_metadata, {'k': 'v'}),
        (api.get_metadata_item, 'k'),
        (api.set_metadata_item, 'k', 'v'),
        (api.delete_metadata_item, 'k'),
        (api.delete_metadata_items, ['k']),
        (api.wait_for,),
    ]
    for call, *more in calls:
        call(given, *more)
    # Two methods read the stored metadata again.
    assert len(sent(http)) == len(calls) + 2
    for wrong in (None, 5, ID.encode(), [ID]):
        for call, *more in calls:
            with pytest.raises(TypeError, match='image must be an Image'):
                call(wrong, *more)


@pytest.mark.parametrize(
    ('name', 'asked'),
    [('a,b', 'a,b'), ('eq:x', 'eq:eq:x'), (' Größe "x"', ' Größe "x"')],
)
def test_find_matches_name_exactly(api, http, name, asked):
    # Some databases ignore case and trailing spaces.
    answer = named(name, 1)
    answer['images'].append(nova.image(2, name=name.upper() + ' '))
    http.get(nova.DETAIL, json=answer)
    assert api.find(name).id == ID
    assert len(sent(http)) == 1
    assert nova.query_of(http.last_request.url)['name'] == asked


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
    assert len(e.value.ids) == 500
    assert len(str(e.value)) < 1000


def version_document(least, most):
    return {'json': {'version': {'min_version': least, 'version': most}}}


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
    [
        nova.NO_ROUTE,
        nova.fault(406, 'computeFault', 'Version 2.1 is not supported.'),
        nova.fault(410, 'gone', 'This resource is no longer available.'),
    ],
)
@pytest.mark.parametrize(
    ('document', 'versions'),
    [
        (version_document('2.40', '2.200'), ('2.40', '2.200')),
        (version_document('', ''), None),
        (version_document('2.1', '9' * 10**6), None),
        ({'json': [1]}, None),
        ({'status_code': 500}, None),
    ],
)
def test_images_not_served_differs_from_missing_image(
    api, http, call, refusal, document, versions
):
    http.get(f'{nova.ENDPOINT}/', **document)
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


@pytest.mark.parametrize('status', [400, 403, 409, 500])
def test_refused_deletion_of_image_that_is_gone(api, http, slept, status):
    # Of two at the same time, Glance may refuse one.
    http.delete(ONE, **nova.fault(status, 'forbidden', 'Cannot delete file.'))
    http.get(ONE, **nova.fault(404, 'itemNotFound', 'Image not found.'))
    api.delete(ID)


def test_metadata(api, http):
    url = f'{ONE}/metadata'
    answers = [{'a': [1]}, {}, {'a b': 'c'}]
    http.get(url, [{'json': {'metadata': answer}} for answer in answers])
    http.post(url, json={'metadata': {'a': 'b', 'c': 'd'}})
    http.put(url, json={'metadata': {}})
    http.get(f'{url}/a%20b', json={'meta': {'a b': 'c'}})
    http.put(f'{url}/a%20b', json={'meta': {'a b': 'c'}})
    assert api.get_metadata(ID) == {'a': [1]}
    assert api.update_metadata(ID, {'a': 'b'}) == {'a': 'b', 'c': 'd'}
    assert api.replace_metadata(ID, {}) == {}
    assert api.set_metadata_item(ID, 'a b', 'c') is None
    assert api.get_metadata_item(ID, 'a b') == 'c'
    bodies = [r.json() for r in http.request_history[2:] if r.method != 'GET']
    assert bodies == [
        {'metadata': {'a': 'b'}},
        {'metadata': {}},
        {'meta': {'a b': 'c'}},
    ]


def test_missing_metadata_item_is_named(api, http):
    # Nova's messages differ for GET and DELETE.
    http.get(f'{ONE}/metadata/k', **nova.NO_ROUTE)
    http.delete(
        f'{ONE}/metadata/k',
        **nova.fault(404, 'itemNotFound', 'Invalid metadata key'),
    )
    for call in (api.get_metadata_item, api.delete_metadata_item):
        with pytest.raises(images.NotFound, match="property 'k'") as caught:
            call(ID, 'k')
        assert not isinstance(caught.value, images.ImageNotFound)
    http.get(f'{ONE}/metadata/k', **nova.NOT_FOUND)
    with pytest.raises(images.ImageNotFound):
        api.get_metadata_item(ID, 'k')


@pytest.mark.parametrize('meta', [{}, {'K': 'v'}, {'other': 'v'}])
def test_other_items_in_response_are_ignored(api, http, meta):
    http.get(f'{ONE}/metadata/k', json={'meta': meta})
    with pytest.raises(images.NotFound, match="has no property 'k'"):
        api.get_metadata_item(ID, 'k')
    http.get(f'{ONE}/metadata/k', json={'meta': {**meta, 'k': None}})
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


def test_wait_for_active(api, http, slept):
    answer_in_turn(http, *['SAVING'] * 30, 'UNKNOWN', 'ACTIVE')
    seen = []
    image = api.wait_for(ID, on_poll=lambda image: seen.append(image.status))
    assert image.status == 'ACTIVE'
    assert len(seen) == 32
    assert slept[0] == 1
    assert slept == sorted(slept)
    assert slept[-1] == 15


@pytest.mark.parametrize(
    ('answers', 'wanted', 'found'),
    [
        (['SAVING', 'DELETED'], 'DELETED', 'DELETED'),
        (['SAVING', nova.NOT_FOUND], 'DELETED', 'DELETED'),
        # The case does not matter.
        (['SAVING', 'Active'], 'active', 'Active'),
        # Transient errors are retried.
        *(
            (['SAVING', *[fault] * 5, 'ACTIVE'], 'ACTIVE', 'ACTIVE')
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
    answer_in_turn(http, *answers)
    assert api.wait_for(ID, wanted).status == found
    assert len(slept) >= len(answers) - 1


@pytest.mark.parametrize(
    ('answers', 'error', 'message'),
    [
        (['SAVING', 'DELETED'], images.ImageFailed, 'DELETED'),
        (['SAVING', 'error'], images.ImageFailed, 'will not become ACTIVE'),
        (['SAVING', nova.NOT_FOUND], images.ImageVanished, 'status was SAVIN'),
        ([nova.NOT_FOUND], images.ImageNotFound, 'not found'),
        # There is no retry of the first request.
        ([FAULT, 'ACTIVE'], images.ServerError, '500'),
        (['SAVING'], images.WaitTimedOut, 'after 1000 seconds'),
    ],
)
def test_wait_fails(api, http, slept, answers, error, message):
    answer_in_turn(http, *answers)
    with pytest.raises(error, match=message) as caught:
        api.wait_for(ID, 'Active', timeout=1000)
    assert type(caught.value) is error
    if isinstance(caught.value, images.WaitError):
        last = 'SAVING' if error is images.ImageVanished else answers[-1]
        assert caught.value.image.status == last
    if error is images.WaitTimedOut:
        assert sum(slept) == 1000


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


def test_wait_may_time_out_before_first_response(api, http, slept):
    def get(request, context):
        time.sleep(3)
        context.status_code = 503
        return {}

    http.get(ONE, json=get)
    with pytest.raises(images.WaitTimedOut, match='before the image') as e:
        api.wait_for(ID, timeout=2)
    assert e.value.image is None
    # There is no retry.
    assert len(sent(http)) == 1


@pytest.mark.skipif(
    not hasattr(urllib3.HTTPResponse, 'read1'),
    reason='the timeout is checked only every 16 KB',
)
@pytest.mark.timeout(50)
@pytest.mark.parametrize('seen', [None, images.Image(id=ID, status='SAVING')])
def test_wait_timeout_includes_requests(seen):
    """Without it, the request would take ten minutes."""
    slow = canned_cloud.Response(send=sending.drip)
    with canned_cloud.Server(lambda _request: slow) as server:
        compute = adapter.Adapter(
            session.Session(), endpoint_override=f'{server.url}/v2.1'
        )
        with pytest.raises(images.WaitTimedOut) as caught:
            images.ImagesAPI(compute).wait_for(seen or ID, timeout=1)
    assert caught.value.image == seen
