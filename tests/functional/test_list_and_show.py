# SPDX-License-Identifier: Apache-2.0

"""The commands ``list`` and ``show``, compared with Glance."""

from collections.abc import Iterator
from typing import Any

import pytest

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from tests.functional.real import as_shown
from tests.functional.real import Cloud
from tests.functional.real import Glance
from tests.functional.real import ids

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

NOBODY = 'cf84aa10-0000-4000-8000-000000000000'


@pytest.fixture(scope='module')
def images(glance: Glance) -> list[dict[str, Any]]:
    """Provide the expected rows of all images, the newest first."""
    return [as_shown(image) for image in glance.images()]


# -- comparison with Glance ------------------------------------------------


@pytest.mark.parametrize('user', ['demo', 'admin', 'reader'])
def test_list_agrees_with_glance(cloud, user):
    images = [as_shown(i) for i in Glance(cloud, user).images()]
    assert len(images) > 40
    assert cloud.shell(user).images() == images


def as_fields(image: dict[str, Any]) -> dict[str, Any]:
    """Return the expected fields of ``show``, from a row of ``list``."""
    fields = {k.lower().replace(' ', '_'): v for k, v in image.items()}
    config = image['Properties'].get('auto_disk_config')
    if config is not None:
        fields['disk_config'] = 'AUTO' if config == 'True' else 'MANUAL'
    return dict(sorted(fields.items()))


def test_show_agrees_with_list(demo, images):
    by_name = {image['Name']: image for image in images}
    for name in (
        *('web-1-snapshot', 'auto-disk', 'manual-disk'),
        *('in:foo', 'two\nlines', '-dash', '*', 'Größe-café-映像'),
    ):
        image = by_name[name]
        result = demo(*SHOW, '-f', 'json', '--', name).json()
        assert list(result.items()) == list(as_fields(image).items())
    words = (*SHOW, '-f', 'json', image['ID'].upper())
    assert demo(*words).json() == as_fields(image)


def test_missing_marker_is_an_error(demo):
    error = demo.fails(*IDS, '--marker', NOBODY)
    assert f'No image found with ID {NOBODY}' in error


# -- thousands of images ---------------------------------------------------


@pytest.fixture(scope='module')
def thousands(cloud: Cloud) -> Iterator[list[dict[str, Any]]]:
    """Provide the expected rows of more than 2,000 images."""
    cloud.do('seed', '2100')
    try:
        yield [as_shown(image) for image in Glance(cloud, 'admin').images()]
    finally:
        cloud.do('seed', '0')


def test_list_thousands_of_images(admin, thousands):
    assert len(thousands) > 2100
    assert admin.images() == thousands


def test_pages_of_thousands_of_images(cloud, thousands):
    images_api = ImagesAPI(cloud.connection('admin').compute)
    listed = images_api.list_detail(ListOpts(limit=1001), max_items=1500)
    assert [image.id for image in listed] == ids(thousands)[:1500]


def test_marker_in_thousands_of_images(admin, thousands):
    # The marker and the next image were created in the same second.
    middle = next(
        n
        for n in range(800, len(thousands))
        if thousands[n]['Created At'] == thousands[n + 1]['Created At']
    )
    words = ('--marker', thousands[middle]['Name'], '--limit', '1100')
    expected = ids(thousands)[middle + 1 : middle + 1101]
    assert admin(*IDS, *words).out.split() == expected
