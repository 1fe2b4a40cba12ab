# SPDX-License-Identifier: Apache-2.0

"""Lists from programs, with this API and with others."""

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
                requests=figures['requests'],
                bytes=figures['bytes'],
                wall=own['wall'],
                cpu=own['cpu'],
                rss=done.rss,
            )
    return medians.result()
