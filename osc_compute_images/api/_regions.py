# SPDX-License-Identifier: Apache-2.0

"""Call something for several regions at the same time."""

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

#: How many regions are asked at a time.
PARALLEL = 16

_Key = TypeVar('_Key')
_Value = TypeVar('_Value')


@dataclasses.dataclass(frozen=True)
class RegionResult(Generic[_Key, _Value]):
    """What came of a call for one region.

    :param region: the key of the region
    :param value: what the call returned, or None if it failed
    :param error: the error that it failed with, or None
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
    """Call something for several regions at the same time.

    For example, all snapshots of all regions::

        from osc_compute_images.api import filters

        snapshots = filters.image_type('snapshot')
        for result in in_regions(
            apis, lambda api: [*api.list_detail(where=snapshots)]
        ):
            if result.error is not None:
                print(f'{result.region}: {result.error}')
            else:
                print(result.region, [image.name for image in result.value])

    A server that serves several regions gets one request at a time from those
    that share a login. Once a server has refused or timed out in one region,
    the other regions that it serves fail at once; so do those whose login has
    failed.

    :param apis: the images API of each region, by any key
        (:mod:`osc_compute_images.api.clouds` makes them)
    :param call: what to call, with the images API of a region; it runs in a
        thread. What it returns is kept until it is taken
    :param parallel: how many regions to call it for at a time
    :param ordered: yield the results in the order of the keys; otherwise as
        they come
    :returns: a generator of one result a region. It begins at once. After its
        ``close()``, or when it is dropped, no further request is sent
    :raises ValueError: if ``parallel`` is less than 1

    Anything that the call raises, other than an
    :class:`~osc_compute_images.api.ImagesError`, is raised by the generator.
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
    """Do what :func:`in_regions` does, for a call that takes the key too.

    :param on_done: called, in the thread, when a call has returned or failed
    """
    turns = _turns.Turns()

    def result(key: _Key) -> RegionResult[_Key, _Value]:
        with turns.of(apis[key]) as api:
            try:
                return RegionResult(key, value=call(key, api))
            except _errors.ImagesError as e:
                return RegionResult(key, error=e)

    return _pool.each(
        list(apis),
        result,
        parallel=parallel,
        ordered=ordered,
        on_done=on_done,
        on_close=turns.close,
    )
