# SPDX-License-Identifier: Apache-2.0

"""Find the endpoint of Compute for an adapter, and log in.

The only I/O is that of the adapter, if it has no token yet.
"""

from collections.abc import Callable
import contextlib
import dataclasses
import re
from typing import Any
from typing import NoReturn
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _error_message
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _sessions
from osc_compute_images.text import without_credentials

# The path of a URL with a version of Compute, perhaps below it a project.
_VERSIONED = re.compile(
    r'(?P<root>.*/v(1\.[01]|2(\.\d+)?|3))(/(AUTH_)?(?P<project>[^/]+))?'
)

# The IDs of projects, by default and on old clouds.
_PROJECT = re.compile(r'[0-9a-f]{32}|[0-9a-f-]{36}|\d+', re.IGNORECASE)

# Placeholders of an endpoint override.
_PLACEHOLDER = re.compile(r'%(%|\(\w*\)\w?|\w*)')

# What keystoneauth raises if it knows no endpoint.
_NO_ENDPOINT = (
    ksa_exceptions.EndpointNotFound,
    ksa_exceptions.EmptyCatalog,
    ksa_exceptions.MissingAuthPlugin,
)

# Maximum number of regions in a message.
_MAX_REGIONS_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An endpoint.

    :param url: without a trailing slash and credentials
    :param auth: the credentials of the URL, or None
    """

    url: str
    auth: requests.auth.AuthBase | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for a request of an adapter."""
        # keystoneauth interprets percent signs as placeholders.
        arguments: dict[str, Any] = {
            'endpoint_override': self.url.replace('%', '%%')
        }
        if self.auth is not None:
            arguments['requests_auth'] = self.auth
        return arguments


def find(adapter: ksa_adapter.Adapter) -> str:
    """Return the URL from the configuration or the catalog.

    :raises EndpointNotFound: if there is none
    :raises ImagesError: if the login fails, or its response is malformed
    """
    with _translated(adapter):
        try:
            url: Any = adapter.get_endpoint(skip_discovery=True)
        except _NO_ENDPOINT as e:
            _raise_not_found(adapter, str(e), e)
    if not url:
        _raise_not_found(
            adapter,
            'The catalog has no endpoint of the Compute service in this '
            'region and interface',
            None,
        )
    if not isinstance(url, str):
        raise _errors.InvalidResponse(
            f'The catalog has {url!r:.80} instead of the URL of the Compute '
            f'service'
        )
    if adapter.endpoint_override and '%' in url:
        with _translated(adapter):
            return _fill_in(adapter, url)
    return url


def log_in(adapter: ksa_adapter.Adapter) -> None:
    """Obtain a token, unless the adapter has one.

    :raises ImagesError: if it fails
    """
    with _translated(adapter):
        adapter.get_token()


def _translated(
    adapter: ksa_adapter.Adapter,
) -> contextlib.AbstractContextManager[None]:
    # keystoneauth has its own retries.
    is_retried = _sessions.connect_retries(adapter) is not None
    return _exceptions.translated('Keystone', is_retried=is_retried)


def parse(url: str) -> Endpoint:
    """Separate the credentials from a URL.

    :raises EndpointNotFound: if the URL is invalid
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as e:
        raise _errors.EndpointNotFound(
            f'The URL of the Compute service is invalid: {e}'
        ) from e
    auth = None
    if '@' in parts.netloc:
        user, password = (
            urllib.parse.unquote(text or '')
            for text in (parts.username, parts.password)
        )
        auth = requests.auth.HTTPBasicAuth(user, password)
        parts = parts._replace(netloc=parts.netloc.rpartition('@')[2])
    return Endpoint(urllib.parse.urlunsplit(parts).rstrip('/'), auth)


def version_root(url: str, project_id: str | None) -> str | None:
    """Return a URL up to its version, or None without a version.

    :param project_id: may follow the version
    """
    parts = urllib.parse.urlsplit(url)
    match = _VERSIONED.fullmatch(parts.path.rstrip('/'))
    if match is None:
        return None
    project = urllib.parse.unquote(match['project'] or '')
    if project and project != project_id and not _PROJECT.fullmatch(project):
        return None
    return urllib.parse.urlunsplit(parts._replace(path=match['root']))


def _fill_in(adapter: ksa_adapter.Adapter, template: str) -> str:
    """Fill in the placeholders of an override, as keystoneauth does."""
    values: dict[str, Callable[[], str | None]] = {
        '%%': lambda: '%',
        '%(project_id)s': adapter.get_project_id,
        '%(user_id)s': adapter.get_user_id,
    }

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[0]
        if filled := values.get(name, str)():
            return filled
        raise _errors.EndpointNotFound(
            f'The endpoint override {without_credentials(template)!r} is '
            f'invalid: there is no value for '
            f'{name if len(name) > 1 else "a percent sign"}. Use '
            f'%(project_id)s or %(user_id)s, and %% for a percent sign'
        )

    return _PLACEHOLDER.sub(value, template)


def _raise_not_found(
    adapter: ksa_adapter.Adapter, reason: str, cause: Exception | None
) -> NoReturn:
    """Raise EndpointNotFound, with the regions that have an endpoint."""
    message = _error_message.one_line(reason)
    region = adapter.region_name
    others = _regions(adapter)
    if region and others and region not in others:
        interface = adapter.interface or 'public'
        if not isinstance(interface, str):
            interface = ' or '.join(interface)
        shown = ', '.join(map(repr, others[:_MAX_REGIONS_SHOWN]))
        more = ', ...' if len(others) > _MAX_REGIONS_SHOWN else ''
        message = (
            f'The catalog has no {interface} endpoint of the Compute service '
            f'in region {region!r}; choose from {shown}{more}'
        )
    elif region and isinstance(cause, ksa_exceptions.EndpointNotFound):
        quoted = f'in region {region!r}'
        message = message.replace(f'in {region} region', quoted)
    raise _errors.EndpointNotFound(message) from cause


def _regions(adapter: ksa_adapter.Adapter) -> list[str]:
    """Return the regions that have such an endpoint, if known."""
    # NOTE: only for a hint in a message; not all plugins have a catalog.
    with contextlib.suppress(Exception):
        session: Any = adapter.session
        auth: Any = adapter.auth or session.auth
        catalog = auth.get_access(session).service_catalog
        found = catalog.get_endpoints_data(
            service_type=adapter.service_type,
            service_name=adapter.service_name,
            interface=adapter.interface or 'public',
        )
        names = {each.region_name for some in found.values() for each in some}
        return sorted(name for name in names if isinstance(name, str) and name)
    return []
