# SPDX-License-Identifier: Apache-2.0

"""The forms that IDs have, and names have not."""

from collections.abc import Iterator
import re

from osc_compute_images.api import _limits

_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)

# What some services take for IDs, and nobody for a name.
_OTHER_ID = re.compile(r'[0-9]{1,20}|[0-9a-f]{32}', re.IGNORECASE)

# What may be an ID as well as a name.
_POSSIBLE_ID = re.compile(rf'[!-.0-~]{{1,{_limits.MAX_ID_LENGTH}}}')

#: They would lead to another resource than an image.
RESERVED = ('', '.', '..', 'detail')


def looks_like_id(text: str) -> bool:
    """Tell whether a text has the form of an image's or server's ID."""
    return _UUID.fullmatch(text) is not None


def is_canonical(text: str) -> bool:
    """Tell whether a text is an ID in the one form that Nova makes."""
    return looks_like_id(text) and text == text.lower()


def spellings(text: str) -> Iterator[str]:
    """Yield the IDs that a text may stand for before it stands for a name.

    The first is the text as it is: Glance keeps the capital letters of an
    ID that a client has chosen, and Nova finds it by these only.
    """
    if looks_like_id(text) or _OTHER_ID.fullmatch(text):
        yield text
    if looks_like_id(text) and not is_canonical(text):
        yield text.lower()


def is_addressable(text: str) -> bool:
    """Tell whether a path to an image can be made of an ID.

    Nothing that stands between the client and Nova can take it for more than
    one segment of a path.
    """
    return text not in RESERVED and _POSSIBLE_ID.fullmatch(text) is not None


def may_be_id(text: str) -> bool:
    """Tell whether a text that is no name may be an ID of any form."""
    return is_addressable(text) and not any(spellings(text))
