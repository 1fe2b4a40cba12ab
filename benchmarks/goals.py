# SPDX-License-Identifier: Apache-2.0

"""The goals of the project, and whether they are reached."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import operator
from typing import Any

from benchmarks import changes
from benchmarks.rst import code
from benchmarks.rst import number

#: MB: how much memory a streamed list may use, compared with one image.
MEMORY = 12

Results = dict[str, Any]


def per_image(figures: dict[str, float], key: str, base: float = 0.0) -> float:
    """Return microseconds for each image."""
    return (figures[key] - base) * 1e6 / figures['images']


@dataclasses.dataclass
class Goal:
    """A goal.

    :param words: the label of the measured value
    :param sign: how the value must compare with the limit
    :param limit: the limit
    :param value: returns the value from the results
    """

    words: str
    sign: str
    limit: float
    value: Callable[[Results], float]

    def reached(self, value: float) -> bool:
        """Return whether a value reaches the goal."""
        compare = {'>=': operator.ge, '<=': operator.le}[self.sign]
        return bool(compare(value, self.limit))


def _times(peer: str, key: str) -> Callable[[Results], float]:
    """Return the time of a peer relative to this API."""

    def value(results: Results) -> float:
        api = results['api']
        ours = per_image(api['list_detail'], key)
        return per_image(api[peer], key) / ours

    return value


def _of_floor(key: str) -> Callable[[Results], float]:
    return lambda results: 1 / _times('floor', key)(results)


def _command(words: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        commands = results['commands']
        return per_image(commands[words], 'cpu', commands['--version']['cpu'])

    return value


def _memory(name: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        rss = results['memory'][name]
        return float(max(rss.values()) - rss['1'])

    return value


def _memory_of_regions(results: Results) -> float:
    one, many = results['regions']['memory'].values()
    return float(many - one)


def _regions(results: Results) -> float:
    one, many = results['regions']['time']['command'].values()
    return float(many / one)


def _startup(results: Results) -> float:
    """Return the largest increase of a command, in percent.

    In instructions: the increase of the time is smaller than its noise.
    """
    key = 'instructions'
    return max(
        float((figures['with'][key] / figures['without'][key] - 1) * 100)
        for figures in results['startup'].values()
    )


def _start(results: Results) -> float:
    """Return the instructions of compute-image relative to openstack."""
    start = results['start']
    ours, client = start['compute-image list'], start[_CLIENT]
    return float(ours['instructions'] / client['instructions'])


def _foreign_modules(results: Results) -> float:
    return sum(
        not module.startswith('osc_compute_images')
        for figures in results['startup'].values()
        for module in figures['modules']
    )


def _show(words: str) -> Callable[[Results], float]:
    return lambda results: float(results['requests'][words])


def _change(name: str) -> Callable[[Results], float]:
    """Return CPU milliseconds for each image."""
    return lambda results: per_image(results['changes'][name], 'cpu') / 1e3


_CLIENT = 'openstack compute image list'

_LIST = 'compute image list -f'

GOALS = (
    *(
        Goal(
            f'{peer}: times this API, {label}', '>=', limit, _times(peer, key)
        )
        for peer, limit in (
            ('gophercloud EachPage', 15),
            ('openstacksdk', 100),
        )
        for key, label in (('wall', 'wall'), ('cpu', 'CPU'))
    ),
    *(
        Goal(
            f'``list_detail()``: times the floor, {label}',
            '<=',
            1.9,
            _of_floor(key),
        )
        for key, label in (('wall', 'wall'), ('cpu', 'CPU'))
    ),
    *(
        Goal(f'{code(words)}: us per image', '<=', limit, _command(words))
        for name, limit in (
            ('csv', 8),
            ('value', 8),
            ('json', 25),
            ('table', 30),
        )
        for words in (f'{_LIST} {name}', f'{_LIST} {name} --long')
    ),
    *(
        Goal(
            f'{code(name)}: MB more than with one image',
            '<=',
            MEMORY,
            _memory(name),
        )
        for name in (
            'list_detail',
            f'{_LIST} csv --long',
            f'{_LIST} value --long',
        )
    ),
    Goal(
        'csv of all regions: MB more than with one image per region',
        '<=',
        MEMORY,
        _memory_of_regions,
    ),
    Goal('csv of eight equal regions: times one region', '<=', 2, _regions),
    Goal('requests of ``show <ID>``', '<=', 3, _show('show <ID>')),
    Goal('requests of ``show <name>``', '<=', 4, _show('show <name>')),
    *(
        Goal(
            f'{code(verb)} of 1,000 images: CPU ms per image',
            '<=',
            5,
            _change(f'{verb}: {changes.OURS}'),
        )
        for verb in ('set', 'delete')
    ),
    Goal('other commands: % more instructions', '<=', 1, _startup),
    Goal('other commands: modules of others', '<=', 0, _foreign_modules),
    Goal(
        '``compute-image list``: times the instructions of ``openstack``',
        '<=',
        0.5,
        _start,
    ),
    Goal(
        '``compute-image list``: MB',
        '<=',
        50,
        lambda results: float(results['start']['compute-image list']['rss']),
    ),
)


def rows(results: Results) -> Iterator[list[str]]:
    """Yield a row for each goal that was measured."""
    for goal in GOALS:
        try:
            value = goal.value(results)
        except KeyError:
            continue
        yield [
            goal.words,
            f'{goal.sign} {goal.limit:g}',
            number(value),
            'yes' if goal.reached(value) else 'no',
        ]
