# SPDX-License-Identifier: Apache-2.0

"""Find the endpoint of an adapter, with a version that is served.

keystoneauth's own discovery is not used: it trusts the hosts in version
documents, follows redirects with the token, and does not limit the size of a
response. SECURITY.rst promises otherwise.
"""

import contextlib
import re
from typing import Any

from keystoneauth1 import adapter as ksa_adapter

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _endpoint
from osc_compute_images.api.http import _sessions
from osc_compute_images.api.http._endpoint import Endpoint
from osc_compute_images.api.http._request import send_once
from osc_compute_images.api.listing import _json

# Paths of versions below an endpoint without one, in order of preference.
_VERSIONS = ('/v2.1', '/v2')

_MICROVERSION = re.compile(r'[0-9]{1,9}(\.[0-9]{1,9})?')


class Locator:
    """Finds the endpoint for each request.

    The user, region or override of the adapter may change at any time. Only
    the versions are looked for once, by URL.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._found: dict[str, Endpoint] = {}

    def locate(self, end: float) -> Endpoint:
        """Return the endpoint with a version.

        A URL with a version is used as it is: another request may be blocked
        by a firewall. Below any other URL, a version is looked for.

        :raises ImagesError: if there is no endpoint, or the login fails
        """
        url = _endpoint.find(self._adapter)
        if url not in self._found:
            endpoint = _endpoint.parse(url)
            if self._version_root(endpoint) is None:
                endpoint = self._with_version(endpoint, end)
            self._found[url] = endpoint
        return self._found[url]

    def microversions(self, end: float) -> tuple[str, str] | None:
        """Return the lowest and highest microversion, or None if unknown.

        :raises ImagesError: if there is no version document
        """
        endpoint = self.locate(end)
        root = self._version_root(endpoint) or endpoint.url
        body = self._version_document(Endpoint(root, endpoint.auth), end)
        try:
            version = _json.load_or_none(body)['version']
            low, high = str(version['min_version']), str(version['version'])
        except (LookupError, TypeError):
            return None
        valid = all(map(_MICROVERSION.fullmatch, (low, high)))
        return (low, high) if valid else None

    def _with_version(self, endpoint: Endpoint, end: float) -> Endpoint:
        """Return the endpoint of a version that is served, or this one."""
        final = (401, *_sessions.retries(self._adapter).statuses)
        for path in _VERSIONS:
            below = Endpoint(endpoint.url + path, endpoint.auth)
            try:
                self._version_document(below, end)
            except (_errors.HTTPError, _errors.InvalidResponse) as e:
                if e.http_status in final:
                    raise
            else:
                return below
        return endpoint

    def _version_document(self, root: Endpoint, end: float) -> bytes:
        """Request the document of a version, without a token if possible."""

        def request(**content: Any) -> bytes:
            return send_once(
                self._adapter, 'GET', '/', root, end, content
            ).body

        with contextlib.suppress(_errors.Unauthorized):
            return request(authenticated=False)
        return request()

    def _version_root(self, endpoint: Endpoint) -> str | None:
        project_id = None
        # NOTE: any plugin may fail; the default forms of IDs are known.
        with contextlib.suppress(Exception):
            project_id = self._adapter.get_project_id()
        return _endpoint.version_root(endpoint.url, project_id)
