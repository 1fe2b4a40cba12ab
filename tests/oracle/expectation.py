# SPDX-License-Identifier: Apache-2.0

"""What a command deletes while nobody else acts, at least and at most."""

from collections.abc import Iterator
import dataclasses
from typing import Any

from tests.oracle import generate
from tests.oracle import rules
from tests.oracle import world as w
from tests.oracle.cloud import Cloud


@dataclasses.dataclass
class Expected:
    """What happens to the images of a region.

    :param least: IDs that are deleted, unless gaps refuse the plan
    :param most: IDs that may be deleted
    :param gaps: whether anything could not be read
    :param hidden: whether servers were left out without a trace
    :param may_have_gaps: whether a cell is down, with or without servers
    """

    least: set[str]
    most: set[str]
    gaps: bool
    hidden: bool
    may_have_gaps: bool


def is_unread(region: w.Region, server: w.Server) -> bool:
    """Return whether what a server uses is not known."""
    statuses = {record.status.upper() for record in server.records}
    return not region.can_read(server) or 'UNKNOWN' in statuses


class View:
    """What can be known for a region, in a state of a world.

    :param listed: regions whose images were listed
    :param is_wide: include regions that need not be read
    """

    def __init__(
        self,
        cloud: Cloud,
        world: w.World,
        region: str,
        command: generate.Command,
        listed: list[str],
        *,
        is_wide: bool = False,
    ) -> None:
        self._command = command
        find = world.connected if is_wide else world.sharing
        self.regions = find(region, listed=listed)
        self._images = world.images(region)
        self.servers = [
            (each, server)
            for each in self.regions
            for server in each.servers
            if cloud.sees(each, server)
        ]

    @property
    def hidden(self) -> bool:
        return any(region.hides for region in self.regions)

    @property
    def has_cell_down(self) -> bool:
        return not all(region.is_cell_up for region in self.regions)

    @property
    def gaps(self) -> bool:
        return not all(region.is_up for region in self.regions) or any(
            is_unread(region, server) and not region.omits(server)
            for region, server in self.servers
        )

    def stored(
        self, image: dict[str, Any], statuses: tuple[str, ...] = rules.STORED
    ) -> bool:
        """Return whether a server may be stored in an image."""
        return any(
            rules.is_from(image, server)
            and (
                is_unread(region, server)
                or rules.is_stored(self._as_read(server), statuses)
            )
            for region, server in self.servers
        )

    def _as_read(self, server: w.Server) -> w.Server:
        if self._command.kind != 'named':
            return server
        # It is read by its ID: there is one record.
        return dataclasses.replace(server, records=server.records[:1])

    def named_after(
        self, image: dict[str, Any], statuses: tuple[str, ...] = rules.STORED
    ) -> Iterator[str]:
        """Yield the regions of servers stored in an image without server."""
        for region, server in self.servers:
            if region.omits(server):
                continue
            if rules.is_named_after(image, server) and rules.is_stored(
                server, statuses
            ):
                yield region.name

    def booted(self, image: dict[str, Any]) -> Iterator[str]:
        """Yield the regions of servers that were booted from an image.

        Not of those of which it cannot be known, and the user accepts it.
        """
        for region, server in self.servers:
            if region.omits(server):
                continue
            if is_unread(region, server) and self._command.accepts_gaps:
                continue
            if rules.is_booted(image, server):
                yield region.name

    def needed(self, image: dict[str, Any]) -> bool:
        """Return whether another image needs an image."""
        return rules.is_needed(image, self._images.values())

    def keeps(self, image: dict[str, Any]) -> bool:
        """Return whether an image has to be kept."""
        keeps_used = self._command.kind != 'named' and (
            not self._command.includes_used
        )
        return (
            self.stored(image)
            or any(self.named_after(image))
            or (keeps_used and any(self.booted(image)))
            or (keeps_used and self.needed(image))
            or (
                'unused' in self._command.choice
                and (any(self.booted(image)) or self.needed(image))
            )
            or (
                'orphaned' in self._command.choice
                and any(
                    rules.is_from(image, server)
                    for region, server in self.servers
                    if not region.omits(server)
                )
            )
        )

    def may_keep(self, image: dict[str, Any]) -> bool:
        """Return whether an image may be kept."""
        busy = rules.STORED + rules.BUSY
        known = {
            server.id
            for region, server in self.servers
            if not is_unread(region, server)
        }
        return (
            self.keeps(image)
            or self.stored(image, busy)
            or (
                self._command.accepts_gaps
                and any(
                    rules.is_booted(image, server)
                    for region, server in self.servers
                    if is_unread(region, server)
                )
            )
            or any(self.named_after(image, busy))
            or (
                (self.gaps or self.has_cell_down)
                and (
                    rules.may_hold_any(image)
                    or w.image_server(image) not in {None, *known}
                )
            )
        )


def of(cloud: Cloud, command: generate.Command) -> dict[str, Expected]:
    """Return what is expected of each region that responds."""
    world = cloud.world
    listed = [name for name in command.selected if world.regions[name].is_up]
    expected = {}
    for name in listed:
        view = View(cloud, world, name, command, listed)
        wide = View(cloud, world, name, command, listed, is_wide=True)
        images = rules.chosen(command, [*world.images(name).values()])
        fails = command.kind == 'named' and not all(
            region.is_up for region in wide.regions
        )
        expected[name] = Expected(
            {i['id'] for i in images if not (fails or wide.may_keep(i))},
            {i['id'] for i in images if not view.keeps(i)},
            view.gaps,
            wide.hidden,
            wide.gaps or wide.has_cell_down,
        )
    return expected
