# SPDX-License-Identifier: Apache-2.0

"""Changes of properties, and deletion."""

import json
import urllib.parse

from osc_lib import exceptions
import pytest

from osc_compute_images import api as images
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes import properties
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.set import SetComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from osc_compute_images.commands.unset import UnsetComputeImage
from testbed import nova
from tests.unit.commands.test_commands import App
from tests.unit.commands.test_commands import listed
from tests.unit.commands.test_commands import run
from tests.unit.conftest import sent

ID = nova.image_id(1)

#: Fields of an image in Glance, and names that Nova's client does not send.
FIELDS = (
    *('checksum', 'container_format', 'created_at', 'deleted'),
    *('deleted_at', 'direct_url', 'disk_format', 'file', 'id', 'image_id'),
    *('location', 'locations', 'min_disk', 'min_ram', 'name'),
    *('os_hash_algo', 'os_hash_value', 'os_hidden', 'owner', 'protected'),
    *('remove_props', 'schema', 'self', 'size', 'status', 'stores'),
    *('tags', 'updated_at', 'virtual_size', 'visibility'),
)
ONE = f'{nova.ENDPOINT}/images/{ID}'
SHARED = ['shared', 'community']


class Model:
    """A model of one image in Nova and Glance.

    :param http: the mocker that serves it
    """

    def __init__(self, http):
        self.metadata = {'a': '1', 'b': '2'}
        self.visibility = 'private'
        self.stores = lambda metadata: metadata
        http.get(nova.DETAIL, json=self._details)
        http.get(f'{nova.ENDPOINT}/images', json=self._brief)
        http.get(ONE, json=lambda *_: {'image': self._shown()})
        http.get(f'{nova.ENDPOINT}/images/nope', **nova.NOT_FOUND)
        url = f'{ONE}/metadata'
        http.get(url, json=lambda *_: {'metadata': self._decoded()})
        http.post(url, json=self._post)
        http.put(url, json=self._put)
        for key in ('a', 'b', 'none', 'mappings'):
            http.put(f'{url}/{key}', json=self._put_item)
            http.delete(f'{url}/{key}', json=self._delete)

    def _decoded(self):
        return {
            key: json.loads(value) if key in properties.JSON_KEYS else value
            for key, value in self.metadata.items()
        }

    def _shown(self):
        return nova.image(1, metadata=self._decoded())

    def _details(self, request, _context):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)
        named = query.get('name', ['cirros-1']) == ['cirros-1']
        return nova.page([self._shown()] if named else [])

    def _brief(self, request, _context):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)
        assert query['property-id'] == [f'in:{ID}']
        is_it = query['property-visibility'] == [self.visibility]
        return nova.page([{'id': ID, 'name': 'x'}] if is_it else [])

    def _write(self, metadata):
        self.metadata = self.stores(metadata)
        if self.visibility in SHARED:
            self.visibility = 'private'

    def _post(self, request, _context):
        self._write({**self.metadata, **request.json()['metadata']})
        return {'metadata': self._decoded()}

    def _put(self, request, _context):
        self._write(request.json()['metadata'])
        return request.json()

    def _put_item(self, request, _context):
        self._write({**self.metadata, **request.json()['meta']})
        return request.json()

    def _delete(self, request, context):
        key = request.path.rpartition('/')[2]
        if key not in self.metadata:
            fault = nova.fault(404, 'itemNotFound', 'Invalid metadata key')
            context.status_code = fault['status_code']
            return fault['json']
        self._write({k: v for k, v in self.metadata.items() if k != key})
        context.status_code = 204
        return None


@pytest.fixture
def model(http):
    return Model(http)


@pytest.fixture
def app(http, tmp_path):
    return App(tmp_path)


def writes(http):
    """Return the requests that are not GET."""
    return [line for line in sent(http) if not line.startswith('GET')]


# --- validation -----------------------------------------------------------


