# SPDX-License-Identifier: Apache-2.0

"""Runs a Python program many times, and imports its modules once.

A process imports the modules, and forks for each run. The child executes the
program's file as ``__main__``.
"""

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from typing import Any
from typing import Self


class ForkServer:
    """A process that runs a program many times.

    :param program: path of the program's file
    :param modules: names of the modules to import once
    :param environment: environment variables of every run
    """

    def __init__(
        self, program: str, modules: list[str], environment: dict[str, str]
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-P', __file__, program, *modules],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, *words: str) -> dict[str, Any]:
        """Run the program with arguments; return its code, out and err."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(words) + '\n')
        self._process.stdin.flush()
        done: dict[str, Any] = json.loads(self._process.stdout.readline())
        return done


def main(program: str, *modules: str) -> None:
    """Run the program once for each line of arguments on stdin."""
    # Modules read the program's name when they are imported.
    sys.argv = [program]
    for module in modules:
        importlib.import_module(module)
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            pid = os.fork()
            if pid == 0:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.argv = [program, *json.loads(line)]
                runpy.run_path(program, run_name='__main__')
                sys.exit()
            _pid, status = os.waitpid(pid, 0)
            done: dict[str, Any] = {'code': os.waitstatus_to_exitcode(status)}
            for name, file in (('out', out), ('err', err)):
                file.seek(0)
                done[name] = file.read().decode(errors='surrogateescape')
        print(json.dumps(done), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
