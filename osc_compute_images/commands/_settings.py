# SPDX-License-Identifier: Apache-2.0

"""The user's settings about requests, from ``clouds.yaml`` to the adapter."""

from collections.abc import Callable
from typing import Any

from osc_lib import exceptions
from osc_lib.i18n import _


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


def adapter_settings(config: Any) -> dict[str, Any]:
    """Return arguments of a keystoneauth adapter of Compute.

    :param config: the CloudRegion of openstacksdk
    :raises osc_lib.exceptions.CommandError: for a setting that is no number
    """
    # NOTE: not its getters, as most releases have two of them only.
    raw = config.config
    settings: dict[str, Any] = {
        'rate_limit': config.get_rate_limit('compute'),
        'concurrency': config.get_concurrency('compute'),
    }
    for name, read in _RETRIES.items():
        value = raw.get(f'compute_{name}', raw.get(name))
        try:
            settings[name] = None if value is None else read(value)
        except (TypeError, ValueError) as e:
            raise exceptions.CommandError(
                _('The setting compute_%(name)s cannot be read: %(error)s')
                % {'name': name, 'error': e}
            ) from e
    return settings
