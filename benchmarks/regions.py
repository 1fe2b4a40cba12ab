# SPDX-License-Identifier: Apache-2.0

"""All regions at the same time, compared with one."""

from typing import Any

from benchmarks import measure

#: Number of regions, each with its own server.
REGIONS = 8

#: Images per region, for times: five pages.
IMAGES = 4500

_LIST = [measure.OPENSTACK, 'compute', 'image', 'list', '-f', 'csv']


def measured(images: int, runs: int, delay: float) -> dict[str, Any]:
    """Measure one region and all of them.

    :param images: images of all regions together, for memory
    :param delay: seconds that a server takes per page, for times; a real one
        takes about a second for a thousand images
    """
    return {
        'regions': REGIONS,
        'images': IMAGES,
        'delay': delay,
        'time': _time(runs, delay),
        'memory': _memory(images // REGIONS, runs),
    }


def _time(runs: int, delay: float) -> dict[str, dict[str, float]]:
    medians = measure.Medians()
    options = (f'--regions={REGIONS}', f'--delay={delay}')
    with measure.Cloud(IMAGES, *options) as cloud:
        for number in range(runs):
            for count in (1, REGIONS):
                measure.note(f'run {number + 1}: {count} region(s)')
                named = [f'--region=Region{n + 1}' for n in range(count)]
                done = measure.run([*_LIST, *named], cloud.env)
                _done, own = measure.subject(
                    'in_regions', cloud.env, regions=count
                )
                if own['images'] != count * IMAGES:
                    raise RuntimeError(f'{own["images"]} images are listed')
                medians.add('command', **{str(count): done.wall})
                medians.add('in_regions', **{str(count): own['wall']})
    return medians.result()


def _memory(images: int, runs: int) -> dict[str, float]:
    medians = measure.Medians()
    command = [*_LIST, '--long', '--all-regions']
    for each in (1, images):
        with measure.Cloud(each, f'--regions={REGIONS}') as cloud:
            for number in range(runs):
                measure.note(f'run {number + 1}: memory of all regions')
                done = measure.run(command, cloud.env)
                medians.add('csv', **{str(each * REGIONS): done.rss})
    return medians.result()['csv']
