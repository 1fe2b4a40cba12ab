# SPDX-License-Identifier: Apache-2.0

"""Requests to Compute, with retries."""

from collections.abc import Callable
from collections.abc import Mapping
import functools
import logging
import math
import random
import time
from typing import Any
from typing import TypeVar
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _keystone
from osc_compute_images.api.http import _settings
from osc_compute_images.api.http._locator import Locator
from osc_compute_images.api.http._request import Response
from osc_compute_images.api.http._request import send_once

LOG = logging.getLogger('osc_compute_images')

_Result = TypeVar('_Result')


class Client:
    """Sends requests to the Compute endpoint of an adapter.

    :param adapter: any keystoneauth1 adapter of the Compute service
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._locator = Locator(adapter)
        #: ID of the last request that was sent by :meth:`send`, if it
        #: succeeded.
        self.request_id: str | None = None

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
    ) -> bytes:
        """Send a GET request; retry transient errors.

        :param path: below the endpoint, percent-encoded
        :param params: query parameters, not encoded: None is omitted, a list
            repeats the parameter
        :param deadline: of all attempts, delays, bodies and logins together, a
            time of ``time.monotonic()``
        :returns: the body of a successful response
        :raises ImagesError: for any other outcome
        """
        return self.fetch(path, params, deadline=deadline).body

    def fetch(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
        microversion: str | None = None,
    ) -> Response:
        """Like :meth:`get`, but return the whole response.

        :param microversion: such as ``2.69``; None means 2.1
        :raises NotAcceptable: if the service does not offer it
        """
        content: dict[str, Any] = {'microversion': microversion}
        if params:
            content['params'] = dict(params)

        def attempt(end: float) -> Response:
            endpoint = self._locator.locate(end)
            return send_once(
                self._adapter, 'GET', endpoint, path, end, **content
            )

        return self._retry(attempt, deadline)

    def send(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        microversion: str | None = None,
    ) -> bytes:
        """Send a request without retries: it may not be idempotent.

        See :meth:`fetch` for the other arguments and the errors.

        :param json: the body, to be encoded
        :returns: the body of a successful response
        """
        self.request_id = None
        content: dict[str, Any] = {'microversion': microversion}
        try:
            if json is not None:
                content['data'] = msgspec.json.encode(json)
                content['headers'] = {'Content-Type': 'application/json'}
        except UnicodeEncodeError as e:
            raise _exceptions.encode_error(e) from e
        # NOTE: finding the endpoint and the token is safe to retry.
        endpoint = self._retry(self._locator.locate)
        attempt = functools.partial(
            send_once, self._adapter, method, endpoint, path, **content
        )
        response = self._logged_in(attempt, math.inf)
        self.request_id = response.request_id
        return response.body

    def log_in(self) -> None:
        """Obtain a token, unless there is one; retry transient errors.

        :raises ImagesError: if it fails
        """
        self._retry(lambda _end: None)

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
        attempt: Callable[[float], _Result],
        deadline: float | None = None,
    ) -> _Result:
        """Call a function, given its deadline, and retry transient errors."""
        end = math.inf if deadline is None else deadline
        retry = 0
        while True:
            try:
                return self._logged_in(attempt, end)
            except _errors.ImagesError as e:
                retries = _settings.retries(self._adapter)
                left = end - time.monotonic()
                delay = retries.delay(e, retry, left, random.random)
                if delay is None:
                    raise
                LOG.warning(
                    '%s. Retrying in %.1f seconds, %d retries left',
                    str(e).rstrip('.'),
                    delay,
                    retries.number(e) - retry,
                )
            time.sleep(delay)
            retry += 1

    def _logged_in(
        self, attempt: Callable[[float], _Result], end: float
    ) -> _Result:
        """Call a function, and again if Compute rejects the token.

        keystoneauth does that, too, but without a deadline.
        """
        _keystone.log_in(self._adapter, end)
        try:
            return attempt(end)
        except _errors.Unauthorized:
            if not _keystone.discard_token(self._adapter):
                raise
        _keystone.log_in(self._adapter, end)
        return attempt(end)


def path_to(*segments: str) -> str:
    """Return a path below the endpoint, each segment percent-encoded.

    :raises BadRequest: if a segment cannot be encoded as UTF-8
    """
    try:
        quoted = [urllib.parse.quote(s, safe='') for s in segments]
    except UnicodeEncodeError as e:
        raise _exceptions.encode_error(e) from e
    return '/' + '/'.join(quoted)
