# SPDX-License-Identifier: Apache-2.0

"""Check the man pages in doc/build/man.

A page is also formatted as a reader sees it, with groff or mandoc; mandoc and
lexgrog check it, if they are installed.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
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
_FORMATTERS = {
    'groff': ('-t', '-man', '-T', 'utf8', '-P', '-c'),
    'mandoc': ('-T', 'utf8'),
}

#: Programs that check its source.
_CHECKERS = {'mandoc': ('-T', 'lint'), 'lexgrog': ()}


def _run(
    programs: Mapping[str, Sequence[str]], path: Path
) -> Iterator[tuple[str, int, str]]:
    """Run those that are installed; yield names, exit codes and outputs."""
    for name, words in programs.items():
        if shutil.which(name):
            done = subprocess.run(
                [name, *words, path], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            yield name, done.returncode, done.stdout


def _codes(text: str) -> list[tuple[str, ...]]:
    """Return the rows of the table of exit codes in a formatted page."""
    section = text.partition('\nEXIT STATUS\n')[2]
    # The next title is not indented.
    section = re.split(r'\n(?=\w)', section)[0]
    rows: list[list[str]] = []
    for line in section.splitlines():
        cells = [
            ' '.join(cell.split()) for cell in re.split('[│|]', line)[1:-1]
        ]
        if cells and cells[0]:
            rows.append(cells)
        elif cells:
            # The rest of the cells above, with an empty code.
            pairs = zip(rows[-1], cells, strict=True)
            rows[-1] = [' '.join(pair).strip() for pair in pairs]
    # Without the header.
    return [tuple(row) for row in rows[1:]]


def _in_format(path: Path) -> Iterator[str]:
    """Yield what is wrong with what a reader sees."""
    name = path.stem.removeprefix('openstack-')
    last = name.rpartition('-')[2]
    is_program = name == 'compute-image'
    expected = [
        *(exit_codes.of_all() if is_program else exit_codes.of_command(last))
    ]
    for program, code, printed in _run(_FORMATTERS, path):
        text = re.sub(r'.\x08', '', printed)
        if code:
            yield f'{program} fails: {text}'
        if re.search(r'T[{}]', text):
            yield f'{program} shows commands of tbl'
        if (codes := _codes(text)) != expected:
            yield f'{program} shows the exit codes {codes}, not {expected}'
        if f' {path.stem}(1)' in text.rpartition('SEE ALSO')[2]:
            yield f'{program} shows the page itself below SEE ALSO'


def _in_source(path: Path) -> Iterator[str]:
    text = path.read_text()
    sections = re.findall(r'^\.SH (.*)$', text, re.MULTILINE)
    needed = [n for n in _ORDER if n in sections or n != 'OUTPUT OPTIONS']
    if [name for name in sections if name in _ORDER] != needed:
        yield f'the sections are {", ".join(sections)}'
    [(title, group)] = re.findall(
        r'^\.TH "(.*?)" "1" ".*?" ".*?" "(.*?)"$', text, re.MULTILINE
    )
    if 2 * len(f'{title}(1)') + len(f' {group} ') > _WIDTH:
        yield 'the header is too wide'
    if '<>' in text:
        yield 'a link leads nowhere'
    yield from (said for _, code, said in _run(_CHECKERS, path) if code)


def main() -> int:
    """Check all pages, and print the faults."""
    pages = sorted(_PAGES.glob('*.1'))
    faults = [
        f'{page.name}: {fault}'
        for page in pages
        for check in (_in_source, _in_format)
        for fault in check(page)
    ]
    print('\n'.join(faults) or f'{len(pages)} man pages are correct')
    if not any(map(shutil.which, _FORMATTERS)):
        print('... but not formatted: neither groff nor mandoc is installed')
    return bool(faults) or not pages


if __name__ == '__main__':
    sys.exit(main())
