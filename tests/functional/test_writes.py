# SPDX-License-Identifier: Apache-2.0

"""Changes of properties that Nova stores in another way than others."""

from collections.abc import Callable
from collections.abc import Iterator
import json

import openstack
import pytest

from osc_compute_images import api
from osc_compute_images.api.changes import properties
from tests.functional.real import Cloud

IMAGE = ('compute', 'image')


@pytest.fixture(scope='module')
def raw(cloud: Cloud) -> openstack.connection.Connection:
    """Provide a connection of the ordinary user."""
    return cloud.connection('demo')


# --- properties that Compute does not store --------------------------------


def test_nova_does_not_store_invalid_properties(raw, glance, images):
    """Send the requests to Nova without our validation."""
    image_id = images('life-rules', kernel_id='no-such-image', keep='1')
    before = glance.image(image_id)
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
        raw.compute.post(
            f'/images/{image_id}/metadata',
            json={'metadata': {key: value}},
            microversion=None,
        )
    after = glance.image(image_id)
    for image in (before, after):
        del image['updated_at']
    assert after == before


@pytest.fixture
def undecodable(raw, images) -> Iterator[Callable[[str, str], str]]:
    """Return a function that makes an image with a property that is not JSON.

    The property is removed at the end, as no list of images works before.
    """
    made: list[tuple[str, str]] = []

    def make(key: str, value: str) -> str:
        image_id = images('writes-undecodable', **{key: value})
        made.append((key, image_id))
        return image_id

    yield make
    for key, image_id in made:
        remove = {'op': 'remove', 'path': f'/{key}'}
        raw.image.patch(
            f'/images/{image_id}',
            data=json.dumps([remove]),
            headers={
                'Content-Type': 'application/openstack-images-v2.1-json-patch'
            },
        )


@pytest.mark.parametrize('key', properties.JSON_KEYS)
def test_undecodable_property_is_reported_and_can_be_removed(
    demo, glance, undecodable, key
):
    image_id = undecodable(key, 'zzz')
    hint = (
        'The property block_device_mapping or mappings of an image may be '
        'invalid JSON: find the image through the Image service, and remove '
        'the property with "openstack image unset --property"'
    )
    assert demo.fails(*IMAGE, 'list').endswith(hint)
    assert demo.fails(*IMAGE, 'show', image_id).endswith(hint)
    demo('image', 'unset', '--property', key, image_id)
    assert key not in glance.image(image_id)
    assert image_id in demo(*IMAGE, 'list', '-f', 'value', '-c', 'ID').out


@pytest.mark.parametrize('key', properties.JSON_KEYS)
def test_image_with_json_string_property_is_not_changed(
    demo, raw, glance, undecodable, key
):
    image_id = undecodable(key, '"text"')
    before = glance.image(image_id)
    result = demo.run(*IMAGE, 'set', '--property', 'a=1', image_id)
    assert (result.code, result.out) == (7, '')
    assert f'Remove or replace {key!r} first' in result.err
    assert glance.image(image_id) == before
    # Nova would have done this.
    raw.compute.post(
        f'/images/{image_id}/metadata',
        json={'metadata': {'a': '1'}},
        microversion=None,
    )
    assert glance.image(image_id)[key] == 'text'


# --- the visibility --------------------------------------------------------


@pytest.mark.parametrize(
    'visibility', ['private', 'public', 'shared', 'community']
)
def test_no_image_becomes_private_unless_allowed(
    cloud, admin, images, admin_images, admin_glance, visibility
):
    make = admin_images if visibility == 'public' else images
    image_id = make(visibility=visibility, a='1')
    for user in ('demo', 'admin'):
        images_api = api.ImagesAPI(cloud.connection(user).compute)
        assert images_api.find_visibility(image_id) == visibility
    words: tuple[str, ...] = (*IMAGE, 'set', '--property', 'a=2', image_id)
    if visibility in ('shared', 'community'):
        before = admin_glance.image(image_id)
        result = admin.run(*words)
        assert (result.code, result.out) == (7, '')
        [refused, *_count] = result.errors()
        assert f'its visibility is {visibility}, and a change' in refused
        assert admin_glance.image(image_id) == before
        words = (*words, '--allow-private')
    admin(*words)
    after = admin_glance.image(image_id)
    assert after['a'] == '2'
    is_public = visibility == 'public'
    assert after['visibility'] == ('public' if is_public else 'private')


def test_unknown_visibility_is_reported(demo, glance, images):
    image_id = images('writes-hidden', os_hidden=True, a='1')
    result = demo.run(*IMAGE, 'set', '--property', 'a=2', image_id)
    assert (result.code, result.out) == (0, '')
    [line] = result.err.splitlines()
    assert line.startswith(f'The visibility of image {image_id} is unknown')
    assert glance.image(image_id)['a'] == '2'
