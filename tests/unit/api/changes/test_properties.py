# SPDX-License-Identifier: Apache-2.0

"""Changes of properties, and the visibility that they depend on."""

from osc_lib import exceptions
import pytest

from osc_compute_images import api as images
from osc_compute_images.api.changes import properties
from testbed import nova
from testbed.fleet import Fleet

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'


@pytest.fixture
def fleet(http):
    """Serve one image."""
    return Fleet([nova.image(1, metadata={'a': '1', 'b': '2'})]).serve(http)


def stored(fleet):
    return fleet.images[ID]['metadata']


#: Some fields: see the functional tests.
FIELDS = ('file', 'min_ram', 'name', 'os_hidden', 'remove_props', 'visibility')
NO_LISTS = (
    *('', 'zzz', '{}', '"text"', 'null', '1', '[1]', '[{}] x', '[null]'),
    '[' * 255,
)
INVALID = {
    '1 to 255 characters': [(k, 'v') for k in ('', 'a/b', 'ä', 'a\n')],
    'ASCII letters': [('k' * 256, 'v')],
    '256 characters': [('k', 'v' * 256)],
    r'U\+1F600': [('k', 'a\U0001f600')],
    'cannot be encoded as UTF-8': [('k', 'a\udce9')],
    'must be a string, not int': [('k', 1)],
    'must be a string, not NoneType': [('k', None)],
    'a field of the image': [(key, 'v') for key in FIELDS],
    'reserved': [('os_glance_x', 'v')],
    'remove it instead': [('kernel_id', ' None '), ('ramdisk_id', '')],
    'JSON list of objects': [
        (key, value) for key in properties.JSON_KEYS for value in NO_LISTS
    ],
}


@pytest.mark.parametrize('reason', INVALID)
def test_invalid_properties(reason):
    for key, value in INVALID[reason]:
        with pytest.raises(images.InvalidProperty, match=reason) as caught:
            properties.check_properties({'k1': 'v', key: value})
        assert caught.value.key == key


def test_valid_properties():
    wanted = {
        'k': '',
        'k' * 255: 'Größe 映像 \uffff',
        'aZ 0-_:.': 'v' * 255,
        'names': '"\x1b',
        'kernel_id': ID,
        'mappings': '[]',
        'block_device_mapping': ' [ {} , {"a": [1, null]} ] ',
    }
    properties.check_properties(wanted)


@pytest.mark.parametrize('replaces', [True, False])
@pytest.mark.parametrize(
    ('wanted', 'found', 'problem', 'keys'),
    [
        ({'a': '1'}, {'a': 1}, '', ''),
        ({'mappings': '[{"a":1}]'}, {'mappings': [{'a': 1}]}, '', ''),
        ({'mappings': '[{"a":1}]'}, {'mappings': '[{"a":1}]'}, '', ''),
        ({'a': '1', 'b': '1'}, {'b': '1'}, 'did not store: a', 'a'),
        ({'a': '1'}, {'a': '1 '}, 'stored another value for: a', 'a'),
    ],
)
def test_what_is_stored_is_checked(
    api, http, wanted, found, problem, keys, replaces
):
    stored = {**found, 'z': '1'}
    http.post(f'{ONE}/metadata', json={'metadata': stored})
    # Nova only repeats the request.
    http.put(f'{ONE}/metadata', json={'metadata': wanted})
    http.get(f'{ONE}/metadata', json={'metadata': stored})
    change = api.update_metadata
    if replaces:
        change, keys = api.replace_metadata, [*keys, 'z']
        problem += f'{problem and "; "}did not remove: z'
    if not problem:
        assert change(ID, wanted) == stored
        return
    with pytest.raises(images.PropertiesNotStored) as caught:
        change(ID, wanted)
    assert caught.value.message.endswith(f', but {problem}')
    assert caught.value.keys == (*keys,)


