# SPDX-License-Identifier: Apache-2.0

"""Logins to other regions and clouds than the shell's own.

Each does what the shell would do with that region or cloud.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
import copy
import logging
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions

from osc_compute_images import base

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config.cloud_region import CloudRegion

    from osc_compute_images.api.clouds._cloud import Cloud
    from osc_compute_images.api.clouds._clouds import CloudAPIs

#: The only global options that apply to all clouds. The others may be secrets
#: of one cloud, or come from its environment variables.
_SHARED_OPTIONS = ('insecure', 'interface', 'timing', 'verify')


def cloud(command: base.ImagesCommand) -> 'Cloud':
    """Return the cloud that the user has selected, without logging in."""
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.api.clouds._cloud import Cloud

    app: Any = command.app
    return Cloud(
        app.cloud_config,
        app.options.cloud or None,
        options=app.options,
        session_of=lambda settings: session(command, settings),
        logger=base.logger(),
    )


def all_clouds(
    command: base.ImagesCommand,
    regions: 'Callable[[Cloud], Iterable[str]]',
) -> 'tuple[list[str], CloudAPIs]':
    """Return the names of all clouds, and the APIs of their regions."""
    from osc_compute_images.api.clouds._cloud import Cloud
    from osc_compute_images.api.clouds._clouds import of_clouds
    from osc_compute_images.api.clouds._entries import cloud_names

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
    given = vars(app.options)
    options = argparse.Namespace(
        **{key: given.get(key) for key in _SHARED_OPTIONS}
    )
    return [*map(str, names)], of_clouds(
        names,
        lambda name: Cloud(
            config,
            name,
            options=options,
            session_of=lambda settings: session(command, settings),
            redirect=False,
            logger=base.logger(),
        ),
        regions,
    )


def session(
    command: base.ImagesCommand, settings: 'CloudRegion'
) -> 'ksa_session.Session':
    """Create a session for a region, as osc-lib's client manager does."""
    from osc_lib.api import auth

    get: Any = settings.config.get
    auth.check_valid_authentication_options(settings, get('auth_type'))
    made: Any = settings.get_session()
    if get('service_provider'):
        made.auth = auth.get_keystone2keystone_auth(
            made.auth,
            get('service_provider'),
            get('remote_project_id'),
            get('remote_project_name'),
            get('remote_project_domain_id'),
            get('remote_project_domain_name'),
        )
    command.sessions.append(made)
    return made  # type: ignore[no-any-return]
