# SPDX-License-Identifier: Apache-2.0

"""Where the images are: from an adapter to the URL of its Compute.

Only the adapter does I/O here, where it has no token yet.
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
from osc_compute_images.api.http import _words
from osc_compute_images.text import without_credentials

# The versions of Compute that there ever were, as a URL ends in them.
_VERSION = re.compile(r'v(1\.[01]|2(\.\d+)?|3)')

# The IDs that projects have, by default and on old clouds.
_PROJECT = re.compile(r'[0-9a-f]{32}|[0-9a-f-]{36}|\d+', re.IGNORECASE)

# What a percent sign begins.
_TEMPLATE = re.compile(r'%(%|\(\w*\)\w?|\w*)')

# How many regions are told.
_TOLD = 20

# What code that expects something else raises for garbage.
_GARBAGE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where requests go.

    :param url: without a slash at its end, and without credentials
    :param auth: those that the URL had, for the server or a proxy before it
    """

    url: str
    auth: requests.auth.AuthBase | None = None

    @property
    def server(self) -> str:
        """The host and port."""
        return urllib.parse.urlsplit(self.url).netloc

    def below(self, path: str | None) -> 'Endpoint':
        """Return where a path below this leads."""
        return self if not path else Endpoint(f'{self.url}/{path}', self.auth)

    def arguments(self) -> dict[str, Any]:
        """Return what an adapter is given to send a request there."""
        # keystoneauth fills in what stands after a percent sign.
        arguments: dict[str, Any] = {
            'endpoint_override': self.url.replace('%', '%%')
        }
        if self.auth is not None:
            arguments['requests_auth'] = self.auth
        return arguments


def find(adapter: ksa_adapter.Adapter) -> str:
    """Return the URL that the configuration or the catalog has.

    :raises EndpointNotFound: if there is none
    :raises InvalidResponse: if what Keystone sent cannot be read
    """
    try:
        url: Any = adapter.get_endpoint(skip_discovery=True)
    except (
        ksa_exceptions.EndpointNotFound,
        ksa_exceptions.EmptyCatalog,
        ksa_exceptions.MissingAuthPlugin,
    ) as e:
        _refuse(adapter, str(e), e)
    except UnicodeEncodeError:
        raise
    except (ksa_exceptions.InvalidResponse, *_GARBAGE) as e:
        raise _errors.InvalidResponse(
            f'The token and catalog that Keystone sent cannot be read: '
            f'{_words.one_line(f"{type(e).__name__}: {e}")}'
        ) from e
    if not url:
        _refuse(
            adapter,
            'The catalog has no endpoint of the Compute service in this '
            'region and interface',
            None,
        )
    if not isinstance(url, str):
        raise _errors.InvalidResponse(
            f'The catalog that Keystone sent has {url!r:.80} in the place of '
            f'the URL of the Compute service'
        )
    if adapter.endpoint_override and '%' in url:
        return _filled(adapter, url)
    return url


def parse(url: str) -> Endpoint:
    """Take the credentials out of a URL.

    :raises EndpointNotFound: if it is no URL
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as e:
        raise _errors.EndpointNotFound(
            f'The URL of the Compute service cannot be read: {e}'
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
    """Return the part of a URL up to its version, or None without one.

    :param project_id: may come after the version
    """
    parts = urllib.parse.urlsplit(url)
    path, _, last = parts.path.rstrip('/').rpartition('/')
    if _VERSION.fullmatch(last):
        path = f'{path}/{last}'
    else:
        last = urllib.parse.unquote(last).removeprefix('AUTH_')
        if not (_PROJECT.fullmatch(last) or last == project_id):
            return None
        if not _VERSION.fullmatch(path.rpartition('/')[2]):
            return None
    return urllib.parse.urlunsplit(parts._replace(path=path))


def _filled(adapter: ksa_adapter.Adapter, template: str) -> str:
    """Fill in an override as keystoneauth would, or say what cannot be."""
    values: dict[str, Callable[[], str | None]] = {
        '%%': lambda: '%',
        '%(project_id)s': adapter.get_project_id,
        '%(user_id)s': adapter.get_user_id,
    }

    def value(found: re.Match[str]) -> str:
        get = values.get(found[0])
        filled = get() if get else None
        if filled:
            return filled
        shown = without_credentials(template)
        what = found[0] if len(found[0]) > 1 else 'a percent sign'
        raise _errors.EndpointNotFound(
            f'The endpoint override {shown!r} cannot be filled in: there is '
            f'no value for {what}. It may have %(project_id)s and '
            f'%(user_id)s; a percent sign is written as %%'
        )

    return _TEMPLATE.sub(value, template)


def _refuse(
    adapter: ksa_adapter.Adapter, reason: str, cause: Exception | None
) -> NoReturn:
    """Say that there is no endpoint, and where there is one."""
    message = _words.one_line(reason)
    region = adapter.region_name
    others = _regions(adapter)
    if region and others and region not in others:
        interface = adapter.interface or 'public'
        if not isinstance(interface, str):
            interface = ' or '.join(interface)
        named = ', '.join(repr(other) for other in others[:_TOLD])
        more = ', ...' if len(others) > _TOLD else ''
        message = (
            f'The catalog has no {interface} endpoint of the Compute service '
            f'in region {region!r}; it has one in {named}{more}'
        )
    elif region and isinstance(cause, ksa_exceptions.EndpointNotFound):
        message = message.replace(
            f'in {region} region', f'in region {region!r}'
        )
    raise _errors.EndpointNotFound(message) from cause


def _regions(adapter: ksa_adapter.Adapter) -> list[str]:
    """Return the regions that have such an endpoint, as far as is known."""
    # NOTE: it is no more than a hint, and not all plugins have a catalog.
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
