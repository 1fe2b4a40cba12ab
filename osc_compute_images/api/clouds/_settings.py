# SPDX-License-Identifier: Apache-2.0

"""Create an adapter from openstacksdk's settings of a region."""

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


_RETRY_SETTINGS: dict[str, Callable[[Any], Any]] = {
    'connect_retries': int,
    'connect_retry_delay': float,
    'status_code_retries': int,
    'status_code_retry_delay': float,
    'retriable_status_codes': _statuses,
}


def adapter_of(
    config: 'CloudRegion',
    session: 'ksa_session.Session | None' = None,
    **options: Any,
) -> ksa_adapter.Adapter:
    """Return an adapter of Compute with the settings of a region.

    It is not openstacksdk's own adapter: if a microversion is configured,
    openstacksdk requests the versions of the service, and fails if they do
    not match.

    :param session: instead of the region's own
    :param options: arguments of the adapter, which override the settings
    :raises ImagesError: for a setting that is not a number
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
    return ksa_adapter.Adapter(**{**arguments, **_retries(config), **options})


def _retries(config: 'CloudRegion') -> dict[str, Any]:
    # NOTE: not the getters of config: most releases have only two of them.
    raw = config.config
    settings: dict[str, Any] = {}
    for name, parse in _RETRY_SETTINGS.items():
        value = raw.get(f'compute_{name}', raw.get(name))
        try:
            settings[name] = None if value is None else parse(value)
        except (TypeError, ValueError) as e:
            raise _errors.ImagesError(
                f'The setting compute_{name} is invalid: {e}'
            ) from e
    return settings
