# SPDX-License-Identifier: Apache-2.0

"""The table of faults in the documentation."""

import dataclasses
import os
import sys

import pytest
import requests

from robustness import report
from robustness.catalogue import GROUPS
from robustness.deletions import deleting
from robustness.outcome import End
from robustness.outcome import MANY
from robustness.outcome import outcome
from robustness.outcome import run
from robustness.scene import NOVA
from robustness.scene import Scene
from robustness.scene import stage

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


def test_page_is_generated_from_results():
    assert report.PAGE.read_text('utf-8') == report.page(report.load())


def test_results_cover_every_fault():
    results = report.load()
    faults = [fault.name for group in GROUPS.values() for fault in group]
    assert list(results['outcomes']) == faults
    assert all('this plugin' in of for of in results['outcomes'].values())


@pytest.mark.parametrize(
    ('end', 'expected'),
    [
        (ended('a\nb\nc\n'), 'complete list'),
        (ended('a\nb\nc\n', 'odd\n'), 'complete list, and a warning'),
        (ended('a\nb\n'), '**2 of 3, no error**'),
        (ended('a\nb\n', 'Entry 3 is odd\n'), '2 of 3, and a warning'),
        (ended('a\na\nb\nc\n'), '**duplicate images**; complete list'),
        (ended('a\nz\n'), '**lists foreign images**'),
        (ended('', 'No\n', 1), 'error'),
        (ended('', '<html>\nNo\n', 1), 'error, 2 lines'),
        (ended('a\n', 'No\n', 1), 'error, after 1 of 3'),
        (
            ended('a\n', 'No: add --marker a\n', 1, seconds=70),
            'error, after 1 of 3, says how to resume, in 70 s',
        ),
        (ended('', '', 1), '**fails without a message**'),
        (
            ended('', 'Traceback (most recent call last):\nKeyError: 1\n', 1),
            '**traceback** (KeyError)',
        ),
        (
            ended('', 'panic: odd\n\ngoroutine 1 [running]:\nmain()\n', 2),
            '**traceback** (panic)',
        ),
        (ended('a\n', code=None, seconds=60), '**still waiting after 60 s**'),
        (
            ended('a\na\n', code=None, endless=True),
            '**requests pages forever**',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_cell_describes_outcome(end, expected):
    assert words(end) == expected


def test_cell_reports_leaked_token_first():
    shown = words(ended('a\nb\nc\n'), elsewhere=True)
    assert shown == '**token sent there**; complete list'


@pytest.mark.parametrize(
    ('out', 'expected'),
    [
        ('| \x1b[2J |', '**controls the terminal**'),
        (r'| \x1b[2J |', 'escaped'),
    ],
)
def test_unescaped_control_characters_are_detected(out, expected):
    assert words(ended(out), shown='\x1b[2J') == expected


@pytest.mark.parametrize(
    ('end', 'expected'),
    [
        (ended(), '**success, but nothing changed**'),
        (ended('', 'No\n', 1), 'error'),
        (ended(code=None, seconds=60), '**still waiting after 60 s**'),
    ],
)
def test_writes_in_words(end, expected):
    became = outcome(end, IDS, ELSEWHERE, '', elsewhere=False, write=True)
    assert report.words(dataclasses.asdict(became)) == expected


@pytest.mark.parametrize(
    ('end', 'deleted', 'astray', 'expected'),
    [
        (ended(), 5, False, 'all deleted'),
        (ended(), 4, False, '**4 of 5 deleted, without an error**'),
        (
            ended('| keep | .. | kept | odd |'),
            4,
            False,
            '4 of 5 deleted, and the reason for the other',
        ),
        (ended('', 'No\n', 1), 0, False, 'error, 0 of 5 deleted'),
        (
            ended(code=None, seconds=60),
            2,
            False,
            '**still waiting after 60 s**, 2 of 5 deleted',
        ),
        (
            ended(),
            5,
            True,
            '**deletes something else**; all deleted',
        ),
    ],
)
def test_deletions_in_words(end, deleted, astray, expected):
    became = outcome(end, IDS, ELSEWHERE, '', elsewhere=False, write=True)
    more = {'chosen': 5, 'deleted': deleted, 'astray': astray}
    assert report.words({**dataclasses.asdict(became), **more}) == expected


def test_a_write_to_anything_but_the_selected_images_is_astray():
    scene = Scene(NOVA, 3, 2)
    first, second, third = scene.ids
    with stage(scene, deleting) as server:
        for method, url in (
            ('GET', f'{server.url}/v2.1/images/{third}'),
            ('DELETE', f'{server.url}/v2.1/images/{first}'),
            ('DELETE', f'{server.url}/v2.1/images/{third}'),
            ('DELETE', f'{server.url}/v2.1/images/{second}/metadata/k'),
            ('DELETE', f'{server.url}/v2.1/servers/{second}'),
            ('POST', f'{server.url}/v2.1/images/'),
            ('DELETE', f'{scene.foreign.url}/v2.1/images/{first}'),
        ):
            requests.request(method, url, timeout=60)
        assert scene.deleted == {first, third}
        assert scene.writes_astray(2) == [
            f'/v2.1/images/{third}',
            f'/v2.1/images/{second}/metadata/k',
            f'/v2.1/servers/{second}',
            '/v2.1/images/',
            f'/v2.1/images/{first}',
        ]


def python(code, seconds=60, pages=0, **more):
    command = [sys.executable, '-c', code]
    return run(command, dict(os.environ), seconds, lambda: pages, **more)


def test_process_is_stopped_after_timeout():
    end = python('print(1, flush=True); import time; time.sleep(60)', 0.5)
    assert (end.code, end.endless) == (None, False)


def test_process_is_stopped_after_too_many_requests():
    end = python('import time; time.sleep(60)', pages=MANY + 1)
    assert (end.code, end.endless) == (None, True)


def test_memory_of_process_is_limited():
    end = python('x = []\nwhile True: x.append(bytearray(0x1000000))')
    assert words(end) == '**memory exhausted**'


def test_output_to_terminal_is_captured():
    code = r'import sys; print(sys.stdout.isatty(), "\x1b[2J")'
    end = python(code, terminal=True)
    assert end.out == 'True \x1b[2J\r\n'
