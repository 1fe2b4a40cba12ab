# SPDX-License-Identifier: Apache-2.0

"""How many examples the tests of properties generate."""

import os
from typing import Any

from hypothesis import settings


def examples(count: int = 100, **more: Any) -> settings:
    """Return the settings of the profile, with another number of examples.

    With the lowest versions, a quarter of hypothesis's own number of them is
    enough: most properties are of code that uses no other package.
    """
    if 'LOWEST' in os.environ:
        count = min(count, 25)
    return settings(max_examples=count, **more)
