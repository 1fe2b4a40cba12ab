# SPDX-License-Identifier: Apache-2.0

"""Immutable dicts and lists for values decoded from JSON.

They compare, print, pickle and encode like plain dicts and lists.
"""

from collections.abc import Mapping
from typing import Any
from typing import NoReturn


def freeze(value: Any) -> Any:
    """Return an immutable copy of a JSON value, nested values included."""
    if isinstance(value, dict):
        return freeze_dict(value)
    if isinstance(value, list):
        return FrozenList(map(freeze, value))
    return value


def freeze_dict(items: Mapping[str, Any]) -> 'FrozenDict':
    """Return an immutable copy of a JSON object."""
    for value in items.values():
        # NOTE: fast path; most images have only string properties.
        if type(value) is not str:
            return FrozenDict({k: freeze(v) for k, v in items.items()})
    return FrozenDict(items)


def thaw(value: Any) -> Any:
    """Return a mutable copy of a JSON value, as plain dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    return value


def _refuse(*_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError(
        'The fields of an image are immutable: copy them, or change the '
        'image with a method of ImagesAPI'
    )


class FrozenDict(dict[str, Any]):
    """An immutable dict."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __deepcopy__(self, _memo: object) -> dict[str, Any]:
        copied: dict[str, Any] = thaw(self)
        return copied

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class FrozenList(list[Any]):
    """An immutable list."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, (list(self),)

    def __deepcopy__(self, _memo: object) -> list[Any]:
        copied: list[Any] = thaw(self)
        return copied

    __setitem__ = __delitem__ = _refuse
    __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = _refuse
    reverse = sort = _refuse
