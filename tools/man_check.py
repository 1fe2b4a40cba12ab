# SPDX-License-Identifier: Apache-2.0

"""Check the man pages in doc/build/man.

A page is also formatted as a reader sees it, with groff or mandoc; mandoc and
lexgrog check it, if they are installed.
"""

from collections.abc import Iterator
from pathlib import Path
import re
import shutil
import subprocess
import sys

_ROOT = Path(__file__).parents[1]
_PAGES = _ROOT / 'doc' / 'build' / 'man'

sys.path.insert(0, str(_ROOT / 'doc' / 'source' / '_ext'))

import exit_codes  # noqa: E402

_ORDER = (
    *('NAME', 'EXAMPLES', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS'),
    *('EXIT STATUS', 'OUTPUT OPTIONS', 'SEE ALSO'),
)

#: The usable width of a man page in 80 columns.
_WIDTH = 78


#: Programs that format a page, each with its arguments.
_FORMATTERS = (
    ('groff', '-t', '-man', '-T', 'utf8', '-P', '-c'),
    ('mandoc', '-T', 'utf8'),
)


def _formatted(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the names of programs, and the text that each shows."""
    for program in _FORMATTERS:
        if shutil.which(program[0]):
            done = subprocess.run(
                [*program, path], capture_output=True, text=True, check=True
            )
            yield program[0], re.sub(r'.\x08', '', done.stdout)


def _codes(text: str) -> list[tuple[str, ...]]:
    """Return the rows of the table of exit codes in a formatted page."""
    section = text.partition('\nEXIT STATUS\n')[2]
    # The next title is not indented.
    section = re.split(r'\n(?=\w)', section)[0]
    lines = [
        [' '.join(cell.split()) for cell in re.split('[│|]', line)[1:-1]]
        for line in section.splitlines()
        if re.search('[│|]', line)
    ]
    rows: list[list[str]] = []
    # A cell of several lines is a cell of several rows, with an empty code.
    for line in lines[1:]:
        if line[0]:
            rows.append(line)
        else:
            rows[-1] = [
                f'{above} {cell}'.strip()
                for above, cell in zip(rows[-1], line, strict=True)
            ]
    return [tuple(row) for row in rows]


def _seen(path: Path) -> Iterator[str]:
    """Yield what is wrong with what a reader sees."""
    name = path.stem.removeprefix('openstack-')
    last = name.rpartition('-')[2]
    expected: list[tuple[str, ...]] = [
        *(
            exit_codes.of_all()
            if name == 'compute-image'
            else exit_codes.of_command(last)
        )
    ]
    for program, text in _formatted(path):
        if re.search(r'T[{}]', text):
            yield f'{program} shows commands of tbl'
        codes = _codes(text)
        if codes != expected:
            yield f'{program} shows the exit codes {codes}, not {expected}'
        others = text.rpartition('SEE ALSO')[2]
        if f' {path.stem}(1)' in others:
            yield f'{program} shows the page itself below SEE ALSO'


def _faults(path: Path) -> list[str]:
    text = path.read_text()
    found = []
    sections = re.findall(r'^\.SH (.*)$', text, re.MULTILINE)
    known = [name for name in sections if name in _ORDER]
    if known != [name for name in _ORDER if name in known]:
        found.append(f'the sections are {", ".join(sections)}')
    missing = {*_ORDER} - {'OUTPUT OPTIONS', *sections}
    if missing:
        found.append(f'there is no section {", ".join(sorted(missing))}')
    [(title, group)] = re.findall(
        r'^\.TH "(.*?)" "1" ".*?" ".*?" "(.*?)"$', text, re.MULTILINE
    )
    if 2 * len(f'{title}(1)') + len(f' {group} ') > _WIDTH:
        found.append('the header is too wide')
    if '<>' in text:
        found.append('a link leads nowhere')
    for program in (['mandoc', '-T', 'lint'], ['lexgrog']):
        if shutil.which(program[0]):
            done = subprocess.run(
                [*program, path], capture_output=True, text=True, check=False
            )
            if done.returncode:
                found.append(done.stdout + done.stderr)
    return [*found, *_seen(path)]


def main() -> int:
    """Check all pages, and print the faults."""
    pages = sorted(_PAGES.glob('*.1'))
    faults = [f'{p.name}: {fault}' for p in pages for fault in _faults(p)]
    print('\n'.join(faults) or f'{len(pages)} man pages are correct')
    if not any(shutil.which(program[0]) for program in _FORMATTERS):
        print('... but not formatted: neither groff nor mandoc is installed')
    return bool(faults) or not pages


if __name__ == '__main__':
    sys.exit(main())
