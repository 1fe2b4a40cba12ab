# SPDX-License-Identifier: Apache-2.0

"""Check whether images arrive newest first, as Nova lists them."""

from collections.abc import Iterable
import datetime
from typing import Any


class Order:
    """The order of the images so far."""

    def __init__(self) -> None:
        # Whether none is newer than the one before, or has no time.
        self._is_kept = True
        self._last: datetime.datetime | None = None
        # NOTE: images of the same age do not reveal the order.
        self._has_descended = False

    @property
    def is_certain(self) -> bool:
        """Whether the newest images are known to be the first."""
        return self._is_kept and self._has_descended

    def add(self, image: Any) -> datetime.datetime | None:
        """Add the next image, and return its time of creation."""
        created: datetime.datetime | None = image.created_at
        last = self._last
        if created is None or (last is not None and created > last):
            self._is_kept = False
        elif last is not None and created < last:
            self._has_descended = True
        self._last = created
        return created

    def is_older(
        self, images: Iterable[Any], since: datetime.datetime
    ) -> bool:
        """Add images, and return whether all later ones are too old."""
        for image in images:
            self.add(image)
        return (
            self.is_certain and self._last is not None and self._last < since
        )
