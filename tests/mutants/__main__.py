# SPDX-License-Identifier: Apache-2.0

"""Change the package in small ways, and see whether a unit test notices.

For each mutant, the tests that run the changed line are run until one fails.
What was found is kept in .mutants, so that a run that was interrupted goes on,
and one with new tests tries only what survived. Survivors that behave as the
module itself does are listed in tests/mutants/equivalent.txt, and do not
count. The others are written to tests/mutants/survivors.txt, if all mutants of
all modules were tried. The exit code is 1 if fewer than 90 % are killed in any
module.
"""

import argparse
from collections.abc import Iterator
import contextlib
import dataclasses
import os
from pathlib import Path
import sys

from tests.mutants.collected import Session
from tests.mutants.covering import Covering
from tests.mutants.functions import replace_functions
from tests.mutants.importing import import_others
from tests.mutants.importing import run_with_module
from tests.mutants.mutations import Mutant
from tests.mutants.mutations import mutants
from tests.mutants.paths import MODULES
from tests.mutants.paths import PACKAGE
from tests.mutants.paths import ROOT
from tests.mutants.results import equivalent
from tests.mutants.results import Outcome
from tests.mutants.results import Results
from tests.mutants.results import table
from tests.mutants.results import write_survivors

_STATE = ROOT / '.mutants'

#: Percent of the mutants of each module.
_GOAL = 90

#: Exit code of a child; 0 and 1 are that tests passed or failed.
_NOT_REPLACED = 2


@dataclasses.dataclass
class _Trial:
    """Run tests with other functions in a module, until one fails.

    :param path: the module
    :param source: its text, with a change
    :param tests: node IDs
    :param limit: CPU seconds
    """

    path: Path
    source: str
    tests: list[str]
    limit: float

    def run(self, session: Session) -> int:
        """Do it in this process."""
        if not replace_functions(self.path, self.source):
            return _NOT_REPLACED
        return 0 if all(session.run(self.tests)) else 1


def _survives(
    covering: Covering, module: str, mutant: Mutant, most: float
) -> bool:
    """Tell whether none of the tests fails that take so many seconds."""
    seconds = 0.0
    tests: list[str] = []
    for test in covering.tests(module, mutant):
        if seconds + test.seconds <= most:
            tests.append(test.name)
            seconds += test.seconds
    if not tests:
        return True
    path = PACKAGE / module
    limit = 10 + 3 * seconds
    code = covering.collected.run(_Trial(path, mutant.source, tests, limit))
    if code == _NOT_REPLACED or (
        code == 0 and covering.is_imported(module, mutant)
    ):
        code = run_with_module(path, mutant.source, tests, 10 + limit)
    return code == 0


def _modules(words: list[str]) -> Iterator[str]:
    """Yield modules: all, or those that are named by path or name."""
    for pattern in MODULES if not words else ('**/*.py',):
        paths = sorted(PACKAGE.glob(pattern))
        if not paths:
            sys.exit(f'There is no module {pattern}')
        for path in paths:
            name = str(path.relative_to(PACKAGE))
            if path.stem == '__init__':
                continue
            if not words or path.stem in words or name in words:
                yield name


def _try_module(
    covering: Covering, module: str, sample: int | None, most: float
) -> Outcome:
    results = Results(_STATE, module, most)
    without_effect = equivalent().get(module, ())
    outcome = Outcome(module)
    for mutant in mutants(PACKAGE / module, sample):
        if mutant.change in without_effect:
            continue
        outcome.tried += 1
        survives = results.get(mutant.change)
        if survives is None:
            survives = _survives(covering, module, mutant, most)
            results.add(mutant.change, survives)
        if survives:
            outcome.survivors.append(f'{mutant.line}: {mutant.change}')
            print(f'{module}:{outcome.survivors[-1]}', flush=True)
    print(f'{module}: {outcome.percent:.1f} %', flush=True)
    return outcome


def main() -> int:
    """Try the mutants, and print what became of them."""
    parser = argparse.ArgumentParser(prog='./run mutants', description=__doc__)
    parser.add_argument(
        'modules',
        nargs='*',
        metavar='<module>',
        help='a module, like plan or api/changes/plan.py (default: those of '
        'choice, plan, pager, decoding and regions)',
    )
    parser.add_argument(
        '--sample',
        type=int,
        metavar='<n>',
        help='try so many mutants of each module, chosen at random',
    )
    parser.add_argument(
        '--seconds',
        type=float,
        default=15.0,
        metavar='<seconds>',
        help='CPU time of the tests that are run for each mutant at most, the '
        'likeliest first (default: %(default)g)',
    )
    args = parser.parse_args()
    os.chdir(ROOT)
    import_others()
    with contextlib.closing(Covering(_STATE / 'covering')) as covering:
        outcomes = [
            _try_module(covering, module, args.sample, args.seconds)
            for module in _modules(args.modules)
        ]
    print()
    print(table(outcomes), end='')
    if not args.modules and args.sample is None:
        write_survivors(outcomes)
    return int(any(each.percent < _GOAL for each in outcomes))


if __name__ == '__main__':
    sys.exit(main())
