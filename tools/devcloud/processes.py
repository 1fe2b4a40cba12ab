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


class _Process:
    """A process that serves HTTP. While it runs, it holds a lock.

    :param folder: its working folder; its log and pid file are beside that
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder.with_name(f'{folder.name}.log')
        self._pid_file = folder.with_name(f'{folder.name}.pid')

    def runs(self) -> bool:
        """Return whether it runs."""
        try:
            with self._pid_file.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    def start(self, python: Path, listener: socket.socket) -> None:
        """Start it, with a socket that has clients already."""
        service = self._folder.name.partition('-')[0]
        configured = {
            f'OS_{name}_CONFIG_DIR': str(self._folder)
            for name in ('KEYSTONE', 'GLANCE', 'NOVA', 'PLACEMENT')
        }
        with (
            listener,
            self._log.open('ab') as log,
            self._pid_file.open('w') as held,
        ):
            fcntl.flock(held, fcntl.LOCK_EX)
            fds = (listener.fileno(), held.fileno())
            process = subprocess.Popen(
                [python, _SERVE, service, str(listener.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=clean_environment() | configured,
                pass_fds=fds,
                # Ctrl-C in the shell must not stop it.
                start_new_session=True,
            )
            held.write(str(process.pid))

    def wait(self, port: int) -> None:
        """Wait until it responds.

        :raises DevcloudError: if it ends instead
        """
        client = http.client.HTTPConnection('127.0.0.1', port, timeout=_UP)
        try:
            client.request('GET', '/')
            client.getresponse()
        except (OSError, http.client.HTTPException) as e:
            lines = self._log.read_text(errors='replace').splitlines()[-15:]
            log = '\n'.join(lines)
            raise DevcloudError(
                f'{self._folder.name} does not come up:\n{log}'
            ) from e
        finally:
            client.close()

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.runs():
            os.kill(int(self._pid_file.read_text()), number)


class Processes:
    """All processes of a cloud."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._all = {name: _Process(layout.folder(name)) for name in PROCESSES}
        self._listeners: dict[str, socket.socket] = {}

    def run(self) -> bool:
        """Return whether all run."""
        return all(process.runs() for process in self._all.values())

    def configure(self, venv: Path) -> None:
        """Choose ports, and write the configuration with them.

        :param venv: folder of the cloud's venv
        """
        self._listeners = {
            name: socket.create_server(('127.0.0.1', 0)) for name in PROCESSES
        }
        self._layout.home.mkdir(parents=True, exist_ok=True)
        self._layout.learn(
            ports={
                name: listener.getsockname()[1]
                for name, listener in self._listeners.items()
            }
        )
        configs.write(self._layout, venv / 'etc')

    def start(self, venv: Path, *only: str) -> None:
        """Start the named processes, or all that do not run yet."""
        names = only or tuple(self._listeners)
        if 'keystone' not in only:
            move_endpoints(self._layout)
        for name in names:
            python = venv / 'bin' / 'python'
            self._all[name].start(python, self._listeners.pop(name))
        ports = self._layout.facts['ports']
        for name in names:
            self._all[name].wait(ports[name])

    def stop(self) -> None:
        """Stop all."""
        end = time.monotonic() + _DOWN
        for process in self._all.values():
            process.kill(signal.SIGTERM)
        for process in self._all.values():
            while process.runs() and time.monotonic() < end:
                time.sleep(0.05)
            process.kill(signal.SIGKILL)
