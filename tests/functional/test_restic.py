# SPDX-License-Identifier: Apache-2.0

"""Retention rules, compared with the program restic.

It is the one on the PATH, or Debian's package, extracted without root. Before
version 0.16, restic does not keep the oldest image while a rule has counts
left; all other rules are compared with any version.
"""

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
import datetime
import json
import os
from pathlib import Path
import re
import shutil
import tempfile
from typing import Any

import pytest

from osc_compute_images.api import Image
from osc_compute_images.api.changes import retention
from tests.functional.shell import fresh

_CACHE = Path(__file__).parents[2] / '.devcloud' / 'restic'

#: It needs no root, as the lists of packages are its own.
_DOWNLOAD = """
set -e
mkdir -p lists/partial
apt() {
    apt-get -o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD" \\
        -o APT::Sandbox::User= "$@"
}
apt update
apt download restic
dpkg -x restic_*.deb files
"""

Rules = Mapping[str, Any]
Times = Counter[datetime.datetime]

HOUR = datetime.timedelta(hours=1)
ONLY_OLDEST = r'kept by \w+ \(oldest\)(, \w+ \(oldest\))*'

#: The times of the snapshots of each group.
GROUPS = {
    group: [datetime.datetime.fromisoformat(f'{t}+00:00') for t in times]
    for group, times in {
        # The year of which the first days are in week 53.
        'weeks': (
            *('2021-01-03T23:59:59', '2021-01-01T23:59:59'),
            *('2020-12-28T00:00:00', '2020-12-27T23:59:59'),
        ),
        # Leap days, and years.
        'months': (
            *('2024-03-01T00:00:00', '2024-02-29T00:00:00'),
            *('2023-02-28T00:00:00', '2022-12-31T00:00:00'),
        ),
        # Clocks are changed in many zones, but not in UTC.
        'hours': (
            *('2025-03-30T03:30:00', '2025-03-30T02:59:59'),
            *('2025-03-30T02:00:00', '2025-03-29T22:30:00'),
        ),
        # The same second, and the oldest of a year, month, week, day and hour.
        'ties': (*['2025-12-31T12:00:00'] * 2, '2025-12-31T12:00:01'),
        'one': ('2020-02-29T00:00:00',),
    }.items()
}

#: Each rule alone, and several.
RULES: tuple[dict[str, Any], ...] = (
    *({'last': 2}, {'hourly': 2}, {'daily': 3}, {'weekly': 2}),
    *({'monthly': 2}, {'yearly': 2}, {'within': 30 * HOUR}),
    *({'last': 1, 'daily': 2}, {'weekly': 1, 'monthly': 2, 'yearly': 1}),
    *({'hourly': 4, 'yearly': 0}, {'last': 0, 'hourly': 1, 'weekly': 3}),
    *({'daily': 1, 'within': 5 * HOUR}, {'monthly': 4, 'within': 0 * HOUR}),
)


def program() -> str:
    """Return the path of restic, after a download if necessary."""
    found = shutil.which('restic')
    if found is not None:
        return found
    if not shutil.which('apt-get') or not shutil.which('dpkg'):
        pytest.skip('needs restic, or apt-get and dpkg to get it')
    cached = _CACHE / 'restic'
    if not cached.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
            fresh(['sh', '-c', _DOWNLOAD], os.environ, cwd=folder)
            # At once, as other processes may do the same.
            (Path(folder) / 'files' / 'usr' / 'bin' / 'restic').rename(cached)
    return str(cached)


@pytest.fixture
def restic(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs restic with these snapshots."""
    path = program()
    environment = {
        'PATH': os.environ['PATH'],
        'HOME': str(tmp_path),
        'TZ': 'UTC',
        'RESTIC_REPOSITORY': str(tmp_path / 'repository'),
        'RESTIC_PASSWORD': 'not a secret',
    }

    def run(*words: str) -> str:
        done = fresh([path, *words], environment, cwd=tmp_path)
        assert done.code == 0, done.err
        return done.out

    (tmp_path / 'file').write_text('content')
    run('init')
    for group, times in GROUPS.items():
        for time in times:
            at = f'{time:%Y-%m-%d %H:%M:%S}'
            run('backup', '--time', at, '--host', group, 'file')
    return run


def kept_there(restic: Callable[..., str], rules: Rules) -> dict[str, Times]:
    """Return the times that restic keeps, by group."""
    words = ['forget', '--dry-run', '--json', '--group-by', 'host']
    for rule, value in rules.items():
        said = f'{value // HOUR}h' if rule == 'within' else f'{value}'
        words += [f'--keep-{rule}', said]
    return {
        group['host']: Counter(
            datetime.datetime.fromisoformat(snapshot['time'])
            for snapshot in group['keep'] or ()
        )
        for group in json.loads(restic(*words))
    }


def kept_here(group: str, rules: Rules, *, oldest: bool) -> Times:
    """Return the times that are kept by this package.

    :param oldest: whether the oldest counts where nothing else keeps it
    """
    images = [Image(id='', created=t.isoformat()) for t in GROUPS[group]]
    return Counter(
        datetime.datetime.fromisoformat(image.created or '')
        for image, reason in retention.reasons(
            images, retention.Rules(**rules)
        )
        if reason and (oldest or not re.fullmatch(ONLY_OLDEST, reason))
    )


def test_same_images_are_kept_as_by_restic(restic):
    version = re.match(r'restic (\d+)\.(\d+)', restic('version'))
    keeps_oldest = tuple(map(int, version.groups())) >= (0, 16)
    deleted = 0
    for rules in RULES:
        kept = kept_there(restic, rules)
        assert kept.keys() == GROUPS.keys()
        for group, times in GROUPS.items():
            wanted = kept_here(group, rules, oldest=keeps_oldest)
            assert kept[group] == wanted, (rules, group, times)
            deleted += len(times) - kept[group].total()
    assert deleted > 50
