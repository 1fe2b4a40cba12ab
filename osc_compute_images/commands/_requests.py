# SPDX-License-Identifier: Apache-2.0

"""What the process of a command does about its requests."""

import logging


def prepare() -> None:
    """Get the process ready for requests."""
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.api.http import allow_alarms

    allow_alarms()
    logger = logging.getLogger('urllib3.connectionpool')
    if not any(isinstance(each, _OneLine) for each in logger.filters):
        logger.addFilter(_OneLine())


class _OneLine(logging.Filter):
    """Leaves out tracebacks, such as those of headers without a colon."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = None
        return True
