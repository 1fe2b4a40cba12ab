# SPDX-License-Identifier: Apache-2.0

"""The parts of the benchmark; no test depends on time."""

from collections.abc import Iterator
import json

import pytest

from benchmarks import changes
from benchmarks import measure
from benchmarks import report


def test_tables_are_generated_from_results():
    results = json.loads(report.RESULTS.read_text('utf-8'))
    assert report.TABLE.read_text('utf-8') == report.document(results)


@pytest.fixture
def cloud() -> Iterator[measure.Cloud]:
    """Provide a cloud of three pages."""
    with measure.Cloud(2500, '--glance') as cloud:
        yield cloud


@pytest.mark.parametrize('way', [changes.CONSOLE, changes.SDK])
@pytest.mark.parametrize(('verb', 'left'), [('set', 3), ('delete', 0)])
def test_each_image_of_a_cloud_is_changed(way, verb, left):
    with measure.Cloud(3) as cloud:
        changes.WAYS[way](verb, cloud)
        figures = cloud.statistics()
    assert figures['images'] == left
    # The listing, and one for each image.
    assert figures['requests'] >= 4


@pytest.mark.parametrize(
    'name', ['transfer', 'floor', 'requests', 'list_detail']
)
def test_subjects_request_the_same_pages(cloud, name):
    _done, own = measure.subject(name, cloud.env)
    figures = cloud.statistics()
    assert own['images'] == 2500
    # One request opens the connection or gets a token.
    assert figures['requests'] == 1 + 3
    assert figures['bytes'] > 2500 * len('"minRam": 512')


def test_glance_lists_the_same_images(cloud):
    command = [measure.OPENSTACK, 'image', 'list', '-f', 'value', '-c', 'ID']
    listed = measure.run(command, cloud.env, keep=True).output.split()
    assert len({*listed}) == len(listed) == 2500
