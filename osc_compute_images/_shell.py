# SPDX-License-Identifier: Apache-2.0

"""The shell of ``compute-image``, with the configuration of ``openstack``."""

import argparse
from collections.abc import Iterable
import importlib.metadata
import sys
import types
from typing import Any

from cliff import commandmanager
from osc_lib import clientmanager
from osc_lib import shell
from osc_lib import utils
from osc_lib.api import auth
from osc_lib.cli import client_config
from oslo_utils import strutils

_GROUP = 'openstack.compute.v2'
_PREFIX = 'compute_image_'
#: Services whose API version matters: the other one selects the login.
_SERVICES = ('compute', 'identity')
_USAGE_ERROR = 2


class _Masked:
    """A value whose passwords are masked only if it is printed.

    osc-lib masks its debug messages also if nobody reads them.
    """

    def __init__(self, value: Any) -> None:
        self._secret = value

    def __str__(self) -> str:
        return str(strutils.mask_password(self._secret))


class ComputeImageShell(shell.OpenStackShell):
    """The ``self.app`` of the commands.

    :param auth_types: the authentication types to offer; without them, all
        that are installed, which takes time
    :param login: names of their options
    :param plugins: whether to accept the options of OpenStackClient's plugins,
        which takes as long as ``openstack``
    """

    def __init__(
        self,
        auth_types: Iterable[str] = (),
        login: Iterable[str] = (),
        *,
        plugins: bool = False,
    ) -> None:
        self._plugins = plugins
        if auth_types:
            # osc-lib collects these if they are empty.
            vars(auth)['PLUGIN_LIST'] = sorted(auth_types)
            variables = {
                name: f'OS_{name.upper().replace("-", "_")}' for name in login
            }
            # As osc-lib describes them.
            vars(auth)['OPTIONS_LIST'] = {
                name: {'env': variable, 'help': ''}
                for name, variable in sorted(variables.items())
            }
        if not plugins:
            masking = types.SimpleNamespace(mask_password=_Masked)
            for module in (client_config, clientmanager, shell):
                vars(module)['strutils'] = masking
        distribution = importlib.metadata.distribution('osc-compute-images')
        # The commands without "compute image".
        commands = commandmanager.CommandManager(None)
        for point in distribution.entry_points:
            if point.group == _GROUP and point.name.startswith(_PREFIX):
                commands.commands[point.name.removeprefix(_PREFIX)] = point
        super().__init__(
            description='List and change images of the Compute service',
            version=distribution.version,
            command_manager=commands,
        )

    def build_option_parser(
        self, *args: Any, **kwargs: Any
    ) -> argparse.ArgumentParser:
        """Return the parser of the global options that ``openstack`` has."""
        parser = super().build_option_parser(*args, **kwargs)
        if self._plugins:
            # NOTE: imported here, as it takes as long as "openstack".
            from openstackclient.common import clientmanager as plugins

            plugins.build_plugin_option_parser(parser)
        else:
            for service in _SERVICES:
                variable = f'OS_{service.upper()}_API_VERSION'
                parser.add_argument(
                    f'--os-{service}-api-version',
                    metavar=f'<{service}-api-version>',
                    default=utils.env(variable),
                    help=f'(Env: {variable})',
                )
            parser.epilog = (
                'The other global options of "openstack" are accepted, too.'
            )
        return auth.build_auth_plugins_option_parser(parser)

    def _final_defaults(self) -> None:
        super()._final_defaults()
        # As OpenStackClient chooses.
        admin = self.options.endpoint and self.options.token
        self._auth_type = 'admin_token' if admin else 'password'

    def initialize_app(self, argv: list[str]) -> None:
        """Read the configuration, and say in one line what is wrong with it.

        openstacksdk raises any exception for a value of another type.
        """
        try:
            super().initialize_app(argv)
        except Exception:
            # NOTE: imported here, as only an error needs it.
            from osc_compute_images.api.clouds import _entries

            config = vars(self).get('cloud_config')
            with _entries.translated():
                if config is not None:
                    cloud = self.options.cloud or config.default_cloud
                    _entries.checked(config, cloud)
                raise

    def interact(self) -> None:
        """Print the help: the commands have the names of a shell's own.

        :raises SystemExit: always
        """
        self.stdout = self.stderr
        self.options.deferred_help = True
        try:
            self.print_help_if_requested()
        finally:
            sys.exit(_USAGE_ERROR)

    def run_subcommand(self, argv: list[str]) -> int:
        """Run a command, if there is one for these global options."""
        version = str(self.cloud.config.get('compute_api_version') or 2)
        if argv[0].startswith('-'):
            problem = f'unknown option {argv[0].partition("=")[0]}'
        elif argv[0] != 'help' and version.split('.')[0] != '2':
            problem = (
                f'the Compute API version must be 2 or 2.x, not {version} '
                '(--os-compute-api-version, OS_COMPUTE_API_VERSION or '
                'compute_api_version)'
            )
        else:
            return super().run_subcommand(argv)
        self.stderr.write(f'{self.NAME}: {problem}\n')
        return _USAGE_ERROR
