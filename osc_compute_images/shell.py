# SPDX-License-Identifier: Apache-2.0

"""The ``compute-image`` command: our commands without the rest of the client.

``compute-image list`` runs the class that ``openstack compute image list``
runs, in less than half of the time: it loads no other commands, and of
openstacksdk its configuration only.
"""

import argparse
from collections.abc import Sequence
import getpass
import importlib.metadata
import importlib.util
import os
import sys
import types
from typing import Any

from cliff import app
from cliff import commandmanager
from osc_lib import exceptions
from osc_lib.i18n import _

_DISTRIBUTION = 'osc-compute-images'
_GROUP = 'openstack.compute.v2'
_PREFIX = 'compute_image_'


def _import_less() -> None:
    """Leave out what takes half of the time, and is not used.

    ``import openstack.config`` imports the package ``openstack`` first, whose
    ``__init__`` imports every service; its modules can still be imported. The
    patterns by which ``strutils`` finds passwords are compiled when a debug
    message needs them.
    """
    spec = importlib.util.find_spec('openstack')
    if spec is not None and 'openstack' not in sys.modules:
        sys.modules['openstack'] = importlib.util.module_from_spec(spec)
    lazy = importlib.util.find_spec('oslo_utils.strutils')
    if lazy is not None and lazy.loader is not None:
        lazy.loader = importlib.util.LazyLoader(lazy.loader)
        sys.modules[lazy.name] = module = importlib.util.module_from_spec(lazy)
        lazy.loader.exec_module(module)


class _Commands(commandmanager.CommandManager):
    """The commands of this distribution, by what follows "compute image"."""

    def __init__(self, distribution: importlib.metadata.Distribution) -> None:
        super().__init__(None)
        for point in distribution.entry_points:
            if point.group == _GROUP and point.name.startswith(_PREFIX):
                name = point.name.removeprefix(_PREFIX).replace('_', ' ')
                self.commands[name] = point


class _Options:
    """A parser without an option that is a command's: ``show --timeout``."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def add_argument(self, *names: str, **how: Any) -> None:
        if '--timeout' not in names:
            self._parser.add_argument(*names, **how)

    def add_argument_group(self, *words: Any, **how: Any) -> '_Options':
        return _Options(self._parser.add_argument_group(*words, **how))

    def parse_known_args(self, argv: Sequence[str]) -> Any:
        return self._parser.parse_known_args(argv)


class _ClientManager:
    """What the commands use of osc-lib's class of this name."""

    session: Any = None
    #: Has openstacksdk's ``CloudRegion``; a connection would import all
    #: services.
    sdk_connection = types.SimpleNamespace(config=None)

    def log_in(self, session: Any, cloud: Any) -> None:
        """Log in, so that a failure is told as the shell tells it."""
        self.session = session
        self.sdk_connection = types.SimpleNamespace(config=cloud)
        # A plugin that does not ask Keystone has no such method.
        if hasattr(session.auth, 'get_access'):
            session.auth.get_access(session)

    def close(self) -> None:
        """Store the token where the user has asked for that, and hang up."""
        if self.sdk_connection.config is not None:
            self.sdk_connection.config.set_auth_cache()
        if self.session is not None:
            self.session.session.close()


def _password(prompt: str | None = None) -> str:
    entered = None
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            entered = getpass.getpass(prompt or 'Password: ')
        except EOFError:
            entered = None
    if not entered:
        raise exceptions.CommandError(
            _('No password entered, or found via --os-password or OS_PASSWORD')
        )
    return entered


class ComputeImageShell(app.App):
    """What the commands find in ``self.app``.

    :param argv: the command line, without the name of the program
    """

    def __init__(self, argv: Sequence[str]) -> None:
        from osc_lib.cli import client_config

        self._argv = argv
        self.client_manager = _ClientManager()
        self.timing_data: list[Any] = []
        self.cloud_config = client_config.OSC_Config(
            pw_func=_password,
            override_defaults={'interface': 'public', 'auth_type': 'password'},
        )
        distribution = importlib.metadata.distribution(_DISTRIBUTION)
        super().__init__(
            description=_(
                'Show and change images, through the Compute service'
            ),
            version=distribution.version,
            command_manager=_Commands(distribution),
            deferred_help=True,
        )

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,
    ) -> argparse.ArgumentParser:
        parser = super().build_option_parser(
            description, version, argparse_kwargs
        )
        # It looks for what chooses the options of authentication.
        words = [w for w in self._argv if not w.startswith('--ti')]
        options: Any = _Options(parser)
        self.cloud_config.register_argparse_arguments(options, words)
        parser.add_argument(
            '--os-default-domain',
            metavar='<auth-domain>',
            dest='default_domain',
            default=os.environ.get('OS_DEFAULT_DOMAIN', 'default'),
            help=_('Default domain ID, default=default'),
        )
        return parser

    def configure_logging(self) -> None:
        from osc_lib import logs

        # As the client names them.
        self.options = argparse.Namespace(
            **{k.removeprefix('os_'): v for k, v in vars(self.options).items()}
        )
        self._logs = logs.LogConfigurator(self.options)

    def initialize_app(self, argv: list[str]) -> None:
        super().initialize_app(argv)
        self._logs.configure(
            self.cloud_config.get_one(argparse=self.options, validate=False)
        )

    def prepare_to_run_command(self, cmd: Any) -> None:
        """Log in, if the command says so and that is not done yet."""
        manager = self.client_manager
        if getattr(cmd, 'auth_required', False) and manager.session is None:
            from osc_compute_images.commands import _logins

            cloud = self.cloud_config.get_one(argparse=self.options)
            manager.log_in(_logins.session(cmd, cloud), cloud)

    def clean_up(
        self, cmd: Any, result: int, err: BaseException | None
    ) -> None:
        super().clean_up(cmd, result, err)
        self.client_manager.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``compute-image``; return its exit code."""
    argv = sys.argv[1:] if argv is None else [*argv]
    _import_less()
    try:
        shell = ComputeImageShell(argv)
    except Exception as e:  # noqa: BLE001
        # The configuration cannot be read.
        print(e, file=sys.stderr)
        return 1
    return shell.run(argv or ['--help'])
