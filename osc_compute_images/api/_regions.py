# SPDX-License-Identifier: Apache-2.0

"""Call a function for several regions in parallel."""

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Mapping
import dataclasses
from typing import Generic
from typing import TypeVar

from osc_compute_images.api import _errors
from osc_compute_images.api import _pool
from osc_compute_images.api import _turns
from osc_compute_images.api._client import ImagesAPI

#: Number of regions queried in parallel.
PARALLEL = 16

_Key = TypeVar('_Key')
_Value = TypeVar('_Value')


@dataclasses.dataclass(frozen=True)
class RegionResult(Generic[_Key, _Value]):
    """The result of a call for one region.

    :param region: key of the region
    :param value: the return value, or None if the call failed
    :param error: the error, or None
    """

    region: _Key
    value: _Value | None = None
    error: _errors.ImagesError | None = None


def in_regions(
    apis: Mapping[_Key, ImagesAPI],
    call: Callable[[ImagesAPI], _Value],
    *,
    parallel: int = PARALLEL,
    ordered: bool = True,
) -> Generator[RegionResult[_Key, _Value], None, None]:
    """Call a function for several regions in parallel.

    For example, list all snapshots of all regions::

        from osc_compute_images.api import filters

        snapshots = filters.image_type('snapshot')
        for result in in_regions(
            apis, lambda api: [*api.list_detail(where=snapshots)]
        ):
            if result.error is not None:
                print(f'{result.region}: {result.error}')
            else:
                print(result.region, [image.name for image in result.value])

    Regions that share a server and a login send one request at a time to it.
    Once a server has refused a connection or timed out for one region, the
    other regions that use it fail immediately, as do regions whose login has
    failed.

    :param apis: the images API of each region, by any key
        (see :mod:`osc_compute_images.api.clouds`)
    :param call: called with the images API of a region, in a thread; its
        return value is held in memory until it is yielded
    :param parallel: number of calls in parallel
    :param ordered: yield the results in the order of the keys; otherwise as
        completed
    :returns: a generator of one result per region. The calls start
        immediately. After its ``close()``, or when it is dropped, no more
        requests are sent
    :raises ValueError: if ``parallel`` is less than 1

    The generator raises any exception of a call that is not an
    :class:`~osc_compute_images.api.ImagesError`.
    """
    return with_keys(
        apis,
        lambda _key, api: call(api),
        parallel=parallel,
        ordered=ordered,
    )


def with_keys(
    apis: Mapping[_Key, ImagesAPI],
    call: Callable[[_Key, ImagesAPI], _Value],
    *,
    parallel: int = PARALLEL,
    ordered: bool = True,
    on_done: Callable[[_Key], object] = lambda _key: None,
) -> Generator[RegionResult[_Key, _Value], None, None]:
    """Like :func:`in_regions`, for a function that also takes the key.

    :param on_done: called, in the thread, when a call has returned or failed
    """
    turns = _turns.Turns()

    def result(key: _Key) -> RegionResult[_Key, _Value]:
        with turns.wrap(apis[key]) as api:
            try:
                return RegionResult(key, value=call(key, api))
            except _errors.ImagesError as e:
                return RegionResult(key, error=e)

    return _pool.map_in_threads(
        list(apis),
        result,
        parallel=parallel,
        ordered=ordered,
        on_done=on_done,
        on_close=turns.close,
    )