@pytest.mark.parametrize(
    ('key', 'value', 'reason'),
    [
        ('', 'v', '1 to 255 characters'),
        ('a/b', 'v', '1 to 255 characters'),
        ('ä', 'v', '1 to 255 characters'),
        ('a\n', 'v', '1 to 255 characters'),
        ('k' * 256, 'v', '1 to 255 characters'),
        ('k', 'v' * 256, '256 characters'),
        ('k', 'a\U0001f600', r'U\+1F600'),
        ('k', 'a\udce9', 'cannot be encoded as UTF-8'),
        ('k', 1, 'must be a string, not int'),
        ('k', None, 'must be a string, not NoneType'),
        *((key, 'v', 'a field of the image') for key in FIELDS),
        ('os_glance_x', 'v', 'reserved'),
        *(
            (key, value, 'remove it instead')
            for key in ('kernel_id', 'ramdisk_id')
            for value in ('', 'none', ' None ')
        ),
        *(
            (key, value, 'JSON list of objects')
            for key in ('mappings', 'block_device_mapping')
            for value in (
                *('', 'zzz', '{}', '"text"', 'null', '1', '[1]', '[null]'),
                *('[{}', '[{}] x', '[' * 255),
            )
        ),
    ],
)
def test_invalid_properties_are_rejected_before_any_request(
    api, http, key, value, reason
):
    for call in (
        lambda: api.update_metadata(ID, {'k1': 'v', key: value}),
        lambda: api.replace_metadata(ID, {'k1': 'v', key: value}),
        lambda: api.set_metadata_item(ID, key, value),
    ):
        with pytest.raises(images.InvalidProperty, match=reason) as caught:
            call()
        assert caught.value.key == key
    assert http.call_count == 0


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('k', ''),
        ('k', 'v' * 255),
        ('k' * 255, 'Größe 映像 \uffff'),
        ('aZ 0-_:.', '"\x1b'),
        ('names', 'v'),
        ('is_public', 'v'),
        ('kernel_id', ID),
        ('mappings', '[]'),
        ('mappings', '[{"virtual": "ami", "device": "sda1"}]'),
        ('block_device_mapping', ' [ {} , {"a": [1, null]} ] '),
    ],
)
def test_valid_properties(key, value):
    properties.check_properties({key: value})


def test_check_stored():
    check = _stored.check_stored
    check({'a': '1'}, {'a': '1', 'b': '2'})
    check({'a': '1'}, {'a': 1})
    check({'mappings': '[{"a":1}]'}, {'mappings': [{'a': 1}]})
    check({'mappings': '[{"a":1}]'}, {'mappings': '[{"a":1}]'})
    for wanted, stored, all_of_them, message, keys in (
        ({'a': '1', 'b': '1'}, {'b': '1'}, False, 'did not store: a', ('a',)),
        ({'a': '1'}, {'a': '2'}, False, 'another value for: a', ('a',)),
        ({'a': '1'}, {'a': '1 '}, False, 'another value for: a', ('a',)),
        (
            {'mappings': '[{}]'},
            {'mappings': [{'a': 1}]},
            False,
            'another value for: mappings',
            ('mappings',),
        ),
        ({}, {'a': '1', 'b': 2}, True, 'did not remove: a, b', ('a', 'b')),
        (
            {'a': '1', 'c': '1'},
            {'a': '2', 'b': '1'},
            True,
            'did not store: c; stored another value for: a; did not remove: b',
            ('c', 'a', 'b'),
        ),
    ):
        with pytest.raises(images.PropertiesNotStored, match=message) as e:
            check(wanted, stored, all_of_them=all_of_them)
        assert e.value.keys == keys


def test_properties_that_were_not_stored_are_reported(api, model):
    model.stores = lambda metadata: {**metadata, 'b': 'old'}
    for call in (
        lambda: api.update_metadata(ID, {'b': 'new'}),
        lambda: api.replace_metadata(ID, {}),
        lambda: api.set_metadata_item(ID, 'b', 'new'),
    ):
        with pytest.raises(images.PropertiesNotStored) as caught:
            call()
        assert caught.value.keys == ('b',)


