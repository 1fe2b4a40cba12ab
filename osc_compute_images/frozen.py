# SPDX-License-Identifier: Apache-2.0

"""Dicts and lists, as they come from JSON, that cannot be changed.

They compare, print, pickle and encode as the dicts and lists that they are.
"""

from collections.abc import Mapping
from typing import Any
from typing import NoReturn


def freeze(value: Any) -> Any:
    """Return a value of JSON that cannot be changed, nor its parts."""
    if isinstance(value, dict):
        return freeze_dict(value)
    if isinstance(value, list):
        return FrozenList(map(freeze, value))
    return value


def freeze_dict(items: Mapping[str, Any]) -> 'FrozenDict':
    """Do the same for an object of JSON."""
    for value in items.values():
        # NOTE: the properties of most images are strings, all of them.
        if type(value) is not str:
            return FrozenDict({k: freeze(v) for k, v in items.items()})
    return FrozenDict(items)


def thaw(value: Any) -> Any:
    """Return a value of JSON as plain dicts and lists, a copy."""
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    return value


def _refuse(*_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError(
        'What belongs to an image cannot be changed through it: copy it, or '
        'change the image with a method of ImagesAPI'
    )


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __deepcopy__(self, _memo: object) -> dict[str, Any]:
        copied: dict[str, Any] = thaw(self)
        return copied

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class FrozenList(list[Any]):
    """A list that cannot be changed."""

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
