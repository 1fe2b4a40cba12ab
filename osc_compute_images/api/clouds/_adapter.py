# SPDX-License-Identifier: Apache-2.0

"""An adapter of Compute with the settings of openstacksdk, and its login."""

from collections.abc import Callable
import itertools
import time
from typing import Any
from typing import TYPE_CHECKING

from keystoneauth1 import adapter as ksa_adapter

import osc_compute_images
from osc_compute_images.api import _errors
from osc_compute_images.api._alarms import TooSlowError
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._session import BoundedSession

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config.cloud_region import CloudRegion

#: Settings that openstacksdk reads as text, and does not always convert.
_NUMBERS: dict[str, Callable[[Any], Any]] = {
    'rate_limit': float,
    'concurrency': int,
    'connect_retries': int,
    'connect_retry_delay': float,
    'status_code_retries': int,
    'status_code_retry_delay': float,
    'retriable_status_codes': lambda codes: [
        *map(int, codes.split(',') if isinstance(codes, str) else codes)
    ],
}


def adapter_of(
    settings: 'CloudRegion', session: 'ksa_session.Session', **options: Any
) -> ksa_adapter.Adapter:
    """Return an adapter of Compute with the settings of a region.

    Not openstacksdk's own adapter: if a microversion is configured, that
    requests the versions of the service, and fails if they do not match.

    :param options: arguments of the adapter, which override the settings
    :raises ImagesError: for a setting that is not a number
    """
    arguments: dict[str, Any] = {
        'session': session,
        'service_type': settings.get_service_type('compute'),
        'service_name': settings.get_service_name('compute'),
        'interface': settings.get_interface('compute'),
        'region_name': settings.get_region_name('compute'),
        'endpoint_override': settings.get_endpoint('compute'),
        'client_name': 'osc-compute-images',
        'client_version': osc_compute_images.__version__,
    }
    # NOTE: not openstacksdk's getters: most releases have only two of them.
    raw = settings.config
    for name, parse in _NUMBERS.items():
        value = raw.get(f'compute_{name}', raw.get(name))
        if isinstance(value, dict):
            value = value.get('compute')
        try:
            arguments[name] = None if value is None else parse(value)
        except (TypeError, ValueError) as e:
            raise _errors.ImagesError(
                f'The setting compute_{name} is invalid: {e}'
            ) from e
    return ksa_adapter.Adapter(**arguments | options)


def with_retries(
    log_in: Callable[[], object],
    adapter: Callable[[], ksa_adapter.Adapter | None],
) -> None:
    """Call a function that logs in, and again after a transient error.

    :param adapter: returns the adapter that is logged in, whose settings
        count; None if it could not be made
    :raises ImagesError: if the login fails. Any other exception is one of the
        configuration
    """
    for retry in itertools.count():
        began = time.monotonic()
        try:
            log_in()
        except Exception as e:
            made = adapter()
            if made is None:
                raise
            error = _exceptions.of_login(e, began)
            # NOTE: an alarm goes off only once.
            is_over = isinstance(e, TooSlowError)
            if is_over or not BoundedSession(made).wait(error, retry):
                raise error from e
        else:
            return
