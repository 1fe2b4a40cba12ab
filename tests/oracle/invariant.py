# SPDX-License-Identifier: Apache-2.0

"""Whether a deletion loses anything, at the moment of its request.

What changed after it was last read, within the time that the documents allow,
cannot be known, and is no fault.
"""

from collections.abc import Mapping
import copy
import math

from tests.oracle import commands
from tests.oracle import rules
from tests.oracle import world as w
from tests.oracle.expectation import View


class Fault(AssertionError):
    """The product breaks a promise."""


class Watch:
    """Notes requests and states, and checks each deletion.

    A list of servers is used again for a second, or for five times as long as
    it took. An image that needs another is only known from the plan.

    :ivar clock: the time, in seconds
    :ivar deleted: what the command deleted
    """

    def __init__(self, world: w.World, command: commands.Command) -> None:
        self._world = world
        self._command = command
        self.clock = 1000.0
        self.deleted: set[str] = set()
        self._requests = 0.0
        self._states = [(0.0, self.clock, copy.deepcopy(world))]
        #: Numbers of requests: of the last list of images and of servers, of
        #: each region; and the last one after which all is read again.
        self._images: dict[str, float] = {}
        self._servers: dict[str, float] = {}
        self._barrier = 0.0
        self._check_began: float | None = None
        self._list_began = math.inf
        self._sent = self.clock
        self._longest = 0.0

    def note_change(self, *, is_asked: bool = False) -> None:
        """Note another state of the world."""
        number = self._requests
        if is_asked:
            # Everything is read after the question.
            number += 0.5
            self._set_barrier(number)
        state = copy.deepcopy(self._world)
        self._states.append((number, self.clock, state))

    def note_request(self) -> None:
        """Note that a request is sent."""
        self._requests += 1
        self._sent = self.clock
        if self._check_began is None:
            self._check_began = self.clock

    def note_effect(
        self, method: str, region: str, path: str, query: Mapping[str, str]
    ) -> None:
        """Note the request, right before it takes effect.

        :raises Fault: if it is a deletion that loses anything
        """
        if path in ('/servers/detail', '/os-services'):
            self._list_began = min(self._list_began, self._sent)
            self._longest = max(self._longest, self.clock - self._list_began)
        else:
            self._list_began = math.inf
        if method == 'DELETE':
            self._check(region, path.rpartition('/')[2])
            self._set_barrier(self._requests)
        elif path in ('/images/detail', '/servers/detail'):
            self._set_barrier(self._requests)
            if 'marker' not in query:
                is_servers = path == '/servers/detail'
                read = self._servers if is_servers else self._images
                read[region] = self._requests

    def _set_barrier(self, number: float) -> None:
        self._barrier = number
        self._check_began = None

    def _since(self, number: float, known: float = -math.inf) -> list[w.World]:
        """Return the states since a request, or a later time."""
        first = max(
            index
            for index, (request, time, _world) in enumerate(self._states)
            if index == 0 or request <= number or time <= known
        )
        return [world for *_when, world in self._states[first:]]

    def _check(self, region: str, image_id: str) -> None:
        """Check a deletion.

        :raises Fault: if it loses anything
        """
        image = self._world.images(region).get(image_id)
        if image is None:
            return
        self.deleted.add(image_id)
        command = self._command
        fresh = self._since(self._barrier)
        if not any(
            rules.is_chosen(command, known)
            for world in fresh
            if (known := world.images(region).get(image_id))
        ):
            raise Fault(f'{image_id} was not chosen')
        if all('stored' in self._uses(x, region, image) for x in fresh):
            raise Fault(f'a server may be stored in {image_id}')
        if self._is_used('listed', region, image):
            raise Fault(f'a listed server may be stored in {image_id}')
        if command.kind == 'named':
            return
        if not command.includes_used:
            if self._is_used('booted', region, image):
                raise Fault(f'a server was booted from {image_id}')
            planned = self._since(self._images.get(region, 0))
            if all('needed' in self._uses(x, region, image) for x in planned):
                raise Fault(f'another image needs {image_id}')
        if command.kind == 'prune' and not any(
            rules.replaces(command, other, image)
            for world in fresh
            for other in world.images(region).values()
        ):
            raise Fault(f'{image_id} has no newer good image in its group')

    def _uses(
        self, world: w.World, region: str, image: w.Record
    ) -> dict[str, set[str]]:
        regions = [world.regions[name] for name in self._command.selected]
        listed = [each.name for each in regions if each.told.listed]
        return View(world, region, self._command, listed).uses(image)

    def _is_used(self, use: str, region: str, image: w.Record) -> bool:
        """Return whether a server of one region has used it all the time."""
        age = max(1.0, 5 * self._longest) + self._longest
        known = (self._check_began or self.clock) - age
        return any(
            all(
                name in self._uses(world, region, image).get(use, ())
                for world in self._since(self._servers.get(name, 0), known)
            )
            for name in self._world.regions
        )
