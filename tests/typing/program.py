# SPDX-License-Identifier: Apache-2.0

"""A program that uses every public name, for type checkers.

It is not run.
"""

from collections.abc import Iterator
import datetime
from typing import assert_type
import uuid

from keystoneauth1.adapter import Adapter
from openstack.config import OpenStackConfig

import osc_compute_images
from osc_compute_images import api as images
from osc_compute_images.api import clouds
from osc_compute_images.api import filters
from osc_compute_images.api import Image
from osc_compute_images.api import ImageRef
from osc_compute_images.api import ImagesAPI
from osc_compute_images.api.changes import keep
from osc_compute_images.api.changes import plan
from osc_compute_images.api.groups import selection
from osc_compute_images.api.groups import summary
from osc_compute_images.api.snapshots import apply as snapshots_apply
from osc_compute_images.api.snapshots import coverage
from osc_compute_images.api.snapshots import plan as snapshots_plan


class OnDisk:
    """A user's own ListOptsBuilder."""

    def to_image_list_query(self) -> dict[str, str | int]:
        return {'property-hw_disk_bus': 'virtio'}


BUILDER: images.ListOptsBuilder = OnDisk()


def listing(api: ImagesAPI) -> None:
    opts = images.ListOpts(limit=images.MAX_PAGE_SIZE, type='snapshot')
    pager = api.list_detail(opts, where=everything(), max_items=5)
    assert_type(pager, images.Pager[Image])
    for page in pager.pages():
        assert_type(page, images.ImagePage[Image])
        assert_type(page.images, list[Image])
        assert_type(page.is_empty(), bool)
        assert_type(page.is_last(), bool)
        assert_type(page.next_page_url(), str | None)
        assert_type(page.next_marker(), str | None)
    for image in api.list_detail(BUILDER):
        assert_type(image, Image)
    for ref in api.list({'name': 'x', 'limit': 3}, where=filters.name('x')):
        assert_type(ref, ImageRef)
        assert_type(ref.name, str | None)


def review(api: ImagesAPI, made: plan.Plan, found: list[Image]) -> None:
    origin = plan.Origin('mycloud', 'RegionOne', 'd1')
    reviewed = plan.Plan.from_json(made.to_json(origin))
    assert_type(reviewed.reviewed, bool)
    kept = keep.either(keep.with_property('k', 'v'), keep.named_in('x', 'f'))
    assert_type(kept(found[0]), str | None)
    todo = plan.delete(found, keep=kept).only(reviewed)
    for outcome in api.apply(todo):
        assert_type(outcome, plan.Outcome)


def snapshots(api: ImagesAPI, found: list[Image]) -> None:
    servers = api.servers(own_project=True).servers
    assert_type(servers[0].is_volume_backed, bool)
    steps = snapshots_plan.create(servers, found, snapshots_plan.NAME)
    assert_type(steps, tuple[snapshots_plan.Step, ...])
    assert_type(steps[0].action, snapshots_plan.Action)
    assert_type(steps[0].is_missed, bool)
    for outcome in snapshots_apply.apply(api, steps, wait=True):
        assert_type(outcome, snapshots_apply.Outcome)
    assert_type(api.create_snapshot(servers[0], 'x', properties={}), str)
    assert_type(api.last_request_id, str | None)
    rules = coverage.Rules(critical=datetime.timedelta(hours=26))
    for finding in coverage.check(servers, found, rules):
        assert_type(finding, coverage.Finding)
        assert_type(coverage.worst([finding.level]), coverage.Level)


def everything() -> filters.Filter:
    now = datetime.datetime.now(datetime.UTC)
    chosen = (
        filters.EVERYTHING
        & filters.name('x')
        & (filters.name_pattern('x*') | filters.name_regex('^x'))
        & ~filters.status('ACTIVE', filters.STATUSES[1])
        & filters.image_type('snapshot', 'backup')
        & filters.server('id')
        & filters.server(images.Server('id'))
        & filters.has_property('os_distro')
        & filters.property_is('os_distro', 'ubuntu')
        & filters.min_disk(at_least=1, less_than=9)
        & filters.min_ram(exactly=512)
        & filters.size(at_most=10**9, more_than=1)
        & filters.created_after('2026-11-23')
        & filters.created_before(now)
        & filters.changes_since(now)
        & filters.changes_before(now)
        & filters.boots_on(images.Flavor('1', 'small', ram=512, disk=1))
    )
    assert_type(chosen.query['limit'], str | int)
    assert_type(chosen.created_since, datetime.datetime | None)
    assert_type(chosen.brief, bool)
    return chosen & filters.Filter(lambda image: image.size == 0)


