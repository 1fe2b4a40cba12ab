# SPDX-License-Identifier: Apache-2.0

"""Serialize the requests of regions that share a server or a login."""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
import contextlib
import copy
import threading
from typing import Any
import urllib.parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
import requests
import urllib3

from osc_compute_images.api import _errors
from osc_compute_images.api._client import ImagesAPI

#: Exceptions for a server that cannot be reached or does not respond.
_UNREACHABLE = (
    ksa_exceptions.ConnectFailure,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
)


class Closed(BaseException):
    """No more requests may be sent.

    Not an :class:`Exception`, so that nothing handles it as an error of the
    server.
    """


class Turns:
    """Lets one region at a time use a shared server or login.

    A region whose request fails keeps its turn while it retries. If it gives
    up, the other regions fail immediately, without waiting as long.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[Hashable, _Region] = {}
        #: Servers and logins that have failed, and the message.
        self._failed: dict[Hashable, str] = {}
        self._closed = False

    def close(self) -> None:
        """Prevent further requests."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextlib.contextmanager
    def wrap(self, api: ImagesAPI) -> Iterator[ImagesAPI]:
        """Provide a copy of an images API that takes turns."""
        region = _Region(self, api.adapter)
        try:
            yield type(api)(region.adapter)
        finally:
            with self._changed:
                for key, target, reason in region.failed:
                    self._failed.setdefault(target, reason)
                    del self._holders[key]
                self._changed.notify_all()

    def take(self, region: '_Region', key: Hashable, target: Hashable) -> None:
        """Wait for a turn.

        :param key: what only one region uses at a time
        :param target: the server or login that may have failed
        :raises ConnectionFailed: if the target has failed
        :raises Closed: after :meth:`close`
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or target in self._failed
                    or self._holders.get(key, region) is region
                )
            )
            if self._closed:
                raise Closed
            if target in self._failed:
                raise _errors.ConnectionFailed(self._failed[target])
            self._holders[key] = region

    def give_back(self, key: Hashable) -> None:
        """End a turn."""
        with self._changed:
            del self._holders[key]
            self._changed.notify_all()


class _Region:
    """A region, and its adapter.

    :ivar failed: the turns that it keeps after a failure: the key, the
        target, and the message
    """

    def __init__(self, turns: Turns, adapter: ksa_adapter.Adapter) -> None:
        self._turns = turns
        self._original = adapter
        self.failed: list[tuple[Hashable, Hashable, str]] = []
        session = getattr(adapter, 'session', None)
        self._login = id(adapter.auth or getattr(session, 'auth', None))
        # NOTE: a copy, which keeps the class and all settings of the adapter.
        self.adapter = copy.copy(adapter)
        vars(self.adapter).update(
            request=self._request, get_endpoint=self._get_endpoint
        )

    def _get_endpoint(self, *args: Any, **kwargs: Any) -> str | None:
        """Return the endpoint from the catalog, which needs a login."""
        key = ('login', self._login)
        url: str | None = self._in_turn(
            key,
            key,
            (ksa_exceptions.HttpError, ksa_exceptions.ConnectionError),
            'the login',
            lambda: self._find_endpoint(*args, **kwargs),
        )
        return url

    def _find_endpoint(self, *args: Any, **kwargs: Any) -> str | None:
        try:
            return self._original.get_endpoint(*args, **kwargs)
        except Exception as e:
            # NOTE: keystoneauth raises Exception for a missing password.
            if type(e) is not Exception:
                raise
            raise _errors.ImagesError(f'The login failed: {e}') from e

    def _request(self, url: str, *args: Any, **kwargs: Any) -> Any:
        base = kwargs.get('endpoint_override') or url
        server = urllib.parse.urlsplit(base).netloc
        return self._in_turn(
            # Regions with another login need not wait.
            (server, self._login),
            server,
            _UNREACHABLE,
            server,
            lambda: self._original.request(url, *args, **kwargs),
        )

    def _in_turn(
        self,
        key: Hashable,
        target: Hashable,
        failures: tuple[type[Exception], ...],
        name: str,
        send: Callable[[], Any],
    ) -> Any:
        self._turns.take(self, key, target)
        self.failed = [each for each in self.failed if each[0] != key]
        try:
            response = send()
        except failures:
            reason = f'{name} has already failed in another region'
            self.failed.append((key, target, reason))
            raise
        except BaseException:
            self._turns.give_back(key)
            raise
        self._turns.give_back(key)
        return response
