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


# --- validation -----------------------------------------------------------

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


@pytest.mark.parametrize(
    ('wanted', 'found', 'problem'),
    [
        ({'a': '1'}, {'a': 1, 'b': '2'}, ''),
        ({'mappings': '[{"a":1}]'}, {'mappings': [{'a': 1}]}, ''),
        ({'mappings': '[{"a":1}]'}, {'mappings': '[{"a":1}]'}, ''),
        ({'a': '1', 'b': '1'}, {'b': '1'}, 'did not store: a'),
        ({'a': '1'}, {'a': '1 '}, 'stored another value for: a'),
        (
            *({'mappings': '[{}]'}, {'mappings': [{'a': 1}]}),
            'stored another value for: mappings',
        ),
    ],
)
def test_what_is_stored_is_checked(api, http, wanted, found, problem):
    http.post(f'{ONE}/metadata', json={'metadata': found})
    if not problem:
        assert api.update_metadata(ID, wanted) == found
        return
    with pytest.raises(images.PropertiesNotStored, match=f'but {problem}$'):
        api.update_metadata(ID, wanted)


def test_all_differences_are_told(api, http):
    http.put(f'{ONE}/metadata', json={'metadata': {}})
    found = {'a': '2', 'b': '1'}
    http.get(f'{ONE}/metadata', json={'metadata': found})
    message = (
        'did not store: c; stored another value for: a; did not remove: b'
    )
    with pytest.raises(images.PropertiesNotStored, match=message) as e:
        api.replace_metadata(ID, {'a': '1', 'c': '1'})
    assert e.value.keys == ('c', 'a', 'b')


def test_properties_are_checked_before_and_after(api, http):
    calls = [
        lambda value: api.update_metadata(ID, {'b': value}),
        lambda value: api.replace_metadata(ID, {'b': value}),
        lambda value: api.set_metadata_item(ID, 'b', value),
    ]
    for call in calls:
        with pytest.raises(images.InvalidProperty):
            call(1)
    assert http.call_count == 0
    for method in ('GET', 'POST', 'PUT'):
        answer = {'metadata': {'b': 'old'}}
        http.register_uri(method, f'{ONE}/metadata', json=answer)
    http.put(f'{ONE}/metadata/b', json={'meta': {'b': 'new'}})
    for call in calls:
        with pytest.raises(images.PropertiesNotStored) as caught:
            call('new')
        assert caught.value.keys == ('b',)


# --- removing -------------------------------------------------------------


def test_removing_continues_after_a_missing_key(api, fleet):
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'a'])
    assert list(caught.value.errors) == ['none']
    assert isinstance(caught.value.errors['none'], images.NotFound)
    assert '1 of 3 properties' in caught.value.message
    assert stored(fleet) == {}
    assert len(fleet.writes) == 3


def test_removing_stops_after_other_errors(api, fleet, http):
    fault = nova.fault(403, 'forbidden', 'Not authorized for image.')
    http.delete(f'{ONE}/metadata/b', **fault)
    with pytest.raises(images.Forbidden):
        api.delete_metadata_items(ID, ['b', 'a'])
    assert stored(fleet) == {'a': '1', 'b': '2'}
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'mappings'])
    kinds = {key: type(e) for key, e in caught.value.errors.items()}
    assert kinds == {
        'none': images.NotFound,
        **dict.fromkeys(('b', 'mappings'), images.Forbidden),
    }
    fleet.images.clear()
    with pytest.raises(images.ImageNotFound):
        api.delete_metadata_items(ID, ['a', 'b'])


# --- the visibility -------------------------------------------------------


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


# --- the commands ---------------------------------------------------------


def test_error_of_a_field_refers_to_openstack_image(app, http):
    with pytest.raises(exceptions.CommandError) as caught:
        app.run('set --property owner=x any')
    assert str(caught.value) == (
        "Property 'owner' cannot be set: it is a field of the image itself; "
        'try "openstack image set"'
    )
    with pytest.raises(exceptions.CommandError) as caught:
        app.run('set --property mappings=zzz any')
    assert 'openstack' not in str(caught.value)
    assert http.call_count == 0


def test_unset_reports_missing_properties(app, fleet, caplog):
    words = 'unset --property a --property none --property a'
    assert app.run(words, ID)[0] == 1
    assert caplog.messages == [f"Image {ID} has no property 'none'"]
    assert stored(fleet) == {'b': '2'}


@pytest.mark.parametrize('command', ['delete', 'set', 'show', 'unset'])
def test_empty_name_is_rejected(app, http, capsys, command):
    with pytest.raises(SystemExit) as caught:
        app.run(command, '')
    assert caught.value.code == 2
    assert 'the name is empty' in capsys.readouterr().err
    assert http.call_count == 0


UNDECODABLE = nova.fault(
    *(
        500,
        'computeFault',
        "Unexpected.\n<class 'json.decoder.JSONDecodeError'>",
    )
)


def test_error_of_undecodable_property_names_it(app, http):
    http.get(ONE, **UNDECODABLE)
    first = {'json': nova.page(nova.images(2, 3))}
    http.get(nova.DETAIL, [UNDECODABLE, first, UNDECODABLE])
    for line in (f'show {ID}', 'list', 'list --limit 2 --max-items 9'):
        with pytest.raises(exceptions.CommandError) as caught:
            app.run(line)
        assert 'block_device_mapping or mappings' in str(caught.value)
        assert '"openstack image unset --property"' in str(caught.value)
    assert f'--marker {nova.image_id(3)}' in str(caught.value)
