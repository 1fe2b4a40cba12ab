# SPDX-License-Identifier: Apache-2.0

"""Lists from programs, with this API and with others."""

from collections.abc import Mapping
import functools

from benchmarks import measure


def measured(
    cloud: measure.Cloud, runs: int, gophercloud: str | None
) -> dict[str, dict[str, float]]:
    """Measure each of them, in turn.

    :param gophercloud: path of the program, or None if it cannot be built
    """
    subject = functools.partial(measure.subject, env=cloud.env)
    todo = {
        name: functools.partial(subject, name)
        for name in ('transfer', 'floor', 'list_detail', 'requests')
    }
    if gophercloud is not None:
        for way in ('EachPage', 'AllPages'):
            todo[f'gophercloud {way}'] = functools.partial(
                measure.run_json, [gophercloud, way], cloud.env
            )
    todo['openstacksdk'] = functools.partial(subject, 'openstacksdk')
    medians = measure.Medians()
    for number in range(runs):
        for name, run in todo.items():
            measure.note(f'run {number + 1}: {name}')
            cloud.statistics()
            done, own = run()
            figures = cloud.statistics()
            if own['images'] != cloud.images:
                raise RuntimeError(f'{name} lists {own["images"]} images')
            medians.add(
                name,
                images=cloud.images,
                wall=own['wall'],
                cpu=own['cpu'],
                rss=done.rss,
                requests=figures['requests'],
                server_cpu=figures['cpu'],
            )
    return medians.result()


def ahead(env: Mapping[str, str], runs: int) -> dict[str, dict[str, float]]:
    """Measure CSV output, with and without prefetching of pages."""
    medians = measure.Medians()
    for number in range(runs):
        for name, options in (('in turn', {}), ('ahead', {'ahead': True})):
            measure.note(f'run {number + 1}: rows of csv, pages {name}')
            _done, own = measure.subject('in_csv', env, **options)
            medians.add(name, wall=own['wall'], cpu=own['cpu'])
    return medians.result()
