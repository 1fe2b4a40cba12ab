# SPDX-License-Identifier: Apache-2.0

"""Whether a deletion loses anything, at the moment of its request.

What changed after it was last read, within the time that the documents allow,
cannot be known, and is no fault.
"""

import copy
import math

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

    def __init__(self, world, command):
        self._world = world
        self._command = command
        self.clock = 1000.0
        self.deleted = set()
        self._requests = 0.0
        self._states = [(0.0, self.clock, copy.deepcopy(world))]
        #: Numbers of requests: of the last lists, by region and path; and the
        #: last one after which all is read again.
        self._read = {}
        self._barrier = 0.0
        self._check_began = None
        self._list_began = math.inf
        self._sent = self.clock
        self._longest = 0.0
        self._reviewed = None

    def begin_again(self, rows):
        """Note that another command applies these rows: it knows no more."""
        self._states = [(0.0, self.clock, copy.deepcopy(self._world))]
        self._read.clear()
        self._set_barrier(self._requests)
        self._list_began, self._longest = math.inf, 0.0
        self._reviewed = [
            [row[name] for name in ('ID', 'Name', 'Status', 'Updated At')]
            for row in rows
            if row['Action'] == 'delete'
        ]

    def note_change(self, *, is_asked=False):
        """Note another state of the world."""
        number = self._requests
        if is_asked:
            # Everything is read after the question.
            number += 0.5
            self._set_barrier(number)
        state = copy.deepcopy(self._world)
        self._states.append((number, self.clock, state))

    def note_request(self):
        """Note that a request is sent."""
        self._requests += 1
        self._sent = self.clock
        if self._check_began is None:
            self._check_began = self.clock

    def note_effect(self, method, region, path, query):
        """Note the request, right before it takes effect; check a deletion."""
        if path in (w.SERVERS, w.SERVICES):
            self._list_began = min(self._list_began, self._sent)
            self._longest = max(self._longest, self.clock - self._list_began)
        else:
            self._list_began = math.inf
        if method == 'DELETE':
            self._check(region, path.rpartition('/')[2])
            self._set_barrier(self._requests)
        elif path in (w.IMAGES, w.SERVERS):
            self._set_barrier(self._requests)
            if 'marker' not in query:
                self._read[region, path] = self._requests

    def _set_barrier(self, number):
        self._barrier = number
        self._check_began = None

    def _since(self, number, known=-math.inf):
        """Return the states since a request, or a later time."""
        first = max(
            index
            for index, (request, time, _world) in enumerate(self._states)
            if index == 0 or request <= number or time <= known
        )
        return [world for *_when, world in self._states[first:]]

    def _check(self, region, image_id):
        image = self._world.regions[region].images.get(image_id)
        if image is None:
            return
        self.deleted.add(image_id)
        command = self._command
        fresh = self._since(self._barrier)
        if not any(
            rules.is_chosen(command, known) and self._is_reviewed(known)
            for world in fresh
            if (known := world.regions[region].images.get(image_id))
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
            planned = self._since(self._read.get((region, w.IMAGES), 0))
            if all('needed' in self._uses(x, region, image) for x in planned):
                raise Fault(f'another image needs {image_id}')
        if command.kind == 'prune' and not any(
            rules.replaces(command, other, image)
            for world in fresh
            for other in world.regions[region].images.values()
        ):
            raise Fault(f'{image_id} has no newer good image in its group')

    def _is_reviewed(self, image):
        shown = [image[name] for name in ('id', 'name', 'status', 'updated')]
        return self._reviewed is None or shown in self._reviewed

    def _uses(self, world, region, image):
        regions = [world.regions[name] for name in self._command.selected]
        listed = [each.name for each in regions if each.told.listed]
        return View(world, region, self._command, listed).uses(image)

    def _is_used(self, use, region, image):
        """Return whether a server of one region has used it all the time."""
        age = max(1.0, 5 * self._longest) + self._longest
        known = (self._check_began or self.clock) - age
        return any(
            all(
                name in self._uses(world, region, image).get(use, ())
                for world in self._since(
                    self._read.get((name, w.SERVERS), 0), known
                )
            )
            for name in self._world.regions
        )
