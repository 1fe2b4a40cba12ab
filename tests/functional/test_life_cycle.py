# SPDX-License-Identifier: Apache-2.0

"""The commands ``delete``, ``set``, ``unset`` and ``show --wait``."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
import threading

import openstack
import pytest

from osc_compute_images import api
from testbed import canned_cloud
from testbed.canned_cloud import in_turn
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response
from testbed.forwarding_proxy import ForwardingProxy
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell
from tests.functional.terminal import PATIENCE
from tests.functional.terminal import Terminal

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
    result = demo(
        'compute', 'image', 'delete', 'life-by-name', ids[1], ids[2].upper()
    )
    assert result.out == ''
    assert {i['id'] for i in glance.images()} == others


def test_delete_continues_after_failure(demo, glance, images):
    first, last = images(), images()
    result = demo.run('compute', 'image', 'delete', first, 'none', last)
    assert (result.code, result.out) == (1, '')
    assert result.err.splitlines() == [
        (
            "Failed to delete image 'none': "
            "No image with a name or ID of 'none' exists"
        ),
        '1 of 3 images failed to delete.',
    ]
    assert glance.image(first) is None
    assert glance.image(last) is None


def test_ambiguous_name_deletes_nothing(demo, glance, images):
    ids = [images('life-twin'), images('life-twin')]
    result = demo.run('compute', 'image', 'delete', 'life-twin')
    assert (result.code, result.out) == (1, '')
    first, last = result.err.splitlines()
    assert first.startswith("Failed to delete image 'life-twin': ")
    for image_id in ids:
        assert image_id in first
        assert glance.image(image_id)['status'] == 'active'
    assert last == '1 of 1 images failed to delete.'


def test_images_that_cannot_be_deleted_are_reported(
    demo, admin_glance, images, admin_images
):
    ids = [
        # This one is not found, and so reported first.
        admin_images('life-private'),
        images('life-protected', protected=True),
        admin_images('life-public', visibility='public'),
    ]
    result = demo.run('compute', 'image', 'delete', *ids)
    assert (result.code, result.out) == (1, '')
    *failures, last = result.err.splitlines()
    for image_id, line, reason in zip(
        ids,
        failures,
        (f'No image with a name or ID of {ids[0]!r}', FORBIDDEN, FORBIDDEN),
        strict=True,
    ):
        assert line.startswith(f'Failed to delete image {image_id!r}: ')
        assert reason in line
        assert admin_glance.image(image_id)['status'] == 'active'
    assert last == '3 of 3 images failed to delete.'


def test_reader_cannot_delete(reader, glance, images):
    image_id = images()
    result = reader.run('compute', 'image', 'delete', image_id)
    assert result.code == 1
    assert FORBIDDEN in result.err.splitlines()[0]
    assert glance.image(image_id)['status'] == 'active'


def test_administrator_deletes_image_of_another_project(admin, glance, images):
    image_id = images('life-of-demo')
    admin('compute', 'image', 'delete', 'life-of-demo')
    assert glance.image(image_id) is None


# --- set ------------------------------------------------------------------


def test_set_merges_and_changes_nothing_else(demo, glance, images):
    image_id = images('life-merge', a='1', b='2', **STRUCTURED)
    before = glance.image(image_id)
    result = demo(
        *('compute', 'image', 'set', 'life-merge'),
        *('--property', 'b=new', '--property', 'c=Größe 映像'),
        *('--property', 'd=x=y', '--property', 'e='),
    )
    assert result.out == ''
    after = glance.image(image_id)
    changed = {'b': 'new', 'c': 'Größe 映像', 'd': 'x=y', 'e': ''}
    assert after.pop('updated_at') >= before.pop('updated_at')
    assert after == before | changed


def test_no_property_removes_all_properties(demo, images, stored):
    image_id = images(a='1', b='2', **STRUCTURED)
    demo('compute', 'image', 'set', '--no-property', image_id)
    assert stored(image_id) == {}


def test_property_and_no_property_replace_all(demo, images, stored):
    image_id = images(a='1', b='2', **STRUCTURED)
    demo(
        *('compute', 'image', 'set', '--no-property', image_id),
        *('--property', 'b=new', '--property', 'c=3'),
    )
    assert stored(image_id) == {'b': 'new', 'c': '3'}


def test_quota_error_has_message_of_server(demo, glance, images):
    image_id = images(**{f'key-{n}': 'v' for n in range(128)})
    before = glance.image(image_id)
    result = demo.run('compute', 'image', 'set', '--property', 'a=1', image_id)
    assert (result.code, result.out) == (1, '')
    assert 'Image metadata limit exceeded (HTTP 403)' in result.errors()[0]
    assert glance.image(image_id) == before


def test_administrator_sets_image_of_another_project(admin, images, stored):
    image_id = images('life-of-demo', a='1', b='2', **STRUCTURED)
    admin('compute', 'image', 'set', '--property', 'a=new', image_id)
    assert stored(image_id) == {'a': 'new', 'b': '2', **STRUCTURED}
    admin('compute', 'image', 'unset', '--property', 'b', image_id)
    assert stored(image_id) == {'a': 'new', **STRUCTURED}


@pytest.mark.parametrize('user', ['demo', 'reader'])
def test_image_of_another_project_is_not_changed(
    cloud, admin_glance, images, admin_images, user
):
    image_id = (
        admin_images(visibility='public') if user == 'demo' else images()
    )
    before = admin_glance.image(image_id)
    result = cloud.shell(user).run(
        'compute', 'image', 'set', '--property', 'a=1', image_id
    )
    assert (result.code, result.out) == (1, '')
    assert f'Not authorized for image {image_id}. (HTTP 403)' in result.err
    assert admin_glance.image(image_id) == before


# --- unset ----------------------------------------------------------------


def test_unset_changes_nothing_else(demo, glance, images):
    image_id = images('life-unset', a='1', b='2', c='3', **STRUCTURED)
    expected = glance.image(image_id)
    result = demo(
        *('compute', 'image', 'unset', 'life-unset'),
        *('--property', 'a', '--property', 'c'),
    )
    assert result.out == ''
    after = glance.image(image_id)
    for key in ('a', 'c', 'updated_at'):
        del expected[key]
    del after['updated_at']
    assert after == expected


def test_unset_reports_missing_properties(demo, images, stored):
    image_id = images(a='1', b='2', c='3')
    result = demo.run(
        *('compute', 'image', 'unset', image_id),
        *('--property', 'a', '--property', 'none', '--property', 'c'),
    )
    assert (result.code, result.out) == (1, '')
    assert result.err == f"Image {image_id} has no property 'none'\n"
    assert stored(image_id) == {'b': '2'}


# --- show --wait ----------------------------------------------------------


WAIT = ('compute', 'image', 'show', '--wait', '-f', 'json')


def test_wait_for_active_image_returns_at_once(demo, images):
    image_id = images('life-active')
    shown = demo(*WAIT, 'life-active').json()
    assert (shown['id'], shown['status']) == (image_id, 'ACTIVE')


def test_wait_for_upload(demo, glance, images):
    image_id = images(data=None)
    terminal = Terminal(demo, *WAIT, image_id, stdout=False)
    assert terminal.shows('25%')
    glance.upload(image_id, b'late')
    code, shown, out = terminal.end()
    assert code == 0
    assert '100%' in shown
    image = json.loads(out)
    assert (image['id'], image['status'], image['size']) == (
        image_id,
        'ACTIVE',
        4,
    )


@pytest.mark.parametrize(
    ('glance_status', 'status', 'code'),
    [('killed', 'ERROR', 3), ('pending_delete', 'DELETED', 4)],
)
def test_wait_ends_at_final_status(demo, images, glance_status, status, code):
    image_id = images.in_status(glance_status)
    assert demo.fails(*WAIT, image_id, code=code) == (
        f'Image {image_id} is {status}, and will not become ACTIVE'
    )


def test_progress_bar_follows_status(demo, images):
    image_id = images(data=None)
    terminal = Terminal(demo, *WAIT, image_id, stdout=False)
    for status, percent in (('queued', 25), ('saving', 50), ('active', 100)):
        images.set_status(image_id, status)
        assert terminal.shows(f'{percent}%')
    code, _shown, out = terminal.end()
    assert code == 0
    assert json.loads(out)['status'] == 'ACTIVE'


@pytest.mark.parametrize(
    ('glance_status', 'status', 'code'),
    [('killed', 'ERROR', 3), ('pending_delete', 'DELETED', 4)],
)
def test_failed_upload_ends_wait(demo, images, glance_status, status, code):
    image_id = images(data=None)
    terminal = Terminal(demo, *WAIT, image_id, stdout=False)
    assert terminal.shows('25%')
    images.set_status(image_id, glance_status)
    ended, shown, out = terminal.end()
    assert (ended, out) == (code, '')
    assert f'Image {image_id} is {status}, and will not become' in shown


def test_wait_survives_transient_errors(cloud, configured, glance, images):
    """Nova cannot be reached for a while."""
    image_id = images(data=None)
    faults = in_turn(
        # The first request finds the image.
        *[None, None],
        *[NOT_NOW, DROPPED] * 4,
        path=f'/images/{image_id}',
    )
    asked = threading.Event()

    def before(request: Request) -> Response | None:
        answer = faults(request)
        if answer is not None:
            asked.set()
        return answer

    nova = cloud.facts['regions']['RegionOne']['compute_url']
    with ForwardingProxy(nova.removesuffix('/v2.1'), before=before) as proxy:
        shell = configured(compute_endpoint_override=f'{proxy.url}/v2.1')
        terminal = Terminal(shell, *WAIT, image_id, stdout=False)
        assert asked.wait(PATIENCE)
        glance.upload(image_id, b'late')
        code, _shown, out = terminal.end()
    assert code == 0
    assert json.loads(out)['size'] == 4


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


def test_timeout_ends_wait(demo, images):
    image_id = images(data=None)
    line = demo.fails(*WAIT, '--timeout', '1', image_id, code=6)
    assert line == f'Image {image_id} is still SAVING after 1 second'


@contextlib.contextmanager
def becoming_active(
    *script: Response | None, active: threading.Event | None = None
) -> Iterator[Shell]:
    """Provide a cloud with an image that becomes active.

    :param script: the responses to requests for it before that, None for an
        image that is saving
    :param active: an event after which the image becomes active
    """
    image = canned_cloud.image(0)
    saving = Response.of(
        {'image': {**image, 'status': 'SAVING', 'progress': 25}}
    )
    to_come = list(script)

    def nova(request: Request) -> Response | None:
        if to_come:
            return to_come.pop(0) or saving
        if active is not None:
            active.wait(PATIENCE)
        return Response.of({'image': image})

    with canned_cloud.canned_cloud(nova) as server:
        yield Shell(canned_cloud.environment(server))
    assert not to_come


NOT_NOW = canned_cloud.fault(503, 'computeFault', 'Not now', retry_after='0')
DROPPED = Response(send=canned_cloud.reset)
IMAGE_ID: str = canned_cloud.image(0)['id']


# The first request finds the image.
@pytest.mark.parametrize('looks', [1, 2], ids=['at-once', 'later'])
@pytest.mark.parametrize('fault', [NOT_NOW, DROPPED], ids=['503', 'dropped'])
def test_wait_retries_transient_errors(looks, fault):
    # More errors than the retries of one read.
    with becoming_active(*[None] * looks, *[fault] * 5, None) as shell:
        result = shell.run(*WAIT, IMAGE_ID)
    assert (result.code, result.errors()) == (0, []), result.err
    # The fourth error ends one read, and the next read has the fifth.
    assert result.err.count('\n') == 4
    assert result.json()['status'] == 'ACTIVE'


@pytest.mark.parametrize('looks', [1, 2], ids=['at-once', 'later'])
def test_exit_code_if_image_vanishes(looks):
    not_found = canned_cloud.fault(404, 'itemNotFound', 'Image not found.')
    with becoming_active(*[None] * looks, not_found) as shell:
        line = shell.fails(*WAIT, IMAGE_ID, code=5)
    assert line.startswith(
        f'Image {IMAGE_ID} no longer exists; its last status was SAVING'
    )


def test_progress_bar_shows_progress():
    # In a pipe there is no progress bar, as other tests show.
    active = threading.Event()
    with becoming_active(None, None, active=active) as shell:
        terminal = Terminal(shell, *WAIT, IMAGE_ID, stdout=False)
        assert terminal.shows('25%')
        active.set()
        code, shown, out = terminal.end()
    assert code == 0
    assert 'SAVING' in shown
    assert '100%' in shown
    assert json.loads(out)['status'] == 'ACTIVE'


@pytest.mark.parametrize(
    ('options', 'term'), [(('-q',), 'xterm'), ((), 'dumb')]
)
def test_no_progress_bar_if_quiet_or_dumb(options, term):
    with becoming_active(None, None) as shell:
        terminal = Terminal(
            shell, *options, *WAIT, IMAGE_ID, term=term, stdout=False
        )
        code, shown, out = terminal.end()
    assert (code, shown) == (0, '')
    assert json.loads(out)['status'] == 'ACTIVE'


# --- the Python API -------------------------------------------------------


def test_python_api(cloud, glance, images, stored):
    image_id = images(data=None, a='1', **STRUCTURED)
    config = openstack.config.OpenStackConfig(
        config_files=[cloud.facts['clouds_yaml']], load_envvars=False
    )
    demo = openstack.connection.Connection(config=config.get_one('demo'))
    images_api = api.ImagesAPI(demo.compute)

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
