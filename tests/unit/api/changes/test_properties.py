# SPDX-License-Identifier: Apache-2.0

"""Changes of properties, and the visibility that they depend on."""

from osc_lib import exceptions
import pytest

from osc_compute_images import api as images
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes import properties
from osc_compute_images.commands.deletion import DeleteComputeImage
from osc_compute_images.commands.properties import SetComputeImage
from osc_compute_images.commands.properties import UnsetComputeImage
from osc_compute_images.commands.show import ShowComputeImage
from testbed import nova
from testbed.fleet import Fleet
from tests.unit.running import App

ID = nova.image_id(1)
ONE = f'{nova.ENDPOINT}/images/{ID}'

#: Some of them: see the functional tests.
FIELDS = ('file', 'min_ram', 'name', 'os_hidden', 'remove_props', 'visibility')


@pytest.fixture
def fleet(http):
    """Serve one image."""
    return Fleet([nova.image(1, metadata={'a': '1', 'b': '2'})]).serve(http)


@pytest.fixture
def app(http, tmp_path):
    return App(tmp_path)


def stored(fleet):
    return fleet.images[ID]['metadata']


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
        ('kernel_id', ' None ', 'remove it instead'),
        ('ramdisk_id', '', 'remove it instead'),
        ('block_device_mapping', '[null]', 'JSON list of objects'),
        *(
            ('mappings', value, 'JSON list of objects')
            for value in (
                *('', 'zzz', '{}', '"text"', 'null', '1', '[1]', '[{}] x'),
                '[' * 255,
            )
        ),
    ],
)
def test_invalid_properties(key, value, reason):
    with pytest.raises(images.InvalidProperty, match=reason) as caught:
        properties.check_properties({'k1': 'v', key: value})
    assert caught.value.key == key


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


@pytest.mark.parametrize(
    ('wanted', 'found', 'differing'),
    [
        ({'a': '1'}, {'a': '1', 'b': '2'}, ''),
        ({'a': '1'}, {'a': 1}, ''),
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
def test_check_stored(wanted, found, differing):
    if not differing:
        _stored.check_stored(wanted, found)
        return
    with pytest.raises(images.PropertiesNotStored, match=f'but {differing}$'):
        _stored.check_stored(wanted, found)


def test_all_differences_are_told():
    message = (
        'did not store: c; stored another value for: a; did not remove: b'
    )
    with pytest.raises(images.PropertiesNotStored, match=message) as e:
        _stored.check_stored(
            {'a': '1', 'c': '1'}, {'a': '2', 'b': '1'}, all_of_them=True
        )
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
    calls.append(lambda _value: api.replace_metadata(ID, {}))
    for call in calls:
        with pytest.raises(images.PropertiesNotStored) as caught:
            call('new')
        assert caught.value.keys == ('b',)


# --- removing -------------------------------------------------------------


def test_delete_metadata_items_continues_after_missing_key(api, fleet):
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'a'])
    assert list(caught.value.errors) == ['none']
    assert isinstance(caught.value.errors['none'], images.NotFound)
    assert '1 of 3 properties' in caught.value.message
    assert stored(fleet) == {}
    assert len(fleet.writes) == 3


def test_delete_metadata_items_stops_after_other_errors(api, fleet, http):
    fault = nova.fault(403, 'forbidden', 'Not authorized for image.')
    http.delete(f'{ONE}/metadata/b', **fault)
    with pytest.raises(images.Forbidden):
        api.delete_metadata_items(ID, ['b', 'a'])
    assert stored(fleet) == {'a': '1', 'b': '2'}
    with pytest.raises(images.PropertiesNotDeleted) as caught:
        api.delete_metadata_items(ID, ['a', 'none', 'b', 'mappings'])
    errors = caught.value.errors
    assert list(errors) == ['none', 'b', 'mappings']
    assert errors['b'] is errors['mappings']
    assert isinstance(errors['b'], images.Forbidden)
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


def test_server_error_is_not_unknown_visibility(api, http):
    fault = nova.fault(500, 'computeFault', 'Oh.')
    http.get(f'{nova.ENDPOINT}/images', **fault)
    with pytest.raises(images.ServerError):
        api.find_visibility(ID)


# --- the commands ---------------------------------------------------------


def test_error_of_a_field_refers_to_openstack_image(app, http):
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(SetComputeImage, '--property', 'owner=x', 'any')
    assert str(caught.value) == (
        "Property 'owner' cannot be set: it is a field of the image itself; "
        'try "openstack image set"'
    )
    with pytest.raises(exceptions.CommandError) as caught:
        app.run(SetComputeImage, '--property', 'mappings=zzz', 'any')
    assert 'openstack' not in str(caught.value)
    assert http.call_count == 0


def test_unset_reports_missing_properties(app, fleet, caplog):
    words = ('--property', 'a', '--property', 'none', '--property', 'a')
    assert app.run(UnsetComputeImage, *words, ID)[0] == 1
    assert caplog.messages == [f"Image {ID} has no property 'none'"]
    assert stored(fleet) == {'b': '2'}


@pytest.mark.parametrize(
    'kind',
    [DeleteComputeImage, SetComputeImage, ShowComputeImage, UnsetComputeImage],
)
def test_empty_name_is_rejected(app, http, capsys, kind):
    with pytest.raises(SystemExit) as caught:
        app.run(kind, '')
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
    first = {'json': nova.page(nova.images(2, 3))}
    http.get(nova.DETAIL, [UNDECODABLE, first, UNDECODABLE])
    for call in (
        lambda: app.run(ShowComputeImage, ID),
        lambda: app.listed(),
        lambda: app.listed('--limit', '2', '--max-items', '9'),
    ):
        with pytest.raises(exceptions.CommandError) as caught:
            call()
        assert 'block_device_mapping or mappings' in str(caught.value)
        assert '"openstack image unset --property"' in str(caught.value)
    assert f'--marker {nova.image_id(3)}' in str(caught.value)
