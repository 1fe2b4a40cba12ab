# SPDX-License-Identifier: Apache-2.0

"""The commands ``delete``, ``set``, ``unset`` and ``show --wait``."""

from collections.abc import Callable
import json

import pytest

from osc_compute_images import api
from tests.functional.conftest import Glance
from tests.functional.terminal import PATIENCE
from tests.functional.terminal import Terminal

DELETE = ('compute', 'image', 'delete')
SET = ('compute', 'image', 'set')
UNSET = ('compute', 'image', 'unset')
WAIT = ('compute', 'image', 'show', '--wait', '-f', 'json')

#: Properties that Compute decodes from JSON.
STRUCTURED = {
    'mappings': '[{"virtual": "ami", "device": "sda1"}]',
    'block_device_mapping': '[{"boot_index": 0, "volume_size": 10}]',
}

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'


@pytest.fixture
def stored(glance: Glance) -> Callable[[str], dict[str, str]]:
    """Return a function that gets the properties in Glance."""
    ours = ('a', 'b', 'c', 'd', 'e', *STRUCTURED)

    def properties(image_id: str) -> dict[str, str]:
        image = glance.image(image_id) or {}
        return {key: image[key] for key in ours if key in image}

    return properties


# --- delete ---------------------------------------------------------------


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
        *failures, count = result.err.splitlines()
        for image_id, line in zip(ids, failures, strict=False):
            assert line.startswith(f'Failed to delete image {image_id!r}: ')
            assert reasons.get(image_id, FORBIDDEN) in line
            assert admin_glance.image(image_id)['status'] == 'active'
        failed = 1 if shell is reader else 3
        assert len(failures) == failed
        assert count == f'{failed} of {len(ids)} images failed to delete.'
    assert admin_glance.image(last) is None


# --- set and unset --------------------------------------------------------


def test_set_and_unset_change_nothing_else(demo, glance, images):
    image_id = images('life-merge', a='1', b='2', **STRUCTURED)
    before = glance.image(image_id)
    words = ('--property', 'b=new', '--property', 'c=Größe 映像')
    words += ('--property', 'd=x=y', '--property', 'e=')
    assert demo(*SET, 'life-merge', *words).out == ''
    after = glance.image(image_id)
    changed = {'b': 'new', 'c': 'Größe 映像', 'd': 'x=y', 'e': ''}
    assert after.pop('updated_at') >= before.pop('updated_at')
    assert after == before | changed

    words = ('--property', 'd', '--property', 'b', '--property', 'e')
    assert demo(*UNSET, 'life-merge', *words).out == ''
    after = glance.image(image_id)
    del after['updated_at'], before['b']
    assert after == before | {'c': 'Größe 映像'}


def test_no_property_replaces_all_properties(demo, images, stored):
    image_id = images(a='1', b='2', **STRUCTURED)
    words = ('--no-property', '--property', 'b=new', '--property', 'c=3')
    demo(*SET, image_id, *words)
    assert stored(image_id) == {'b': 'new', 'c': '3'}
    demo(*SET, image_id, '--no-property')
    assert stored(image_id) == {}


def test_quota_error_has_message_of_server(demo, glance, images):
    image_id = images(**{f'key-{n}': 'v' for n in range(128)})
    before = glance.image(image_id)
    result = demo.run(*SET, '--property', 'a=1', image_id)
    assert (result.code, result.out) == (1, '')
    assert 'Image metadata limit exceeded (HTTP 403)' in result.errors()[0]
    assert glance.image(image_id) == before


def test_administrator_changes_image_of_another_project(
    admin, glance, images, stored
):
    image_id = images('life-of-demo', a='1', b='2', **STRUCTURED)
    admin(*SET, '--property', 'a=new', image_id)
    admin(*UNSET, '--property', 'b', 'life-of-demo')
    assert stored(image_id) == {'a': 'new', **STRUCTURED}
    admin(*DELETE, 'life-of-demo')
    assert glance.image(image_id) is None


