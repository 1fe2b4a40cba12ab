# SPDX-License-Identifier: Apache-2.0

"""The commands: time, first row, memory and requests."""

from collections.abc import Sequence

from benchmarks import measure

LIST = ('compute', 'image', 'list')
GLANCE_LIST = ('image', 'list')
FORMATS = ('csv', 'value', 'json', 'table')

#: Formats that print each page as it arrives; the others collect all rows.
STREAMING = ('csv', 'value')


def _openstack(words: Sequence[str]) -> list[str]:
    return [measure.OPENSTACK, *words]


def measured(
    nova: tuple[measure.Cloud, measure.Cloud],
    glance: tuple[measure.Cloud, measure.Cloud],
    runs: int,
) -> dict[str, dict[str, float]]:
    """Measure the commands that list images, and ``--version``.

    :param nova: a cloud with one image, and one with many
    :param glance: the same for the command that uses Glance
    """
    todo = [
        (where, (*words, '-f', name, *long))
        for where, words, formats in (
            (nova, LIST, FORMATS),
            (glance, GLANCE_LIST, FORMATS[:1]),
        )
        for name in formats
        for long in ((), ('--long',))
    ]
    # The first run compiles modules.
    measure.run(_openstack(LIST), nova[0].env)
    measure.run(_openstack(GLANCE_LIST), glance[0].env)
    medians = measure.Medians()
    for number in range(runs):
        measure.note(f'run {number + 1}: openstack --version')
        done = measure.run(_openstack(['--version']), nova[0].env)
        medians.add('--version', cpu=done.cpu, wall=done.wall)
        for (one, many), words in todo:
            name = ' '.join(words)
            measure.note(f'run {number + 1}: openstack {name}')
            done = measure.run(_openstack(words), many.env)
            single = measure.run(_openstack(words), one.env)
            medians.add(
                name,
                images=many.images,
                cpu=done.cpu,
                wall=done.wall,
                cpu_of_one=single.cpu,
            )
    return medians.result()


def first_row(
    one: measure.Cloud, many: measure.Cloud, runs: int
) -> dict[str, dict[str, float]]:
    """Measure the time until the first row of an image."""
    medians = measure.Medians()
    for number in range(runs):
        for name in STREAMING:
            words = (*LIST, '-f', name)
            measure.note(f'run {number + 1}: first row of {name}')
            # csv has one more line, with the names of the columns.
            lines = 2 if name == 'csv' else 1
            walls = [
                measure.time_to_line(_openstack(words), cloud.env, lines)
                for cloud in (one, many)
            ]
            medians.add(
                ' '.join(words),
                images=many.images,
                wall_of_one=walls[0],
                wall=walls[1],
            )
    return medians.result()


def memory(
    clouds: Sequence[measure.Cloud], runs: int
) -> dict[str, dict[str, float]]:
    """Measure the peak memory, by the number of images."""
    medians = measure.Medians()
    for number in range(runs):
        for cloud in clouds:
            what = f'memory, {cloud.images:,} images'
            measure.note(f'run {number + 1}: {what}: list_detail')
            done, _own = measure.subject('list_detail', cloud.env)
            medians.add('list_detail', **{str(cloud.images): done.rss})
            for name in FORMATS:
                if cloud.images > 100_000 and name not in STREAMING:
                    continue
                words = (*LIST, '-f', name, '--long')
                measure.note(f'run {number + 1}: {what}: {name}')
                done = measure.run(_openstack(words), cloud.env)
                medians.add(' '.join(words), **{str(cloud.images): done.rss})
    return medians.result()


def requests(one: measure.Cloud, some: measure.Cloud) -> dict[str, int]:
    """Count the requests of commands, including authentication."""
    image = ['0c0ffee0-0000-0000-0000-000000000000', 'cirros-0.6.2-000000']
    todo: dict[str, tuple[measure.Cloud, list[str]]] = {
        'list, 1 image': (one, ['list']),
        f'list, {some.images:,} images': (some, ['list']),
        'show <ID>': (some, ['show', image[0]]),
        'show <name>': (some, ['show', image[1]]),
    }
    results: dict[str, int] = {}
    for name, (cloud, words) in todo.items():
        measure.note(f'requests: {name}')
        cloud.statistics()
        measure.run(_openstack(['compute', 'image', *words]), cloud.env)
        results[name] = cloud.statistics()['requests']
    return results
