# SPDX-License-Identifier: Apache-2.0

"""Make the pictures of the documentation: terminals with real commands.

It is run on a new cloud, which has only its own images::

    ./run cloud --cloud pictures up
    ./run cloud --cloud pictures run -- python tools/pictures.py

The same output gives the same bytes.
"""

import contextlib
import io
import os
from pathlib import Path
import pty
import re
import shlex
import subprocess
import termios

from rich.console import Console
from rich.text import Text

_FOLDER = Path(__file__).parents[1] / 'doc' / 'source' / '_static'

_COLUMNS = 88

#: The width of pictures that need more.
_WIDER = {'plan': 116, 'create': 120}

#: Sequences that move, hide or show the cursor, or clear a line.
_MOVES = re.compile(r'(\n|\r|\x1b\[1A|\x1b\[2K|\x1b\[\?25[hl])')

_IMAGE = 'openstack compute image'
_LIST = f'{_IMAGE} list'
_DELETE = f'{_IMAGE} delete'
_CREATE = f"{_IMAGE} create --name-pattern 'app-?'"
_CHECK = f"{_IMAGE} check --name-pattern '*-?'"

#: The commands of each picture.
_PICTURES = {
    'list': (
        f'{_LIST} --limit 4',
        f"{_LIST} --flavor m1.small --name-pattern '*-2?.04'",
        f'{_LIST} --server web-2 -f value -c Name -c Status',
    ),
    'regions': (f'{_LIST} --all-regions --name-pattern web-1-snapshot',),
    'wait': (f'{_IMAGE} show --wait queued',),
    'plan': (f'{_DELETE} --type snapshot --created-before 1w --fit-width',),
    'create': (
        f'{_CREATE} --wait --auto-approve -c Server -c "Image Name" -c Result',
        f'{_CHECK} --newest-within 26h -c Level -c Server -c Age -c Reason',
    ),
}

#: Servers that are booted for the pictures, without a network.
_SERVERS = ('app-1', 'app-2', 'db-1')
_BOOT = (
    'openstack --os-compute-api-version 2.37 server create '
    '--image cirros-0.6.2 --flavor m1.tiny --nic none --wait'
)

#: Pictures that are taken when a text is on the screen, before the command
#: ends.
_UNTIL = {'wait': '25%', 'plan': '[y/N]'}


def run(line: str, columns: int, until: str | None) -> str:
    """Return the screen of a terminal after a command."""
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (40, columns))
    environment = {**os.environ, 'TERM': 'xterm-256color'}
    written = b''
    with subprocess.Popen(
        shlex.split(line), stdin=inside, stdout=inside, stderr=inside,
        env=environment,
    ) as command:  # fmt: skip
        os.close(inside)
        # At the end, reading fails with EIO.
        with contextlib.suppress(OSError):
            while until is None or until not in _screen(written):
                written += os.read(terminal, 65536)
        os.close(terminal)
        if until is not None:
            command.terminate()
    return _screen(written)


def _screen(written: bytes) -> str:
    """Return the text of a screen, after lines were cleared.

    Programs clear whole lines, and write them again from the start.
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
    columns = _WIDER.get(name, _COLUMNS)
    console = Console(
        width=columns,
        file=io.StringIO(),
        record=True,
        color_system='truecolor',
        force_terminal=True,
    )
    for line in _PICTURES[name]:
        shown = Text.from_ansi(run(line, columns, _UNTIL.get(name)))
        console.print(
            Text.assemble(
                ('$ ', 'bold green'), (line, 'bold'), '\n', shown, '\n'
            )
        )
    svg = console.export_svg(title='openstack', unique_id=name)
    # A picture must not load fonts.
    return re.sub(r'@font-face \{.*?\}\s*', '', svg, flags=re.DOTALL)


def main() -> None:
    for server in _SERVERS:
        subprocess.run([*_BOOT.split(), server], check=True)
    for name in _PICTURES:
        path = _FOLDER / f'{name}.svg'
        path.write_text(picture(name))
        print(path.name)


if __name__ == '__main__':
    main()
