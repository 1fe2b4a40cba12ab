# SPDX-License-Identifier: Apache-2.0

"""Parse and format the times of images."""

import datetime

from osc_compute_images.api._image import Image


def created_at(image: Image) -> datetime.datetime | None:
    """Return when an image was created, or None if unknown."""
    return parse(image.created)


def parse(text: str | None) -> datetime.datetime | None:
    """Parse an ISO 8601 time; without a zone it is UTC."""
    try:
        time = datetime.datetime.fromisoformat(text or '')
        if time.tzinfo is None:
            return time.replace(tzinfo=datetime.UTC)
        return time.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def format_time(time: datetime.datetime) -> str:
    """Format a time as Compute does: ``2026-11-23T16:11:28Z``."""
    utc = time.astimezone(datetime.UTC).replace(tzinfo=None)
    return utc.isoformat(timespec='seconds') + 'Z'