@pytest.mark.parametrize('user', ['demo', 'reader'])
def test_image_of_another_project_is_not_changed(
    cloud, admin_glance, images, admin_images, user
):
    image_id = (
        admin_images(visibility='public') if user == 'demo' else images()
    )
    before = admin_glance.image(image_id)
    result = cloud.shell(user).run(*SET, '--property', 'a=1', image_id)
    assert (result.code, result.out) == (1, '')
    assert f'Not authorized for image {image_id}. (HTTP 403)' in result.err
    assert admin_glance.image(image_id) == before


# --- show --wait ----------------------------------------------------------


@pytest.mark.parametrize(
    ('glance_status', 'status', 'code'),
    [('killed', 'ERROR', 3), ('pending_delete', 'DELETED', 4)],
)
def test_wait_ends_at_final_status(demo, images, glance_status, status, code):
    image_id = images.in_status(glance_status)
    assert demo.fails(*WAIT, image_id, code=code) == (
        f'Image {image_id} is {status}, and will not become ACTIVE'
    )


def test_progress_bar_follows_status(demo, glance, images):
    image_id = images(data=None)
    terminal = Terminal(demo, *WAIT, image_id, stdout=False)
    assert terminal.shows('25%')
    images.set_status(image_id, 'saving')
    assert terminal.shows('50%')
    images.set_status(image_id, 'queued')
    glance.upload(image_id, b'late')
    code, shown, out = terminal.end()
    assert code == 0
    assert '100%' in shown
    image = json.loads(out)
    assert (image['status'], image['size']) == ('ACTIVE', 4)


@pytest.mark.parametrize(
    ('options', 'term', 'is_shown'),
    [((), 'xterm', True), (('-q',), 'xterm', False), ((), 'dumb', False)],
)
def test_no_progress_bar_if_quiet_or_dumb(
    demo, images, options, term, is_shown
):
    words = (*options, *WAIT, images())
    terminal = Terminal(demo, *words, term=term, stdout=False)
    code, shown, out = terminal.end()
    assert (code, bool(shown)) == (0, is_shown)
    assert json.loads(out)['status'] == 'ACTIVE'


def test_deleted_image_ends_wait(demo, glance, images):
    image_id = images(data=None)
    terminal = Terminal(demo, *WAIT, image_id, stdout=False)
    assert terminal.shows('25%')
    glance.delete(image_id)
    code, shown, out = terminal.end()
    assert (code, out) == (5, '')
    assert (
        f'Image {image_id} no longer exists; its last status was SAVING'
        in shown
    )


# --- the Python API -------------------------------------------------------


def test_python_api(cloud, glance, images, stored):
    image_id = images(data=None, a='1', **STRUCTURED)
    images_api = api.ImagesAPI(cloud.connection('demo').compute)

    with pytest.raises(api.WaitTimedOut) as raised:
        # The login is included.
        images_api.wait_for(image_id, timeout=3)
    assert raised.value.image.progress == 25
    glance.upload(image_id, b'data')
    assert images_api.wait_for(image_id, timeout=PATIENCE).size == 4

    structured = {k: json.loads(v) for k, v in STRUCTURED.items()}
    assert images_api.get_metadata(image_id) == {'a': '1', **structured}
    assert images_api.update_metadata(image_id, {'b': '2'}) == {
        'a': '1',
        'b': '2',
        **structured,
    }
    images_api.set_metadata_item(image_id, 'a', 'new')
    assert images_api.get_metadata_item(image_id, 'a') == 'new'
    assert stored(image_id) == {'a': 'new', 'b': '2', **STRUCTURED}
    images_api.delete_metadata_item(image_id, 'b')
    assert stored(image_id) == {'a': 'new', **STRUCTURED}
    with pytest.raises(api.NotFound):
        images_api.delete_metadata_item(image_id, 'b')
    assert images_api.replace_metadata(image_id, {'c': '3'}) == {'c': '3'}
    assert stored(image_id) == {'c': '3'}

    images_api.delete(image_id)
    assert glance.image(image_id) is None
    with pytest.raises(api.ImageNotFound):
        images_api.delete(image_id)
