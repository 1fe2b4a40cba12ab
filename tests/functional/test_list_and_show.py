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

"""Listing and showing, compared with what Glance says."""

from tests.functional.conftest import as_shown


def test_a_list_agrees_with_glance_field_for_field(demo, glance):
    expected = [as_shown(image) for image in glance.images()]
    assert demo.images() == expected
    assert len(expected) > 40


def test_so_it_does_for_an_administrator(admin, admin_glance):
    expected = [as_shown(image) for image in admin_glance.images()]
    assert admin.images() == expected


def test_show_agrees_with_the_list(demo):
    images = {image['Name']: image for image in demo.images()}
    for name in (
        'ubuntu:24.04',
        ' leading',
        '',
        'web-1-snapshot',
        'auto-disk',
    ):
        listed = images[name]
        expected = {k.lower().replace(' ', '_'): v for k, v in listed.items()}
        if name == 'auto-disk':
            expected['disk_config'] = 'AUTO'
        shown = demo('compute', 'image', 'show', '-f', 'json', name).json()
        assert shown == expected
        assert list(shown) == sorted(shown)
