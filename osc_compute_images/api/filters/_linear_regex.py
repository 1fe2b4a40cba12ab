# SPDX-License-Identifier: Apache-2.0

r"""Regular expressions that are searched in linear time.

Python's own engine backtracks: ``(a+)+$`` takes years for some 40 letters,
and anybody can choose the name of an image. This engine simulates a
nondeterministic automaton (Thompson's algorithm), whose sets of states are
cached as a deterministic one. The search takes time proportional to the
length of the text times the size of the pattern at worst, and typically two
look-ups per character.

Syntax and meaning are those of Python, which parses the pattern, and matches
its single characters and positions. Constructs that need backtracking are not
supported: backreferences, lookaround, conditions, atomic groups.

It uses the private modules ``re._parser`` and ``re._compiler`` of Python.
Without them every pattern is rejected.
"""

from collections.abc import Hashable
from collections.abc import Iterable
import contextlib
import importlib
import itertools
import re
from typing import Any

#: Maximum number of states of a pattern, after counted repeats are expanded.
MAX_STATES = 2000

#: Maximum number of cached transitions. The cache is cleared beyond it.
MAX_TRANSITIONS = 5000

_PARSER: Any = None
_COMPILER: Any = None
with contextlib.suppress(ImportError):
    _PARSER = importlib.import_module('re._parser')
    _COMPILER = importlib.import_module('re._compiler')

_CHARACTERS = {'LITERAL', 'NOT_LITERAL', 'ANY', 'IN'}
_REPEATS = {'MAX_REPEAT', 'MIN_REPEAT'}


class _Node:
    """A set of states, and the cached transitions to others."""

    def __init__(self, states: frozenset[int]) -> None:
        self.states = states
        self.transitions: dict[Hashable, _Node] = {}


#: The pattern has matched.
_MATCH = _Node(frozenset())


class LinearRegex:
    """A pattern that is searched in linear time.

    :raises ValueError: if the pattern is invalid, too large or not supported
    """

    def __init__(self, pattern: str) -> None:
        if _PARSER is None or _COMPILER is None:
            raise ValueError(
                'Regular expressions are not supported with this release of '
                'Python'
            )
        try:
            parsed = _PARSER.parse(pattern)
        except (re.error, RecursionError, OverflowError) as e:
            raise ValueError(
                f'{pattern!r} is not a regular expression: {e}'
            ) from e
        #: Of each state: the test of the next character or of the position,
        #: if there is one, and the next states.
        self._characters: dict[int, re.Pattern[str]] = {}
        self._positions: dict[int, re.Pattern[str]] = {}
        self._next: list[list[int]] = []
        self._pattern = pattern
        self._end = self._add_state([])
        try:
            self._begin = self._sequence(parsed, parsed.state.flags, self._end)
        except RecursionError as e:
            raise self._too_large() from e
        self._nodes: dict[frozenset[int], _Node] = {}
        self._transitions = 0

    def search(self, text: str) -> bool:
        """Return whether the pattern matches anywhere in a text."""
        node = self._get_node(frozenset())
        for index, context in enumerate(self._contexts(text)):
            following = node.transitions.get(context)
            if following is None:
                following = self._step(node, text, index)
                node.transitions[context] = following
            if following is _MATCH:
                return True
            node = following
        return False

    def _contexts(self, text: str) -> Iterable[Hashable]:
        """Yield the key of the transition at each position of a text.

        It is the next character; if the pattern has tests of positions, also
        the previous one, and whether the end is near.
        """
        following = itertools.chain(text, ('',))
        if not self._positions:
            return following
        others = itertools.repeat(False, len(text) - 1)
        is_last = itertools.chain(others, (True, True))
        before = itertools.chain(('',), text)
        return zip(before, following, is_last, strict=False)

    def _step(self, node: '_Node', text: str, index: int) -> '_Node':
        self._transitions += 1
        reached = self._closure(node.states, text, index)
        if self._end in reached:
            return _MATCH
        return self._get_node(
            frozenset(
                following
                for state in reached
                if state in self._characters
                if self._characters[state].match(text, index)
                for following in self._next[state]
            )
        )

    def _closure(
        self, states: Iterable[int], text: str, index: int
    ) -> set[int]:
        """Add the states that are reached without a character."""
        reached: set[int] = set()
        # A match may begin at any position.
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

    def _get_node(self, states: frozenset[int]) -> '_Node':
        if self._transitions > MAX_TRANSITIONS:
            self._transitions = 0
            self._nodes.clear()
        return self._nodes.setdefault(states, _Node(states))

    def _add_state(self, following: Iterable[int]) -> int:
        if len(self._next) > MAX_STATES:
            raise self._too_large()
        self._next.append([*following])
        return len(self._next) - 1

    def _too_large(self) -> ValueError:
        return ValueError(
            f'The regular expression {self._pattern!r:.80} is too large: it '
            f'has more than {MAX_STATES} parts, repeats included'
        )

    def _sequence(self, nodes: Iterable[Any], flags: int, end: int) -> int:
        """Add the states of a sequence of parts, from its end."""
        for node in reversed([*nodes]):
            end = self._node(node, flags, end)
        return end

    def _node(self, node: Any, flags: int, end: int) -> int:
        kind, value = str(node[0]), node[1]
        if kind in _CHARACTERS or kind == 'AT':
            state = self._add_state([end])
            tests = self._positions if kind == 'AT' else self._characters
            tests[state] = _compile(node, flags)
            return state
        if kind == 'SUBPATTERN':
            _group, added, removed, inner = value
            return self._sequence(inner, (flags | added) & ~removed, end)
        if kind == 'BRANCH':
            return self._add_state(
                [self._sequence(i, flags, end) for i in value[1]]
            )
        if kind in _REPEATS:
            minimum, maximum, inner = value
            return self._repeat(minimum, maximum, inner, flags, end)
        raise ValueError(
            f'The regular expression {self._pattern!r:.80} has a part that '
            f'cannot be searched in bounded time: a backreference, '
            f'lookaround, condition, atomic group or possessive repeat'
        )

    def _repeat(
        self, minimum: int, maximum: int, inner: Any, flags: int, end: int
    ) -> int:
        if maximum == _PARSER.MAXREPEAT:
            loop = self._add_state([])
            self._next[loop] += [self._sequence(inner, flags, loop), end]
            begin = loop
        else:
            begin = end
            for _ in range(maximum - minimum):
                once = self._sequence(inner, flags, begin)
                begin = self._add_state([once, end])
        for _ in range(minimum):
            before = len(self._next)
            begin = self._sequence(inner, flags, begin)
            if len(self._next) == before:
                # The part is empty.
                break
        return begin


def _compile(node: Any, flags: int) -> re.Pattern[str]:
    state = _PARSER.State()
    state.flags = flags
    pattern: re.Pattern[str] = _COMPILER.compile(
        _PARSER.SubPattern(state, [node]), flags
    )
    return pattern
