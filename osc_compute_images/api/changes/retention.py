# SPDX-License-Identifier: Apache-2.0

"""Retention rules, as those of restic 0.17.

They apply to the images of one group, such as the snapshots of one server. All
times are UTC: a day begins at midnight UTC, and a week on Monday (ISO 8601).
"""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import datetime
from typing import Any

from osc_compute_images.api.records._image import Image

__all__ = ['Rules', 'reasons']

#: The period of a time, by the name of the rule.
_PERIODS: Mapping[str, Callable[[datetime.datetime], Hashable]] = {
    'hourly': lambda time: (time.date(), time.hour),
    'daily': lambda time: time.date(),
    'weekly': lambda time: time.isocalendar()[:2],
    'monthly': lambda time: (time.year, time.month),
    'yearly': lambda time: time.year,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """Retention rules. An image is kept if any rule keeps it.

    A rule of 0 is the same as none, and rules that are all 0 keep every image.

    :param last: keep this number of the newest images
    :param hourly: keep the newest image of each of the last hours that have
        images, this number of them, and the oldest image if they are fewer
    :param daily: likewise for days
    :param weekly: likewise for weeks
    :param monthly: likewise for months
    :param yearly: likewise for years
    :param within: keep all images that are older than the newest by less than
        this time
    :raises ValueError: if no rule is given, or if one is negative
    """

    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    within: datetime.timedelta | None = None

    def __post_init__(self) -> None:
        rules = dataclasses.asdict(self)
        given = {k: v for k, v in rules.items() if v is not None}
        if not given:
            raise ValueError(f'give at least one of: {", ".join(rules)}')
        for name, value in given.items():
            if value < type(value)(0):
                raise ValueError(f'{name} must not be negative: {value}')


def reasons(
    images: Iterable[Image],
    rules: Rules,
    *,
    now: datetime.datetime | None = None,
) -> Iterator[tuple[Image, str | None]]:
    """Yield the images, each with the reason to keep it, or None.

    Images whose creation time is unknown, or in the future, are kept and do
    not count. The others come first, the newest before all: any rule keeps it,
    so no group loses all of its images.

    :param images: of one group, in any order
    :param now: the current time, by default
    :returns: pairs of an image and a reason, such as ``kept by last, daily``
    """
    now = now or datetime.datetime.now(datetime.UTC)
    counted: list[tuple[datetime.datetime, Image]] = []
    others: list[tuple[Image, str | None]] = []
    for image in images:
        time = image.created_at
        if time is None:
            others.append((image, 'its creation time is unknown'))
        elif time > now:
            others.append((image, 'its creation time is in the future'))
        else:
            counted.append((time, image))
    counted.sort(key=lambda pair: (pair[0], pair[1].id), reverse=True)
    times = [time for time, _ in counted]
    values = {k: v for k, v in dataclasses.asdict(rules).items() if v}
    kept = [_kept(rule, value, times) for rule, value in values.items()]
    for place, (_, image) in enumerate(counted):
        found = [places[place] for places in kept if place in places]
        if not values:
            yield image, 'all retention rules are 0'
        else:
            yield image, f'kept by {", ".join(found)}' if found else None
    yield from others


def _kept(
    rule: str, value: Any, times: list[datetime.datetime]
) -> dict[int, str]:
    """Return the places that a rule keeps, with the name of the rule."""
    if rule == 'within':
        return {n: rule for n, t in enumerate(times) if times[0] - t < value}
    newest: dict[Hashable, int] = {}
    for place, time in enumerate(times):
        period = place if rule == 'last' else _PERIODS[rule](time)
        newest.setdefault(period, place)
    kept = dict.fromkeys([*newest.values()][:value], rule)
    if len(newest) < value:
        kept.setdefault(len(times) - 1, f'{rule} (oldest)')
    return kept
