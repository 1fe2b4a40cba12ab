# SPDX-License-Identifier: Apache-2.0

"""Requests to Compute, with one policy of retries."""

from collections.abc import Callable
from collections.abc import Mapping
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
from osc_compute_images.api.http import _endpoint
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import _versions
from osc_compute_images.api.http._locator import Locator
from osc_compute_images.api.http._request import send_once

LOG = logging.getLogger('osc_compute_images')

_Result = TypeVar('_Result')


class Client:
    """Sends requests to the Compute endpoint of an adapter.

    A ``deadline`` is a time of ``time.monotonic()``. No attempt, delay or
    reading of a body goes beyond it.

    :param adapter: any keystoneauth1 adapter of the Compute service
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._locator = Locator(adapter)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
    ) -> bytes:
        """Read, and read again after a transient fault.

        :param path: path below the endpoint, percent-encoded
        :param params: of the query, not encoded: those that are None are left
            out, a list repeats the parameter
        :returns: the body of a success
        :raises ImagesError: for any other outcome
        """
        content = {'params': dict(params)} if params else {}

        def attempt(end: float) -> bytes:
            where = self._locator.where(end)
            return send_once(self._adapter, 'GET', path, where, end, content)

        return self._repeated(attempt, deadline)

    def send(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        deadline: float | None = None,
    ) -> bytes:
        """Send a request once, as repeating it might do harm.

        The arguments, the result and the errors are those of :meth:`get`.

        :param json: what is sent
        """
        content: dict[str, Any] = {}
        try:
            if json is not None:
                content['data'] = msgspec.json.encode(json)
                content['headers'] = {'Content-Type': 'application/json'}
        except UnicodeEncodeError as e:
            raise _exceptions.unsendable(e) from e
        # Nothing has been sent to Compute as long as there is no token.
        where = self._repeated(self._locator.where, deadline)
        end = math.inf if deadline is None else deadline
        return send_once(self._adapter, method, path, where, end, content)

    def server(self) -> str:
        """Return the host and port of the endpoint."""
        return _endpoint.parse(self._repeated(self._locator.found)).server

    def served_versions(self) -> tuple[str, str] | None:
        """Ask for the lowest and the highest microversion of the service.

        :returns: as ``('2.1', '2.104')``, or None where it does not tell
        """
        try:
            url = self._repeated(self._locator.found)
            document = self._repeated(
                lambda end: self._locator.version_document_of(url, end)
            )
        except _errors.ImagesError:
            return None
        return _versions.microversions(document)

    # -- one policy of retries --------------------------------------------

    def _repeated(
        self,
        attempt: Callable[[float], _Result],
        deadline: float | None = None,
    ) -> _Result:
        """Return what an attempt returns, after as many as it takes."""
        end = math.inf if deadline is None else deadline
        settings = _retry.Settings.of(self._adapter)
        retry = 0
        while True:
            try:
                return attempt(end)
            except _errors.ImagesError as e:
                left = end - time.monotonic()
                delay = _retry.delay(e, retry, settings, left, random.random)
                if delay is None:
                    raise
                LOG.warning(
                    '%s. Retrying in %.1f seconds, %d retries left',
                    str(e).rstrip('.'),
                    delay,
                    settings.retries(e) - retry,
                )
            time.sleep(delay)
            retry += 1


def path_to(*segments: str) -> str:
    """Return a path below the endpoint, each segment percent-encoded.

    :raises BadRequest: if one is no text that can be sent
    """
    try:
        quoted = [urllib.parse.quote(s, safe='') for s in segments]
    except UnicodeEncodeError as e:
        raise _exceptions.unsendable(e) from e
    return '/' + '/'.join(quoted)
