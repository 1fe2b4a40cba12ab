# SPDX-License-Identifier: Apache-2.0

"""Check the man pages in doc/build/man.

It also runs mandoc and lexgrog, if they are installed.
"""

from pathlib import Path
import re
import shutil
import subprocess
import sys

_PAGES = Path(__file__).parents[1] / 'doc' / 'build' / 'man'

_ORDER = (
    *('NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS'),
    *('EXAMPLES', 'OUTPUT OPTIONS', 'SEE ALSO'),
)

#: The usable width of a man page in 80 columns.
_WIDTH = 78


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
    return found


def main() -> int:
    """Check all pages, and print the faults."""
    pages = sorted(_PAGES.glob('*.1'))
    faults = [f'{p.name}: {fault}' for p in pages for fault in _faults(p)]
    print('\n'.join(faults) or f'{len(pages)} man pages are correct')
    return bool(faults) or not pages


if __name__ == '__main__':
    sys.exit(main())
