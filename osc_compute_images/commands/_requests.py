# SPDX-License-Identifier: Apache-2.0

"""What the process of a command does about its requests, and their logs."""

import logging

from osc_compute_images.text import printable
from osc_compute_images.text import without_credentials


def allow_alarms() -> None:
    """Let requests end whose answer never does."""
    # NOTE: imported here, as every "openstack" command loads this module.
    from osc_compute_images.api import http

    http.allow_alarms()


def tidy_logs() -> None:
    """Keep from the logs what does not belong there."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, _Tidy) for each in handler.filters):
            handler.addFilter(_Tidy())


class _Tidy(logging.Filter):
    """Changes what libraries below log of URLs, headers and bodies.

    No URL has a user name or a password, and no character acts on a terminal.
    A header without a colon is a line of urllib3, and no traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith('urllib3') and record.exc_info:
            record.exc_info = record.exc_text = None
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            # The handler tells of it.
            return True
        record.msg, record.args = _tidy(text), None
        if record.exc_info:
            # With --debug, that of the error that a command ends with.
            traceback = logging.Formatter().formatException(record.exc_info)
            record.exc_text = _tidy(traceback)
        return True


def _tidy(text: str) -> str:
    lines = without_credentials(text).split('\n')
    return '\n'.join(map(printable, lines))
