# SPDX-License-Identifier: Apache-2.0

"""Promises for all responses."""

import json
import unicodedata

from osc_compute_images.api import Image
from osc_compute_images.output import escaping
from osc_compute_images.output import field

#: Categories of control characters.
_ACT = {'Cc', 'Zl', 'Zp', 'Cs'}
_DIRECTIONS = {'LRE', 'RLE', 'PDF', 'LRO', 'RLO', 'LRI', 'RLI', 'FSI', 'PDI'}


def expect_safe(text: str) -> None:
    """Check that a text can be encoded, and has no control characters."""
    text.encode()
    for character in text:
        assert unicodedata.category(character) not in _ACT, ascii(text)
        assert unicodedata.bidirectional(character) not in _DIRECTIONS


def expect_one_line(text: str) -> None:
    """Check that a text is one line of limited length."""
    expect_safe(text)
    assert text.strip()
    assert len(text) < 5000


def expect_shown(image: Image) -> None:
    """Check that an image can be printed, for people and for machines."""
    for value in field.columns(long=True).row(image):
        if isinstance(value, escaping.columns.FormattableColumn):
            shown, data = value.human_readable(), value.machine_readable()
        else:
            shown = data = value
        expect_safe(str(shown))
        json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
