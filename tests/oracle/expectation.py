# SPDX-License-Identifier: Apache-2.0

"""What a command deletes while nobody else acts, at least and at most."""

from collections.abc import Iterator
import dataclasses

from tests.oracle import commands
from tests.oracle import rules
from tests.oracle import world as w


class View:
    """What can be known for a region, in a state of a world.

    :param listed: regions whose images were listed
    :param is_wide: be as careful as the documents allow, instead of as they
        demand
    :ivar servers: those that the user sees, each with its region and key
    :ivar listed: those of them that are not missing from the lists
    """

    def __init__(
        self,
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
        self.regions = find(region, listed)
        self._images = world.images(region)
        self.servers = [
            (each, key, server)
            for each in self.regions
            for key, server in each.servers.items()
            if each.sees(key)
        ]
        self.listed = [s for s in self.servers if not s[0].omits(s[1])]

    @property
    def gaps(self) -> bool:
        """Whether anything could not be read."""
        return not all(region.is_up for region in self.regions) or any(
            region.is_unread(key) for region, key, _server in self.listed
        )

    @property
    def may_have_gaps(self) -> bool:
        """Whether there are gaps, or a cell is down, with servers or not."""
        return self.gaps or any(region.down for region in self.regions)

    def stored(self, image: w.Record) -> bool:
        """Return whether a server may be stored in an image."""
        return any(
            rules.is_from(image, server)
            and (
                region.is_unread(key)
                or rules.is_stored(server, self._statuses)
            )
            for region, key, server in self.servers
            # What is read by its ID has one record.
            if self._command.kind != 'named' or not key.endswith(w.AGAIN)
        )

    def named_after(self, image: w.Record) -> Iterator[str]:
        """Yield the regions of servers stored in an image without server."""
        for region, _key, server in self.listed:
            if rules.is_named_after(image, server) and rules.is_stored(
                server, self._statuses
            ):
                yield region.name

    def booted(self, image: w.Record) -> Iterator[str]:
        """Yield the regions of servers that were booted from an image.

        Not of those of which it cannot be known, and the user accepts it.
        """
        accepts = self._command.accepts_gaps and not self._is_wide
        for region, key, server in self.listed:
            if rules.is_booted(image, server) and not (
                accepts and region.is_unread(key)
            ):
                yield region.name

    def needed(self, image: w.Record) -> bool:
        """Return whether another image needs an image."""
        return rules.is_needed(image, self._images.values())

    def keeps(self, image: w.Record) -> bool:
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
            rules.is_from(image, server) for *_key, server in self.listed
        ):
            return True
        if not (self._is_wide and self.may_have_gaps):
            return False
        read = {s['id'] for r, key, s in self.servers if not r.is_unread(key)}
        return rules.may_hold_any(image) or server_id not in {None, *read}


@dataclasses.dataclass
class Expected:
    """What happens to the images of the selected regions that respond.

    :ivar least: IDs that are deleted, unless gaps refuse the plan
    :ivar most: IDs that may be deleted
    :ivar refuses: whether gaps refuse it, if they are not accepted
    :ivar may_refuse: whether a cell is down, with servers or not
    :ivar hidden: whether servers were left out without a trace
    """

    least: set[str] = dataclasses.field(default_factory=set)
    most: set[str] = dataclasses.field(default_factory=set)
    refuses: bool = False
    may_refuse: bool = False
    hidden: bool = False


def of(world: w.World, command: commands.Command) -> Expected:
    """Return what is expected of a command."""
    listed = [name for name in command.selected if world.regions[name].is_up]
    expected = Expected()
    for name in listed:
        view = View(world, name, command, listed)
        wide = View(world, name, command, listed, is_wide=True)
        images = rules.chosen(command, [*world.images(name).values()])
        # A server that cannot be read by its ID fails the command.
        fails = command.kind == 'named' and not all(
            region.is_up and not (region.down and region.is_old)
            for region in wide.regions
        )
        least = {i['id'] for i in images if not (fails or wide.keeps(i))}
        expected.least |= least
        expected.most |= {i['id'] for i in images if not view.keeps(i)}
        expected.refuses |= view.gaps and bool(least)
        expected.may_refuse |= wide.may_have_gaps
        expected.hidden |= any(region.hides for region in wide.regions)
    return expected
