# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""A text that is shown on a terminal."""

from osc_compute_images.text import printable
from tests.fuzz import promises

SEEDS = [
    b'cirros-0.6.2',
    b'\x1b]0;title\x07',
    'a\u202eb \u00a0 \U000e0041 \U0001f600'.encode(),
    b'\xed\xa0\x80',
]


def check(data: bytes) -> None:
    """Show a text: what need not be changed stays as it is."""
    text = data.decode('utf-8', 'surrogateescape')
    shown = printable(text)
    promises.expect_safe(shown)
    assert printable(shown) == shown
