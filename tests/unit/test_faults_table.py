# SPDX-License-Identifier: Apache-2.0

"""The table of faults: what it is made of, and that it is made of it."""

import dataclasses
import os
import sys

import pytest

from robustness import report
from robustness.catalogue import GROUPS
from robustness.outcome import End
from robustness.outcome import MANY
from robustness.outcome import outcome
from robustness.outcome import run

IDS = ['a', 'b', 'c']
ELSEWHERE = 'z'


def words(end, *, shown='', elsewhere=False):
    became = outcome(end, IDS, ELSEWHERE, shown, elsewhere=elsewhere)
    return report.words(dataclasses.asdict(became))


def ended(out='', err='', code=0, **more):
    return End(
        **{'endless': False, 'seconds': 1, 'peak': 0, **more}
        | {'out': out, 'err': err, 'code': code}
    )


def test_the_page_of_the_documentation_is_made_of_the_results():
    assert report.PAGE.read_text('utf-8') == report.page(report.load())


def test_this_plugin_has_met_every_fault():
    results = report.load()
    faults = [fault.name for group in GROUPS.values() for fault in group]
    assert list(results['outcomes']) == faults
    assert all('this plugin' in of for of in results['outcomes'].values())


@pytest.mark.parametrize(
    ('end', 'expected'),
    [
        (ended('a\nb\nc\n'), 'complete list'),
        (ended('a\nb\nc\n', 'odd\n'), 'complete list, and a warning'),
        (ended('a\nb\n'), '**2 of 3, without a word**'),
        (ended('a\nb\n', 'Entry 3 is odd\n'), '2 of 3, and a warning'),
        (ended('a\na\nb\nc\n'), '**images twice**; complete list'),
        (ended('a\nz\n'), '**lists what is there**'),
        (ended('', 'No\n', 1), 'error'),
        (ended('', '<html>\nNo\n', 1), 'error, 2 lines'),
        (ended('a\n', 'No\n', 1), 'error, after 1 of 3'),
        (
            ended('a\n', 'No: add --marker a\n', 1, seconds=70),
            'error, after 1 of 3, and how to go on, in 70 s',
        ),
        (ended('', '', 1), '**fails without a word**'),
        (
            ended('', 'Traceback (most recent call last):\nKeyError: 1\n', 1),
            '**traceback** (KeyError)',
        ),
        (
            ended('', 'panic: odd\n\ngoroutine 1 [running]:\nmain()\n', 2),
            '**traceback** (panic)',
        ),
        (ended('a\n', code=None, seconds=60), '**still waiting after 60 s**'),
        (ended('a\na\n', code=None, endless=True), '**asks for ever**'),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_an_outcome_is_told_in_a_few_words(end, expected):
    assert words(end) == expected


def test_a_token_that_went_elsewhere_is_told_first():
    told = words(ended('a\nb\nc\n'), elsewhere=True)
    assert told == '**token sent there**; complete list'


@pytest.mark.parametrize(
    ('out', 'expected'),
    [
        ('| \x1b[2J |', '**acts on the terminal**'),
        (r'| \x1b[2J |', 'shown escaped'),
    ],
)
def test_what_acts_on_a_terminal_is_seen(out, expected):
    assert words(ended(out), shown='\x1b[2J') == expected


def python(code, seconds=60, pages=0, **more):
    command = [sys.executable, '-c', code]
    return run(command, dict(os.environ), seconds, lambda: pages, **more)


def test_a_process_that_does_not_end_is_stopped():
    end = python('print(1, flush=True); import time; time.sleep(60)', 0.5)
    assert (end.code, end.endless) == (None, False)


def test_a_process_that_asks_for_ever_is_stopped():
    end = python('import time; time.sleep(60)', pages=MANY + 1)
    assert (end.code, end.endless) == (None, True)


def test_the_memory_of_a_process_has_a_limit():
    end = python('x = []\nwhile True: x.append(bytearray(0x1000000))')
    assert words(end) == '**memory exhausted**'


def test_what_a_terminal_is_sent_is_read():
    code = r'import sys; print(sys.stdout.isatty(), "\x1b[2J")'
    end = python(code, terminal=True)
    assert end.out == 'True \x1b[2J\r\n'
