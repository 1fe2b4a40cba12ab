# SPDX-License-Identifier: Apache-2.0

"""A login that a program makes itself, with the retries of this API."""

from collections.abc import Callable
import itertools
import time

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api._alarms import TooSlowError
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _retries
from osc_compute_images.api.http._session import BoundedSession


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
            session = BoundedSession(made)
            if is_over or not _retries.wait(session, error, retry):
                raise error from e
        else:
            return
