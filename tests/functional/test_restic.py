# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with the program restic.

It is the one on the PATH, or Debian's package, extracted without root. Before
version 0.16, restic does not keep the oldest image while a rule has counts
left; all other rules are compared with any version.
"""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
import datetime
import json
import os
from pathlib import Path
import random
import re
import shutil
import subprocess
import tempfile
from typing import Any

import pytest

from osc_compute_images.api import Image
from osc_compute_images.api.changes import retention
from tests.functional.shell import fresh

_CACHE = Path(__file__).parents[2] / '.devcloud' / 'restic'


def debian_program() -> Path:
    """Return the program of Debian's package, after a download.

    It needs no root, as the lists of packages are its own.
    """
    program = _CACHE / 'restic'
    if not program.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as name:
            folder = Path(name)
            (folder / 'lists' / 'partial').mkdir(parents=True)
            apt = [
                *('apt-get', '-o', f'Dir::State::Lists={folder / "lists"}'),
                *('-o', f'Dir::Cache={folder}', '-o', 'APT::Sandbox::User='),
            ]
            for words in (
                [*apt, 'update'],
                [*apt, 'download', 'restic'],
                ['sh', '-c', 'dpkg -x restic_*.deb files'],
            ):
                subprocess.run(
                    words, cwd=folder, check=True, capture_output=True
                )
            # At once, as other processes may do the same.
            (folder / 'files' / 'usr' / 'bin' / 'restic').rename(program)
    return program


class Restic:
    """A repository of snapshots, in groups.

    :param program: path of the program
    :param folder: of the repository
    :ivar groups: the times of the snapshots, by the name of the group
    :ivar keeps_oldest: whether this version keeps the oldest image
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.groups = groups(1)
        match = re.match(r'restic (\d+)\.(\d+)', self.run('version'))
        assert match is not None
        self.keeps_oldest = tuple(map(int, match.groups())) >= (0, 16)
        (folder / 'file').write_text('content')
        self.run('init')
        for group, times in self.groups.items():
            for time in times:
                at = f'{time:%Y-%m-%d %H:%M:%S}'
                self.run('backup', '--time', at, '--host', group, 'file')

    def run(self, *words: str) -> str:
        """Run the program; return its output."""
        variables = {
            'PATH': os.environ['PATH'],
            'HOME': str(self._folder),
            'TZ': 'UTC',
            'RESTIC_PASSWORD': 'password',
            'RESTIC_REPOSITORY': str(self._folder / 'repository'),
        }
        command = [self._program, '--no-cache', *words]
        result = fresh(command, variables, cwd=self._folder)
        assert result.code == 0, result.err
        return result.out

    def kept(
        self, rules: Mapping[str, Any]
    ) -> dict[str, Counter[datetime.datetime]]:
        """Return the times that restic keeps, by group."""
        words = ['forget', '--dry-run', '--json', '--group-by', 'host']
        for rule, value in rules.items():
            is_span = rule == 'within'
            said = f'{value // HOUR}h' if is_span else f'{value}'
            words += [f'--keep-{rule}', said]
        return {
            group['host']: Counter(
                datetime.datetime.fromisoformat(snapshot['time'])
                for snapshot in group['keep'] or ()
            )
            for group in json.loads(self.run(*words))
        }


HOUR = datetime.timedelta(hours=1)
DAY = HOUR * 24
RULES = ('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly')
FUTURE = 'future'
ONLY_OLDEST = r'kept by \w+ \(oldest\)(, \w+ \(oldest\))*'


def at(*times: str) -> list[datetime.datetime]:
    """Return times of UTC."""
    return [datetime.datetime.fromisoformat(f'{t}+00:00') for t in times]


