# SPDX-License-Identifier: Apache-2.0

"""From the client manager of a command to the images API."""

import argparse
from collections.abc import Iterator
import contextlib
import logging
from typing import Any
from typing import TYPE_CHECKING

from cliff import display
from osc_lib import exceptions
from osc_lib.command import command
from osc_lib.i18n import _

from osc_compute_images.commands import _output
from osc_compute_images.commands import _pipe
from osc_compute_images.commands import _requests
from osc_compute_images.text import option_for_shell

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session

    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import ImagesError

#: Seconds to wait for an answer, where ``api_timeout`` is not configured.
TIMEOUT = 60.0

#: Options that lead to other regions or clouds than the configured one, which
#: may have a login of their own.
ELSEWHERE = ('regions', 'all_regions', 'all_clouds')

#: What to do where the catalog lacks something.
CHECK_CATALOG = _(
    'check the project, the region and the interface; "openstack catalog '
    'list" tells what there is'
)


class ImagesCommand(command.Command):
    """A command that waits for no answer for ever, and loses no output."""

    #: The shell logs in before it reads the options of the command, which
    #: tell where: see :meth:`run`.
    auth_required = False

    #: Whether it changes images, and may show what became of them. It goes on
    #: whether anybody looks or not.
    changes = False

    def __init__(
        self,
        app: Any,
        app_args: argparse.Namespace | None,
        cmd_name: str | None = None,
    ) -> None:
        super().__init__(app, app_args, cmd_name)
        #: Of other regions and clouds than the one that the shell logs in to.
        self.sessions: list[ksa_session.Session] = []
        # NOTE: here, as the session is made before the command runs. There is
        # no configuration while the documentation is made.
        config = getattr(app, 'cloud_config', None)
        if config is not None:
            config.defaults['api_timeout'] = TIMEOUT
            _requests.tidy_logs()

    def get_epilog(self) -> str:
        if any(True for _hook in self._hooks):
            return super().get_epilog()
        # NOTE: to learn the name of this distribution, cliff reads the files
        # of all that are installed, whether or not help is asked for.
        plugin = 'This command is provided by the osc-compute-images plugin.'
        return f'{self._epilog}\n\n{plugin}' if self._epilog else plugin

    def run(self, parsed_args: argparse.Namespace) -> int:
        _requests.allow_alarms()
        if not any(getattr(parsed_args, each, None) for each in ELSEWHERE):
            self.auth_required = True
            self.app.prepare_to_run_command(self)
        shows = (
            isinstance(self, display.DisplayCommandBase) and not self.changes
        )
        if self.app.stdout is None:
            if shows:
                raise exceptions.CommandError(
                    _('The output cannot be written: stdout is closed')
                )
            return super().run(parsed_args)
        with _output.written(self.app.stdout):
            if shows:
                return _pipe.watched(
                    self.app.stdout, lambda: self._run_timed(parsed_args)
                )
            # What is being changed goes on whether anybody looks or not.
            return self._run_timed(parsed_args)

    def _run_timed(self, parsed_args: argparse.Namespace) -> int:
        with self._timed():
            return super().run(parsed_args)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Let --timing tell of all requests, whatever login they are for."""
        try:
            yield
        finally:
            manager: Any = self.app.client_manager
            for session in self.sessions:
                # NOTE: the shell asks its own session, which there is none
                # of if it has not logged in.
                if getattr(manager, 'session', None) is None:
                    manager.session = session
                elif session is not manager.session:
                    self.app.timing_data.extend(session.get_timings())


def images_api(client_manager: Any) -> 'ImagesAPI':
    """Provide the images API of the cloud that the user has configured.

    :param client_manager: osc-lib's, which has authenticated already
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api._settings import adapter_of

    settings = client_manager.sdk_connection.config
    session = client_manager.session
    return ImagesAPI(adapter_of(settings, session, logger=logger()))


def logger() -> logging.Logger:
    """Return what requests are logged to.

    Its level is that of what there is to write them, as every logger of the
    shell has DEBUG: else the body of each answer would be made ready to be
    written, and thrown away.
    """
    logger = logging.getLogger('keystoneauth.session.osc_compute_images')
    handlers = logging.getLogger().handlers
    logger.setLevel(min((h.level for h in handlers), default=logging.WARNING))
    return logger


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say what there is to do, on the command line, about errors of the API.

    :raises osc_lib.exceptions.CommandError: in their place
    """
    from osc_compute_images.api import ImagesError
    from osc_compute_images.api import PlanRefused

    try:
        yield
    except PlanRefused:
        # It has an exit code of its own.
        raise
    except ImagesError as e:
        raise exceptions.CommandError(explanation(e)) from e


def explanation(e: 'ImagesError') -> str:
    """Describe an error of the API to the user of a command."""
    from osc_compute_images import api
    from osc_compute_images.api import properties

    text = str(e)
    if isinstance(e, api.ImagesNotServed):
        return _('%s. Use the "openstack image list" command instead') % e
    if isinstance(e, api.EndpointNotFound):
        return _('%(reason)s: %(check)s') % {
            'reason': e.message.rstrip('.'),
            'check': CHECK_CATALOG,
        }
    if isinstance(e, api.InvalidProperty) and e.key in properties.FIELDS:
        return _('%s; "openstack image set" sets those that can be set') % e
    if isinstance(e, api.ListingInterrupted) and e.marker:
        option = option_for_shell('--marker', e.marker)
        if option is not None:
            text = _('%(error)s. To go on from there, add %(option)s') % {
                'error': e,
                'option': option,
            }
    if properties.is_undecodable(e):
        return _(
            '%(error)s. An image may have a property %(keys)s that is not '
            'JSON: find it through the Image service, and remove it with '
            '"openstack image unset --property"'
        ) % {'error': text, 'keys': _(' or ').join(properties.JSON_KEYS)}
    return text
