# SPDX-License-Identifier: Apache-2.0

"""Find the endpoint of an adapter, and the versions that it serves."""

import contextlib
import dataclasses
import math
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api import _json
from osc_compute_images.api.http import _endpoint
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _response
from osc_compute_images.api.http import _retry
from osc_compute_images.api.http import _versions
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.api.http._fault import fault_of
from osc_compute_images.api.http._fault import Kind
from osc_compute_images.api.http._fault import mark
from osc_compute_images.api.http._request import send_once


class Locator:
    """Finds the endpoint for each request.

    The user, region or override of the adapter may change at any time. Only
    the result of version discovery is cached, by URL.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._discovered: dict[str, Endpoint] = {}

    def find_url(self, _end: float = math.inf) -> str:
        """Return the URL of the service; log in if needed.

        :raises ImagesError: if there is none, or the login fails
        """
        began = time.monotonic()
        try:
            return _endpoint.find(self._adapter)
        except Exception as e:
            if not _exceptions.is_translated(e):
                raise
            raise self._login_error(e, time.monotonic() - began) from e

    def log_in(self, _end: float = math.inf) -> None:
        """Obtain a token, unless the adapter has one.

        :raises ImagesError: if the login fails
        """
        began = time.monotonic()
        try:
            self._adapter.get_token()
        except Exception as e:
            if type(e) is Exception:
                # NOTE: keystoneauth raises it for a missing password.
                raise _errors.ImagesError(f'The login failed: {e}') from e
            if not _exceptions.is_translated(e):
                raise
            raise self._login_error(e, time.monotonic() - began) from e

    def _login_error(self, e: Exception, waited: float) -> _errors.ImagesError:
        error = _exceptions.translate(e, 'Keystone', waited)
        retried = _retry.session_retries(self._adapter)
        if retried and fault_of(error).kind is Kind.CONNECTION:
            # keystoneauth has retried it.
            return mark(error, Kind.PERMANENT)
        return error

    def locate(self, end: float) -> Endpoint:
        """Return the versioned endpoint.

        A URL with a version is used as it is. Version discovery would need
        another request, which a firewall may block.

        :raises ImagesError: if the endpoint is not found
        """
        url = self.find_url(end)
        endpoint = self._discovered.get(url)
        if endpoint is None:
            endpoint = _endpoint.parse(url)
            if not _endpoint.version_root(endpoint.url, self._project_id()):
                document = self._version_document(endpoint, end)
                endpoint = endpoint.below(_versions.path_of_version(document))
            self._discovered[url] = endpoint
        return endpoint

    def _version_document(self, endpoint: Endpoint, end: float) -> Any:
        """Request the version document; return None if there is none."""

        def request(**arguments: Any) -> Any:
            response = send_once(
                self._adapter,
                *('GET', f'{endpoint.url}/', endpoint, end, arguments),
                accepted=(_response.MULTIPLE_CHOICES,),
            )
            return _json.load_or_none(response.body)

        try:
            with contextlib.suppress(_errors.Unauthorized):
                return request(authenticated=False)
            return request()
        except (_errors.HTTPError, _errors.InvalidResponse) as e:
            settings = _retry.Settings.from_adapter(self._adapter)
            if e.http_status in (401, *settings.statuses):
                raise
            return None

    def version_document_of(self, url: str, end: float) -> Any:
        """Request the version document of an endpoint."""
        endpoint = _endpoint.parse(url)
        root = _endpoint.version_root(endpoint.url, self._project_id())
        endpoint = dataclasses.replace(endpoint, url=root or endpoint.url)
        return self._version_document(endpoint, end)

    def _project_id(self) -> str | None:
        try:
            return self._adapter.get_project_id()
        except Exception:  # noqa: BLE001 - of any plugin; optional
            return None
