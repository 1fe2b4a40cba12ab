# SPDX-License-Identifier: Apache-2.0

"""Retention rules, as in restic.

They apply to the images of one group, such as the snapshots of one server::

    from osc_compute_images.api import retention

    rules = retention.Rules(last=3, daily=7, within=timedelta(days=2))
    for image, reasons in retention.apply(images, rules):
        print(image.id, ', '.join(reasons) or 'delete')

All times are UTC: a day begins at midnight UTC, and a week on Monday
(ISO 8601).
"""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import datetime

from osc_compute_images.api._image import Image
from osc_compute_images.api._times import created_at

__all__ = ['Rules', 'apply']

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

    :param last: keep this number of the newest images
    :param hourly: keep the newest image of each of the last hours that have
        images, this number of them
    :param daily: likewise for days
    :param weekly: likewise for weeks
    :param monthly: likewise for months
    :param yearly: likewise for years
    :param within: keep all images created within this time before the newest
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


def apply(
    images: Iterable[Image], rules: Rules
) -> Iterator[tuple[Image, tuple[str, ...]]]:
    """Yield the images, newest first, each with the reasons to keep it.

    The newest image is kept even if no rule keeps it, unless ``last`` is 0,
    so that no group loses all images by accident.

    :param images: of one group, in any order
    :returns: pairs of an image and the reasons, such as ``daily``; an image
        without reasons can be deleted
    """
    undated = []
    dated = []
    for image in images:
        time = created_at(image)
        if time is None:
            undated.append(image)
        else:
            dated.append((time, image))
    dated.sort(key=lambda pair: (pair[0], pair[1].id), reverse=True)
    if dated:
        keeps = _keeps(dated[0][0], rules)
        for place, (time, image) in enumerate(dated):
            reasons = keeps(time)
            if not reasons and place == 0 and rules.last != 0:
                reasons = ('the last of its group',)
            yield image, reasons
    for image in undated:
        yield image, ('its creation time is unknown',)


def _keeps(
    newest: datetime.datetime, rules: Rules
) -> Callable[[datetime.datetime], tuple[str, ...]]:
    """Return a function that returns the reasons to keep an image.

    Call it with the creation times in order, the newest first.
    """
    left = {name: getattr(rules, name) or 0 for name in ('last', *_PERIODS)}
    latest: dict[str, Hashable] = {}

    def reasons(time: datetime.datetime) -> tuple[str, ...]:
        found = []
        if left['last']:
            left['last'] -= 1
            found.append('last')
        for name, period in _PERIODS.items():
            current = period(time)
            if left[name] and latest.get(name) != current:
                left[name] -= 1
                latest[name] = current
                found.append(name)
        if rules.within is not None and newest - time <= rules.within:
            found.append('within')
        return tuple(found)

    return reasons