def groups(seed: int) -> dict[str, list[datetime.datetime]]:
    """Return the times of each group."""
    chance = random.Random(seed)

    def near(time: str, unit: datetime.timedelta, most: int) -> Any:
        [last] = at(time)
        return [last, *(last - unit * chance.randrange(most) for _ in 'abc')]

    return {
        # The year of which the first days are in week 53.
        'weeks': near('2021-01-03T23:59:59', DAY, 12),
        # Leap days, and years.
        'months': near('2024-03-01T00:00:00', DAY * 15, 60),
        # Clocks are changed in many zones, but not in UTC.
        'hours': near('2025-03-30T03:30:00', HOUR / 2, 12),
        # The same second, and the oldest of a year, month, week, day and hour.
        'ties': at(*['2025-12-31T12:00:00'] * 2, '2025-12-31T12:00:01'),
        'one': at('2020-02-29T00:00:00'),
        FUTURE: at(
            *('2025-06-01T00:00:00', '2025-06-01T12:00:00'),
            *('2199-06-01T00:00:00', '2199-06-01T01:00:00'),
        ),
    }


def combinations(seed: int) -> Iterator[dict[str, Any]]:
    """Yield each rule alone, and random combinations."""
    chance = random.Random(seed)
    for rule in RULES:
        yield {rule: chance.randint(1, 3)}
    for hours in (24, chance.randint(2, 99)):
        yield {'within': HOUR * hours}
    for _ in range(6):
        several = chance.sample(RULES, chance.randint(2, 4))
        # The first is above 0, as restic refuses to delete everything.
        rules = {rule: chance.randint(0, 4) for rule in several}
        rules[several[0]] += 1
        span = {'within': HOUR * chance.randint(0, 99)}
        yield rules | chance.choice([{}, span])


@pytest.fixture(scope='module')
def restic(tmp_path_factory: pytest.TempPathFactory) -> Restic:
    """Provide a repository with the groups."""
    program = shutil.which('restic')
    if program is None:
        if not shutil.which('apt-get') or not shutil.which('dpkg'):
            pytest.skip('needs restic, or apt-get and dpkg to get it')
        program = str(debian_program())
    return Restic(program, tmp_path_factory.mktemp('restic'))


def kept_here(
    times: list[datetime.datetime],
    rules: Mapping[str, Any],
    now: datetime.datetime | None = None,
    *,
    oldest: bool = True,
) -> Counter[datetime.datetime]:
    """Return the times that are kept by this package.

    :param oldest: whether the oldest counts where nothing else keeps it
    """
    images = [Image(id='', created=time.isoformat()) for time in times]
    found = retention.reasons(images, retention.Rules(**rules), now=now)
    return Counter(
        datetime.datetime.fromisoformat(image.created or '')
        for image, reason in found
        if reason and (oldest or not re.fullmatch(ONLY_OLDEST, reason))
    )


def test_same_images_are_kept_as_by_restic(restic):
    deleted = 0
    for rules in combinations(1):
        kept = restic.kept(rules)
        assert kept.keys() == restic.groups.keys()
        for group, times in restic.groups.items():
            now = None
            if group == FUTURE and 'within' not in rules:
                # The program's counts include the future; its spans do not.
                now = max(times)
            elif group == FUTURE and len(rules) > 1:
                continue
            expected = kept_here(times, rules, now, oldest=restic.keeps_oldest)
            assert kept[group] == expected, (rules, group, times)
            deleted += len(times) - kept[group].total()
    assert deleted > 50


def test_listed_differences(restic):
    times = restic.groups[FUTURE]
    rules = {'last': 1, 'daily': 1}
    # The program counts the future, unlike its documents.
    assert restic.kept(rules)[FUTURE] == Counter([max(times)])
    assert kept_here(times, rules) == Counter(times[1:])
    # Only the oldest depends on the version.
    rules = {'last': 1, 'yearly': 2, 'daily': 0}
    ties = restic.groups['ties']
    here = kept_here(ties, rules)
    assert here == Counter([min(ties), max(ties)])
    older = Counter([max(ties)])
    kept = here if restic.keeps_oldest else older
    assert restic.kept(rules)['ties'] == kept
