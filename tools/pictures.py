# SPDX-License-Identifier: Apache-2.0

"""Make the pictures of the documentation: a terminal with real commands in it.

The commands run on a real cloud, in a terminal. The same bytes come every
time, as long as the commands print the same.
"""

import fcntl
import io
import os
from pathlib import Path
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios

from rich.console import Console
from rich.text import Text

_ROOT = Path(__file__).parents[1]
_DEVCLOUD = [sys.executable, str(_ROOT / 'tools' / 'devcloud')]
_FOLDER = _ROOT / 'doc' / 'source' / '_static'

_COLUMNS = 88

#: What moves the cursor, clears a line, or hides and shows the cursor.
_MOVES = re.compile(r'(\n|\r|\x1b\[1A|\x1b\[2K|\x1b\[\?25[hl])')

_LIST = 'openstack compute image list'

#: The commands that each picture shows.
_PICTURES = {
    'list': (
        f'{_LIST} --limit 4',
        f"{_LIST} --flavor m1.small --name-pattern '*-2?.04'",
        f'{_LIST} --server web-2 -f value -c Name -c Status',
    ),
    'regions': (f'{_LIST} --all-regions --name-pattern web-1-snapshot',),
    'wait': ('openstack compute image show --wait queued',),
}

#: The pictures that are taken as soon as a text is on the screen, while the
#: command goes on.
_UNTIL = {'wait': '25%'}


def run(line: str, until: str | None) -> str:
    """Return what a command leaves on the screen of a terminal."""
    terminal, inside = pty.openpty()
    size = struct.pack('HHHH', 40, _COLUMNS, 0, 0)
    fcntl.ioctl(inside, termios.TIOCSWINSZ, size)
    command = subprocess.Popen(
        [*_DEVCLOUD, 'run', '--', *shlex.split(line)],
        stdin=subprocess.DEVNULL,
        stdout=inside,
        stderr=inside,
        env={**os.environ, 'TERM': 'xterm-256color'},
    )
    os.close(inside)
    try:
        return _read(terminal, until)
    finally:
        os.close(terminal)
        if until is not None:
            command.terminate()
        command.wait()


def _read(terminal: int, until: str | None) -> str:
    written = b''
    while True:
        try:
            written += os.read(terminal, 65536)
        except OSError:
            # It is how the end of a terminal is told.
            return _screen(written)
        screen = _screen(written)
        if until is not None and until in screen:
            return screen


def _screen(written: bytes) -> str:
    """Return what stands there after lines have been cleared.

    They are cleared as a whole, and written anew from their beginning.
    """
    lines = ['']
    row = 0
    for token in _MOVES.split(written.decode(errors='replace')):
        match token:
            case '\n':
                row += 1
                lines += [''] * (row == len(lines))
            case '\x1b[1A':
                row -= 1
            case '\x1b[2K':
                lines[row] = ''
            case '\r' | '\x1b[?25l' | '\x1b[?25h':
                pass
            case _:
                lines[row] += token
    return '\n'.join(lines).rstrip('\n')


def picture(name: str) -> str:
    """Return a picture, as SVG."""
    console = Console(
        width=_COLUMNS,
        file=io.StringIO(),
        record=True,
        color_system='truecolor',
        force_terminal=True,
    )
    for line in _PICTURES[name]:
        console.print(
            Text.assemble(
                ('$ ', 'bold green'),
                (line, 'bold'),
                '\n',
                Text.from_ansi(run(line, _UNTIL.get(name))),
                '\n',
            )
        )
    svg = console.export_svg(title='openstack', unique_id=name)
    # Fonts from elsewhere: a picture is not to load anything.
    return re.sub(r'@font-face \{.*?\}\s*', '', svg, flags=re.DOTALL)


def main() -> int:
    """Make them all."""
    subprocess.run([*_DEVCLOUD, 'up'], check=True)
    for name in _PICTURES:
        path = _FOLDER / f'{name}.svg'
        path.write_text(picture(name))
        print(path.relative_to(_ROOT))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as e:
        sys.exit(e.returncode)
