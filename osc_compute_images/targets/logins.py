# SPDX-License-Identifier: Apache-2.0

"""Logins to the regions and clouds that a command works on.

Each does what the shell would do with that region or cloud.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
import copy
import functools
import logging
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.api import auth

from osc_compute_images import base
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.clouds import CloudAPIs
from osc_compute_images.api.clouds import of_clouds
from osc_compute_images.api.clouds._adapter import adapter_of
from osc_compute_images.api.clouds._adapter import with_retries
from osc_compute_images.api.clouds._cloud import Cloud
from osc_compute_images.api.clouds._cloud import FEDERATION_SETTINGS
from osc_compute_images.api.clouds._entries import cloud_names

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config.cloud_region import CloudRegion

#: The only global options that apply to all clouds. The others may be secrets
#: of one cloud, or come from its environment variables.
_SHARED_OPTIONS = ('insecure', 'interface', 'timing', 'verify')


def own(command: base.ImagesCommand) -> ImagesAPI:
    """Log in as the shell does; return the API of the configured region.

    :raises ImagesError: if the login fails
    """
    app: Any = command.app
    command.auth_required = True

    def adapter() -> Any:
        # The shell makes them before it logs in.
        made = getattr(app.client_manager, 'session', None)
        if made is None:
            return None
        settings = app.client_manager.sdk_connection.config
        return adapter_of(settings, made, logger=_logger())

    ask = app.cloud_config._pw_callback
    ask_once = ask and functools.cache(ask)

    def log_in() -> None:
        # NOTE: the shell would ask again in a retry, and sets it, too.
        app.cloud_config._pw_callback = ask_once
        try:
            app.prepare_to_run_command(command)
        finally:
            app.cloud_config._pw_callback = ask

    with_retries(log_in, adapter)
    return ImagesAPI(adapter())


def cloud(command: base.ImagesCommand) -> Cloud:
    """Return the cloud that the user has selected, without logging in."""
    app: Any = command.app
    return Cloud(
        app.cloud_config,
        app.options.cloud or None,
        options=app.options,
        session_of=functools.partial(session, command),
        logger=_logger(),
    )


def all_clouds(
    command: base.ImagesCommand,
    regions: Callable[[Cloud], Iterable[str]],
) -> tuple[list[str], CloudAPIs]:
    """Return the names of all clouds, and the APIs of their regions."""
    app: Any = command.app
    if not app.options.debug:
        # Its warning does not name the cloud whose Keystone it cannot reach;
        # the error that follows does.
        log = logging.getLogger('keystoneauth.identity.generic.base')
        log.setLevel(logging.ERROR)
    config = copy.copy(app.cloud_config)
    # The prompt for a password would not name the cloud.
    config._pw_callback = None
    names = cloud_names(config)
    if not names:
        raise exceptions.CommandError(
            'No clouds found: --all-clouds needs a clouds.yaml'
        )
    options = argparse.Namespace(
        **{key: vars(app.options).get(key) for key in _SHARED_OPTIONS}
    )
    return [*map(str, names)], of_clouds(
        config,
        regions,
        options=options,
        session_of=functools.partial(session, command),
        logger=_logger(),
    )


def session(
    command: base.ImagesCommand, settings: 'CloudRegion'
) -> 'ksa_session.Session':
    """Create a session for a region, as osc-lib's client manager does."""
    get: Any = settings.config.get
    auth.check_valid_authentication_options(settings, get('auth_type'))
    made: Any = settings.get_session()
    if get('service_provider'):
        made.auth = auth.get_keystone2keystone_auth(
            made.auth, *map(get, FEDERATION_SETTINGS)
        )
    command.logins.append(settings)
    return made  # type: ignore[no-any-return]


def _logger() -> logging.Logger:
    """Return the logger for requests.

    Its level is the lowest of the handlers. The loggers of the shell have the
    level DEBUG, at which keystoneauth would format the body of each response
    only to discard it.
    """
    logger = logging.getLogger('keystoneauth.session.osc_compute_images')
    handlers = logging.getLogger().handlers
    logger.setLevel(min((h.level for h in handlers), default=logging.WARNING))
    return logger
