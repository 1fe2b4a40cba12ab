# SPDX-License-Identifier: Apache-2.0

"""What a command deletes while nobody else acts, at least and at most."""

from collections.abc import Iterator
import dataclasses
from typing import Any

from tests.oracle import commands
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
    :param is_wide: be as careful as the documents allow, instead of as they
        demand
    """

    def __init__(
        self,
        cloud: Cloud,
        world: w.World,
        region: str,
        command: commands.Command,
        listed: list[str],
        *,
        is_wide: bool = False,
    ) -> None:
        self._command = command
        self._is_wide = is_wide
        find = world.connected if is_wide else world.sharing
        self._statuses = rules.STORED + (rules.BUSY if is_wide else ())
        self.regions = find(region, listed=listed)
        self._images = world.images(region)
        self._servers = [
            (each, server)
            for each in self.regions
            for server in each.servers
            if cloud.sees(each, server)
        ]
        # Those that are not missing from the lists.
        self._listed = [
            (each, server)
            for each, server in self._servers
            if not each.omits(server)
        ]

    @property
    def gaps(self) -> bool:
        """Whether anything could not be read."""
        return not all(region.is_up for region in self.regions) or any(
            is_unread(region, server) for region, server in self._listed
        )

    @property
    def may_have_gaps(self) -> bool:
        """Whether there are gaps, or a cell is down, with servers or not."""
        return self.gaps or not all(r.is_cell_up for r in self.regions)

    def stored(self, image: dict[str, Any]) -> bool:
        """Return whether a server may be stored in an image."""
        # What is read by its ID has one record.
        most = 1 if self._command.kind == 'named' else None
        return any(
            rules.is_from(image, server)
            and (
                is_unread(region, server)
                or rules.is_stored(server.records[:most], self._statuses)
            )
            for region, server in self._servers
        )

    def named_after(self, image: dict[str, Any]) -> Iterator[str]:
        """Yield the regions of servers stored in an image without server."""
        for region, server in self._listed:
            if rules.is_named_after(image, server) and rules.is_stored(
                server.records, self._statuses
            ):
                yield region.name

    def booted(self, image: dict[str, Any]) -> Iterator[str]:
        """Yield the regions of servers that were booted from an image.

        Not of those of which it cannot be known, and the user accepts it.
        """
        accepts = self._command.accepts_gaps and not self._is_wide
        for region, server in self._listed:
            if rules.is_booted(image, server) and not (
                accepts and is_unread(region, server)
            ):
                yield region.name

    def needed(self, image: dict[str, Any]) -> bool:
        """Return whether another image needs an image."""
        return rules.is_needed(image, self._images.values())

    def keeps(self, image: dict[str, Any]) -> bool:
        """Return whether an image has to be kept; if wide, may be kept."""
        command, server_id = self._command, w.image_server(image)
        if self.stored(image) or any(self.named_after(image)):
            return True
        keeps_used = 'unused' in command.choice or not (
            command.includes_used or command.kind == 'named'
        )
        if keeps_used and (any(self.booted(image)) or self.needed(image)):
            return True
        if 'orphaned' in command.choice and any(
            rules.is_from(image, server) for _region, server in self._listed
        ):
            return True
        if not (self._is_wide and self.may_have_gaps):
            return False
        read = {s.id for each, s in self._servers if not is_unread(each, s)}
        return rules.may_hold_any(image) or server_id not in {None, *read}


def of(cloud: Cloud, command: commands.Command) -> dict[str, Expected]:
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
            {i['id'] for i in images if not (fails or wide.keeps(i))},
            {i['id'] for i in images if not view.keeps(i)},
            view.gaps,
            any(region.hides for region in wide.regions),
            wide.may_have_gaps,
        )
    return expected
