# SPDX-License-Identifier: Apache-2.0

"""Run the real commands, without a shell, threads, sleep or a terminal."""

import contextlib
import functools
import io
import json
import logging
import pathlib
import sys
import tempfile
import time
from unittest import mock

from osc_lib import exceptions

from osc_compute_images.api import _threads
from tests.unit.running import App
from tests.unit.running import COMMANDS
from tests.unit.running import Terminal


@functools.cache
def _command(name):
    # NOTE: to make a parser takes longer than most commands.
    with tempfile.TemporaryDirectory() as folder:
        app = App(pathlib.Path(folder), region_name='r0')
    command = COMMANDS[name](app, None)
    return command, command.get_parser('openstack')


@contextlib.contextmanager
def at_once(now, sleep):
    """Make the commands deterministic: one thread, and another clock."""

    def map_(keys, call, **_options):
        return map(call, list(keys))

    with (
        mock.patch.object(_threads, 'map_in_threads', map_),
        mock.patch.object(time, 'monotonic', now),
        mock.patch.object(time, 'sleep', sleep),
    ):
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def run(name, words, asked):
    """Run a command; return its exit code, and the rows that it prints.

    :param asked: called when the command asks for approval, which is given
    """
    command, parser = _command(name)
    command.logins = []
    stdout = command.app.stdout = io.StringIO()
    terminal = Terminal()
    terminal.readline = lambda *_size: asked() or 'y\n'
    with (
        mock.patch.object(sys, 'stdin', terminal),
        mock.patch.object(sys, 'stderr', Terminal()),
    ):
        try:
            code = command.run(parser.parse_args([*words, '-f', 'json']))
        except exceptions.CommandError:
            code = 1
    return code, json.loads(stdout.getvalue() or '[]')
