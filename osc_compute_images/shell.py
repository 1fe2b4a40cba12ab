# SPDX-License-Identifier: Apache-2.0

"""The ``compute-image`` command: these commands without OpenStackClient.

``compute-image list`` runs the same class as ``openstack compute image list``
in less than half the time: it loads no other commands, and only the
configuration of openstacksdk.
"""

import argparse
from collections.abc import Sequence
import importlib.metadata
import importlib.util
import logging
import os
import sys
import types
from typing import Any

from cliff import app
from cliff import commandmanager
from osc_lib.i18n import _

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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


def _password(prompt: str | None = None) -> str:
    # NOTE: imported here, as it imports all of the shell.
    from osc_lib import shell

    return shell.prompt_for_password(prompt)


class ComputeImageShell(app.App):
    """The ``self.app`` of the commands.

    :param argv: the command line, without the name of the program
    """

    def __init__(self, argv: Sequence[str]) -> None:
        from osc_lib.cli import client_config

        self._argv = argv
        # For warnings of skipped files; logging is not configured yet.
        self._early = logging.StreamHandler()
        logging.getLogger('openstack').addHandler(self._early)
        #: The part of osc-lib's client manager that the commands use. A real
        #: connection would import all services.
        self.client_manager = types.SimpleNamespace(
            session=None, sdk_connection=types.SimpleNamespace(config=None)
        )
        self.timing_data: list[Any] = []
        self.cloud_config = client_config.OSC_Config(
            pw_func=_password,
            override_defaults={'interface': 'public', 'auth_type': 'password'},
        )
        distribution = importlib.metadata.distribution('osc-compute-images')
        super().__init__(
            description=_('List and change images of the Compute service'),
            version=distribution.version,
            command_manager=_Commands(distribution),
            deferred_help=True,
        )

    def build_option_parser(
        self, *args: Any, **kwargs: Any
    ) -> argparse.ArgumentParser:
        parser = super().build_option_parser(*args, **kwargs)
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
        parser.add_argument(
            '--timing',
            action='store_true',
            help=_('Print API call timing info'),
        )
        return parser

    def configure_logging(self) -> None:
        from osc_lib import logs

        logging.getLogger('openstack').removeHandler(self._early)
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
            manager.sdk_connection.config = cloud
            manager.session = _logins.session(cmd, cloud)
            # Log in now, so that the shell reports a failure. Plugins that do
            # not use Keystone lack this method.
            if hasattr(manager.session.auth, 'get_access'):
                manager.session.auth.get_access(manager.session)

    def clean_up(
        self, cmd: Any, result: int, err: BaseException | None
    ) -> None:
        """Cache the token, if configured, and close the connections."""
        super().clean_up(cmd, result, err)
        manager = self.client_manager
        if manager.sdk_connection.config is not None:
            manager.sdk_connection.config.set_auth_cache()
        if manager.session is not None:
            manager.session.session.close()
            if self.options.timing:
                self._print_timing(cmd)

    def _print_timing(self, cmd: Any) -> None:
        from cliff.formatters import table
        from osc_lib.command import timing

        self.timing_data.extend(self.client_manager.session.get_timings())
        formatter = getattr(cmd, 'formatter', None)
        # As the client does.
        is_csv = formatter and not isinstance(formatter, table.TableFormatter)
        words = ['-f', 'csv' if is_csv else 'table']
        self.stdout.write('\n')
        command = timing.Timing(self, self.options)
        command.run(command.get_parser('Timing').parse_args(words))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``compute-image``; return its exit code."""
    argv = sys.argv[1:] if argv is None else [*argv]
    _import_less()
    try:
        shell = ComputeImageShell(argv)
    except Exception as e:  # noqa: BLE001
        # Invalid configuration. For an unknown authentication type,
        # OpenStackClient prints keystoneauth's message.
        is_plugin = type(e.__context__).__name__ == 'NoMatchingPlugin'
        print(e.__context__ if is_plugin else e, file=sys.stderr)
        is_option = any(w.startswith('--os-auth-type') for w in argv)
        return 2 if is_plugin and is_option else 1
    return shell.run(argv or ['--help'])
