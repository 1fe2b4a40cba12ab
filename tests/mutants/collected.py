# SPDX-License-Identifier: Apache-2.0

"""A process that has collected all tests, and runs some of them in a child.

A mutant then takes little more time than its tests: the child imports nothing,
but replaces functions.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest

from tests.mutants.forking import be_quiet
from tests.mutants.forking import FORK
from tests.mutants.forking import run_in_child

#: Each process leaves what pytest knows of the last run alone.
QUIET = ('-q', '-p', 'no:cacheprovider')


def use_profile() -> None:
    """Let Hypothesis make the same examples in each process."""
    hypothesis.settings.register_profile(
        'mutants',
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile('mutants')


class Session:
    """The collected tests; a plugin for pytest.

    :param connection: where jobs come from
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._items: dict[str, pytest.Item] = {}
        self._passed = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do jobs in place of running all tests."""
        if session.testsfailed:
            # Some were not collected.
            return True
        self._items = {item.nodeid: item for item in session.items}
        while True:
            try:
                job: Job = self._connection.recv()
            except EOFError:
                return True
            done = run_in_child(lambda job=job: job.run(self), job.limit)
            self._connection.send(done)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether a test passes."""
        self._passed = self._passed and report.passed

    def names(self, file: str) -> list[str]:
        """Return the node IDs of the tests in a file."""
        return [name for name in self._items if name.startswith(f'{file}::')]

    def run(self, names: Sequence[str]) -> Iterator[bool]:
        """Run tests; yield for each whether it passed."""
        items = [self._items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._passed = True
            item.config.hook.pytest_runtest_protocol(
                item=item, nextitem=following
            )
            yield self._passed


class Job(Protocol):
    """What a child does."""

    @property
    def limit(self) -> float:
        """CPU seconds."""

    def run(self, session: Session) -> int:
        """Do it, and return an exit code."""


class Collected:
    """The process with the tests.

    :param paths: files with tests
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._connection, other = FORK.Pipe()
        FORK.Process(
            target=_serve, args=(self._connection, other, paths)
        ).start()
        other.close()

    def run(self, job: Job) -> int:
        """Do one job in a child; return its exit code, negative if ended.

        :raises EOFError: if the tests were not collected
        """
        self._connection.send(job)
        code: int = self._connection.recv()
        return code

    def close(self) -> None:
        """End the process."""
        self._connection.close()


def _serve(
    parent: Connection, connection: Connection, paths: Sequence[Path]
) -> None:
    # Else this process would keep the pipe open itself.
    parent.close()
    be_quiet()
    use_profile()
    # Without -s, pytest would keep what is printed.
    # The profile replaces that of the tests, which would shrink examples.
    profile = '--hypothesis-profile=mutants'
    words = [*QUIET, '-s', profile, *map(str, paths)]
    pytest.main(words, plugins=[Session(connection)])
