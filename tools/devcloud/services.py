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

#: Seconds that a service has to come up, and to go down by itself.
_UP = 90
_DOWN = 10


def free_port(wanted: int | None) -> int:
    """Return a loopback port that is free: the wanted one if possible."""
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

    :param name: of the service, and of its log and pid file
    :param folder: where these files are
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
        # Another process may have the number by now.
        return pid if _began(pid) == known['began'] else None

    def start(
        self, python: Path, project: str, configuration: Path, port: int
    ) -> None:
        """Start it, unless it runs already.

        :param project: keystone, glance or nova
        :param configuration: folder of its files
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
                    # In a release that would use eventlet: threads serve it.
                    'OS_NOVA_DISABLE_EVENTLET_PATCHING': '1',
                },
                # Ctrl-C in the shell is not meant for it.
                start_new_session=True,
            )
        pid = self._process.pid
        self._pid_file.write_text(
            json.dumps({'pid': pid, 'began': _began(pid)})
        )

    def wait(self, port: int) -> None:
        """Wait until it answers, and does not say that it is not ready yet.

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
        """Ask it to end; :meth:`stop` waits for that."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it."""
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
    """Return what tells this process from others with its number."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        pass
    else:
        fields = stat.rpartition(')')[2].split()
        return None if fields[0] == 'Z' else fields[19]
    if Path('/proc/self').exists():
        return None
    # Not Linux: all there is to ask is ps.
    done = subprocess.run(
        ['ps', '-o', 'lstart=', '-p', str(pid)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or None


def _clean_environment() -> dict[str, str]:
    return {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(('OS_', 'PYTHON', 'COV_', 'COVERAGE_'))
    }
