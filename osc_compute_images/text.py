# SPDX-License-Identifier: Apache-2.0

"""Values from a server as text that is safe to print."""

import re

# Characters that control a terminal or reorder the text on it: control
# characters, line and paragraph separators, bidirectional and invisible
# formatting, lone surrogates.
_UNSAFE = (
    '[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff'
    '\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]'
)

# The user name and password in a URL.
_CREDENTIALS = r'(?<=://)[^/?#\s\'"<>\\]*@'


def printable(text: str) -> str:
    r"""Escape the characters that control a terminal.

    ``'a\x1b[2Jb'`` becomes ``'a\\x1b[2Jb'``; other text is unchanged.
    """
    # NOTE: str.isprintable() is fast, and stricter than _UNSAFE.
    if text.isprintable():
        return text
    return re.sub(
        _UNSAFE,
        lambda m: m[0].encode('unicode_escape').decode('ascii'),
        text,
    )


def shortened(text: str, length: int) -> str:
    """Truncate a longer text, and append ``...``."""
    return text if len(text) <= length else text[:length] + '...'


def without_credentials(text: str) -> str:
    """Remove user names and passwords from the URLs in a text."""
    return re.sub(_CREDENTIALS, '', text) if '@' in text else text
