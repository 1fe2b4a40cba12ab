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


def test_delete_by_name_and_by_id(demo, glance, images):
    ids = [images('life-by-name'), images('life-by-id'), images(data=None)]
    others = {i['id'] for i in glance.images()} - set(ids)
    # An image that is given twice is deleted once.
    words = ('life-by-name', ids[0], ids[1], ids[2].upper())
    assert demo(*DELETE, *words).out == ''
    assert {i['id'] for i in glance.images()} == others


def test_images_that_cannot_be_deleted_are_reported(
    demo, reader, admin_glance, images, admin_images
):
    last = images()
    reasons = {
        admin_images(): 'No image with a name or ID of',
        images(protected=True): FORBIDDEN,
        admin_images(visibility='public'): FORBIDDEN,
    }
    for shell, ids in ((reader, [last]), (demo, [*reasons, last])):
        result = shell.run(*DELETE, *ids)
        assert (result.code, result.out) == (1, '')
        *failures, _count = result.err.splitlines()
        assert len(failures) == (1 if shell is reader else 3)
        for image_id, line in zip(ids, failures, strict=False):
            assert line.startswith(f'Failed to delete image {image_id!r}: ')
            assert reasons.get(image_id, FORBIDDEN) in line
            assert admin_glance.image(image_id)['status'] == 'active'
    assert admin_glance.image(last) is None


def test_set_and_unset_change_nothing_else(demo, glance, images):
    def stored():
        image = glance.image(image_id)
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


@pytest.mark.parametrize('user', ['demo', 'reader'])
def test_image_of_another_project_is_not_changed(
    cloud, admin, admin_glance, images, admin_images, user
):
    make = admin_images if user == 'demo' else images
    image_id = make(visibility='public' if user == 'demo' else 'private')
    before = admin_glance.image(image_id)
    words = (*SET, '--property', 'a=1', image_id)
    result = cloud.shell(user).run(*words)
    assert (result.code, result.out) == (1, '')
    assert f'Not authorized for image {image_id}. (HTTP 403)' in result.err
    assert admin_glance.image(image_id) == before
    # The administrator may.
    admin(*words)
    assert admin_glance.image(image_id)['a'] == '1'


def test_python_api(cloud, glance, images):
    def stored():
        image = glance.image(image_id)
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
    assert glance.image(image_id) is None
    with pytest.raises(api.ImageNotFound):
        images_api.delete(image_id)
