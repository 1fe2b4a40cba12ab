# SPDX-License-Identifier: Apache-2.0

"""How commands are run, from the parser to mocked HTTP, and on which cloud."""

import argparse
import contextlib
import importlib.metadata
import io
import json
import logging
import os
import time
from unittest import mock

from osc_lib.cli import client_config

from testbed import nova
from testbed.fleet import Fleet
from testbed.fleet import server
from testbed.fleet import snapshot

#: The classes of the commands, as the clients load them.
COMMANDS = {
    point.name.removeprefix('compute_image_'): point.load()
    for point in importlib.metadata.distribution(
        'osc-compute-images'
    ).entry_points.select(group='openstack.compute.v2')
}

AUTH = {
    'auth_url': f'{nova.KEYSTONE}/v3',
    'username': 'demo',
    'password': 'secret',
    'project_name': 'demo',
    'user_domain_name': 'Default',
    'project_domain_name': 'Default',
}
CLOUD = {'auth_type': 'v3password', 'auth': AUTH, 'region_name': 'RegionOne'}
#: The Compute endpoint of a second region.
TWO = 'http://nova-two.example.com/v2.1'

ID = [nova.image_id(n) for n in range(20)]
WEB = 'b0a2f2d4-0000-4000-8000-000000000001'
DB = 'b0a2f2d4-0000-4000-8000-000000000002'
GO = '--auto-approve'
DRY = '--dry-run'


def day(number):
    """Return a time."""
    return f'2025-11-{number:02}T12:00:00Z'


def images():
    """Return a base image, three snapshots of web, and two of db."""
    return [
        nova.image(0, created='2025-10-01T12:00:00Z'),
        *(snapshot(n, WEB, created=day(n)) for n in (1, 2, 3)),
        *(snapshot(n, DB, created=day(n)) for n in (4, 5)),
    ]


def new_fleet():
    """Return these images and two servers; web was booted from the first."""
    servers = [server(WEB, 'web', image=ID[0]), server(DB, 'db')]
    return Fleet(images(), servers)


class App:
    """Replaces the shell; the configuration is a real one.

    :param folder: the folder of ``clouds.yaml``
    :param clouds: clouds in addition to ``mycloud``
    :param settings: additional settings of ``mycloud``
    """

    def __init__(self, folder, clouds=None, **settings):
        file = folder / 'clouds.yaml'
        clouds = {'mycloud': {**CLOUD, **settings}, **(clouds or {})}
        file.write_text(json.dumps({'clouds': clouds}))
        self.stdout = io.StringIO()
        self.parser = argparse.ArgumentParser()
        self.options = argparse.Namespace(
            verbose_level=1,
            cloud='mycloud',
            region_name='',
            timing=False,
            debug=False,
        )
        self.cloud_config = client_config.OSC_Config(
            config_files=[str(file)], secure_files=[], load_envvars=False
        )
        self.client_manager = argparse.Namespace()
        self.timing_data = []

    def prepare_to_run_command(self, command):
        """Log in."""
        assert command.auth_required
        settings = self.cloud_config.get_one(
            cloud=self.options.cloud, argparse=self.options
        )
        self.client_manager.session = settings.get_session()
        self.client_manager.sdk_connection = argparse.Namespace(
            config=settings
        )

    def run(self, command, *words):
        """Run a command; return its exit code and output.

        :param command: its class, or a line such as ``delete --all``
        :param words: more arguments, which may have spaces
        """
        if isinstance(command, str):
            name, *first = command.split()
            command, words = COMMANDS[name], (*first, *words)
        made = command(self, None)
        # NOTE: cliff would look for hooks of this name.
        names = {kind: name for name, kind in COMMANDS.items()}
        made.cmd_name = names.get(command)
        code = made.run(made.get_parser('openstack x').parse_args([*words]))
        printed = self.stdout.getvalue()
        self.stdout.truncate(self.stdout.seek(0))
        return code, printed

    def rows(self, command, *words, code=0):
        """Run a command, check its exit code, and return the rows."""
        got, printed = self.run(command, '-f', 'json', *words)
        assert got == code
        return json.loads(printed)

    def acted(self, command, *words, code=0):
        """Run a command; return what it does, or would do, to which image."""
        return [
            (row['Action'], ID.index(row['ID']))
            for row in self.rows(command, *words, code=code)
        ]


def errors(caplog):
    """Return the errors on stderr, without warnings."""
    return [r.getMessage() for r in caplog.records if r.levelname == 'ERROR']


@contextlib.contextmanager
def local_zone(zone):
    """Set the local time zone for a while; Windows cannot."""
    tzset = getattr(time, 'tzset', lambda: None)
    try:
        with mock.patch.dict(os.environ, TZ=zone):
            tzset()
            yield
    finally:
        tzset()


@contextlib.contextmanager
def kept_logging():
    """Restore the logging that a shell configures."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


class Terminal(io.StringIO):
    """A terminal, with the input of its user."""

    def isatty(self):
        return True
