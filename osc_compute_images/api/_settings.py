# SPDX-License-Identifier: Apache-2.0

"""From the settings that openstacksdk has for a region to an adapter."""

from collections.abc import Callable
from typing import Any
from typing import TYPE_CHECKING

from keystoneauth1 import adapter as ksa_adapter

import osc_compute_images
from osc_compute_images.api import _errors

if TYPE_CHECKING:
    from keystoneauth1 import session as ksa_session
    from openstack.config.cloud_region import CloudRegion


def _statuses(value: Any) -> list[int]:
    codes = value.split(',') if isinstance(value, str) else value
    return [int(code) for code in codes]


_RETRIES: dict[str, Callable[[Any], Any]] = {
    'connect_retries': int,
    'connect_retry_delay': float,
    'status_code_retries': int,
    'status_code_retry_delay': float,
    'retriable_status_codes': _statuses,
}


def adapter_of(
    config: 'CloudRegion',
    session: 'ksa_session.Session | None' = None,
    **more: Any,
) -> ksa_adapter.Adapter:
    """Make an adapter of Compute, with all that a region has set for it.

    It is not openstacksdk's own: to make that one costs a request for the
    versions of the service where a microversion is configured, and fails
    where it does not suit them.

    :param session: instead of the region's own
    :param more: more arguments of the adapter, or others
    :raises ImagesError: for a setting that is no number
    """
    arguments: dict[str, Any] = {
        'session': session or config.get_session(),
        'service_type': config.get_service_type('compute'),
        'service_name': config.get_service_name('compute'),
        'interface': config.get_interface('compute'),
        'region_name': config.get_region_name('compute'),
        'endpoint_override': config.get_endpoint('compute'),
        'rate_limit': config.get_rate_limit('compute'),
        'concurrency': config.get_concurrency('compute'),
        'client_name': 'osc-compute-images',
        'client_version': osc_compute_images.__version__,
    }
    return ksa_adapter.Adapter(**{**arguments, **_retries(config), **more})


def _retries(config: 'CloudRegion') -> dict[str, Any]:
    # NOTE: not its getters, as most releases have two of them only.
    raw = config.config
    settings: dict[str, Any] = {}
    for name, read in _RETRIES.items():
        value = raw.get(f'compute_{name}', raw.get(name))
        try:
            settings[name] = None if value is None else read(value)
        except (TypeError, ValueError) as e:
            raise _errors.ImagesError(
                f'The setting compute_{name} cannot be read: {e}'
            ) from e
    return settings
