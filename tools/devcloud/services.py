# SPDX-License-Identifier: Apache-2.0

"""Starting and stopping the processes of a cloud."""

import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from install import DevcloudError

_SERVE = Path(__file__).parent / 'inside' / 'serve.py'

#: Seconds that a service may take to start, and to stop by itself.
_UP = 90
_DOWN = 10


def free_port(wanted: int | None) -> int:
    """Return a free loopback port: the wanted one if possible."""
    for port in (wanted or 0, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
            return int(s.getsockname()[1])
    raise DevcloudError('No port of 127.0.0.1 is free')


class Service:
    """A process that serves HTTP on loopback.

    :param name: name of the service, and of its log and pid file
    :param folder: folder of these files
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f'{name}.log'
        self._pid_file = folder / f'{name}.pid'
        self._process: subprocess.Popen[bytes] | None = None

    def pid(self) -> int | None:
        """Return the process ID, or None if it does not run."""
        try:
            known = json.loads(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        pid = int(known['pid'])
        # Another process may have this ID now.
        return pid if _began(pid) == known['began'] else None

    def start(
        self, python: Path, project: str, configuration: Path, port: int
    ) -> None:
        """Start the service, unless it runs already.

        :param project: keystone, glance or nova
        :param configuration: folder of its configuration files
        """
        if self.pid() is not None:
            return
        with self.log.open('ab') as log:
            self._process = subprocess.Popen(
                [str(python), str(_SERVE), project, str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **_clean_environment(),
                    f'OS_{project.upper()}_CONFIG_DIR': str(configuration),
                    # Use threads in releases that would use eventlet.
                    'OS_NOVA_DISABLE_EVENTLET_PATCHING': '1',
                },
                # Ctrl-C in the shell must not stop it.
                start_new_session=True,
            )
        pid = self._process.pid
        self._pid_file.write_text(
            json.dumps({'pid': pid, 'began': _began(pid)})
        )

    def wait(self, port: int) -> None:
        """Wait until the service responds, and is ready.

        :raises DevcloudError: if it ends instead
        """
        url = f'http://127.0.0.1:{port}/'
        end = time.monotonic() + _UP
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except urllib.error.HTTPError as e:
                if e.code != 503:
                    return
            except OSError:
                pass
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.05)
        tail = ''.join(
            self.log.read_text(errors='replace').splitlines(True)[-15:]
        )
        raise DevcloudError(f'{self.name} does not come up:\n{tail}')

    def ask_to_stop(self) -> None:
        """Send SIGTERM; :meth:`stop` waits for the end."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the service."""
        self.ask_to_stop()
        end = time.monotonic() + _DOWN
        while self.pid() is not None and time.monotonic() < end:
            if self._process is not None:
                self._process.poll()
            time.sleep(0.05)
        self._signal(signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid()
        if pid is not None:
            os.kill(pid, number)


def _began(pid: int) -> str | None:
    """Return the start time, to distinguish processes with the same ID."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return None
    fields = stat.rpartition(')')[2].split()
    return None if fields[0] == 'Z' else fields[19]


def _clean_environment() -> dict[str, str]:
    return {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(('OS_', 'PYTHON', 'COV_', 'COVERAGE_'))
    }
