# SPDX-License-Identifier: Apache-2.0

"""Commands that list images, and what a command requests."""

from collections.abc import Sequence

from benchmarks import measure

LIST = ('compute', 'image', 'list')
GLANCE_LIST = ('image', 'list')
FORMATS = ('csv', 'value', 'json', 'table')

_ID = '0c0ffee0-0000-0000-0000-000000000000'
_NAME = 'cirros-0.6.2-000000'
_SET = ('set', '--allow-private', '--property', 'checked=yes')

#: Commands on one of several images, by their names in the table.
ONES = {
    'list': ('list',),
    'show <ID>': ('show', _ID),
    'show <name>': ('show', _NAME),
    'delete <ID>': ('delete', _ID),
    'delete <name>': ('delete', _NAME),
    'set --allow-private --property <ID>': (*_SET, _ID),
    'set --allow-private --property <name>': (*_SET, _NAME),
}


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
            many.statistics()
            done = measure.run(_openstack(words), many.env)
            figures = many.statistics()
            single = measure.run(_openstack(words), one.env)
            medians.add(
                name,
                images=many.images,
                requests=figures['requests'],
                bytes=figures['bytes'],
                cpu=done.cpu,
                wall=done.wall,
                rss=done.rss,
                cpu_of_one=single.cpu,
                rss_of_one=single.rss,
            )
    return medians.result()


def requests() -> dict[str, dict[str, float]]:
    """Count the requests of commands, and the bytes of the responses."""
    results: dict[str, dict[str, float]] = {}
    for name, words in ONES.items():
        measure.note(f'requests: {name}')
        with measure.Cloud(3) as cloud:
            measure.run(_openstack(['compute', 'image', *words]), cloud.env)
            figures = cloud.statistics()
        results[name] = {n: figures[n] for n in ('requests', 'bytes')}
    return results
