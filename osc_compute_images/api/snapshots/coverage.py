# SPDX-License-Identifier: Apache-2.0

"""Whether each server has a good snapshot, for monitoring.

Only an ACTIVE image is a good snapshot. What is not known is UNKNOWN, and
never OK. Anyone may set the property that names the server of an image: an
administrator, who sees the images of all projects, relies on their users.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import datetime
import enum

from osc_compute_images.api.records._image import Image
from osc_compute_images.api.records._server import Server

__all__ = ['Finding', 'Level', 'Rules', 'check', 'worst']

#: How far the clocks of the client and the server may differ.
_SKEW = datetime.timedelta(minutes=5)


class Level(enum.IntEnum):
    """A level, with the exit code that monitoring expects."""

    #: Nothing is wrong.
    OK = 0
    #: Something needs attention.
    WARNING = 1
    #: Something is wrong.
    CRITICAL = 2
    #: It cannot be told.
    UNKNOWN = 3


#: The levels, the worst first.
_BY_SEVERITY = (Level.CRITICAL, Level.UNKNOWN, Level.WARNING, Level.OK)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """What a server needs.

    :param critical: CRITICAL if the newest good snapshot is older
    :param warning: WARNING if it is older
    :param stuck_after: WARNING if a snapshot has been SAVING for longer
    :param min_count: CRITICAL with fewer good snapshots
    """

    critical: datetime.timedelta | None = None
    warning: datetime.timedelta | None = None
    stuck_after: datetime.timedelta | None = None
    min_count: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found for a server.

    :param reason: a sentence, empty for OK
    :param newest: the newest good snapshot, or None
    :param count: number of good snapshots
    """

    server: Server
    level: Level
    reason: str
    newest: Image | None
    count: int


def check(
    servers: Iterable[Server],
    images: Iterable[Image],
    rules: Rules,
    *,
    now: datetime.datetime | None = None,
) -> Iterator[Finding]:
    """Yield a finding for each server, in their order.

    :param images: all that were taken from the servers
    :param now: the current time, by default
    """
    now = now or datetime.datetime.now(datetime.UTC)
    taken: dict[str, dict[str, Image]] = {}
    for image in images:
        if image.server_id is not None:
            # NOTE: an image that is listed twice counts once.
            taken.setdefault(image.server_id.lower(), {})[image.id] = image
    for server in {server.id: server for server in servers}.values():
        found = taken.get(server.id.lower(), {})
        yield _finding(server, found.values(), rules, now)


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst of some levels; OK without any."""
    return min(levels, key=_BY_SEVERITY.index, default=Level.OK)


def _finding(
    server: Server,
    images: Collection[Image],
    rules: Rules,
    now: datetime.datetime,
) -> Finding:
    good = {i: i.created_at for i in images if i.state == 'ACTIVE'}
    dated = {i: t for i, t in good.items() if t and t - now < _SKEW}
    newest = max(dated, key=lambda i: (dated[i], i.id), default=None)
    found = [*_of_images(images, rules, now)]
    if server.may_use_any_image:
        found.append((Level.UNKNOWN, 'Compute does not tell its state'))
    if not good:
        found.append((Level.CRITICAL, 'it has no good snapshot'))
    elif len(good) < rules.min_count:
        text = f'it has {len(good)} good snapshots of {rules.min_count}'
        found.append((Level.CRITICAL, text))
    elif len(dated) < rules.min_count:
        found.append((Level.UNKNOWN, 'it may have too few good snapshots'))
    if newest is not None:
        age = now - dated[newest]
        text = f'its newest good snapshot is {shown(age)} old'
        if rules.critical is not None and age > rules.critical:
            found.append((Level.CRITICAL, text))
        if rules.warning is not None and age > rules.warning:
            found.append((Level.WARNING, text))
    level = worst(level for level, _ in found)
    return Finding(
        server=server,
        level=level,
        reason='; '.join(text for each, text in found if each is level),
        newest=newest,
        count=len(dated),
    )


def _of_images(
    images: Iterable[Image], rules: Rules, now: datetime.datetime
) -> Iterator[tuple[Level, str]]:
    for image in images:
        time = image.created_at
        if image.state == 'ACTIVE':
            if time is None:
                yield Level.UNKNOWN, f'the age of image {image.id} is unknown'
            elif time - now >= _SKEW:
                yield Level.UNKNOWN, f'image {image.id} is from the future'
        elif (
            image.state == 'SAVING'
            and rules.stuck_after is not None
            and (time is None or now - time > rules.stuck_after)
        ):
            yield Level.WARNING, f'image {image.id} is stuck in SAVING'


def shown(age: datetime.timedelta) -> str:
    """Return an age in hours, or in days."""
    hours = age.total_seconds() / 3600
    return f'{hours / 24:.0f} days' if hours >= 48 else f'{hours:.1f} hours'
