# SPDX-License-Identifier: Apache-2.0

"""A request that is like the one before it, all but its parameters.

What keystoneauth and requests do for every request takes as long as to read
a page of images. From one page to the next there is nothing new in it.
"""

from collections.abc import Mapping
import logging
from typing import Any
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
import requests


def may_repeat(adapter: ksa_adapter.Adapter) -> bool:
    """Tell whether all that an adapter does for a request is to send it."""
    logger = adapter.logger or logging.getLogger('keystoneauth.session')
    return not (
        logger.isEnabledFor(logging.DEBUG)
        or adapter.connect_retries
        or adapter.status_code_retries
        or getattr(adapter, 'rate_semaphore', None)
        or getattr(adapter.session, '_collect_timing', False)
        or not isinstance(
            getattr(adapter.session, 'session', None), requests.Session
        )
    )


class Repeat:
    """Sends a request again.

    :param session: the keystoneauth session that it was sent by
    :param request: as it was sent, with its headers and hooks
    """

    def __init__(
        self, session: Any, request: requests.PreparedRequest
    ) -> None:
        self._session: requests.Session = session.session
        self._request = request.copy()
        self._url = (request.url or '').partition('?')[0]
        self._settings = self._session.merge_environment_settings(
            self._url, {}, True, session.verify, session.cert
        )

    def send(
        self, params: Mapping[str, Any] | None, timeout: Any
    ) -> requests.Response:
        """Send it with other parameters; redirects are not followed.

        :raises requests.RequestException: if no whole answer comes
        """
        request = self._request.copy()
        request.url = f'{self._url}?{urllib.parse.urlencode(params or {})}'
        return self._session.send(
            request, allow_redirects=False, timeout=timeout, **self._settings
        )
