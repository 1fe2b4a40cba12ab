# SPDX-License-Identifier: Apache-2.0

r"""Regular expressions that are searched in linear time.

Python's own engine tries one way after the other: ``(a+)+$`` takes years for
some 40 letters, and other people choose the names of images. Here all ways
are followed at the same time, character by character. The time for a name is
at most proportional to its length times the size of the pattern; as a rule it
is that of two look-ups a character, since what has been worked out is kept.

The syntax and its meaning are Python's: Python parses the pattern, and
matches its single characters and positions. What cannot be followed in this
way is refused: backreferences, lookaround, conditions, atomic groups.

Private modules of Python that are relied on: ``re._parser`` and
``re._compiler``; ``tests/unit/test_linear_regex.py`` tells when they change.
"""

from collections.abc import Hashable
from collections.abc import Iterable
import importlib
import itertools
import re
from typing import Any

#: Parts that a pattern may have, counted ones each as often as they count.
MAX_PARTS = 2000

#: Ways on that are kept. Beyond that they are worked out anew.
MAX_KNOWN = 5000

_PARSER: Any = importlib.import_module('re._parser')
_COMPILER: Any = importlib.import_module('re._compiler')

_CHARACTERS = {'LITERAL', 'NOT_LITERAL', 'ANY', 'IN'}
_REPEATS = {'MAX_REPEAT', 'MIN_REPEAT'}


class _Node:
    """What is known at a position: the states, and the ways on."""

    def __init__(self, states: frozenset[int]) -> None:
        self.states = states
        self.following: dict[Hashable, _Node] = {}


#: The pattern matches, whatever follows.
_MATCH = _Node(frozenset())


class LinearRegex:
    """A pattern that is searched in linear time.

    :raises ValueError: if the syntax is wrong, or the pattern too large or of
        a kind that cannot be searched in this way
    """

    def __init__(self, pattern: str) -> None:
        try:
            parsed = _PARSER.parse(pattern)
        except (re.error, RecursionError, OverflowError) as e:
            raise ValueError(
                f'{pattern!r} is no regular expression: {e}'
            ) from e
        #: Of each state: what tests the character or the position that leads
        #: on, if one is needed, and the states that it leads to.
        self._characters: dict[int, re.Pattern[str]] = {}
        self._positions: dict[int, re.Pattern[str]] = {}
        self._next: list[list[int]] = []
        self._pattern = pattern
        self._end = self._state([])
        try:
            self._begin = self._sequence(parsed, parsed.state.flags, self._end)
        except RecursionError as e:
            raise self._too_large() from e
        self._nodes: dict[frozenset[int], _Node] = {}
        self._edges = 0

    def search(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere in a text."""
        node = self._node_of(frozenset())
        for index, context in enumerate(self._contexts(text)):
            following = node.following.get(context)
            if following is None:
                following = self._follow(node, text, index)
                node.following[context] = following
            if following is _MATCH:
                return True
            node = following
        return False

    def _contexts(self, text: str) -> Iterable[Hashable]:
        """Yield what the way on depends on, at each position of a text.

        It is the character that follows there; where the pattern has tests
        for positions, also the one before, and whether this is the last.
        """
        following = itertools.chain(text, ('',))
        if not self._positions:
            return following
        others = itertools.repeat(False, len(text) - 1)
        is_last = itertools.chain(others, (True, True))
        before = itertools.chain(('',), text)
        return zip(before, following, is_last, strict=False)

    def _follow(self, node: '_Node', text: str, index: int) -> '_Node':
        self._edges += 1
        reached = self._closed(node.states, text, index)
        if self._end in reached:
            return _MATCH
        return self._node_of(
            frozenset(
                following
                for state in reached
                if state in self._characters
                if self._characters[state].match(text, index)
                for following in self._next[state]
            )
        )

    def _closed(
        self, states: Iterable[int], text: str, index: int
    ) -> set[int]:
        """Add the states that are reached without a character."""
        reached: set[int] = set()
        # A match may begin at each position.
        left = [self._begin, *states]
        while left:
            state = left.pop()
            if state in reached:
                continue
            reached.add(state)
            position = self._positions.get(state)
            if state not in self._characters and (
                position is None or position.match(text, index)
            ):
                left += self._next[state]
        return reached

    def _node_of(self, states: frozenset[int]) -> '_Node':
        if self._edges > MAX_KNOWN:
            self._edges = 0
            self._nodes.clear()
        return self._nodes.setdefault(states, _Node(states))

    def _state(self, following: Iterable[int]) -> int:
        if len(self._next) > MAX_PARTS:
            raise self._too_large()
        self._next.append([*following])
        return len(self._next) - 1

    def _too_large(self) -> ValueError:
        return ValueError(
            f'The regular expression {self._pattern!r:.80} is too large: it '
            f'has more than {MAX_PARTS} parts, repeated ones counted'
        )

    def _sequence(self, nodes: Iterable[Any], flags: int, end: int) -> int:
        """Build the states for parts one after the other, from the end."""
        for node in reversed([*nodes]):
            end = self._node(node, flags, end)
        return end

    def _node(self, node: Any, flags: int, end: int) -> int:
        kind, value = str(node[0]), node[1]
        if kind in _CHARACTERS or kind == 'AT':
            state = self._state([end])
            tests = self._positions if kind == 'AT' else self._characters
            tests[state] = _compiled(node, flags)
            return state
        if kind == 'SUBPATTERN':
            _group, added, removed, inner = value
            return self._sequence(inner, (flags | added) & ~removed, end)
        if kind == 'BRANCH':
            return self._state(
                [self._sequence(i, flags, end) for i in value[1]]
            )
        if kind in _REPEATS:
            least, most, inner = value
            return self._repeat(least, most, inner, flags, end)
        raise ValueError(
            f'The regular expression {self._pattern!r:.80} has a part that '
            f'cannot be searched in bounded time: a backreference, '
            f'lookaround, condition, atomic group or possessive repeat'
        )

    def _repeat(
        self, least: int, most: int, inner: Any, flags: int, end: int
    ) -> int:
        if most == _PARSER.MAXREPEAT:
            loop = self._state([])
            self._next[loop] += [self._sequence(inner, flags, loop), end]
            begin = loop
        else:
            begin = end
            for _ in range(most - least):
                once = self._sequence(inner, flags, begin)
                begin = self._state([once, end])
        for _ in range(least):
            before = len(self._next)
            begin = self._sequence(inner, flags, begin)
            if len(self._next) == before:
                # Nothing, however often.
                break
        return begin


def _compiled(node: Any, flags: int) -> re.Pattern[str]:
    state = _PARSER.State()
    state.flags = flags
    pattern: re.Pattern[str] = _COMPILER.compile(
        _PARSER.SubPattern(state, [node]), flags
    )
    return pattern
