# SPDX-License-Identifier: Apache-2.0

"""Fuzz the code that decodes responses, guided by coverage (with atheris).

``./run tox run -qe fuzz -- page -max_total_time=600`` runs one target for ten
minutes, and keeps the inputs that increase the coverage for the next run. An
input that breaks a promise is reported, and stored as ``crash-...`` or
``timeout-...``; the path of such a file, in place of the time, runs it again.
Other options of libFuzzer work, too.
"""

import logging
import os
import pathlib
import sys
import tempfile
import tracemalloc

from tests.fuzz import cost

#: A dictionary for mutations.
WORDS = (
    *('"images"', '"image"', '"images_links"', '"rel"', '"href"', '"next"'),
    *('"id"', '"name"', '"status"', '"progress"', '"minDisk"', '"minRam"'),
    *('"created"', '"updated"', '"OS-EXT-IMG-SIZE:size"', '"metadata"'),
    *('"server"', '"OS-DCF:diskConfig"', '"message"', '"title"', '"code"'),
    *('null', 'NaN', '-Infinity', '1e999', '\\ud83d', '\\ude00', '\\u0000'),
    *('<title>', '<br />', '&#27;', '\x1b]0;', '\u202e', 'GMT', '-0000'),
)

#: Bytes of memory for an input, beside those in proportion to its length.
MEMORY = 16 * 1024 * 1024


def check(target, data):
    """Check that an input keeps all promises, with little time and memory."""
    with cost.bounded(len(data), MEMORY):
        target(data)


def main():
    """Fuzz one target."""
    import atheris

    with atheris.instrument_imports(include=['osc_compute_images']):
        from tests.fuzz.targets import TARGETS
    name, *options = sys.argv[1:] or ['']
    if name not in TARGETS:
        sys.exit(
            f'usage: <target> [<option or file>...]: {", ".join(TARGETS)}'
        )
    where = os.environ.get('FUZZ_CORPUS') or tempfile.mkdtemp(prefix='fuzz-')
    corpus = pathlib.Path(where) / name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds, target = TARGETS[name]
    for number, seed in enumerate(seeds):
        (corpus / f'seed-{number}').write_bytes(seed)
    words = corpus.with_name('words')
    escaped = (''.join(f'\\x{b:02x}' for b in w.encode()) for w in WORDS)
    words.write_text(''.join(f'"{word}"\n' for word in escaped))
    limits = ('-timeout=10', '-rss_limit_mb=1024', '-max_len=20000')
    files = [] if any(os.path.isfile(o) for o in options) else [str(corpus)]
    artifacts = f'-artifact_prefix={corpus}-'
    logging.disable()
    atheris.Setup(
        [name, *files, *limits, artifacts, f'-dict={words}', *options],
        lambda data: check(target, data),
    )
    tracemalloc.start()
    atheris.Fuzz()


if __name__ == '__main__':
    main()
