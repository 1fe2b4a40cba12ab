# SPDX-License-Identifier: Apache-2.0

"""The forms of IDs, and the ID that a name stands for."""

from collections.abc import Mapping
from collections.abc import Sequence
import re
import shlex
from typing import Any
from typing import TypeVar

from osc_compute_images.api import _errors
from osc_compute_images.api import _limits

_Item = TypeVar('_Item', bound=Any)

UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)

# Other forms that some services use, and that are unlikely names.
_OTHER_ID = re.compile(r'[0-9]{1,20}|[0-9a-f]{32}', re.IGNORECASE)

# Any ID that can be a segment of a path; it may be a name as well.
_POSSIBLE_ID = re.compile(rf'[!-.0-~]{{1,{_limits.MAX_ID_LENGTH}}}')

#: Not IDs: as path segments, they address other resources.
RESERVED = ('', '.', '..', 'detail')


def looks_like_id(text: str) -> bool:
    """Return whether a text is a UUID."""
    return UUID.fullmatch(text) is not None


def candidates(text: str) -> list[str]:
    """Return the IDs to try for a text before it is tried as a name.

    The text itself comes first: Glance keeps upper-case letters in an ID that
    a client has chosen, and looks it up case-sensitively.
    """
    if looks_like_id(text):
        return [*dict.fromkeys((text, text.lower()))]
    return [text] if _OTHER_ID.fullmatch(text) else []


def is_addressable(text: str) -> bool:
    """Return whether an ID is safe as one segment of a path.

    No proxy between the client and Nova can split it.
    """
    return text not in RESERVED and _POSSIBLE_ID.fullmatch(text) is not None


def joined(ids: Sequence[str]) -> str:
    """Return the first of some IDs, for a message."""
    shown = ', '.join(ids[: _limits.MAX_IDS_SHOWN])
    return shown if len(ids) <= _limits.MAX_IDS_SHOWN else f'{shown}, ...'


def only_one(
    kind: str,
    name: str,
    found: Mapping[str, _Item],
    not_found: type[_errors.NotFound],
    advice: str = '',
) -> _Item:
    """Return the only resource that was found for a name.

    :param found: the resources, by ID
    :param not_found: the class of the error if there is none
    :param advice: for that error
    :raises AmbiguousName: if there are several
    """
    if not found:
        raise not_found(
            f'No {kind} with a name or ID of {name!r} exists{advice}'
        )
    if len(found) > 1:
        # NOTE: quoted, as users paste IDs into a shell, and an ID can be any
        # text.
        shown = joined([*map(shlex.quote, found)])
        raise _errors.AmbiguousName(
            f'{len(found)} {kind}s have the name {name!r}; use one of their '
            f'IDs: {shown}',
            ids=tuple(found),
        )
    return next(iter(found.values()))
