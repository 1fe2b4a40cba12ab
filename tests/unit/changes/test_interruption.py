# SPDX-License-Identifier: Apache-2.0

"""Signals while changes are made: what was done is printed and counted."""

import io
import json
import os
import signal

import pytest

from osc_compute_images.changes.interruption import Interruption
from testbed.fleet import server
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID

SIGNALS = [
    getattr(signal, name)
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP')
    if hasattr(signal, name)
]
DELETE = f'delete --type=snapshot {GO}'
DELETED = f'DELETE /images/{ID[3]}'


@pytest.fixture(params=SIGNALS, ids=lambda number: number.name)
def interrupted(request, fleet):
    """Send a signal in the middle of the third deletion, before it is made."""
    handlers = [signal.getsignal(number) for number in SIGNALS]

    def interrupt(method, path):
        if f'{method} {path}' == DELETED:
            os.kill(os.getpid(), request.param)

    fleet.before = interrupt
    yield 128 + request.param
    assert [signal.getsignal(number) for number in SIGNALS] == handlers


READERS = {
    'json': lambda text: [row['ID'] for row in json.loads(text)],
    'table': lambda text: [
        line.split('|')[2].strip() for line in text.splitlines()[3:-1]
    ],
}


@pytest.mark.parametrize('form', READERS)
def test_rows_that_are_done_are_printed(app, fleet, interrupted, caplog, form):
    code, printed = app.run(DELETE, '-f', form)
    assert code == interrupted
    assert READERS[form](printed) == [ID[5], ID[4]]
    assert {*fleet.images} == {*ID[0:4]}
    maybe, stopped = errors(caplog)
    assert f'image {ID[3]} may have been changed' in maybe
    assert 'Stopped after 2 of 5 images' in stopped
    fleet.before = lambda _method, _path: None
    assert len(app.rows(DELETE)) == 3


def test_named_images(app, fleet, interrupted, caplog):
    names = ('none', ID[1], ID[3], ID[2])
    assert app.run('delete', *names) == (interrupted, '')
    assert {*fleet.images} == {ID[0], *ID[2:6]}
    assert 'Stopped after 1 of 3 images' in caplog.text


def test_images_that_are_kept_do_not_count(app, fleet, interrupted, caplog):
    fleet.servers['x'] = server('x', image=ID[5])
    got = app.rows(DELETE, code=interrupted)
    assert [row['Result'] for row in got] == ['kept', 'done']
    assert 'Stopped after 1 of 4 images' in caplog.text


def test_signal_between_two_changes(app, fleet, caplog):
    class Stdout(io.StringIO):
        def write(self, text):
            if ID[4] in text:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().write(text)

    app.stdout = Stdout()
    assert app.run(DELETE, '-f', 'value')[0] == 128 + signal.SIGTERM
    assert {*fleet.images} == {*ID[0:4]}
    # No request was interrupted.
    [message] = errors(caplog)
    assert message.startswith('Stopped after 2 of 5 images')


@pytest.mark.skipif(not hasattr(signal, 'SIGHUP'), reason='not on Windows')
def test_ignored_signals_stay_ignored():
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption().watched():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)