def one(api: ImagesAPI, image_id: str) -> None:
    assert_type(api.get(uuid.UUID(image_id)), Image)
    assert_type(api.find('x'), Image)
    assert_type(api.find('x', ignore_missing=True), Image | None)
    image = api.find('x', where=filters.status('ACTIVE'))
    assert_type(image.server, images.ServerRef | None)
    assert_type(image.server_id, str | None)
    assert_type(image.is_volume_backed, bool)
    assert_type(image.state, str | None)
    print({image: image.to_dict()['name']}, image.metadata['os_distro'])
    # The properties cannot be changed: an error, which must be ignored.
    image.metadata['os_distro'] = 'x'  # type: ignore[index]
    for other in api.find_all('x'):
        assert_type(other, Image)
    api.delete(image, ignore_missing=True)
    api.update_metadata(image, {'a': 'b'})
    api.replace_metadata(image, {'a': 'b'})
    api.set_metadata_item(image, 'a', 'b')
    print(api.get_metadata(image)['a'], api.get_metadata_item(image, 'a'))
    api.delete_metadata_item(image, 'a')
    assert_type(api.find_visibility(image), str | None)
    api.delete_metadata_items(image, ['a', 'b'])
    api.wait_for(image, 'ACTIVE', timeout=3.5, on_poll=print)
    flavor = api.find_flavor('small')
    assert_type(flavor, images.Flavor)
    assert_type(api.find_server_id('web-1'), str)


def using(api: ImagesAPI) -> None:
    listed = api.servers()
    assert_type(listed, images.ServerList)
    for server in listed.servers:
        assert_type(server, images.Server)
    used = api.usage()
    for image in api.list_detail(where=used.unused() & ~used.orphaned()):
        print(used.used_by(image), used.unknown.other_projects)
    for image in selection.newest(api.list_detail(), 2, group_by=['name']):
        assert_type(image, Image)
    for one in summary.summarize(api.list_detail(), ['type']):
        assert_type(one, summary.Summary)


#: Errors without attributes of their own.
ERRORS: tuple[type[images.ImagesError], ...] = (
    *(images.BadRequest, images.Unauthorized, images.Forbidden),
    *(images.NotFound, images.NotAcceptable, images.Conflict),
    *(images.TooManyRequests, images.ServerError, images.EndpointNotFound),
    *(images.RequestTimedOut, images.ConnectionFailed, images.InvalidResponse),
    *(images.ImageNotFound, images.ServerNotFound, images.FlavorNotFound),
    *(images.ImageFailed, images.ImageVanished, images.WaitTimedOut),
    *(images.ImagesForbidden, images.PlanRefused),
)


def attributes(
    ambiguous: images.AmbiguousName,
    waited: images.WaitError,
    interrupted: images.ListingInterrupted,
    not_deleted: images.PropertiesNotDeleted,
    not_stored: images.PropertiesNotStored,
    invalid: images.InvalidProperty,
    found: images.GapsFound,
    not_served: images.ImagesNotServed,
    answered: images.HTTPError,
) -> Iterator[object]:
    yield from (ambiguous.ids, waited.image and waited.image.status)
    yield from (interrupted.marker, interrupted.obtained)
    yield from (not_deleted.errors['a'].http_status, not_stored.keys)
    yield from (invalid.key, found.gaps, not_served.versions)
    yield from (answered.http_status, answered.request_id, answered.message)


def listed(api: ImagesAPI) -> list[Image]:
    return [*api.list_detail()]


def everywhere(adapters: dict[str, Adapter]) -> None:
    apis = {region: ImagesAPI(each) for region, each in adapters.items()}
    for result in images.in_regions(apis, listed):
        assert_type(result, images.RegionResult[str, list[Image]])
        assert_type(result.unwrap(), list[Image])
        if result.error is not None:
            assert_type(result, images.RegionFailure[str])
            print(f'{result.region}: {result.error}')
        else:
            assert_type(result, images.RegionSuccess[str, list[Image]])
            print(result.region, [image.name for image in result.value])
    print(osc_compute_images.__version__)


def in_clouds(config: OpenStackConfig) -> None:
    assert_type(clouds.api_of(config, 'mycloud', 'RegionOne'), ImagesAPI)
    assert_type(clouds.apis_of(config, 'mycloud'), dict[str, ImagesAPI])
    apis, errors = clouds.apis_of_all(config)
    for result in images.in_regions(apis, listed):
        cloud, region = result.region
        print(cloud, region, len(result.unwrap()))
    for cloud, error in errors.items():
        print(cloud, error.message)
