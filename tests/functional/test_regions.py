# SPDX-License-Identifier: Apache-2.0

"""Commands for two regions."""

from tests.functional.real import as_shown
from tests.functional.real import Glance
from tests.functional.real import ids

IMAGE = ('compute', 'image')
LIST = (*IMAGE, 'list')
SHOW = (*IMAGE, 'show')


def test_regions_are_listed_one_after_another(cloud, demo):
    def alone(region):
        images = Glance(cloud, 'demo', region).images()
        return [{'Region': region, **as_shown(image)} for image in images]

    one, two = alone('RegionOne'), alone('RegionTwo')
    assert demo.images('--all-regions') == one + two
    assert demo.images('--region', 'RegionTwo') == two
    most = str(len(one) + 2)
    assert demo.images('--all-regions', '--limit', most) == one + two[:2]
    rows = demo.images('--all-clouds', '--all-regions')
    assert {row['Cloud'] for row in rows} == {*cloud.clouds()}
    assert [row for row in rows if row.pop('Cloud') == 'demo'] == one + two


def test_server_is_looked_up_in_each_region(cloud, demo):
    rows = demo.images('--all-regions', '--server', 'web-1')
    assert {row['Region']: row['Server ID'] for row in rows} == {
        region: cloud.facts['servers'][region]['web-1']
        for region in ('RegionOne', 'RegionTwo')
    }


def test_image_is_shown_wherever_it_is(demo):
    words = (*SHOW, '--all-regions', '-f', 'json')
    shown = demo(*words, 'only-in-two').json()
    assert shown['region'] == 'RegionTwo'
    # Another image of the first region has this ID.
    [same] = ids(demo.images('--region', 'RegionTwo', '--name', 'replicated'))
    line = demo.fails(*words, same)
    assert line.endswith(f'one: RegionOne {same}, RegionTwo {same}')


def test_image_is_changed_in_its_region_only(demo, images, images_in_two):
    one, two = images('twin'), images_in_two('twin')
    both = ('--region', 'RegionOne', '--region', 'RegionTwo', 'twin')
    change = (*IMAGE, 'set', '--property', 'a=b')
    result = demo.run(*change, *both)
    assert result.code == 1
    assert "2 images have the name or ID 'twin'" in result.err
    demo(*change, *both[2:])
    assert 'a' not in images.image(one)
    assert images_in_two.image(two)['a'] == 'b'
    # What is listed in one is not deleted in another.
    result = demo.run(*IMAGE, 'delete', two)
    assert (result.code, images_in_two.image(two) is None) == (1, False)
    demo(*IMAGE, 'delete', two, *both[2:-1])
    assert images_in_two.image(two) is None
    assert images.image(one)
