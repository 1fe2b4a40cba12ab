# SPDX-License-Identifier: Apache-2.0

"""Random commands."""

import dataclasses
from typing import Any

PERIODS = ('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly')


@dataclasses.dataclass
class Command:
    """A command.

    :param kind: ``delete`` with filters, ``named`` or ``prune``
    :param words: all arguments but those that approve it
    :param selected: the names of its regions
    :param asks: whether it is not approved by an argument
    :param is_reviewed: whether its plan is written, and applied later
    :param choice: status, type, part of the name, unused, orphaned
    """

    kind: str
    words: list[str]
    selected: list[str]
    asks: bool
    is_reviewed: bool = False
    accepts_gaps: bool = False
    includes_used: bool = False
    named: list[str] = dataclasses.field(default_factory=list)
    choice: dict[str, Any] = dataclasses.field(default_factory=dict)
    rules: dict[str, int] = dataclasses.field(default_factory=dict)
    group_by: str = 'server'


def command(chance, at):
    kind = chance.choice(['delete', 'delete', 'named', 'prune', 'prune'])
    everywhere = kind != 'named' and chance.random() < 0.4
    selected = [*at.regions] if everywhere else ['r0']
    made = Command(kind, [], selected, *(chance.random() < 0.4 for _ in '12'))
    if kind == 'named':
        made.asks = True
        _name(chance, [*at.regions['r0'].images.values()], made)
        return made
    made.accepts_gaps = chance.random() < 0.3
    made.includes_used = chance.random() < 0.3
    options = {
        '--all-regions': everywhere,
        '--accept-gaps': made.accepts_gaps,
        '--include-used': made.includes_used,
    }
    made.words = [option for option, is_given in options.items() if is_given]
    choose = _filter if kind == 'delete' else _retain
    choose(chance, made)
    return made


def _name(chance, images, made):
    names = [each['name'] for each in images]
    for each in chance.sample(images, min(len(images), 2)):
        by_name = names.count(each['name']) == 1 and chance.random() < 0.5
        made.words.append(each['name'] if by_name else each['id'])
        made.named.append(each['id'])


def _filter(chance, made):
    status = chance.choice(['active', 'ACTIVE'])
    choices = {
        'type': ('snapshot', ['--type', 'snapshot']),
        'status': ('ACTIVE', ['--status', status]),
        'name': ('shelved', ['--name-pattern', '*shelved*']),
        'unused': (True, ['--unused']),
        'orphaned': (True, ['--orphaned']),
    }
    if chance.random() < 0.5:
        made.words.append('--all')
        return
    for key in chance.sample([*choices], chance.choice([1, 1, 2])):
        made.choice[key], words = choices[key]
        made.words += words


def _retain(chance, made):
    rules = chance.sample(PERIODS, chance.choice([1, 1, 2]))
    made.rules = {rule: chance.choice([0, 1, 1, 1, 1, 2]) for rule in rules}
    if chance.random() < 0.2:
        made.rules['within'] = chance.randrange(1, 90)
    made.words += words_of(made.rules)
    if chance.random() < 0.3:
        made.group_by = 'name'
        made.words += ['--type', 'all', '--group-by', 'name']


def words_of(rules):
    """Return the options for retention rules."""
    return [
        f'--keep-{rule}={number}{"h" if rule == "within" else ""}'
        for rule, number in rules.items()
    ]
