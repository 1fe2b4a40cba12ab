# SPDX-License-Identifier: Apache-2.0

"""The parts of the benchmark; no test depends on time."""

import json
import pathlib

import pytest

from benchmarks import measure
from benchmarks import parts
from benchmarks import report


def test_table_is_of_results_of_all_subjects():
    results = json.loads(report.RESULTS.read_text('utf-8'))
    assert report.TABLE.read_text('utf-8') == report.document(results)
    made = {
        'api': parts.api(1, pathlib.Path('gophercloud')),
        'commands': parts.commands(1),
        'start': parts.start(pathlib.Path('pair')),
        'changes': parts.changes(1),
    }
    measured = results['parts']
    assert measured.keys() == made.keys()
    for name, part in made.items():
        rows = measured[name]['rows']
        assert [*rows] == [subject.name for subject in part.subjects]
        assert part.base in rows


def subjects(part: parts.Part, *words: str) -> list[measure.Subject]:
    return [s for s in part.subjects if any(w in s.name for w in words)]


@pytest.mark.skipif(
    not pathlib.Path(parts.COMPUTE_IMAGE).exists(),
    reason='needs compute-image beside python3',
)
def test_each_image_of_a_cloud_is_changed():
    part = parts.changes(3)
    results = measure.measure(
        subjects(part, 'compute-image', 'openstacksdk'), 1, quick=True
    )
    assert len(results) == 4
    for name, figures in results.items():
        # The listing, and one for each image.
        assert figures['requests'] >= 4, name


def test_images_that_are_left_are_noticed():
    [delete] = subjects(parts.changes(3), 'delete: openstacksdk')
    delete.left = 1
    with pytest.raises(RuntimeError, match='leaves other images'):
        measure.measure([delete], 1, quick=True)


def test_programs_request_the_same_pages():
    names = ('transfer', 'floor', 'keystoneauth', 'requests', 'list_detail')
    part = parts.api(2500, None)
    results = measure.measure(subjects(part, *names), 1, quick=True)
    assert len(results) == 5
    # One request opens the connection or gets a token.
    assert {figures['requests'] for figures in results.values()} == {1 + 3}
    least = min(figures['bytes'] for figures in results.values())
    assert least > 2500 * len('"minRam": 512')


def test_glance_lists_the_same_images():
    words = ('image', 'list', '-f', 'value', '-c', 'ID')
    with measure.Cloud(2500) as cloud:
        done = measure.run([parts.OPENSTACK, *words], cloud.env)
    listed = done.output.split()
    assert len({*listed}) == len(listed) == 2500
