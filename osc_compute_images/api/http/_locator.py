# SPDX-License-Identifier: Apache-2.0

"""Finding the endpoint of an adapter, and the versions that it serves."""

import contextlib
import dataclasses
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api import _json
from osc_compute_images.api.http import _answer
from osc_compute_images.api.http import _endpoint
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import _versions
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.api.http._fault import fault_of
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import marked
from osc_compute_images.api.http._request import send_once


class Locator:
    """Finds where requests go, each time anew.

    The adapter may be given another user, region or override at any time.
    What is remembered is where below a URL the images are.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._known: dict[str, Endpoint] = {}

    def found(self, _end: float = math.inf) -> str:
        """Find the URL of the service, and a token where there is none.

        :raises ImagesError: if there is none
        """
        began = time.monotonic()
        try:
            return _endpoint.find(self._adapter)
        except _exceptions.FOREIGN as e:
            raise self._no_token(e, time.monotonic() - began) from e

    def _no_token(self, e: Exception, waited: float) -> _errors.ImagesError:
        error = _exceptions.error_of(e, 'Keystone', waited)
        retried = _retry.of_session(self._adapter)
        if retried and fault_of(error).kind is Kind.CONNECTION:
            # By keystoneauth, already.
            return marked(error, Kind.LASTING)
        return error

    def where(self, end: float) -> Endpoint:
        """Find where the images are.

        A URL that names its version is used as it is: to ask the service for
        its versions would cost a request, and the way may be barred.

        :raises ImagesError: if that cannot be found
        """
        url = self.found(end)
        known = self._known.get(url)
        if known is None:
            known = _endpoint.parse(url)
            if not _endpoint.version_root(known.url, self._project_id()):
                document = self._version_document(known, end)
                known = known.below(_versions.path_of_version(document))
            self._known[url] = known
        return known

    def _version_document(self, where: Endpoint, end: float) -> Any:
        """Return the document, or None if there is none."""

        def ask(**arguments: Any) -> Any:
            body = send_once(
                self._adapter,
                *('GET', f'{where.url}/', where, end, arguments),
                accepted=(_answer.CHOICE,),
            )
            return _json.load_or_none(body)

        try:
            with contextlib.suppress(_errors.Unauthorized):
                return ask(authenticated=False)
            return ask()
        except (_errors.HTTPError, _errors.InvalidResponse) as e:
            not_now = _retry.Settings.of(self._adapter).statuses
            if e.http_status == 401 or e.http_status in not_now:
                raise
            return None

    def version_document_of(self, url: str, end: float) -> Any:
        """Return the document about the version of an endpoint."""
        where = _endpoint.parse(url)
        root = _endpoint.version_root(where.url, self._project_id())
        where = dataclasses.replace(where, url=root or where.url)
        return self._version_document(where, end)

    def _project_id(self) -> str | None:
        try:
            return self._adapter.get_project_id()
        except Exception:  # noqa: BLE001 - it is a plugin's, and only a help
            return None
