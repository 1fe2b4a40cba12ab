# SPDX-License-Identifier: Apache-2.0

"""Fuzz the code that decodes responses.

``./run fuzz 600`` runs for ten minutes, guided by coverage (with atheris), and
keeps the inputs that increase the coverage for the next run. An input that
breaks a promise is reported, and stored as ``crash-...`` or ``timeout-...``.
``./run fuzz --target page --again FILE`` runs it again.

Each target is a module with ``SEEDS``, the initial inputs, and ``check``,
which fails for an input that breaks a promise. Every input must also take
little time and memory.
"""

import argparse
import importlib
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import tracemalloc
from types import ModuleType
from typing import NoReturn

from tests.fuzz import cost

TARGETS = ('page', 'image', 'error', 'retry_after', 'text')

#: A dictionary for mutations.
WORDS = (
    *('"images"', '"image"', '"images_links"', '"rel"', '"href"', '"next"'),
    *('"id"', '"name"', '"status"', '"progress"', '"minDisk"', '"minRam"'),
    *('"created"', '"updated"', '"OS-EXT-IMG-SIZE:size"', '"metadata"'),
    *('"server"', '"OS-DCF:diskConfig"', '"message"', '"title"', '"code"'),
    *('null', 'NaN', '-Infinity', '1e999', '\\ud83d', '\\ude00', '\\u0000'),
    *('<title>', '<br />', '&#27;', '\x1b]0;', '\u202e', 'GMT', '-0000'),
)


def load(target: str) -> ModuleType:
    """Import a target."""
    return importlib.import_module(f'tests.fuzz.{target}')


#: Limits for an input, in addition to those in proportion to its length: bytes
#: of memory, and seconds of CPU time.
MEMORY = 16 * 1024 * 1024
SECONDS = 5.0


def check(target: ModuleType, data: bytes) -> None:
    """Check that an input keeps all promises."""
    with cost.bounded(len(data), MEMORY, SECONDS):
        target.check(data)


def fuzz(target: str, seconds: int) -> NoReturn:
    """Fuzz one target, and exit: with 0 if there were no failures."""
    import atheris

    with atheris.instrument_imports(include=['osc_compute_images']):
        module = load(target)
    where = pathlib.Path(
        os.environ.get('FUZZ_CORPUS') or tempfile.mkdtemp(prefix='fuzz-')
    )
    corpus = where / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(module.SEEDS):
        (corpus / f'seed-{number}').write_bytes(seed)
    words = where / 'words'
    words.write_text(''.join(f'"{_escaped(word)}"\n' for word in WORDS))
    logging.disable()
    atheris.Setup(
        [
            target,
            str(corpus),
            f'-max_total_time={seconds}',
            f'-artifact_prefix={where / target}-',
            f'-dict={words}',
            '-timeout=10',
            '-rss_limit_mb=1024',
            '-max_len=20000',
            '-verbosity=0',
            '-print_final_stats=1',
        ],
        lambda data: check(module, data),
    )
    tracemalloc.start()
    atheris.Fuzz()
    raise AssertionError('it does not return')


def _escaped(word: str) -> str:
    return ''.join(f'\\x{byte:02x}' for byte in word.encode())


def main() -> int:
    """Fuzz all targets or one, or run an input again."""
    parser = argparse.ArgumentParser(prog='./run fuzz')
    parser.add_argument('seconds', nargs='?', type=int, default=60)
    parser.add_argument('--target', choices=TARGETS)
    parser.add_argument('--again', metavar='FILE', type=pathlib.Path)
    args = parser.parse_args()
    if args.again:
        if not args.target:
            parser.error('--again needs the --target that FILE is for')
        check(load(args.target), args.again.read_bytes())
        print('This input keeps all promises')
        return 0
    if args.target:
        fuzz(args.target, args.seconds)
    each = max(1, args.seconds // len(TARGETS))
    failed = []
    for target in TARGETS:
        print(f'{target}: {each} seconds', flush=True)
        words = [f'{each}', '--target', target]
        done = subprocess.run(
            [sys.executable, '-m', 'tests.fuzz', *words], check=False
        )
        if done.returncode:
            failed.append(target)
    print(f'Broken: {", ".join(failed)}' if failed else 'Nothing was found')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
