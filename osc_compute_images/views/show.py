# SPDX-License-Identifier: Apache-2.0

"""Show an image; wait until it is active."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import math
import time
from typing import Any

from osc_compute_images import api
from osc_compute_images import base
from osc_compute_images import errors
from osc_compute_images.api import _alarms
from osc_compute_images.api import Image
from osc_compute_images.commands import show
from osc_compute_images.output import field
from osc_compute_images.targets import finder
from osc_compute_images.targets import scope
from osc_compute_images.views import view


class ImageView(view.View):
    """The fields of an image, which may be awaited."""

    def run(self) -> tuple[Sequence[str], Iterable[Any]]:
        with errors.translated(self._command, self._args):
            with _limited(self._args.timeout):
                regions = scope.selected(self._command, self._args)
                name = self._args.image
                if regions.headers:
                    found = self._results.of_regions(
                        regions, lambda each: each.find_all(name)
                    )
                    region, image = finder.only_image(found, name)
                else:
                    region, image = finder.find(regions, name)
            if self._args.wait:
                image = self._wait(regions.apis[region], image)
        names = [header.lower() for header in regions.headers]
        fields = field.shown(
            image,
            dict(zip(names, region, strict=True)),
            human_sizes=self._args.human_readable,
        )
        return tuple(fields), self._escaper()(fields.values())

    def _wait(self, images: api.ImagesAPI, image: Image) -> Image:
        try:
            with self._results.progress.waiting() as on_poll:
                return images.wait_for(
                    image, timeout=self._args.timeout, on_poll=on_poll
                )
        except api.WaitError as e:
            code = show.EXIT_ERROR
            if isinstance(e, api.WaitTimedOut):
                code = show.EXIT_TIMEOUT
            elif isinstance(e, api.ImageVanished):
                code = show.EXIT_VANISHED
            elif e.image is not None and e.image.state == 'DELETED':
                code = show.EXIT_DELETED
            raise base.Failure(str(e), code) from e


@contextlib.contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Limit the time before the wait: of the login, and of the search."""
    limit = math.inf if seconds is None else seconds
    end = time.monotonic() + limit
    _alarms.allowed = True
    try:
        with _alarms.alarm(limit):
            yield
    except Exception as e:
        if time.monotonic() < end:
            raise
        reason = f': {e}' if str(e) else ''
        raise base.Failure(
            f'Timed out before the image was seen{reason}', show.EXIT_TIMEOUT
        ) from e
