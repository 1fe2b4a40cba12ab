# SPDX-License-Identifier: Apache-2.0

"""What is promised for any bytes that a server may send."""

import json
import unicodedata

from osc_compute_images.api import Image
from osc_compute_images.commands import _columns

#: Kinds of characters that act on a terminal; format characters act by
#: their direction.
_ACT = {'Cc', 'Zl', 'Zp', 'Cs'}
_DIRECTIONS = {'LRE', 'RLE', 'PDF', 'LRO', 'RLO', 'LRI', 'RLI', 'FSI', 'PDI'}


def expect_safe(text: str) -> None:
    """Expect that a text can be written, and does not act on a terminal."""
    text.encode()
    for character in text:
        assert unicodedata.category(character) not in _ACT, ascii(text)
        assert unicodedata.bidirectional(character) not in _DIRECTIONS


def expect_one_line(text: str) -> None:
    """Expect that a text is one line, and not a very long one."""
    expect_safe(text)
    assert text.strip()
    assert len(text) < 5000


def expect_shown(image: Image) -> None:
    """Expect that an image can be written, for people and for machines."""
    for value in _columns.LONG.row(image):
        if isinstance(value, _columns.columns.FormattableColumn):
            shown, data = value.human_readable(), value.machine_readable()
        else:
            shown = data = value
        expect_safe(str(shown))
        json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
