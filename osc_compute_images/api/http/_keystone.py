# SPDX-License-Identifier: Apache-2.0

"""The login, and the endpoint of Compute that it or the user names."""

from collections.abc import Callable
import contextlib
import functools
import re
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
import requests

from osc_compute_images.api import _errors
from osc_compute_images.api.http import _exceptions
from osc_compute_images.api.http import _settings
from osc_compute_images.api.http._body import alarm
from osc_compute_images.api.http._error_response import one_line
from osc_compute_images.text import without_credentials

# Placeholders of an endpoint override.
_PLACEHOLDER = re.compile(r'%(%|\(\w*\)\w?|\w*)')

# What keystoneauth raises if it knows no endpoint.
_NO_ENDPOINT = (
    ksa_exceptions.EndpointNotFound,
    ksa_exceptions.EmptyCatalog,
    ksa_exceptions.MissingAuthPlugin,
)


class _BoundedSession:
    """A keystoneauth session, whose requests have timeouts and no retries.

    A plugin sends the requests of a login, and knows no deadline of them.
    """

    def __init__(self, settings: _settings.Settings, end: float) -> None:
        self._session = settings.session
        self._timeouts = settings.timeouts
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        left = self._end - time.monotonic()
        if left <= 0:
            raise requests.Timeout
        timeout = tuple(min(seconds, left) for seconds in self._timeouts)
        kwargs.update(timeout=timeout, connect_retries=0)
        return self._session.request(url, method, **kwargs)

    get = functools.partialmethod(request, method='GET')
    post = functools.partialmethod(request, method='POST')


def log_in(adapter: ksa_adapter.Adapter, end: float) -> None:
    """Obtain a token, unless the adapter has one.

    :param end: deadline, except while another thread logs in the same user
    :raises ImagesError: if it fails
    """
    settings = _settings.of(adapter)
    if settings.login is not None:
        left = end - time.monotonic()
        with _exceptions.translated(_exceptions.KEYSTONE), alarm(left):
            settings.login.get_headers(_BoundedSession(settings, end))


def discard_token(adapter: ksa_adapter.Adapter) -> bool:
    """Discard the token, and return whether another can be obtained."""
    plugin = _settings.of(adapter).login
    return plugin is not None and plugin.invalidate()


def has_access_rules(adapter: ksa_adapter.Adapter, end: float) -> bool:
    """Return whether access rules limit what the token can be used for."""
    settings = _settings.of(adapter)
    # NOTE: only a hint, and not all plugins know. Another thread may have
    # discarded the token.
    with contextlib.suppress(Exception):
        access = settings.login.get_access(_BoundedSession(settings, end))
        return bool(access.application_credential_access_rules)
    return False


def endpoint(adapter: ksa_adapter.Adapter) -> str:
    """Return the URL from the configuration or the catalog.

    :raises EndpointNotFound: if there is none
    :raises InvalidResponse: if the catalog is malformed
    """
    with _exceptions.translated(_exceptions.KEYSTONE):
        try:
            url: Any = adapter.get_endpoint(skip_discovery=True)
        except _NO_ENDPOINT as e:
            raise _not_found(adapter, one_line(str(e))) from e
        if not url:
            raise _not_found(
                adapter,
                'The catalog has no endpoint of the Compute service in this '
                'region and interface',
            )
        if not isinstance(url, str):
            raise _errors.InvalidResponse(
                f'The catalog has {url!r:.80} instead of the URL of the '
                f'Compute service'
            )
        if adapter.endpoint_override and '%' in url:
            return _fill_in(adapter, url)
        return url


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
            f'invalid: there is no value for {name!r}. Use %(project_id)s or '
            f'%(user_id)s, and %% for a percent sign'
        )

    return _PLACEHOLDER.sub(value, template)


def _not_found(
    adapter: ksa_adapter.Adapter, message: str
) -> _errors.EndpointNotFound:
    """Return the error, with the regions that have an endpoint, if known."""
    region, regions = adapter.region_name, set()
    # NOTE: only a hint, and not all plugins have a catalog.
    with contextlib.suppress(Exception):
        access = _settings.of(adapter).login.get_access(adapter.session)
        found = access.service_catalog.get_endpoints_data(
            service_type=adapter.service_type,
            service_name=adapter.service_name,
            interface=adapter.interface or 'public',
        )
        regions = {str(e.region_name) for some in found.values() for e in some}
    if region and regions and region not in regions:
        interface = adapter.interface or 'public'
        if not isinstance(interface, str):
            interface = ' or '.join(interface)
        message = (
            f'The catalog has no {interface} endpoint of the Compute service '
            f'in region {region!r}; choose from '
            f'{", ".join(map(repr, sorted(regions)))}'
        )
    return _errors.EndpointNotFound(message)
