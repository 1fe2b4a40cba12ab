# SPDX-License-Identifier: Apache-2.0

"""How values from a server are shown as text."""

import re
import shlex

# Characters that act on a terminal or on the order of what it shows, instead
# of being shown: control characters, separators of lines and paragraphs,
# bidirectional and invisible formatting, and halves of surrogate pairs.
_ACTS = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff'
    '\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]'
)

# The user name and password in a URL.
_CREDENTIALS = re.compile(r'(?<=://)[^/?#\s\'"<>\\]*@')


def printable(text: str) -> str:
    r"""Show each character that would act on a terminal by its escape.

    ``'a\x1b[2Jb'`` becomes ``'a\\x1b[2Jb'``; other text stays as it is.
    """
    # NOTE: str.isprintable() is quick, and stricter than need be.
    if text.isprintable():
        return text
    return _ACTS.sub(
        lambda m: m[0].encode('unicode_escape').decode('ascii'), text
    )


def shortened(text: str, length: int) -> str:
    """Cut a text that is longer, and show by ``...`` that it was."""
    return text if len(text) <= length else text[:length] + '...'


def without_credentials(text: str) -> str:
    """Remove the user names and passwords of the URLs in a text."""
    return _CREDENTIALS.sub('', text) if '@' in text else text


def option_for_shell(option: str, value: str) -> str | None:
    """Return an option and its value, to be pasted into a POSIX shell.

    :returns: None if the value cannot be shown as it is
    """
    if printable(value) != value:
        return None
    # A value that begins with a dash would be another option.
    between = '=' if value.startswith('-') else ' '
    return f'{option}{between}{shlex.quote(value)}'


def property_text(value: object) -> str:
    """Return the text that the value of a property is shown as.

    A string is shown as it is; the few values that are no strings, as
    OpenStackClient shows them: as Python writes them.
    """
    return value if isinstance(value, str) else str(value)
