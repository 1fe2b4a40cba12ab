# SPDX-License-Identifier: Apache-2.0

"""Requests to Compute, with retries."""

from collections.abc import Callable
from collections.abc import Mapping
import math
from typing import Any
from typing import TypeVar
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._endpoint import Locator
from osc_compute_images.api.http._error_response import request_id
from osc_compute_images.api.http._request import send_once
from osc_compute_images.api.http._session import BoundedSession

_Result = TypeVar('_Result')


class Client:
    """Sends requests to the Compute endpoint of an adapter.

    :param adapter: any keystoneauth1 adapter of the Compute service
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._locator = Locator()
        #: ID of the last request that was no GET, if it succeeded.
        self.request_id: str | None = None

    def request(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        method: str = 'GET',
        json: object = None,
        deadline: float = math.inf,
        microversion: str | None = None,
        fresh: bool = False,
    ) -> requests.Response:
        """Send a request.

        Transient errors are retried: of GET, of logins, and while the endpoint
        is looked for. Other requests may not be idempotent.

        :param path: below the endpoint, percent-encoded
        :param params: query parameters, not encoded: None is omitted, a list
            repeats the parameter
        :param json: the body, to be encoded
        :param deadline: of all attempts, delays, bodies and logins together, a
            time of ``time.monotonic()``
        :param microversion: such as ``2.69``; None means 2.1
        :param fresh: use no cache, of openstacksdk or HTTP
        :returns: a successful response, with its body
        :raises NotAcceptable: if the service does not offer the microversion
        :raises ImagesError: for any outcome but a success
        """
        is_change = method != 'GET'

        def send(session: BoundedSession) -> requests.Response:
            endpoint = self._locator.locate(session)
            session.may_retry = not is_change
            return send_once(
                session,
                method,
                endpoint,
                path,
                params=params,
                json=json,
                microversion=microversion,
                fresh=fresh,
            )

        if is_change:
            self.request_id = None
        response = self._retry(send, deadline)
        if is_change:
            self.request_id = request_id(response.headers)
        return response

    def log_in(self) -> None:
        """Obtain a token, unless there is one; retry transient errors.

        :raises ImagesError: if it fails
        """
        self._retry(lambda _session: None)

    def served_versions(self) -> tuple[str, str] | None:
        """Request the lowest and highest microversion of the service.

        :returns: such as ``('2.1', '2.104')``, or None if unknown
        """
        try:
            return self._retry(self._locator.microversions)
        except _errors.ImagesError:
            return None

    def _retry(
        self,
        attempt: Callable[[BoundedSession], _Result],
        end: float = math.inf,
    ) -> _Result:
        """Log in, call a function, and retry transient errors.

        If Compute rejects the token, it is renewed once: keystoneauth does
        that, too, but without a deadline.
        """
        retry = 0
        is_renewed = False
        while True:
            session = BoundedSession(self._adapter, end)
            try:
                session.log_in()
                try:
                    return attempt(session)
                except _errors.Unauthorized:
                    login = session.login
                    if is_renewed or not (login and login.invalidate()):
                        raise
                    is_renewed = True
                    continue
            except _errors.ImagesError as e:
                if not session.wait(e, retry):
                    raise
            retry += 1


def path_to(*segments: str) -> str:
    """Return a path below the endpoint, each segment percent-encoded.

    :raises BadRequest: if a segment cannot be encoded as UTF-8
    """
    try:
        return ''.join(f'/{urllib.parse.quote(s, safe="")}' for s in segments)
    except UnicodeEncodeError as e:
        raise _exceptions.of_request(e, '', 0) from e