def test_image_with_json_string_property_is_not_changed(
    app, model, http, caplog
):
    # Nova would write it back without its quotes.
    model.metadata = {'a': '1', 'mappings': '"text"'}
    for kind, words in (
        (SetComputeImage, ('--property', 'a=2')),
        (UnsetComputeImage, ('--property', 'a')),
    ):
        assert run(app, kind, ID, *words) == (7, '')
        assert "'mappings' first" in caplog.messages[-2]
    assert writes(http) == []
    run(app, UnsetComputeImage, ID, '--property', 'mappings')
    assert model.metadata == {'a': '1'}
    model.metadata = {'a': '1', 'mappings': '"text"'}
    run(app, SetComputeImage, ID, '--no-property', '--property', 'b=2')
    assert model.metadata == {'b': '2'}


# --- removing -------------------------------------------------------------


def test_delete_metadata_items(api, model, http):
    assert api.delete_metadata_items(ID, ['b', 'a', 'b']) is None
    assert model.metadata == {}
    assert len(writes(http)) == 2


def test_delete_metadata_items_continues_after_missing_key(api, model):
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b'])
    assert list(caught.value.errors) == ['none']
    assert isinstance(caught.value.errors['none'], images.NotFound)
    assert '1 of 3 properties' in caught.value.message
    assert model.metadata == {}


FORBIDDEN = nova.fault(403, 'forbidden', 'Not authorized for image.')


def test_delete_metadata_items_stops_after_other_errors(api, model, http):
    http.delete(f'{ONE}/metadata/b', **FORBIDDEN)
    with pytest.raises(images.Forbidden):
        api.delete_metadata_items(ID, ['b', 'a'])
    assert model.metadata == {'a': '1', 'b': '2'}
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'mappings'])
    errors = caught.value.errors
    assert list(errors) == ['none', 'b', 'mappings']
    assert errors['b'] is errors['mappings']
    assert isinstance(errors['b'], images.Forbidden)
    assert len(writes(http)) == 4
    http.delete(f'{ONE}/metadata/a', **nova.NOT_FOUND)
    with pytest.raises(images.ImageNotFound):
        api.delete_metadata_items(ID, ['a', 'b'])


# --- the visibility -------------------------------------------------------


@pytest.mark.parametrize(
    ('visibility', 'requests'),
    [
        ('private', 2),
        ('public', 2),
        ('shared', 3),
        ('community', 4),
        ('hidden', 4),
    ],
)
def test_find_visibility(api, model, http, visibility, requests):
    model.visibility = visibility
    found = api.find_visibility(ID)
    assert found == (None if visibility == 'hidden' else visibility)
    assert len(sent(http)) == requests


@pytest.mark.parametrize(
    'answer',
    [
        # The first two servers ignore the filter, the third rejects it.
        {'json': nova.page([nova.image(1)])},
        {'json': nova.page([nova.image(2)])},
        nova.fault(400, 'badRequest', 'No such filter'),
        nova.NO_ROUTE,
        {'text': '<html>'},
    ],
)
def test_unknown_visibility_is_none(api, http, answer):
    http.get(f'{nova.ENDPOINT}/images', **answer)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    assert api.find_visibility(ID) is None


def test_server_error_is_not_unknown_visibility(api, http):
    fault = nova.fault(500, 'computeFault', 'Oh.')
    http.get(f'{nova.ENDPOINT}/images', **fault)
    with pytest.raises(images.ServerError):
        api.find_visibility(ID)


CHANGES = [
    (SetComputeImage, ('--property', 'a=2')),
    (SetComputeImage, ('--no-property',)),
    (UnsetComputeImage, ('--property', 'a')),
]


# --- the commands ---------------------------------------------------------


def test_set_merges_properties(app, model):
    run(app, SetComputeImage, '--property', 'a=b=c', '--property', 'c=', ID)
    assert model.metadata == {'a': 'b=c', 'b': '2', 'c': ''}


