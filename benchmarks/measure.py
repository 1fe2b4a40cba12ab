# SPDX-License-Identifier: Apache-2.0

"""Run programs, count what they use, and take the medians."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import json
import os
from pathlib import Path
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any
from typing import Self

HERE = Path(__file__).parent

#: Bytes of the output of a program that are kept.
_MAX_OUTPUT = 1_000_000

#: What is measured, by name.
Figures = dict[str, float]


@dataclasses.dataclass
class Run:
    """A finished program.

    :param figures: ``wall`` and ``cpu`` in seconds, and ``rss`` in MB
    :param output: the beginning of its output
    """

    figures: Figures
    output: bytes


def run(command: Sequence[str], env: Mapping[str, str]) -> Run:
    """Run a program until it ends.

    :raises RuntimeError: if it fails
    """
    # NOTE: the peak memory of a program is never below that of this one,
    # which starts it: so the output is not read into memory.
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=file,
        )
        _pid, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        file.seek(0)
        output = file.read(_MAX_OUTPUT)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f'{[*command]} failed: {process.returncode}')
    unit = 1 if sys.platform == 'darwin' else 1024
    cpu, rss = used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6
    return Run({'wall': wall, 'cpu': cpu, 'rss': rss}, output)


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process, without other OS_* variables.

    Python's own variables are removed, too: for example, without byte code on
    disk a command would compile its imports each time.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PYTHON'))
    }
    return {**inherited, 'PYTHONHASHSEED': '0', **env}


def instructions(command: Sequence[str], env: Mapping[str, str]) -> int | None:
    """Count the instructions of a program, if valgrind is installed."""
    valgrind = shutil.which('valgrind')
    if valgrind is None:
        return None
    counting = ('--tool=cachegrind', '--cache-sim=no')
    done = subprocess.run(
        [valgrind, *counting, '--cachegrind-out-file=/dev/null', *command],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r'I\s+refs:\s+([\d,]+)', done.stderr)
    return int(found[1].replace(',', '')) if found else None


class Cloud:
    """A canned cloud in its own process.

    :param images: number of images
    :ivar env: the OS_* variables of its user
    """

    def __init__(self, images: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'benchmarks.cloud', f'{images}'],
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.env: dict[str, str] = self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def statistics(self) -> dict[str, int]:
        """Return what happened since the last call.

        :returns: the number of ``requests``, the ``bytes`` of the responses,
            and the number of ``images`` that there are
        """
        assert self._process.stdin is not None
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        figures: dict[str, int] = self._line()
        return figures

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@dataclasses.dataclass
class Subject:
    """A program to measure.

    :param name: what the table calls it
    :param images: how many there are in its cloud
    :param run: runs the command, given the environment
    :param left: how many images must be left; None if it only reads
    :param counted: whether its instructions are counted, too
    """

    name: str
    images: int
    command: Sequence[str]
    run: Callable[[Sequence[str], Mapping[str, str]], Run] = run
    left: int | None = None
    counted: bool = False

    def once(self, cloud: Cloud) -> Figures:
        """Run it in a cloud of its images.

        :raises RuntimeError: if it has not changed what it should
        """
        print(self.name, file=sys.stderr, flush=True)
        cloud.statistics()
        done = self.run(self.command, cloud.env)
        seen = cloud.statistics()
        left = self.images if self.left is None else self.left
        if seen.pop('images') != left:
            raise RuntimeError(f'{self.name} leaves other images')
        return {'images': self.images, **seen, **done.figures}


def measure(
    subjects: Sequence[Subject], runs: int, *, quick: bool
) -> dict[str, Figures]:
    """Measure some programs, in turn; return the medians.

    :param quick: count no instructions
    """
    taken: dict[str, list[Figures]] = {s.name: [] for s in subjects}
    with contextlib.ExitStack() as stack:
        clouds = {
            images: stack.enter_context(Cloud(images))
            for images in sorted({s.images for s in subjects})
        }
        for _number in range(runs):
            for subject in subjects:
                cloud: Any = contextlib.nullcontext(clouds[subject.images])
                if subject.left is not None:
                    cloud = Cloud(subject.images)
                with cloud as used:
                    taken[subject.name].append(subject.once(used))
        results = {name: medians(runs) for name, runs in taken.items()}
        for subject in subjects:
            if subject.counted and not quick:
                env = clouds[subject.images].env
                count = instructions(subject.command, env)
                if count is not None:
                    results[subject.name]['instructions'] = count
    return results


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure, with the significant digits only."""
    return {
        name: float(f'{statistics.median(one[name] for one in runs):.4g}')
        for name in runs[0]
    }
