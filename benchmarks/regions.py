# SPDX-License-Identifier: Apache-2.0

"""All regions at once, beside one of them."""

from typing import Any

from benchmarks import measure

#: How many there are, each with a server of its own.
REGIONS = 8

#: Images of each, where the time is measured: five pages.
IMAGES = 4500

_LIST = [measure.OPENSTACK, 'compute', 'image', 'list', '-f', 'csv']


def measured(images: int, runs: int, delay: float) -> dict[str, Any]:
    """Measure one region and all of them.

    :param images: of all regions, where the memory is measured
    :param delay: seconds that a server takes for a page, where the time is
        measured; a real one takes about one for a thousand images
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
