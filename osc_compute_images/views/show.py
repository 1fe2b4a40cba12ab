# SPDX-License-Identifier: Apache-2.0

"""Show an image; wait until it is active."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import Image
from osc_compute_images.commands import show
from osc_compute_images.output import field
from osc_compute_images.targets import finder
from osc_compute_images.targets import scope
from osc_compute_images.targets import time_limit
from osc_compute_images.views import view


class ImageView(view.View):
    """The fields of an image, which may be awaited."""

    def run(self) -> tuple[Sequence[str], Iterable[Any]]:
        """Return the names and the values of the fields.

        :raises Failure: if the image does not become active
        :raises CommandError: if it cannot be found
        """
        limit = time_limit.TimeLimit(self._args.timeout)
        try:
            with limit, errors.translated():
                regions = scope.selected(self._command, self._args)
                region, image = self._find(regions)
                # The wait has a timeout of its own.
                limit.stop()
                if self._args.wait:
                    image = self._wait(regions.apis[region], image)
        except time_limit.ExpiredError as e:
            raise base.Failure(str(e), show.EXIT_TIMEOUT) from e
        names = [header.lower() for header in regions.headers]
        fields = field.shown(
            image,
            dict(zip(names, region, strict=True)),
            human_sizes=self._args.human_readable,
        )
        return tuple(fields), self._escaper()(fields.values())

    def _find(self, regions: scope.Regions) -> tuple[scope.RegionKey, Image]:
        name = self._args.image
        if not regions.headers:
            return finder.find(regions, name)
        found = self._results.of_regions(
            regions, lambda each: each.find_all(name)
        )
        return finder.only_one(found, name)

    def _wait(self, images: api.ImagesAPI, image: Image) -> Image:
        try:
            with self._results.progress.waiting() as on_poll:
                return images.wait_for(
                    image, timeout=self._args.timeout, on_poll=on_poll
                )
        except api.WaitTimedOut as e:
            raise base.Failure(str(e), show.EXIT_TIMEOUT) from e
        except api.ImageVanished as e:
            raise base.Failure(str(e), show.EXIT_VANISHED) from e
        except api.WaitError as e:
            deleted = e.image is not None and e.image.state == 'DELETED'
            code = show.EXIT_DELETED if deleted else show.EXIT_ERROR
            raise base.Failure(str(e), code) from e
