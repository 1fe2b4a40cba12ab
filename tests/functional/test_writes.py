# SPDX-License-Identifier: Apache-2.0

"""Changes of properties that Nova stores in another way than others."""

import pytest

from osc_compute_images import api
from osc_compute_images.api.changes import properties

IMAGE = ('compute', 'image')


@pytest.fixture
def write(cloud):
    """Return a function that sends properties without our validation."""
    compute = cloud.connection('demo').compute

    def send(image_id, key, value):
        compute.post(
            f'/images/{image_id}/metadata',
            json={'metadata': {key: value}},
            microversion=None,
        )

    return send


# --- properties that Compute does not store --------------------------------


def test_nova_does_not_store_invalid_properties(write, images):
    image_id = images('life-rules', kernel_id='no-such-image', keep='1')
    before = images.image(image_id)
    refused = {
        **dict.fromkeys(properties.FIELDS, '5'),
        'os_glance_x': '5',
        'kernel_id': 'none',
        'a': '\U0001f600',
        'b': 'v' * 256,
        'a/b': 'v',
    }
    for key, value in refused.items():
        with pytest.raises(api.InvalidProperty):
            properties.check_properties({key: value})
        write(image_id, key, value)
    after = images.image(image_id)
    assert after | {'updated_at': ''} == before | {'updated_at': ''}


@pytest.mark.parametrize('key', properties.JSON_KEYS)
def test_undecodable_property_is_reported_and_can_be_removed(
    demo, images, key
):
    image_id = images('writes-undecodable', **{key: 'zzz'})
    hint = (
        'The property block_device_mapping or mappings of an image may be '
        'invalid JSON: find the image through the Image service, and remove '
        'the property with "openstack image unset --property"'
    )
    assert demo.fails(*IMAGE, 'list').endswith(hint)
    assert demo.fails(*IMAGE, 'show', image_id).endswith(hint)
    demo('image', 'unset', '--property', key, image_id)
    assert key not in images.image(image_id)
    assert image_id in demo(*IMAGE, 'list', '-f', 'value', '-c', 'ID').out


@pytest.mark.parametrize('key', properties.JSON_KEYS)
def test_image_with_json_string_property_is_not_changed(
    demo, write, images, key
):
    image_id = images('writes-undecodable', **{key: '"text"'})
    before = images.image(image_id)
    result = demo.run(*IMAGE, 'set', '--property', 'a=1', image_id)
    assert (result.code, result.out) == (7, '')
    assert f'Remove or replace {key!r} first' in result.err
    assert images.image(image_id) == before
    # Nova would have done this.
    write(image_id, 'a', '1')
    assert images.image(image_id)[key] == 'text'


# --- the visibility --------------------------------------------------------


@pytest.mark.parametrize(
    'visibility', ['private', 'public', 'shared', 'community']
)
def test_no_image_becomes_private_unless_allowed(
    cloud, admin, images, admin_images, visibility
):
    make = admin_images if visibility == 'public' else images
    image_id = make(visibility=visibility, a='1')
    for user in ('demo', 'admin'):
        images_api = api.ImagesAPI(cloud.connection(user).compute)
        assert images_api.find_visibility(image_id) == visibility
    words = (*IMAGE, 'set', '--property', 'a=2', image_id)
    if visibility in ('shared', 'community'):
        before = admin_images.image(image_id)
        result = admin.run(*words)
        assert (result.code, result.out) == (7, '')
        [refused, *_count] = result.errors()
        assert f'its visibility is {visibility}, and a change' in refused
        assert admin_images.image(image_id) == before
        words = (*words, '--allow-private')
    admin(*words)
    after = admin_images.image(image_id)
    kept = 'public' if visibility == 'public' else 'private'
    assert (after['a'], after['visibility']) == ('2', kept)


def test_unknown_visibility_is_reported(demo, images):
    image_id = images('writes-hidden', os_hidden=True, a='1')
    result = demo.run(*IMAGE, 'set', '--property', 'a=2', image_id)
    assert (result.code, result.out) == (0, '')
    [line] = result.err.splitlines()
    assert line.startswith(f'The visibility of image {image_id} is unknown')
    assert images.image(image_id)['a'] == '2'
