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


"""The header Retry-After."""

from osc_compute_images.api import _transport

SEEDS = [
    b'120',
    b'Fri, 31 Dec 2100 23:59:59 GMT',
    b'Friday, 31-Dec-99 23:59:59 -0000',
    b'Fri Dec 31 23:59:59 1999',
]


def check(data: bytes) -> None:
    """Find out how long to wait."""
    wait = _transport._delay(0, data.decode('latin-1'))
    assert 0 <= wait <= _transport.MAX_DELAY
