# SPDX-License-Identifier: Apache-2.0

"""The parts of the benchmark; no test depends on time."""

from collections.abc import Iterator
import json

import pytest

from benchmarks import measure
from benchmarks import report


def test_tables_and_plots_are_generated_from_results():
    results = json.loads(report.RESULTS.read_text('utf-8'))
    assert report.TABLE.read_text('utf-8') == report.document(results)
    assert report.PLOT.read_text('utf-8') == report.picture(results)
    drawn = report.START_PLOT.read_text('utf-8')
    assert drawn == report.start_picture(results)


def test_unmeasured_parts_are_omitted():
    results = json.loads(report.RESULTS.read_text('utf-8'))
    del results['startup'], results['api']['gophercloud EachPage']
    text = report.document(results)
    assert 'openstacksdk' in text
    assert 'EachPage' not in text
    assert 'token issue' not in text


def test_goal_is_reached_at_its_limit():
    def reached(sign, value):
        return report.goals.Goal('', sign, 8, lambda _: 0).reached(value)

    assert [reached('<=', v) for v in (7.9, 8, 8.1)] == [True, True, False]
    assert [reached('>=', v) for v in (7.9, 8, 8.1)] == [False, True, True]


def test_start_is_compared_by_instructions_if_counted():
    results = json.loads(report.RESULTS.read_text('utf-8'))
    goals = {row[0]: row for row in report.goals.rows(results)}
    [goal] = [name for name in goals if 'times the instructions' in name]
    for figures in results['start'].values():
        figures.pop('instructions')
    assert goal not in {row[0] for row in report.goals.rows(results)}
    assert report.document(results)


@pytest.fixture
def cloud() -> Iterator[object]:
    """Provide a cloud of three pages in each of two regions."""
    with measure.Cloud(2500, '--regions=2') as cloud:
        yield cloud


@pytest.mark.parametrize(('delete', 'left'), [(False, 3), (True, 0)])
def test_the_sdk_changes_each_image_of_a_cloud(delete, left):
    with measure.Cloud(3, '--changing') as cloud:
        measure.subject('openstacksdk changes', cloud.env, delete=delete)
        figures = cloud.statistics()
    assert figures['images'] == left
    # The listing, and one for each image.
    assert figures['requests'] >= 4


# In addition to the pages, one request opens the connection or gets a token.
@pytest.mark.parametrize(
    ('name', 'options', 'requests'),
    [
        ('transfer', {}, 1 + 3),
        ('floor', {}, 1 + 3),
        ('requests', {}, 1 + 3),
        ('list_detail', {}, 1 + 3),
        ('list_detail', {'limit': 500}, 1 + 6),
        ('in_csv', {}, 1 + 3),
        ('in_csv', {'ahead': True}, 1 + 3),
        ('in_regions', {'regions': 2}, 1 + 2 * 3),
    ],
)
def test_subjects_request_the_same_pages(cloud, name, options, requests):
    _done, own = measure.subject(name, cloud.env, **options)
    assert own['images'] == 2500 * options.get('regions', 1)
    assert cloud.statistics()['requests'] == requests
