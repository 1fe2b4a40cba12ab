# SPDX-License-Identifier: Apache-2.0

"""Find the endpoint of an adapter, with a version that is served.

keystoneauth's own discovery is not used: it trusts the hosts in version
documents, follows redirects with the token, and does not limit the size of a
response. SECURITY.rst promises otherwise.
"""

from collections.abc import Callable
import contextlib
import re
import time
from typing import Annotated
from typing import Any

from keystoneauth1 import exceptions as ksa_exceptions
import msgspec

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _catalog
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http._error_response import one_line
from osc_compute_images.api.http._request import Endpoint
from osc_compute_images.api.http._request import send_once
from osc_compute_images.api.http._session import BoundedSession
from osc_compute_images.text import without_credentials

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

# Placeholders of an endpoint override.
_PLACEHOLDER = re.compile(r'%(%|\(\w*\)\w?|\w*)')

# What keystoneauth raises if it knows no endpoint.
_NO_ENDPOINT = (
    ksa_exceptions.EndpointNotFound,
    ksa_exceptions.MissingAuthPlugin,
)


class Locator:
    """Finds the endpoint for each request.

    The user, region or override of the adapter may change at any time. Only
    the versions are looked for once, by URL.
    """

    def __init__(self) -> None:
        self._found: dict[str, Endpoint] = {}

    def locate(self, session: BoundedSession) -> Endpoint:
        """Return the endpoint of the configuration or catalog, with a version.

        A URL with a version is used as it is: another request may be blocked
        by a firewall. Below any other URL, a version is looked for.

        :raises EndpointNotFound: if there is none
        :raises ImagesError: if the catalog is malformed, or a request fails
        """
        adapter = session.adapter
        began = time.monotonic()
        try:
            url: Any = adapter.get_endpoint(skip_discovery=True)
            if adapter.endpoint_override and '%' in url:
                url = _fill_in(session, url)
        except _NO_ENDPOINT as e:
            raise _not_found(session, one_line(str(e))) from e
        except Exception as e:
            raise _exceptions.of_login(e, began) from e
        if not url:
            raise _not_found(
                session,
                'The catalog has no endpoint of the Compute service in this '
                'region and interface',
            )
        if not isinstance(url, str):
            raise _errors.InvalidResponse(
                f'The catalog has {url!r:.80} instead of the URL of the '
                f'Compute service'
            )
        if url not in self._found:
            endpoint = Endpoint.parse(url)
            if _version_root(endpoint) is None:
                endpoint = _with_version(session, endpoint)
            self._found[url] = endpoint
        return self._found[url]

    def microversions(self, session: BoundedSession) -> tuple[str, str] | None:
        """Return the lowest and highest microversion, or None if unknown.

        :raises ImagesError: if there is no version document
        """
        endpoint = self.locate(session)
        root = _version_root(endpoint) or endpoint
        body = send_once(session, 'GET', root, '/').content
        try:
            version = msgspec.json.decode(body, type=_Document).version
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        return version.min_version, version.version


class _Version(msgspec.Struct):
    version: Annotated[str, msgspec.Meta(pattern=_MICROVERSION)]
    min_version: Annotated[str, msgspec.Meta(pattern=_MICROVERSION)]


class _Document(msgspec.Struct):
    version: _Version


def _version_root(endpoint: Endpoint) -> Endpoint | None:
    """Return the endpoint up to its version, or None without a version."""
    match = _VERSIONED.fullmatch(endpoint.url)
    return endpoint._replace(url=match['root']) if match else None


def _with_version(session: BoundedSession, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint of a version that is served, or this one."""
    final = (401, *session.transient_statuses())
    for path in _VERSIONS:
        below = endpoint._replace(url=endpoint.url + path)
        try:
            send_once(session, 'GET', below, '/')
        except (_errors.HTTPError, _errors.InvalidResponse) as e:
            if e.http_status in final:
                raise
        else:
            return below
    return endpoint


def _fill_in(session: BoundedSession, template: str) -> str:
    """Fill in the placeholders of an override, as keystoneauth does."""
    values: dict[str, Callable[[], str | None]] = {
        '%%': lambda: '%',
        '%(project_id)s': session.adapter.get_project_id,
        '%(user_id)s': session.adapter.get_user_id,
    }

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[0]
        if filled := values.get(name, str)():
            return filled
        raise _errors.EndpointNotFound(
            f'The endpoint override {without_credentials(template)!r} is '
            f'invalid: there is no value for {name!r}. Use %(project_id)s or '
            f'%(user_id)s, and %% for a percent sign'
        )

    return _PLACEHOLDER.sub(value, template)


def _not_found(
    session: BoundedSession, message: str
) -> _errors.EndpointNotFound:
    """Return the error, with the regions that have an endpoint, if known."""
    adapter = session.adapter
    region, regions = adapter.region_name, set()
    # NOTE: only a hint, and not all plugins have a catalog.
    with contextlib.suppress(Exception):
        catalog = session.login.get_access(session).service_catalog
        found = _catalog.endpoints(
            catalog, adapter, adapter.service_type, adapter.service_name
        )
        regions = {str(endpoint.region_name) for endpoint in found}
    if region and regions and region not in regions:
        interfaces = adapter.interface or 'public'
        if not isinstance(interfaces, str):
            interfaces = ' or '.join(interfaces)
        message = (
            f'The catalog has no {interfaces} endpoint of the Compute service '
            f'in region {region!r}; choose from '
            f'{", ".join(map(repr, sorted(regions)))}'
        )
    return _errors.EndpointNotFound(message)
