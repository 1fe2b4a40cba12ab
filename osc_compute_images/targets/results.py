# SPDX-License-Identifier: Apache-2.0

"""The results of several regions, and reports of those that fail."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import itertools
from typing import TypeVar

from osc_lib import exceptions

from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api import ImagesError
from osc_compute_images.api import in_regions
from osc_compute_images.api._threads import PARALLEL
from osc_compute_images.output.progress_bar import Progress
from osc_compute_images.targets.scope import RegionKey
from osc_compute_images.targets.scope import Regions
from osc_compute_images.text import printable

#: Number of regions in parallel, if much of each is held in memory.
FEW = 4

_Result = TypeVar('_Result')


def describe_region(key: RegionKey) -> str:
    """Return the name of a region, for the beginning of a message."""
    *cloud, region = key
    words = [f'cloud {name}' for name in cloud]
    if region or not cloud:
        words.append(f'region {region}')
    text = printable(', '.join(words))
    return text[:1].upper() + text[1:]


class Results:
    """The results of several regions; reports those that fail.

    :param command: logs failures immediately
    :ivar progress: of the command, hidden meanwhile
    :ivar exit_code: 1 if any region failed
    """

    def __init__(self, command: base.ImagesCommand) -> None:
        self._log = command.log
        self.progress = Progress(command.app)
        self.exit_code = 0

    def of_regions(
        self,
        regions: Regions,
        call: Callable[[ImagesAPI], _Result],
        *,
        parallel: int = PARALLEL,
    ) -> Iterator[tuple[RegionKey, _Result]]:
        """Call a function for each region; yield the results.

        Regions that fail are reported.

        :raises CommandError: if no region succeeds
        :raises ImagesError: if the configured region fails
        """
        results = in_regions(regions.apis, call, parallel=parallel)
        yield from self.successful(
            regions,
            ((r.region, r.error or r.unwrap()) for r in results),
        )

    def successful(
        self,
        regions: Regions,
        results: Iterable[tuple[RegionKey, _Result | ImagesError]],
    ) -> Iterator[tuple[RegionKey, _Result]]:
        """Do the same with the results, or errors, of regions."""
        successful = set(regions.apis)
        for key, result in itertools.chain(regions.failed.items(), results):
            if not isinstance(result, api.ImagesError):
                yield key, result
                continue
            if isinstance(result, api.PlanRefused) or not regions.headers:
                # It is that of the whole command.
                raise result
            successful.discard(key)
            name = describe_region(key)
            with self.progress.hidden():
                if isinstance(result, api.ServerNotFound | api.FlavorNotFound):
                    self._log.warning('%s is skipped: %s', name, result)
                    continue
                self.exit_code = 1
                self._log.error('%s: %s', name, errors.describe(result))
        if not successful:
            raise exceptions.CommandError('Every region failed or was skipped')
