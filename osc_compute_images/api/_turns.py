# SPDX-License-Identifier: Apache-2.0

"""Who may send a request, where several regions share a server or a login."""

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

#: What is raised for a server that is not there, or says nothing.
_DEAD = (
    ksa_exceptions.ConnectFailure,
    ksa_exceptions.ConnectTimeout,
    requests.Timeout,
    urllib3.exceptions.TimeoutError,
)


class Closed(BaseException):
    """Nothing more is to be sent: nobody waits for the answer.

    It is no :class:`Exception`, so that nothing on its way takes it for a
    fault of the server.
    """


class Turns:
    """Lets one region at a time use what several share.

    What a region has found dead stays its own while it may retry. If it gives
    up, the others fail at once, instead of each waiting as long.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[Hashable, _Region] = {}
        #: What does not answer, and the words for it.
        self._dead: dict[Hashable, str] = {}
        self._closed = False

    def close(self) -> None:
        """Let no further request be sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextlib.contextmanager
    def of(self, api: ImagesAPI) -> Iterator[ImagesAPI]:
        """Provide an images API that takes turns with those of others."""
        region = _Region(self, api.adapter)
        try:
            yield type(api)(region.adapter)
        finally:
            with self._changed:
                for key, dead, reason in region.failed:
                    self._dead.setdefault(dead, reason)
                    del self._holders[key]
                self._changed.notify_all()

    def take(self, region: '_Region', key: Hashable, dead: Hashable) -> None:
        """Wait for a turn.

        :param key: what one region uses at a time
        :param dead: what may be known to be dead
        :raises ConnectionFailed: if it is
        :raises Closed: after :meth:`close`
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or dead in self._dead
                    or self._holders.get(key, region) is region
                )
            )
            if self._closed:
                raise Closed
            if dead in self._dead:
                raise _errors.ConnectionFailed(self._dead[dead])
            self._holders[key] = region

    def give_back(self, key: Hashable) -> None:
        """End a turn."""
        with self._changed:
            del self._holders[key]
            self._changed.notify_all()


class _Region:
    """One region, and the adapter that it is asked through.

    :ivar failed: the turns that it still has, as what it asked has failed
    """

    def __init__(self, turns: Turns, adapter: ksa_adapter.Adapter) -> None:
        self._turns = turns
        self._original = adapter
        self.failed: list[tuple[Hashable, Hashable, str]] = []
        session = getattr(adapter, 'session', None)
        self._login = id(adapter.auth or getattr(session, 'auth', None))
        # NOTE: a copy of its own kind: all that it has set, it has set, and
        # what it does for a request of its own, it does.
        self.adapter = copy.copy(adapter)
        vars(self.adapter).update(
            request=self._request, get_endpoint=self._get_endpoint
        )

    def _get_endpoint(self, *args: Any, **kwargs: Any) -> str | None:
        """Find the endpoint in the catalog: it takes a login."""
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
            # NOTE: keystoneauth has no better one for a missing password.
            if type(e) is not Exception:
                raise
            raise _errors.ImagesError(f'The login failed: {e}') from e

    def _request(self, url: str, *args: Any, **kwargs: Any) -> Any:
        base = kwargs.get('endpoint_override') or url
        server = urllib.parse.urlsplit(base).netloc
        return self._in_turn(
            # Of several logins, such as those of several clouds, none need
            # wait for another.
            (server, self._login),
            server,
            _DEAD,
            server,
            lambda: self._original.request(url, *args, **kwargs),
        )

    def _in_turn(
        self,
        key: Hashable,
        dead: Hashable,
        faults: tuple[type[Exception], ...],
        what: str,
        ask: Callable[[], Any],
    ) -> Any:
        self._turns.take(self, key, dead)
        self.failed = [each for each in self.failed if each[0] != key]
        try:
            answer = ask()
        except faults:
            reason = f'{what} has failed in another region already'
            self.failed.append((key, dead, reason))
            raise
        except BaseException:
            self._turns.give_back(key)
            raise
        self._turns.give_back(key)
        return answer
