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
from osc_compute_images.commands import _settings
from osc_compute_images.text import printable

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI
    from osc_compute_images.api import ImagesError

#: Seconds to wait for an answer, where ``api_timeout`` is not configured.
TIMEOUT = 60.0

#: What to do where the catalog lacks something.
CHECK_CATALOG = _(
    'check the project, the region and the interface; "openstack catalog '
    'list" tells what there is'
)


class ImagesCommand(command.Command):
    """A command that waits for no answer for ever, and loses no output."""

    def __init__(
        self,
        app: Any,
        app_args: argparse.Namespace | None,
        cmd_name: str | None = None,
    ) -> None:
        super().__init__(app, app_args, cmd_name)
        # NOTE: here, as the session is made before the command runs. There is
        # no configuration while the documentation is made.
        config = getattr(app, 'cloud_config', None)
        if config is not None:
            config.defaults['api_timeout'] = TIMEOUT

    def run(self, parsed_args: argparse.Namespace) -> int:
        if self.app.stdout is None:
            # Only a command that shows something needs it.
            if isinstance(self, display.DisplayCommandBase):
                raise exceptions.CommandError(
                    _('The output cannot be written: stdout is closed')
                )
            return super().run(parsed_args)
        with _output.written(self.app.stdout):
            return super().run(parsed_args)


def images_api(
    client_manager: Any, region_name: str | None = None
) -> 'ImagesAPI':
    """Provide the images API of the cloud that the user has configured.

    :param client_manager: osc-lib's, which has authenticated already
    :param region_name: a region other than the configured one
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from keystoneauth1 import adapter

    from osc_compute_images.api import ImagesAPI

    # NOTE: not client_manager.compute: to make it costs a request for the
    # versions of the service, and fails where these do not suit it.
    config = client_manager.sdk_connection.config
    return ImagesAPI(
        adapter.Adapter(
            session=client_manager.session,
            service_type=config.get_service_type('compute'),
            service_name=config.get_service_name('compute'),
            interface=config.get_interface('compute'),
            region_name=region_name or config.get_region_name('compute'),
            endpoint_override=config.get_endpoint('compute'),
            client_name='osc-compute-images',
            logger=_logger(),
            **_settings.adapter_settings(config),
        )
    )


def _logger() -> logging.Logger:
    """Return what requests are logged to.

    Its level is that of what there is to write them, as every logger of the
    shell has DEBUG: else the body of each answer would be made ready to be
    written, and thrown away.
    """
    logger = logging.getLogger('keystoneauth.session.osc_compute_images')
    handlers = logging.getLogger().handlers
    logger.setLevel(min((h.level for h in handlers), default=logging.WARNING))
    return logger


def compute_regions(client_manager: Any) -> list[str]:
    """Return the regions that have a Compute endpoint, by their names.

    They are those of the token's own catalog, for the interface and service
    that the user has configured.
    """
    config = client_manager.sdk_connection.config
    if config.get_endpoint('compute'):
        raise exceptions.CommandError(
            _(
                'The configuration overrides the Compute endpoint with a '
                'single one: to ask other regions, remove the override'
            )
        )
    auth_ref = client_manager.auth_ref
    if auth_ref is None:
        raise exceptions.CommandError(
            _('Without authentication there is no catalog of regions')
        )
    endpoints = auth_ref.service_catalog.get_endpoints_data(
        service_type=config.get_service_type('compute'),
        service_name=config.get_service_name('compute'),
        interface=config.get_interface('compute'),
    )
    return sorted(
        {
            endpoint.region_name
            for of_type in endpoints.values()
            for endpoint in of_type
            if endpoint.region_name
        }
    )


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say what there is to do, on the command line, about errors of the API.

    :raises osc_lib.exceptions.CommandError: in their place
    """
    from osc_compute_images.api import ImagesError

    try:
        yield
    except ImagesError as e:
        raise exceptions.CommandError(explanation(e)) from e


def explanation(e: 'ImagesError') -> str:
    """Describe an error of the API to the user of a command."""
    from osc_compute_images import api

    if isinstance(e, api.ImagesNotServed):
        return _('%s. Use the "openstack image list" command instead') % e
    if isinstance(e, api.EndpointNotFound):
        return _('%(reason)s: %(check)s') % {
            'reason': e.message.rstrip('.'),
            'check': CHECK_CATALOG,
        }
    if isinstance(e, api.ListingInterrupted) and e.marker:
        return _('%(error)s. To go on from there, add --marker %(marker)s') % {
            'error': e,
            'marker': printable(e.marker),
        }
    return str(e)
