# SPDX-License-Identifier: Apache-2.0

"""Signals while changes are made: what was done is printed and counted."""

import io
import os
import signal

import pytest

from osc_compute_images.changes import interruption
from testbed.fleet import server
from tests.unit.running import errors
from tests.unit.running import GO
from tests.unit.running import ID

DELETE = f'delete --type=snapshot {GO}'


@pytest.fixture(params=interruption.SIGNALS, ids=lambda number: number.name)
def interrupted(request, fleet):
    """Send a signal in the middle of the third deletion, before it is made."""
    handlers = [*map(signal.getsignal, interruption.SIGNALS)]

    def interrupt(method, path):
        if (method, path) == ('DELETE', f'/images/{ID[3]}'):
            os.kill(os.getpid(), request.param)

    fleet.before = interrupt
    yield 128 + request.param
    assert [*map(signal.getsignal, interruption.SIGNALS)] == handlers


@pytest.mark.parametrize('form', ['json', 'table'])
def test_rows_that_are_done_are_printed(app, fleet, interrupted, caplog, form):
    fleet.servers['x'] = server('x', image=ID[5])
    code, printed = app.run(DELETE, '-f', form)
    assert code == interrupted
    assert [i for i in ID[:6] if i in printed] == [ID[4], ID[5]]
    assert {*fleet.images} == {*ID[0:4], ID[5]}
    maybe, stopped = errors(caplog)
    assert f'image {ID[3]} may have been changed' in maybe
    # What is kept does not count.
    assert 'Stopped after 1 of 4 images' in stopped
    fleet.before = lambda _method, _path: None
    assert len(app.rows(DELETE)) == 4


def test_named_images(app, fleet, interrupted, caplog):
    names = ('none', ID[1], ID[3], ID[2])
    assert app.run('delete', *names) == (interrupted, '')
    assert {*fleet.images} == {ID[0], *ID[2:6]}
    assert 'Stopped after 1 of 3 images' in caplog.text


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
        with interruption.Interruption().watched():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)
