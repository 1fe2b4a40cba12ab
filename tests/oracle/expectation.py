# SPDX-License-Identifier: Apache-2.0

"""What a command deletes while nobody else acts, at least and at most."""

import collections
import dataclasses

from tests.oracle import rules
from tests.oracle import world as w


class View:
    """What can be known for a region, in a state of a world.

    :param listed: regions whose images were listed
    :param is_wide: be as careful as the documents allow, instead of as they
        demand
    """

    def __init__(self, world, region, command, listed, *, is_wide=False):
        self._command = command
        self._is_wide = is_wide
        self._sharing = world.sharing(region, listed)
        self._statuses = rules.STORED + (rules.BUSY if is_wide else ())
        self.regions = (
            world.connected(region, listed) if is_wide else self._sharing
        )
        self._images = world.regions[region].images
        self._servers = [
            (each, key, server)
            for each in self.regions
            for key, server in each.servers.items()
            if each.sees(key)
        ]

    @property
    def gaps(self):
        """Whether anything could not be read."""
        return (
            not all(region.is_up for region in self.regions)
            or any(map(w.is_opaque, self._images.values()))
            or any(
                region.is_unread(key) and not region.omits(key)
                for region, key, _server in self._servers
            )
        )

    @property
    def may_have_gaps(self):
        """Whether there are gaps, or a cell is down, with servers or not."""
        return self.gaps or any(region.down for region in self.regions)

    def uses(self, image):
        """Return how an image is used, and in which regions the servers are.

        ``stored``: a server may be stored in it, also if it does not tell its
        server; ``listed``: so it may by its name, or by its second record;
        ``booted``, but not if that cannot be known, and the user accepts it;
        ``from``: its server exists; ``needed`` by another image.
        """
        accepts = self._command.accepts_gaps and not self._is_wide
        by_id = self._command.kind == 'named'
        found = collections.defaultdict(set)
        for region, key, server in self._servers:
            is_unread = region.is_unread(key)
            is_stored = rules.is_stored(server, self._statuses)
            is_from = rules.is_from(image, server)
            may_hold = is_from and (is_unread or is_stored)
            # What is read by its ID has one record.
            is_first = not key.endswith(w.AGAIN)
            if may_hold and is_first:
                found['stored'].add(region.name)
            if region.omits(key):
                continue
            if (rules.is_named_after(image, server) and is_stored) or (
                may_hold and not is_first and not by_id
            ):
                found['listed'].add(region.name)
            if rules.is_booted(image, server) and not (accepts and is_unread):
                found['booted'].add(region.name)
            if is_from:
                found['from'].add(region.name)
        if w.is_opaque(image) and w.image_server(image) is None:
            found['stored'].add('')
        # What an image needs cannot be known without its properties.
        if rules.is_needed(
            image,
            (i for i in self._images.values() if not w.is_opaque(i)),
        ):
            found['needed'].add('')
        return found

    def may_fail(self, server_ids):
        """Return whether one of these servers has a record without an ID."""
        return any(
            region.malformed.get(key) in w.WITHOUT_ID
            and server['id'] in server_ids
            for region, key, server in self._servers
        )

    def keeps(self, image):
        """Return whether an image has to be kept; if wide, may be kept."""
        command, server_id = self._command, w.image_server(image)
        reasons = {'stored', 'listed'}
        if 'unused' in command.choice or not (
            command.includes_used or command.kind == 'named'
        ):
            reasons |= {'booted', 'needed'}
        if 'orphaned' in command.choice:
            reasons.add('from')
        if w.is_opaque(image) and command.kind != 'named':
            return True
        if reasons & self.uses(image).keys():
            return True
        if not (self._is_wide and self.may_have_gaps):
            return False
        # Other regions need not be read.
        read = {
            server['id']
            for each, key, server in self._servers
            if each in self._sharing and not each.is_unread(key)
        }
        return rules.may_hold_any(image) or server_id not in {None, *read}


@dataclasses.dataclass
class Expected:
    """What happens to the images of the selected regions that respond.

    :ivar least: IDs that are deleted, unless gaps refuse the plan
    :ivar most: IDs that may be deleted
    :ivar refused: IDs that gaps keep unless they are accepted
    :ivar may_refuse: whether a cell is down, with servers or not
    :ivar hidden: whether servers were left out without a trace
    """

    least: set[str] = dataclasses.field(default_factory=set)
    most: set[str] = dataclasses.field(default_factory=set)
    refused: set[str] = dataclasses.field(default_factory=set)
    may_refuse: bool = False
    hidden: bool = False


def of(world, command):
    """Return what is expected of a command."""
    listed = [name for name in command.selected if world.regions[name].is_up]
    expected = Expected()
    free = set()
    for name in listed:
        view = View(world, name, command, listed)
        wide = View(world, name, command, listed, is_wide=True)
        images = rules.chosen(command, [*world.regions[name].images.values()])
        # A server that cannot be read by its ID fails the command.
        fails = command.kind == 'named' and (
            not all(
                region.is_up and not (region.down and region.is_old)
                for region in wide.regions
            )
            or wide.may_fail({w.image_server(image) for image in images})
        )
        least = {i['id'] for i in images if not (fails or wide.keeps(i))}
        expected.least |= least
        expected.most |= {i['id'] for i in images if not view.keeps(i)}
        (expected.refused if view.gaps else free).update(least)
        expected.may_refuse |= wide.may_have_gaps
        expected.hidden |= any(region.hides for region in wide.regions)
    expected.refused -= free
    return expected
