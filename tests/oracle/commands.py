# SPDX-License-Identifier: Apache-2.0

"""Random commands."""

import dataclasses
import random
from typing import Any

from tests.oracle import world as w

PERIODS = ('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly')


@dataclasses.dataclass
class Command:
    """A command.

    :param kind: ``delete`` with filters, ``named`` or ``prune``
    :param words: all arguments but those that approve it
    :param selected: the names of its regions
    :param asks: whether it asks for approval
    :param choice: status, type, part of the name, unused, orphaned
    """

    kind: str
    words: list[str]
    selected: list[str]
    asks: bool
    accepts_gaps: bool = False
    includes_used: bool = False
    named: list[str] = dataclasses.field(default_factory=list)
    choice: dict[str, Any] = dataclasses.field(default_factory=dict)
    rules: dict[str, int] = dataclasses.field(default_factory=dict)
    group_by: str = 'server'


def command(chance: random.Random, at: w.World) -> Command:
    """Return a random command for a world."""
    kind = chance.choice(['delete', 'delete', 'named', 'prune', 'prune'])
    everywhere = kind != 'named' and chance.random() < 0.4
    selected = [*at.regions] if everywhere else ['r0']
    made = Command(kind, [], selected, chance.random() < 0.4)
    if kind == 'named':
        return _named(chance, at, made)
    made.accepts_gaps = chance.random() < 0.3
    made.includes_used = chance.random() < 0.3
    options = {
        '--all-regions': everywhere,
        '--accept-gaps': made.accepts_gaps,
        '--include-used': made.includes_used,
    }
    choose = _filters if kind == 'delete' else _retention
    given = [option for option, is_given in options.items() if is_given]
    made.words = given + choose(chance, made)
    return made


def _named(chance: random.Random, at: w.World, made: Command) -> Command:
    made.asks = False
    images = [*at.images('r0').values()]
    for each in chance.sample(images, min(len(images), 2)):
        names = [i['name'] for i in images]
        by_name = names.count(each['name']) == 1 and chance.random() < 0.5
        made.words.append(each['name'] if by_name else each['id'])
        made.named.append(each['id'])
    return made


def _filters(chance: random.Random, made: Command) -> list[str]:
    choices: dict[str, tuple[Any, list[str]]] = {
        'type': ('snapshot', ['--type', 'snapshot']),
        'status': (
            'ACTIVE',
            ['--status', chance.choice(['active', 'ACTIVE'])],
        ),
        'name': ('shelved', ['--name-pattern', '*shelved*']),
        'unused': (True, ['--unused']),
        'orphaned': (True, ['--orphaned']),
    }
    if chance.random() < 0.5:
        return ['--all']
    words = []
    for key in chance.sample([*choices], chance.choice([1, 1, 2])):
        made.choice[key], more = choices[key]
        words += more
    return words


def _retention(chance: random.Random, made: Command) -> list[str]:
    rules = chance.sample(PERIODS, chance.choice([1, 1, 2]))
    made.rules = {rule: chance.choice([0, 1, 1, 1, 1, 2]) for rule in rules}
    words = [f'--keep-{rule}={n}' for rule, n in made.rules.items()]
    if chance.random() < 0.2:
        made.rules['within'] = chance.randrange(1, 90)
        words.append(f'--keep-within={made.rules["within"]}h')
    if chance.random() < 0.3:
        made.group_by = 'name'
        words += ['--type', 'all', '--group-by', 'name']
    return words
