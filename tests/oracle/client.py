# SPDX-License-Identifier: Apache-2.0

"""Run the real commands, without a shell, threads, sleep or a terminal."""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import functools
import io
import json
import logging
import pathlib
import sys
import tempfile
import time
from typing import Any
from unittest import mock

from osc_lib import exceptions
from osc_lib.cli import client_config

from osc_compute_images.api import _threads
from osc_compute_images.commands.delete import DeleteComputeImage
from osc_compute_images.commands.prune import PruneComputeImages
from testbed import nova

_KINDS = {'delete': DeleteComputeImage, 'prune': PruneComputeImages}
_CLOUD = {
    'auth_type': 'v3password',
    'auth': {
        'auth_url': f'{nova.KEYSTONE}/v3',
        'username': 'demo',
        'password': 'secret',
        'project_name': 'demo',
        'user_domain_name': 'Default',
        'project_domain_name': 'Default',
    },
    'region_name': 'r0',
}


class _Terminal(io.StringIO):
    """A terminal whose user approves.

    :ivar asked: called when the user is asked
    """

    asked: Callable[[], object] = staticmethod(lambda: None)

    def isatty(self) -> bool:
        return True

    def readline(self, *_size: Any) -> str:
        self.asked()
        return 'y\n'


class _App:
    """Stands for the shell."""

    options = argparse.Namespace(
        verbose_level=0, cloud='mycloud', region_name='', timing=False
    )
    options.debug = False

    def __init__(self) -> None:
        self.stdout = io.StringIO()
        self.cloud_config = _config()
        self.client_manager = argparse.Namespace()
        self.timing_data: list[Any] = []

    def prepare_to_run_command(self, _command: Any) -> None:
        settings = self.cloud_config.get_one(
            cloud='mycloud', argparse=self.options
        )
        self.client_manager.session = settings.get_session()
        self.client_manager.sdk_connection = argparse.Namespace(
            config=settings
        )


@functools.cache
def _config() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'clouds.yaml'
        file.write_text(json.dumps({'clouds': {'mycloud': _CLOUD}}))
        return client_config.OSC_Config(
            config_files=[str(file)], secure_files=[], load_envvars=False
        )


@functools.cache
def _command(name: str) -> tuple[Any, argparse.ArgumentParser]:
    # NOTE: to make a parser takes longer than most commands.
    command = _KINDS[name](_App(), None)
    return command, command.get_parser('openstack')


def _serial(
    keys: Iterable[Any], call: Callable[[Any], Any], **_options: Any
) -> Iterator[Any]:
    return map(call, list(keys))


@contextlib.contextmanager
def at_once(now: Callable[[], float], sleep: Any) -> Iterator[None]:
    """Make the commands deterministic: one thread, and another clock."""
    with (
        mock.patch.object(_threads, 'map_in_threads', _serial),
        mock.patch.object(time, 'monotonic', now),
        mock.patch.object(time, 'sleep', sleep),
    ):
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def run(
    name: str, words: list[str], asked: Callable[[], object]
) -> tuple[int, list[dict[str, str]]]:
    """Run a command.

    :param asked: called when the command asks for approval
    :returns: its exit code, and the rows that it prints
    """
    command, parser = _command(name)
    command.app = app = _App()
    command.sessions = []
    terminal = _Terminal()
    terminal.asked = asked  # type: ignore[method-assign]
    with (
        mock.patch.object(sys, 'stdin', terminal),
        mock.patch.object(sys, 'stderr', _Terminal()),
    ):
        try:
            code = command.run(parser.parse_args([*words, '-f', 'json']))
        except exceptions.CommandError:
            code = 1
    return code, json.loads(app.stdout.getvalue() or '[]')
