# SPDX-License-Identifier: Apache-2.0

"""The base class of all commands, and their access to the images API."""

import argparse
from collections.abc import Iterator
import contextlib
import logging
from typing import Any
from typing import TYPE_CHECKING

from cliff import display
from osc_lib import exceptions
from osc_lib.command import command

from osc_compute_images.output import flush
from osc_compute_images.output import logs
from osc_compute_images.text import option_for_shell

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session

    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import ImagesError

#: Seconds to wait for a response, unless ``api_timeout`` is configured.
TIMEOUT = 60.0

#: Options that select other regions or clouds, which may need another login.
REGION_OPTIONS = ('regions', 'all_regions', 'all_clouds')

#: Advice if an endpoint is not found.
CHECK_CATALOG = (
    'check the project, the region and the interface; "openstack catalog '
    'list" shows the available endpoints'
)


#: Exit code of a usage error, as argparse has it.
EXIT_USAGE = 2

#: Exit code if a plan was refused, or what was read has gaps.
EXIT_REFUSED = 7


class UsageError(exceptions.CommandError):
    """The options of a command do not fit together.

    The command logs it and returns the exit code of argparse. The error
    function of a parser would end an interactive shell.
    """


class ImagesCommand(command.Command):
    """A command with a timeout for requests, and checked output."""

    #: The shell would log in before the options that select the region are
    #: known: see :meth:`run`.
    auth_required = False

    #: The arguments other than options, for the usage.
    arguments: tuple[str, ...] = ()

    #: Whether the command changes images. Such a command needs no output.
    changes = False

    def __init__(
        self,
        app: Any,
        app_args: argparse.Namespace | None,
        cmd_name: str | None = None,
    ) -> None:
        super().__init__(app, app_args, cmd_name)
        #: Sessions of other regions and clouds than the shell's own.
        self.sessions: list[ksa_session.Session] = []
        # NOTE: set here, as the session is created before run(). The
        # documentation is built without a configuration.
        config = getattr(app, 'cloud_config', None)
        if config is not None:
            config.defaults['api_timeout'] = TIMEOUT
            logs.sanitize_logs()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        # NOTE: with all options, an error of usage would not be seen.
        parser.usage = ' '.join(('%(prog)s', '[options]', *self.arguments))
        return parser

    def get_epilog(self) -> str:
        if any(True for _hook in getattr(self, '_hooks', ())):
            return super().get_epilog()
        # NOTE: to find the name of this distribution, cliff would read the
        # metadata of all installed ones, on every run.
        plugin = 'This command is provided by the osc-compute-images plugin.'
        return f'{self._epilog}\n\n{plugin}' if self._epilog else plugin

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Check the options, before anything else is done.

        :raises UsageError: if they do not fit together
        """

    def run(self, parsed_args: argparse.Namespace) -> int:
        # NOTE: imported here, as every "openstack" command loads this module.
        from osc_compute_images.api import PlanRefused

        try:
            self.check(parsed_args)
            return self._run(parsed_args)
        except UsageError as e:
            self.log.error('%s', e)
            return EXIT_USAGE
        except PlanRefused as e:
            self.log.error('%s', describe_error(e))
            return EXIT_REFUSED

    def _run(self, parsed_args: argparse.Namespace) -> int:
        logs.allow_alarms()
        if not any(getattr(parsed_args, o, None) for o in REGION_OPTIONS):
            self.auth_required = True
            self.app.prepare_to_run_command(self)
        if self.app.stdout is not None:
            with flush.flushed(self.app.stdout), self._timed():
                return super().run(parsed_args)
        if isinstance(self, display.DisplayCommandBase) and not self.changes:
            raise exceptions.CommandError(
                'Cannot write the output: stdout is closed'
            )
        return super().run(parsed_args)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Add the requests of all sessions to the output of --timing."""
        try:
            yield
        finally:
            manager: Any = self.app.client_manager
            for session in self.sessions:
                # NOTE: the shell reads the timings of its own session; it
                # has none if it has not logged in.
                if getattr(manager, 'session', None) is None:
                    manager.session = session
                elif session is not manager.session:
                    self.app.timing_data.extend(session.get_timings())


def images_api(client_manager: Any) -> 'ImagesAPI':
    """Return the images API of the configured cloud.

    :param client_manager: of osc-lib, authenticated
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api.clouds._settings import adapter_of

    settings = client_manager.sdk_connection.config
    session = client_manager.session
    return ImagesAPI(adapter_of(settings, session, logger=logger()))


def logger() -> logging.Logger:
    """Return the logger for requests.

    Its level is the lowest of the handlers. The loggers of the shell have the
    level DEBUG, at which keystoneauth would format the body of each response
    only to discard it.
    """
    logger = logging.getLogger('keystoneauth.session.osc_compute_images')
    handlers = logging.getLogger().handlers
    logger.setLevel(min((h.level for h in handlers), default=logging.WARNING))
    return logger


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of the API as errors of a command, with advice.

    :raises osc_lib.exceptions.CommandError: for an ImagesError
    """
    from osc_compute_images.api import ImagesError
    from osc_compute_images.api import PlanRefused

    try:
        yield
    except PlanRefused:
        # It has its own exit code.
        raise
    except ImagesError as e:
        raise exceptions.CommandError(describe_error(e)) from e


def describe_error(e: 'ImagesError') -> str:
    """Return the message of an error, with advice for the command line."""
    from osc_compute_images import api
    from osc_compute_images.api.changes import _stored
    from osc_compute_images.api.changes import properties

    text = str(e)
    if isinstance(e, api.GapsFound):
        found = text.rstrip('.')
        return f'{found}. To go on with what was read, use --accept-gaps'
    if isinstance(e, api.ImagesNotServed):
        return f'{e}. Use the "openstack image list" command instead'
    if isinstance(e, api.EndpointNotFound):
        reason = e.message.rstrip('.')
        return f'{reason}: {CHECK_CATALOG}'
    if isinstance(e, api.InvalidProperty) and e.key in properties.FIELDS:
        return f'{e}; try "openstack image set"'
    if isinstance(e, api.ListingInterrupted) and e.marker:
        option = option_for_shell('--marker', e.marker)
        if option is not None:
            text = (
                f'{e}. List all again, or continue from there, as long '
                f'as that image exists, with {option}'
            )
    if _stored.is_undecodable(e):
        keys = ' or '.join(properties.JSON_KEYS)
        return (
            f'{text}. The property {keys} of an image may be invalid JSON: '
            f'find the image through the Image service, and remove the '
            f'property with "openstack image unset --property"'
        )
    return text
