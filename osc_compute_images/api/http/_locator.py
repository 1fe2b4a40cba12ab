# SPDX-License-Identifier: Apache-2.0

"""Find the endpoint of an adapter, with a version that is served.

keystoneauth's own discovery is not used: it trusts the hosts in version
documents, follows redirects with the token, and does not limit the size of a
response. SECURITY.rst promises otherwise.
"""

import contextlib
import functools
import re
from typing import Annotated

from keystoneauth1 import adapter as ksa_adapter
import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _keystone
from osc_compute_images.api.http import _settings
from osc_compute_images.api.http._request import Endpoint
from osc_compute_images.api.http._request import send_once

# Paths of versions below an endpoint without one, in order of preference.
_VERSIONS = ('/v2.1', '/v2')

# A URL with a version of Compute, perhaps followed by a project in the form
# of Keystone or of an old cloud.
_VERSIONED = re.compile(
    r'(?P<root>.*://.*/v(1\.[01]|2(\.\d+)?|3))'
    r'(/(AUTH_)?([0-9a-f]{32}|[0-9a-f-]{36}|\d+))?',
    re.IGNORECASE,
)

_MICROVERSION = '^[0-9]{1,9}(\\.[0-9]{1,9})?$'


class Locator:
    """Finds the endpoint for each request.

    The user, region or override of the adapter may change at any time. Only
    the versions are looked for once, by URL.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self._found: dict[str, Endpoint] = {}

    def locate(self, end: float) -> Endpoint:
        """Return the endpoint, with a version.

        A URL with a version is used as it is: another request may be blocked
        by a firewall. Below any other URL, a version is looked for.

        :raises ImagesError: if there is no endpoint, or the login fails
        """
        url = _keystone.endpoint(self._adapter)
        if url not in self._found:
            endpoint = Endpoint.parse(url)
            if _version_root(endpoint) is None:
                endpoint = self._with_version(endpoint, end)
            self._found[url] = endpoint
        return self._found[url]

    def microversions(self, end: float) -> tuple[str, str] | None:
        """Return the lowest and highest microversion, or None if unknown.

        :raises ImagesError: if there is no version document
        """
        endpoint = self.locate(end)
        root = _version_root(endpoint) or endpoint
        body = self._version_document(root, end)
        try:
            version = msgspec.json.decode(body, type=_Document).version
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        return version.min_version, version.version

    def _with_version(self, endpoint: Endpoint, end: float) -> Endpoint:
        """Return the endpoint of a version that is served, or this one."""
        final = (401, *_settings.retries(self._adapter).statuses)
        for path in _VERSIONS:
            below = endpoint._replace(url=endpoint.url + path)
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
        request = functools.partial(
            send_once, self._adapter, 'GET', root, '/', end
        )
        with contextlib.suppress(_errors.Unauthorized):
            return request(authenticated=False).body
        return request().body


class _Version(msgspec.Struct):
    version: Annotated[str, msgspec.Meta(pattern=_MICROVERSION)]
    min_version: Annotated[str, msgspec.Meta(pattern=_MICROVERSION)]


class _Document(msgspec.Struct):
    version: _Version


def _version_root(endpoint: Endpoint) -> Endpoint | None:
    """Return the endpoint up to its version, or None without a version."""
    match = _VERSIONED.fullmatch(endpoint.url)
    return endpoint._replace(url=match['root']) if match else None
