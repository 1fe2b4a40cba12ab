# SPDX-License-Identifier: Apache-2.0

"""Plan changes of many images.

A plan is made from images and rules, without any request. It can be shown,
and applied later::

    images = [*api.list_detail()]
    protection = Protection(api.servers(), images)
    snapshots = filter(filters.image_type('server').matches, images)
    todo = plan.prune(snapshots, retention.Rules(daily=7), protection)
    for step in todo.steps:
        print(step.action, step.image.id, step.reason)
    for outcome in api.apply(todo):
        print(outcome.result, outcome.step.image.id, outcome.reason)
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api import _ids
from osc_compute_images.api import properties
from osc_compute_images.api import retention
from osc_compute_images.api._grouping import group_of
from osc_compute_images.api._image import Image
from osc_compute_images.api._steps import Action
from osc_compute_images.api._steps import Outcome
from osc_compute_images.api._steps import Plan
from osc_compute_images.api._steps import Result
from osc_compute_images.api._steps import Step
from osc_compute_images.api.protection import Protection

__all__ = [
    'Action',
    'Outcome',
    'Plan',
    'Result',
    'Step',
    'check_size',
    'delete',
    'prune',
    'set_properties',
    'unset_properties',
]

#: Statuses of images that can be deleted: the others are being saved, already
#: deleted, or unknown.
_DELETABLE = ('ACTIVE', 'ERROR')


def delete(
    images: Iterable[Image],
    protection: Protection | None = None,
    *,
    reason: str = 'chosen',
) -> Plan:
    """Plan to delete images.

    Keeps images that are protected, and images that are neither ACTIVE nor in
    ERROR, unless they are named in the protection.

    :param protection: of images in use; by default, none is protected
    :param reason: the reason for the deletions
    """

    def step(image: Image) -> Step:
        is_named = protection is not None and image.id in protection.named
        if image.status not in _DELETABLE and not is_named:
            return _keep(image, _state(image))
        return _deletion(image, protection, 'named' if is_named else reason)

    return Plan(tuple(map(step, _distinct(images))), protection)


def prune(
    images: Iterable[Image],
    rules: retention.Rules,
    protection: Protection | None = None,
    *,
    group_by: Iterable[str] = ('server',),
) -> Plan:
    """Plan to delete the images that no retention rule keeps.

    The rules apply to each group separately. Images that are not ACTIVE are
    kept, and not counted. Images that lack a key of the groups are kept.

    :param group_by: ``server``, ``name``, ``type``, ``status``,
        ``property:KEY``
    :raises ValueError: for an unknown key
    """
    keys = [*group_by]
    steps = _pruning(images, rules, protection, keys)
    return Plan(tuple(steps), protection)


def set_properties(
    images: Iterable[Image],
    wanted: Mapping[str, str],
    keep: Callable[[Image], str | None] | None = None,
) -> Plan:
    """Plan to set properties; images that have all of them are kept.

    :param keep: returns why an image must be kept, or None
    :raises InvalidProperty: for one that Compute is known not to store
    """
    properties.check_properties(wanted)

    def step(image: Image) -> Step:
        missing = {
            key: value
            for key, value in wanted.items()
            if key not in image.metadata
            or not properties.is_same(key, value, image.metadata[key])
        }
        if not missing:
            return _keep(image, 'it has these properties')
        if (reason := _reason_to_keep(image, missing, keep)) is not None:
            return _keep(image, reason)
        return _change(image, Action.SET, 'chosen', properties=missing)

    return Plan(tuple(map(step, _distinct(images))))


def unset_properties(
    images: Iterable[Image],
    keys: Iterable[str],
    keep: Callable[[Image], str | None] | None = None,
) -> Plan:
    """Plan to remove properties; images that have none of them are kept.

    :param keep: returns why an image must be kept, or None
    """
    distinct_keys = tuple(dict.fromkeys(keys))

    def step(image: Image) -> Step:
        present = tuple(key for key in distinct_keys if key in image.metadata)
        if not present:
            return _keep(image, 'it has none of these properties')
        if (reason := _reason_to_keep(image, present, keep)) is not None:
            return _keep(image, reason)
        return _change(image, Action.UNSET, 'chosen', keys=present)

    return Plan(tuple(map(step, _distinct(images))))


def check_size(plans: Iterable[Plan], most: int) -> None:
    """Check that plans do not change more images than is allowed.

    :raises PlanRefused: if they do
    """
    count = sum(len(plan.changes) for plan in plans)
    if count > most:
        raise _errors.PlanRefused(
            f'Nothing was changed: the plan changes {count} images, and '
            f'{most} are allowed'
        )


def _distinct(images: Iterable[Image]) -> Iterator[Image]:
    return iter({image.id: image for image in images}.values())


def _keep(image: Image, reason: str) -> Step:
    return Step(image=image, action=Action.KEEP, reason=reason)


def _change(
    image: Image,
    action: Action,
    reason: str,
    **details: Any,
) -> Step:
    if not _ids.is_addressable(image.id):
        return _keep(image, 'its ID is invalid')
    return Step(image=image, action=action, reason=reason, **details)


def _reason_to_keep(
    image: Image,
    replaced: Iterable[str],
    keep: Callable[[Image], str | None] | None,
) -> str | None:
    """Return why the properties of an image must not be changed, or None."""
    if keep is not None and (reason := keep(image)) is not None:
        return reason
    try:
        properties.check_kept(image.metadata, frozenset(replaced))
    except _errors.InvalidProperty as e:
        return e.message
    return None


def _state(image: Image) -> str:
    return f'it is {image.status}' if image.status else 'it has no status'


def _deletion(
    image: Image,
    protection: Protection | None,
    reason: str,
    successor: str | None = None,
) -> Step:
    protected = protection.reason(image) if protection else None
    if protected is not None:
        return _keep(image, protected)
    return _change(image, Action.DELETE, reason, successor=successor)


def _pruning(
    images: Iterable[Image],
    rules: retention.Rules,
    protection: Protection | None,
    keys: list[str],
) -> Iterator[Step]:
    group = group_of(keys)
    groups: dict[tuple[str | None, ...], list[Image]] = {}
    for image in _distinct(images):
        if image.status != 'ACTIVE':
            yield _keep(image, _state(image))
        elif None in (its_group := group(image)):
            yield _keep(image, f'it has no {" and ".join(keys)} to group by')
        else:
            groups.setdefault(its_group, []).append(image)
    for members in groups.values():
        successor = None
        for image, reason in retention.apply(members, rules):
            if reason is not None:
                successor = successor or image.id
                yield _keep(image, reason)
            else:
                yield _deletion(
                    image, protection, 'no rule keeps it', successor
                )
