# SPDX-License-Identifier: Apache-2.0

"""The commands ``delete``, ``set`` and ``unset``, and the Python API."""

import json

import pytest

from osc_compute_images import api

DELETE = ('compute', 'image', 'delete')
SET = ('compute', 'image', 'set')
UNSET = ('compute', 'image', 'unset')

#: Properties that Compute decodes from JSON.
STRUCTURED = {
    'mappings': '[{"virtual": "ami", "device": "sda1"}]',
    'block_device_mapping': '[{"boot_index": 0, "volume_size": 10}]',
}

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'


def test_delete_by_name_and_by_id(demo, images):
    made = [images('life-by-name'), images('life-by-id'), images(data=None)]
    others = {i['id'] for i in images.images()} - set(made)
    # An image that is given twice is deleted once.
    words = ('life-by-name', made[0], made[1], made[2].upper())
    assert demo(*DELETE, *words).out == ''
    assert {i['id'] for i in images.images()} == others


def test_images_that_cannot_be_deleted_are_reported(
    demo, images, admin_images
):
    last = images()
    public = admin_images(visibility='public')
    reasons = {
        admin_images(): 'No image with a name or ID of',
        images(protected=True): FORBIDDEN,
        public: FORBIDDEN,
    }
    result = demo.run(*DELETE, *reasons, last)
    assert (result.code, result.out) == (1, '')
    *failures, _count = result.err.splitlines()
    for (image_id, why), line in zip(reasons.items(), failures, strict=True):
        assert line.startswith(f'Failed to delete image {image_id!r}: {why}')
        assert admin_images.image(image_id)['status'] == 'active'
    assert images.image(last) is None
    error = demo.run(*SET, '--property', 'a=1', public).err
    assert f'Not authorized for image {public}. (HTTP 403)' in error
    assert 'a' not in admin_images.image(public)


def test_set_and_unset_change_nothing_else(demo, images):
    def stored():
        image = images.image(image_id)
        return image, image.pop('updated_at')

    image_id = images('life-merge', a='1', b='2', **STRUCTURED)
    before, created = stored()
    words = ('--property', 'b=new', '--property', 'c=Größe 映像')
    words += ('--property', 'd=x=y', '--property', 'e=')
    assert demo(*SET, 'life-merge', *words).out == ''
    after, updated = stored()
    assert updated >= created
    changed = {'b': 'new', 'c': 'Größe 映像', 'd': 'x=y', 'e': ''}
    assert after == before | changed
    words = ('--property', 'd', '--property', 'b', '--property', 'e')
    assert demo(*UNSET, 'life-merge', *words).out == ''
    del before['b']
    assert stored()[0] == before | {'c': 'Größe 映像'}
    demo(*SET, image_id, '--no-property', '--property', 'b=2')
    for key in ('a', *STRUCTURED):
        del before[key]
    assert stored()[0] == before | {'b': '2'}


def test_python_api(cloud, images):
    def stored():
        image = images.image(image_id)
        return {k: image[k] for k in ('a', 'b', 'c', 'mappings') if k in image}

    mappings = STRUCTURED['mappings']
    image_id = images(a='1', mappings=mappings)
    images_api = api.ImagesAPI(cloud.connection('demo').compute)
    decoded = json.loads(mappings)
    assert images_api.get_metadata(image_id) == {'a': '1', 'mappings': decoded}
    assert images_api.update_metadata(image_id, {'b': '2'}) == {
        'a': '1',
        'b': '2',
        'mappings': decoded,
    }
    images_api.set_metadata_item(image_id, 'a', 'new')
    assert images_api.get_metadata_item(image_id, 'a') == 'new'
    assert stored() == {'a': 'new', 'b': '2', 'mappings': mappings}
    images_api.delete_metadata_item(image_id, 'b')
    assert stored() == {'a': 'new', 'mappings': mappings}
    with pytest.raises(api.NotFound):
        images_api.delete_metadata_item(image_id, 'b')
    assert images_api.replace_metadata(image_id, {'c': '3'}) == {'c': '3'}
    assert stored() == {'c': '3'}
    images_api.delete(image_id)
    assert images.image(image_id) is None
    with pytest.raises(api.ImageNotFound):
        images_api.delete(image_id)
