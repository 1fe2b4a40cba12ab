# SPDX-License-Identifier: Apache-2.0

"""What the logs of the process must not show."""

import logging

from osc_compute_images.text import printable
from osc_compute_images.text import without_credentials


def sanitize_logs() -> None:
    """Remove credentials and escape control characters in all logs."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, _Sanitizer) for each in handler.filters):
            handler.addFilter(_Sanitizer())


class _Sanitizer(logging.Filter):
    """Sanitizes the URLs, headers and bodies that other libraries log.

    It removes user names and passwords from URLs, escapes control characters,
    and drops the tracebacks of urllib3's warnings about malformed headers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith('urllib3') and record.exc_info:
            record.exc_info = record.exc_text = None
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            # The handler reports it.
            return True
        record.msg, record.args = _sanitize(text), None
        if record.exc_info:
            # The error of the command, with --debug.
            traceback = logging.Formatter().formatException(record.exc_info)
            record.exc_text = _sanitize(traceback)
        return True


def _sanitize(text: str) -> str:
    lines = without_credentials(text).split('\n')
    return '\n'.join(map(printable, lines))