def test_properties_are_checked_before_and_after(api, http):
    for change, *more in (
        (api.update_metadata, {'b': 1}),
        (api.replace_metadata, {'b': 1}),
        (api.set_metadata_item, 'b', 1),
    ):
        with pytest.raises(images.InvalidProperty):
            change(ID, *more)
    assert http.call_count == 0
    http.put(f'{ONE}/metadata/b', json={'meta': {'b': 'new'}})
    http.get(f'{ONE}/metadata', json={'metadata': {'b': 'old'}})
    with pytest.raises(images.PropertiesNotStored):
        api.set_metadata_item(ID, 'b', 'new')


def test_removing_continues_after_errors_of_a_key(api, fleet, http):
    with pytest.raises(images.PropertiesNotDeleted, match='1 of 3 pro') as e:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'a'])
    assert [*e.value.errors] == ['none']
    assert stored(fleet) == {}
    assert len(fleet.writes) == 3
    stored(fleet).update(a='1', b='2')
    fault = nova.fault(403, 'forbidden', 'Not authorized for image.')
    http.delete(f'{ONE}/metadata/b', **fault)
    with pytest.raises(images.Forbidden):
        api.delete_metadata_items(ID, ['b', 'a'])
    assert stored(fleet) == {'a': '1', 'b': '2'}
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'mappings'])
    kinds = [(key, type(e)) for key, e in caught.value.errors.items()]
    assert kinds == [
        ('none', images.NotFound),
        *((key, images.Forbidden) for key in ('b', 'mappings')),
    ]
    stored(fleet).update(tier='1', r='2')
    api.delete_metadata_items(ID, 'tier')
    assert 'tier' not in stored(fleet)
    assert stored(fleet)['r'] == '2'
    fleet.images.clear()
    with pytest.raises(images.ImageNotFound):
        api.delete_metadata_items(ID, ['a', 'b'])


@pytest.mark.parametrize(
    ('visibility', 'requests'),
    [
        *(('private', 2), ('public', 2), ('shared', 3), ('community', 4)),
        ('hidden', 4),
    ],
)
def test_find_visibility(api, fleet, visibility, requests):
    fleet.visibility[ID] = visibility
    found = api.find_visibility(ID)
    assert found == (None if visibility == 'hidden' else visibility)
    assert len(fleet.requests) == requests


@pytest.mark.parametrize(
    'answer',
    [
        # The first two servers ignore the filter, the third rejects it.
        {'json': nova.page([nova.image(1)])},
        {'json': nova.page([nova.image(2)])},
        nova.fault(400, 'badRequest', 'No such filter'),
        {'status_code': 406},
        nova.NO_ROUTE,
        {'text': '<html>'},
    ],
)
def test_unknown_visibility_is_none(api, http, answer):
    http.get(f'{nova.ENDPOINT}/images', **answer)
    http.get(f'{nova.ENDPOINT}/', status_code=404)
    assert api.find_visibility(ID) is None
    # An error of the server is none of the filter.
    http.get(f'{nova.ENDPOINT}/images', status_code=500)
    with pytest.raises(images.ServerError):
        api.find_visibility(ID)


def error_of(app, *words):
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(*words)
    return str(caught.value)


def test_error_of_a_field_refers_to_openstack_image(app, http):
    error = error_of(app, 'set --property owner=x any')
    assert error.endswith(
        'it is a field of the image itself; try "openstack image set"'
    )
    assert 'openstack' not in error_of(app, 'set --property mappings=zzz any')
    assert http.call_count == 0


@pytest.mark.parametrize('command', ['delete', 'set', 'show', 'unset'])
def test_empty_name_is_rejected(app, http, capsys, command):
    with pytest.raises(SystemExit, match='2'):
        app.run(command, '')
    assert 'the name is empty' in capsys.readouterr().err
    assert http.call_count == 0


def test_error_of_undecodable_property_names_it(app, http):
    fault = nova.fault(
        *(500, 'computeFault', "<class 'json.decoder.JSONDecodeError'>")
    )
    first = {'json': nova.page(nova.images(2, 3))}
    http.get(nova.DETAIL, [first, fault])
    error = error_of(app, 'list -f csv --limit 2 --max-items 9')
    assert f'--marker {nova.image_id(3)}. The property block_device' in error
