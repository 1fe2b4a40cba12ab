# SPDX-License-Identifier: Apache-2.0

"""The ``compute-image`` command: these commands without OpenStackClient.

``compute-image list`` runs the same class as ``openstack compute image list``
in less than half the time: it loads no other commands, and only the
configuration of openstacksdk.
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
    """Avoid slow imports that are not used.

    ``import openstack.config`` would run the ``__init__`` of ``openstack``,
    which imports every service. ``strutils`` compiles many patterns at import,
    and only debug messages need them: it is loaded lazily.
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
    """The commands of this distribution, without "compute image"."""

    def __init__(self, distribution: importlib.metadata.Distribution) -> None:
        super().__init__(None)
        for point in distribution.entry_points:
            if point.group == _GROUP and point.name.startswith(_PREFIX):
                name = point.name.removeprefix(_PREFIX).replace('_', ' ')
                self.commands[name] = point


class _Options:
    """A parser without the global --timeout, which is an option of show."""

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
    """The part of osc-lib's client manager that the commands use."""

    session: Any = None
    #: Has a ``CloudRegion`` only; a real connection would import all services.
    sdk_connection = types.SimpleNamespace(config=None)

    def log_in(self, session: Any, cloud: Any) -> None:
        """Log in now, so that the shell reports a failure."""
        self.session = session
        self.sdk_connection = types.SimpleNamespace(config=cloud)
        # Plugins that do not use Keystone lack this method.
        if hasattr(session.auth, 'get_access'):
            session.auth.get_access(session)

    def close(self) -> None:
        """Cache the token, if configured, and close the connections."""
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
    """The ``self.app`` of the commands.

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
        # It looks for --os-auth-type and the like, to register their options.
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

        # OpenStackClient's names of the options.
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
        """Log in, if the command needs it and has not done so."""
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
        # Invalid configuration.
        print(e, file=sys.stderr)
        return 1
    return shell.run(argv or ['--help'])
