# SPDX-License-Identifier: Apache-2.0

"""Starting and stopping the processes of a cloud."""

import fcntl
import http.client
import os
from pathlib import Path
import signal
import socket
import subprocess
import time

import configs
from databases import move_endpoints
from install import clean_environment
from install import DevcloudError
from layout import Layout
from layout import PROCESSES

_SERVE = Path(__file__).parent / 'inside' / 'serve.py'

#: Seconds that a process may take to start, and to stop by itself.
_UP = 90
_DOWN = 10


class Processes:
    """The processes of a cloud. Each serves HTTP, and locks its pid file."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._listeners: dict[str, socket.socket] = {}

    def run(self) -> bool:
        return all(map(self._runs, PROCESSES))

    def configure(self, venv: Path) -> None:
        """Choose ports, and write the configuration with them.

        :param venv: folder of the cloud's venv
        """
        ports = {}
        for name in PROCESSES:
            listener = socket.create_server(('127.0.0.1', 0))
            self._listeners[name] = listener
            ports[name] = listener.getsockname()[1]
        self._layout.home.mkdir(parents=True, exist_ok=True)
        self._layout.learn(ports=ports)
        configs.write(self._layout, venv / 'etc')

    def start(self, venv: Path, *only: str) -> None:
        """Start the named processes, or all that do not run yet."""
        names = only or tuple(self._listeners)
        if 'keystone' not in only:
            move_endpoints(self._layout)
        for name in names:
            self._start(name, venv / 'bin' / 'python')
        for name in names:
            self._wait(name)

    def stop(self) -> None:
        end = time.monotonic() + _DOWN
        for name in PROCESSES:
            self._kill(name, signal.SIGTERM)
        for name in PROCESSES:
            while self._runs(name) and time.monotonic() < end:
                time.sleep(0.05)
            self._kill(name, signal.SIGKILL)

    def _file(self, name: str, kind: str) -> Path:
        return self._layout.home / f'{name}.{kind}'

    def _runs(self, name: str) -> bool:
        try:
            with self._file(name, 'pid').open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    def _kill(self, name: str, number: signal.Signals) -> None:
        if self._runs(name):
            os.kill(int(self._file(name, 'pid').read_text()), number)

    def _start(self, name: str, python: Path) -> None:
        """Start a process, with a socket that may have clients already."""
        folder = self._layout.folder(name)
        configured = {
            f'OS_{service}_CONFIG_DIR': str(folder)
            for service in ('KEYSTONE', 'GLANCE', 'NOVA', 'PLACEMENT')
        }
        with (
            self._listeners.pop(name) as listener,
            self._file(name, 'log').open('ab') as log,
            self._file(name, 'pid').open('w') as held,
        ):
            fcntl.flock(held, fcntl.LOCK_EX)
            number = listener.fileno()
            process = subprocess.Popen(
                [python, _SERVE, name.partition('-')[0], str(number)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=clean_environment() | configured,
                pass_fds=(number, held.fileno()),
                # Ctrl-C in the shell must not stop it.
                start_new_session=True,
            )
            held.write(str(process.pid))

    def _wait(self, name: str) -> None:
        """Wait until a process responds.

        :raises DevcloudError: if it ends instead
        """
        port = self._layout.facts['ports'][name]
        client = http.client.HTTPConnection('127.0.0.1', port, timeout=_UP)
        try:
            client.request('GET', '/')
            client.getresponse().close()
        except (OSError, http.client.HTTPException) as e:
            log = self._file(name, 'log').read_text(errors='replace')
            tail = '\n'.join(log.splitlines()[-15:])
            raise DevcloudError(f'{name} does not come up:\n{tail}') from e
        finally:
            client.close()
