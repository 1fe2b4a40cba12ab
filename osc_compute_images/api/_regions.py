# SPDX-License-Identifier: Apache-2.0

"""Call a function for several regions in parallel."""

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Mapping
import copy
import dataclasses
import threading
from typing import Any
from typing import Generic
from typing import NoReturn
from typing import TYPE_CHECKING
from typing import TypeVar

from osc_compute_images.api import _errors
from osc_compute_images.api import _threads
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._session import BoundedSession

if TYPE_CHECKING:
    from osc_compute_images.api.images._api import ImagesAPI

_Key = TypeVar('_Key')
_Value = TypeVar('_Value')


@dataclasses.dataclass(frozen=True)
class RegionSuccess(Generic[_Key, _Value]):
    """The value that a call for a region returned; its error is None."""

    region: _Key
    value: _Value
    error: None = None

    def unwrap(self) -> _Value:
        """Return the value."""
        return self.value


@dataclasses.dataclass(frozen=True)
class RegionFailure(Generic[_Key]):
    """The error of a call for a region; its value is None."""

    region: _Key
    error: _errors.ImagesError
    value: None = None

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        # NOTE: a copy, as the traceback of one error would grow.
        error = copy.copy(self.error).with_traceback(self.error.__traceback__)
        raise error from self.error.__cause__


#: The result of a call for a region: a value or an error.
RegionResult = RegionSuccess[_Key, _Value] | RegionFailure[_Key]


def in_regions(
    apis: 'Mapping[_Key, ImagesAPI]',
    call: 'Callable[[ImagesAPI], _Value]',
    *,
    parallel: int = _threads.PARALLEL,
    ordered: bool = True,
) -> Generator[RegionResult[_Key, _Value], None, None]:
    """Call a function for several regions in parallel.

    ``result.unwrap()`` returns the value, or raises the error.

    Regions with the same login, an object of keystoneauth, log in once. If
    that fails, each of them has that error, and their calls are not made.

    :param apis: the images API of each region, by any key
        (see :mod:`osc_compute_images.api.clouds`)
    :param call: called in a thread; what it returns is held in memory until
        it is yielded
    :param parallel: number of regions in parallel
    :param ordered: yield the results in the order of the keys; otherwise as
        completed
    :returns: a generator of one result per region. The calls start
        immediately. After its ``close()``, or when it is dropped, no more
        regions are begun; those that were begun continue to their end
    :raises ValueError: if ``parallel`` is less than 1

    The generator raises any exception of a call that is not an
    :class:`~osc_compute_images.api.ImagesError`.
    """
    return with_keys(
        apis, lambda _key, api: call(api), parallel=parallel, ordered=ordered
    )


def with_keys(
    apis: 'Mapping[_Key, ImagesAPI]',
    call: 'Callable[[_Key, ImagesAPI], _Value]',
    *,
    on_done: Callable[[_Key], object] = lambda _key: None,
    **options: Any,
) -> Generator[RegionResult[_Key, _Value], None, None]:
    """Like :func:`in_regions`, for a function that also takes the key.

    :param on_done: called, in the thread, when a call has returned or failed
    :param options: of :func:`in_regions`
    """
    logins = {
        key: id(BoundedSession(api.adapter).login) for key, api in apis.items()
    }
    locks = {login: threading.Lock() for login in logins.values()}
    #: The outcome of each login that was tried, by the first region.
    tried: dict[int, RegionResult[_Key, None]] = {}

    def log_in(key: _Key) -> None:
        login = logins[key]
        with locks[login]:
            if login in tried:
                return tried[login].unwrap()
            tried[login] = RegionSuccess(key, None)
            try:
                Client(apis[key].adapter).log_in()
            except _errors.ImagesError as e:
                tried[login] = RegionFailure(key, e)
                raise

    def result(key: _Key) -> RegionResult[_Key, _Value]:
        try:
            log_in(key)
            return RegionSuccess(key, call(key, apis[key]))
        except _errors.ImagesError as e:
            return RegionFailure(key, e)
        finally:
            on_done(key)

    return _threads.map_in_threads(apis, result, **options)