def test_set_rejects_invalid_properties_before_any_request(app, http):
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, SetComputeImage, '--property', 'owner=x', 'any')
    assert str(caught.value) == (
        "Property 'owner' cannot be set: it is a field of the image itself; "
        'try "openstack image set"'
    )
    with pytest.raises(exceptions.CommandError) as caught:
        run(app, SetComputeImage, '--property', 'mappings=zzz', 'any')
    assert 'openstack' not in str(caught.value)
    assert http.call_count == 0


def test_set_reports_properties_that_were_not_stored(app, model, caplog):
    model.stores = lambda metadata: {**metadata, 'b': '2'}
    assert run(app, SetComputeImage, '--property', 'b=3', ID) == (1, '')
    assert 'another value for: b' in caplog.text


def test_unset_reports_missing_properties(app, model, caplog):
    assert run(app, UnsetComputeImage, '--property', 'a', ID) == (0, '')
    words = ('--property', 'a', '--property', 'b', '--property', 'none')
    assert run(app, UnsetComputeImage, *words, '--property', 'a', ID)[0] == 1
    assert [r.message for r in caplog.records] == [
        f'Image {ID} has no property {key!r}' for key in ('a', 'none')
    ]
    assert model.metadata == {}
    assert run(app, UnsetComputeImage, '--property', 'b', ID)[0] == 1


@pytest.mark.parametrize(('kind', 'words'), CHANGES)
def test_error_refers_to_openstack_image(
    app, model, http, caplog, kind, words
):
    missing = nova.fault(404, 'itemNotFound', 'The resource could not be')
    http.get(ONE, **missing)
    http.get(nova.DETAIL, **missing)
    http.get(f'{nova.ENDPOINT}/images', **missing)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    assert run(app, kind, ID, *words) == (1, '')
    assert '"openstack image list"' in caplog.messages[0]


@pytest.mark.parametrize(('kind', 'words'), CHANGES)
def test_forbidden_change_is_one_line(app, model, http, caplog, kind, words):
    for register in (http.post, http.put):
        register(f'{ONE}/metadata', **FORBIDDEN)
    http.delete(f'{ONE}/metadata/a', **FORBIDDEN)
    assert run(app, kind, ID, *words) == (1, '')
    assert caplog.messages[0].endswith(
        f'{ID!r}: Not authorized for image. (HTTP 403) (Request-ID: req-1)'
    )


@pytest.mark.parametrize(
    'kind',
    [
        DeleteComputeImage,
        SetComputeImage,
        ShowComputeImage,
        UnsetComputeImage,
    ],
)
def test_empty_name_is_rejected(app, http, capsys, kind):
    with pytest.raises(SystemExit) as caught:
        run(app, kind, '')
    assert caught.value.code == 2
    assert 'the name is empty' in capsys.readouterr().err
    assert http.call_count == 0


UNDECODABLE = nova.fault(
    500,
    'computeFault',
    'Unexpected API Error. Please contact the administrator\n'
    "<class 'json.decoder.JSONDecodeError'>",
)


def test_error_of_undecodable_property_names_it(app, http):
    http.get(ONE, **UNDECODABLE)
    with pytest.raises(exceptions.CommandError) as shown:
        run(app, ShowComputeImage, ID)
    first = {'json': nova.page(nova.images(2, 3))}
    http.get(nova.DETAIL, [UNDECODABLE, first, UNDECODABLE])
    with pytest.raises(exceptions.CommandError) as at_once:
        listed(app)
    with pytest.raises(exceptions.CommandError) as later:
        listed(app, '--limit', '2', '--max-items', '9')
    for caught in (shown, at_once, later):
        assert 'block_device_mapping or mappings' in str(caught.value)
        assert '"openstack image unset --property"' in str(caught.value)
    assert f'--marker {nova.image_id(3)}' in str(later.value)
