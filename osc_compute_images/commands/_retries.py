# SPDX-License-Identifier: Apache-2.0

"""The user's settings about retries, from ``clouds.yaml`` to the adapter."""

from typing import Any

from osc_lib import exceptions
from osc_lib.i18n import _

_NAMES = (
    'connect_retries',
    'connect_retry_delay',
    'status_code_retries',
    'status_code_retry_delay',
    'retriable_status_codes',
)


def retry_settings(config: Any) -> dict[str, Any]:
    """Return arguments of a keystoneauth adapter.

    :param config: the CloudRegion of openstacksdk
    :raises osc_lib.exceptions.CommandError: for a setting that is no number
    """
    settings = {}
    for name in _NAMES:
        # NOTE: older releases of openstacksdk know the numbers only.
        getter = getattr(config, f'get_{name}', None)
        try:
            settings[name] = getter('compute') if getter else None
        except (TypeError, ValueError) as e:
            raise exceptions.CommandError(
                _('The setting compute_%(name)s cannot be read: %(error)s')
                % {'name': name, 'error': e}
            ) from e
    return settings
