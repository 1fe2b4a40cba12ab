# SPDX-License-Identifier: Apache-2.0

"""Which unit tests run which lines of the package, and what they take.

It is found by running each file of tests once, and kept in a folder until one
of them or the package changes.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import json
from pathlib import Path
import sys
from typing import Any

from tests.mutants.collected import Collected
from tests.mutants.mutations import Mutant
from tests.mutants.paths import digest
from tests.mutants.paths import PACKAGE
from tests.mutants.paths import ROOT
from tests.mutants.paths import TESTS
from tests.mutants.recording import record_imports
from tests.mutants.recording import Recording

#: Tests of other things than the package, which take their time.
_OTHERS = {'test_benchmarks', 'test_typing'}

#: CPU seconds of a slow test.
_SLOW = 0.5


@dataclasses.dataclass(frozen=True)
class Test:
    """A test: where, how long (CPU seconds), which lines of each module."""

    file: str
    name: str
    seconds: float
    lines: dict[str, set[int]]


class Covering:
    """What the tests run.

    :param folder: where it is kept
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        files = [
            path
            for path in sorted(TESTS.glob('test_*.py'))
            if path.stem not in _OTHERS
        ]
        self._tests: list[Test] = []
        common = [*PACKAGE.rglob('*.py'), TESTS / 'conftest.py']
        self._at_import = _sets(
            _kept(
                folder,
                'imports',
                digest(*files, *common),
                lambda path: record_imports(path, files),
            )
        )
        #: The tests themselves, in a process.
        self.collected = Collected(files)
        for path in files:
            file = str(path.relative_to(ROOT))
            found = _kept(
                folder,
                path.stem,
                digest(path, *common),
                lambda kept, file=file: self.collected.run(
                    Recording(file, kept)
                ),
            )
            for test, seconds, lines in found:
                self._tests.append(Test(file, test, seconds, _sets(lines)))

    def close(self) -> None:
        """End the process with the tests."""
        self.collected.close()

    def is_imported(self, module: str, mutant: Mutant) -> bool:
        """Tell whether the import of the tests may run a mutant."""
        return mutant.function is None or bool(
            self._at_import.get(module, set())
            & set(range(mutant.function[0], mutant.function[1] + 1))
        )

    def tests(self, module: str, mutant: Mutant) -> list[Test]:
        """Return the tests that may notice a mutant, the likeliest first.

        These are the tests that run its line; else, its function, as a line
        within a statement is not known. Slow tests come last. Files come first
        that run most lines of the module, and in each, tests that run many of
        its lines in little time.
        """
        of_module = [t for t in self._tests if t.lines.get(module)]
        found = [t for t in of_module if mutant.line in t.lines[module]]
        if self.is_imported(module, mutant):
            # Tests may notice what an import makes, without running its line.
            files = {t.file for t in of_module}
            found = [t for t in self._tests if t.file in files]
        elif not found:
            assert mutant.function is not None
            first, last = mutant.function
            span = set(range(first, last + 1))
            found = [t for t in of_module if t.lines[module] & span]
        reached: dict[str, set[int]] = {}
        for test in of_module:
            reached.setdefault(test.file, set()).update(test.lines[module])

        def order(test: Test) -> tuple[bool, int, str, float]:
            lines = test.lines.get(module, ())
            return (
                test.seconds > _SLOW,
                -len(reached[test.file]),
                test.file,
                -len(lines) / (0.05 + test.seconds),
            )

        return sorted(found, key=order)


def _kept(
    folder: Path, name: str, version: str, record: Callable[[Path], object]
) -> Any:
    """Return what is kept in a file; record it if it is not there."""
    path = folder / f'{name}-{version}.json'
    if not path.exists():
        for old in folder.glob(f'{name}-*.json'):
            old.unlink()
        print(f'which lines does {name} run?', flush=True)
        record(path)
        if not path.exists():
            sys.exit(f'{name}: it did not run to its end')
    return json.loads(path.read_text())


def _sets(lines: Mapping[str, list[int]]) -> dict[str, set[int]]:
    return {module: set(numbers) for module, numbers in lines.items()}
