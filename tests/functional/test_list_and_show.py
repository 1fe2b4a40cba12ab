# SPDX-License-Identifier: Apache-2.0

"""The commands ``list`` and ``show``, compared with Glance."""

import pytest

from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ListOpts
from tests.functional.real import ids
from tests.functional.real import Images

LIST = ('compute', 'image', 'list')
SHOW = ('compute', 'image', 'show')
IDS = (*LIST, '-f', 'value', '-c', 'ID')

NOBODY = 'cf84aa10-0000-4000-8000-000000000000'


@pytest.mark.parametrize('user', ['demo', 'admin', 'reader'])
def test_list_agrees_with_glance(cloud, user):
    images = Images(cloud, user).rows()
    assert len(images) > 40
    shell = cloud.shell(user)
    assert shell.images() == images
    error = shell.fails(*IDS, '--marker', NOBODY)
    assert f'No image found with ID {NOBODY}' in error


def test_show_agrees_with_list(demo, images):
    by_name = {image['Name']: image for image in images.rows()}
    for name in (
        *('web-1-snapshot', 'auto-disk', 'manual-disk'),
        *('in:foo', 'two\nlines', '-dash', '*', 'Größe-café-映像'),
    ):
        image = by_name[name]
        fields = {k.lower().replace(' ', '_'): v for k, v in image.items()}
        config = image['Properties'].get('auto_disk_config')
        if config is not None:
            fields['disk_config'] = 'AUTO' if config == 'True' else 'MANUAL'
        for given in (name, image['ID'].upper()):
            shown = demo(*SHOW, '-f', 'json', '--', given).json()
            assert [*shown.items()] == sorted(fields.items())


def test_list_thousands_of_images(cloud, admin):
    cloud.do('seed', '2100')
    try:
        images = Images(cloud, 'admin').rows()
        assert len(images) > 2100
        assert admin.images() == images
        # Nova does not link from such a page to the next one.
        api = ImagesAPI(cloud.connection('admin').compute)
        listed = api.list_detail(ListOpts(limit=1001), max_items=1500)
        assert [image.id for image in listed] == ids(images)[:1500]
        # The marker and the next image were created in the same second.
        marker = next(
            n
            for n in range(800, len(images))
            if images[n]['Created At'] == images[n + 1]['Created At']
        )
        words = ('--marker', images[marker]['Name'], '--limit', '1100')
        expected = ids(images)[marker + 1 : marker + 1101]
        assert admin(*IDS, *words).out.split() == expected
    finally:
        cloud.do('seed', '0')
