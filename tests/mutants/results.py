# SPDX-License-Identifier: Apache-2.0

"""What became of mutants."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import json
from pathlib import Path

from tests.mutants.paths import digest
from tests.mutants.paths import PACKAGE
from tests.mutants.paths import TESTS

_EQUIVALENT = Path(__file__).with_name('equivalent.txt')
_SURVIVORS = Path(__file__).with_name('survivors.txt')


@dataclasses.dataclass
class Outcome:
    """What became of the mutants of a module.

    :param tried: how many were tried
    :param survivors: the line and the change of those that survive
    """

    module: str
    tried: int = 0
    survivors: list[str] = dataclasses.field(default_factory=list)

    @property
    def percent(self) -> float:
        """How many were killed."""
        killed = self.tried - len(self.survivors)
        return 100 * killed / self.tried if self.tried else 100.0


def table(outcomes: Iterable[Outcome]) -> str:
    """Return a table with a line for each module."""
    form = '{:31}{:>8}{:>8}{:>10}\n'
    return form.format('module', 'mutants', 'killed', '%') + ''.join(
        form.format(
            each.module,
            each.tried,
            each.tried - len(each.survivors),
            f'{each.percent:.1f}',
        )
        for each in outcomes
    )


def equivalent() -> dict[str, set[str]]:
    """Return the changes that do not count, for each module."""
    found: dict[str, set[str]] = {}
    module = ''
    for line in _EQUIVALENT.read_text('utf-8').splitlines():
        if line.startswith('['):
            module = line.strip('[]')
        elif line and not line.startswith((' ', '#')):
            found.setdefault(module, set()).add(line)
    return found


def write_survivors(outcomes: Sequence[Outcome]) -> None:
    """Write the table and the survivors of all modules."""
    survivors = ''.join(
        f'\n[{each.module}]\n' + ''.join(f'{s}\n' for s in each.survivors)
        for each in outcomes
        if each.survivors
    )
    _SURVIVORS.write_text(
        f'Written by ./run mutants, which tried all mutants of these modules '
        f'but\nthose in equivalent.txt.\n\n{table(outcomes)}\n'
        f'The survivors, with their lines:\n{survivors}',
        'utf-8',
    )


class Results:
    """What is known of the mutants of a module, in a file.

    :param folder: of the file
    :param most: CPU seconds of the tests for each mutant: survivors are tried
        again with more, and with other tests
    """

    def __init__(self, folder: Path, module: str, most: float) -> None:
        name = module.replace('/', '.').removesuffix('.py')
        self._path = folder / f'{name}.jsonl'
        self._source = digest(PACKAGE / module)
        self._most = most
        self._tests = digest(*TESTS.glob('*.py'), *PACKAGE.rglob('*.py'))
        self._survivors: dict[str, bool] = {}
        if self._path.exists():
            for line in self._path.read_text('utf-8').splitlines():
                kept = json.loads(line)
                if kept['source'] != self._source:
                    continue
                is_old = kept['tests'] != self._tests or kept['most'] < most
                if kept['survives'] and is_old:
                    self._survivors.pop(kept['change'], None)
                    continue
                self._survivors[kept['change']] = kept['survives']

    def get(self, change: str) -> bool | None:
        """Tell whether one survives, if that is known."""
        return self._survivors.get(change)

    def add(self, change: str, survives: bool) -> None:
        """Note what became of one."""
        with self._path.open('a', encoding='utf-8') as file:
            kept = {
                'source': self._source,
                'tests': self._tests,
                'most': self._most,
                'change': change,
                'survives': survives,
            }
            file.write(json.dumps(kept) + '\n')
