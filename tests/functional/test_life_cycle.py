# SPDX-License-Identifier: Apache-2.0

"""Changes of images in the real cloud, as Glance stores them."""

import json

import pytest

from osc_compute_images import api
from osc_compute_images.api.changes import properties

IMAGE = ('compute', 'image')

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'

#: Properties that Compute decodes from JSON.
STRUCTURED = {
    'mappings': '[{"virtual": "ami", "device": "sda1"}]',
    'block_device_mapping': '[{"boot_index": 0, "volume_size": 10}]',
}


def test_python_api_changes_nothing_else(cloud, images):
    images_api = api.ImagesAPI(cloud.connection('demo').compute)
    decoded = {key: json.loads(text) for key, text in STRUCTURED.items()}
    # It has no data.
    image_id = images(a='1', data=None, **STRUCTURED)
    rest = images.image(image_id)
    del rest['a']

    def stores(**expected: str) -> bool:
        stored = images.image(image_id) | {'updated_at': rest['updated_at']}
        return stored == rest | expected

    assert images_api.get_metadata(image_id) == {'a': '1', **decoded}
    new = {'b': 'Größe 映像', 'c': 'x=y', 'd': ''}
    merged = {'a': '1', **new, **decoded}
    assert images_api.update_metadata(image_id, new) == merged
    assert stores(a='1', **new)
    images_api.set_metadata_item(image_id, 'a', 'new')
    assert images_api.get_metadata_item(image_id, 'a') == 'new'
    for key in new:
        images_api.delete_metadata_item(image_id, key)
    assert stores(a='new')
    assert images_api.replace_metadata(image_id, {'c': '3'}) == {'c': '3'}
    for key in STRUCTURED:
        del rest[key]
    assert stores(c='3')
    images_api.delete(image_id)
    assert images.image(image_id) is None
    with pytest.raises(api.ImageNotFound):
        images_api.delete(image_id)


def test_images_that_cannot_be_changed_are_reported(
    demo, images, admin_images
):
    last = images()
    public = admin_images(visibility='public')
    reasons = {
        admin_images(): 'No image with a name or ID of',
        images(protected=True): FORBIDDEN,
        public: FORBIDDEN,
    }
    result = demo.run(*IMAGE, 'delete', *reasons, last)
    assert (result.code, result.out) == (1, '')
    *failures, _count = result.err.splitlines()
    for (image_id, why), line in zip(reasons.items(), failures, strict=True):
        assert line.startswith(f'Failed to delete image {image_id!r}: {why}')
        assert admin_images.image(image_id)['status'] == 'active'
    assert images.image(last) is None
    error = demo.run(*IMAGE, 'set', '--property', 'a=1', public).err
    assert f'Not authorized for image {public}. (HTTP 403)' in error
    assert 'a' not in admin_images.image(public)


# --- properties that Compute does not store, or not as they are ------------


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
def test_property_that_compute_decodes(demo, write, images, key):
    image_id = images('life-decoded', **{key: '"text"'})
    before = images.image(image_id)
    result = demo.run(*IMAGE, 'set', '--property', 'a=1', image_id)
    assert (result.code, result.out) == (7, '')
    assert f'Remove or replace {key!r} first' in result.err
    assert images.image(image_id) == before
    # Nova would have done this, and then can list no image.
    write(image_id, 'a', '1')
    assert images.image(image_id)[key] == 'text'
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


# --- the visibility --------------------------------------------------------


@pytest.mark.parametrize(
    'visibility', ['private', 'public', 'shared', 'community']
)
def test_no_image_becomes_private_unless_allowed(
    cloud, admin, images, admin_images, visibility
):
    make = admin_images if visibility == 'public' else images
    image_id = make(visibility=visibility, a='1')
    hidden = images(os_hidden=True)
    for user in ('demo', 'admin'):
        images_api = api.ImagesAPI(cloud.connection(user).compute)
        assert images_api.find_visibility(image_id) == visibility
        assert images_api.find_visibility(hidden) is None
    words = (*IMAGE, 'set', '--property', 'a=2', image_id)
    if visibility in ('shared', 'community'):
        before = admin_images.image(image_id)
        result = admin.run(*words)
        assert (result.code, result.out) == (7, '')
        [refused, *_count] = result.err.splitlines()
        assert f'its visibility is {visibility}, and a change' in refused
        assert admin_images.image(image_id) == before
        words = (*words, '--allow-private')
    admin(*words)
    after = admin_images.image(image_id)
    kept = 'public' if visibility == 'public' else 'private'
    assert (after['a'], after['visibility']) == ('2', kept)
