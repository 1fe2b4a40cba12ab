# SPDX-License-Identifier: Apache-2.0

"""Plan changes of many images.

A plan is made from images and rules, without any request. It can be shown,
and applied later::

    images = [*api.list_detail()]
    todo = plan.delete(images, Protection(api.usage(images)))
    for outcome in api.apply(todo):
        print(outcome.result, outcome.step.image.id, outcome.reason)

An image that is chosen by a rule or a filter is deleted only if everything
that could use it was read, and does not: with a gap, a plan that deletes is
refused. What is named is deleted unless a server may be stored in it.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from osc_compute_images.api import _errors
from osc_compute_images.api.changes import _stored
from osc_compute_images.api.changes import properties
from osc_compute_images.api.changes import retention
from osc_compute_images.api.changes._document import Origin
from osc_compute_images.api.changes._plan import Plan
from osc_compute_images.api.changes._steps import Action
from osc_compute_images.api.changes._steps import kept
from osc_compute_images.api.changes._steps import Outcome
from osc_compute_images.api.changes._steps import Result
from osc_compute_images.api.changes._steps import Step
from osc_compute_images.api.changes._steps import unless_kept
from osc_compute_images.api.changes.keep import Keep
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.groups._grouping import Group
from osc_compute_images.api.groups._grouping import group_of
from osc_compute_images.api.groups._grouping import keys_of
from osc_compute_images.api.records._image import Image

__all__ = [
    'Action',
    'Origin',
    'Outcome',
    'Plan',
    'Result',
    'Step',
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
    keep: Keep | None = None,
    named: bool = False,
) -> Plan:
    """Plan to delete images.

    Keeps images that are protected. Images that were not named are also kept
    if they are neither ACTIVE nor in ERROR.

    :param protection: of images in use; by default, none is protected
    :param keep: returns why an image must be kept, or None: see :mod:`.keep`
    :param named: whether the images were named one by one. Pass a protection
        with ``include_used`` then, made from the servers that the images were
        taken from: see :meth:`.Fleet.servers_of`
    :raises GapsFound: if images that were not named would be deleted, and what
        the protection rests on has gaps
    """

    def step(image: Image) -> Step:
        if image.state not in _DELETABLE and not named:
            return kept(image, _state(image))
        return _deletion(image, keep, protection, _choice(named))

    return _deletions(map(step, _distinct(images)), protection, named=named)


def prune(
    images: Iterable[Image],
    rules: retention.Rules,
    protection: Protection | None = None,
    *,
    keep: Keep | None = None,
    group_by: Iterable[str] = ('server',),
) -> Plan:
    """Plan to delete the images that no retention rule keeps.

    The rules apply to each group separately. Images that are not ACTIVE are
    kept, and not counted. Images that lack a key of the groups are kept.

    :param keep: as of :func:`delete`. What it keeps still counts in its group
    :param group_by: ``server``, ``name``, ``type``, ``status``,
        ``property:KEY``
    :raises ValueError: for an unknown key
    :raises GapsFound: if images would be deleted, and what the protection
        rests on has gaps
    """
    keys = keys_of(group_by)
    group = group_of(keys)
    steps = []
    groups: dict[Group, list[Image]] = {}
    for image in _distinct(images):
        if image.state != 'ACTIVE':
            steps.append(kept(image, _state(image)))
        elif None in (its_group := group(image)):
            reason = f'it has no {" and ".join(keys)} to group by'
            steps.append(kept(image, reason))
        else:
            groups.setdefault(its_group, []).append(image)
    for members in groups.values():
        successor = None
        for image, why_kept in retention.reasons(members, rules):
            if why_kept is not None:
                successor = successor or image.id
                steps.append(kept(image, why_kept))
            else:
                steps.append(
                    _deletion(
                        image, keep, protection, 'no rule keeps it', successor
                    )
                )
    return _deletions(steps, protection)


def set_properties(
    images: Iterable[Image],
    wanted: Mapping[str, str],
    keep: Keep | None = None,
    *,
    replace: bool = False,
    named: bool = False,
) -> Plan:
    """Plan to set properties; images that have all of them are kept.

    :param keep: returns why an image must be kept, or None
    :param replace: remove all other properties
    :param named: whether the images were named one by one
    :raises InvalidProperty: for one that Compute is known not to store
    """
    properties.check_properties(wanted)

    def step(image: Image) -> Step:
        missing = _stored.not_stored(wanted, image.metadata)
        others = image.metadata.keys() - wanted.keys() if replace else ()
        if not missing and not others:
            return kept(image, 'it has these properties')
        return _edit(
            image,
            keep,
            (*missing, *others),
            Action.SET,
            _choice(named),
            properties=wanted if replace else missing,
            replaces=replace,
        )

    return Plan(tuple(map(step, _distinct(images))), named=named)


def unset_properties(
    images: Iterable[Image],
    keys: Iterable[str],
    keep: Keep | None = None,
    *,
    named: bool = False,
) -> Plan:
    """Plan to remove properties; images that have none of them are kept.

    See :func:`set_properties` for the arguments.
    """
    distinct = tuple(dict.fromkeys(keys))

    def step(image: Image) -> Step:
        present = tuple(key for key in distinct if key in image.metadata)
        if not present:
            return kept(image, 'it has none of these properties')
        return _edit(
            image, keep, present, Action.UNSET, _choice(named), keys=present
        )

    return Plan(tuple(map(step, _distinct(images))), named=named)


def _distinct(images: Iterable[Image]) -> Iterable[Image]:
    return {image.id: image for image in images}.values()


def _choice(named: bool) -> str:
    return 'named' if named else 'selected'


def _state(image: Image) -> str:
    return f'it is {image.status}' if image.status else 'it has no status'


def _deletion(
    image: Image,
    keep: Keep | None,
    protection: Protection | None,
    reason: str,
    successor: str | None = None,
) -> Step:
    why_kept = keep(image) if keep else None
    if why_kept is None and protection is not None:
        why_kept = protection.reason(image)
    return unless_kept(
        image, why_kept, Action.DELETE, reason, successor=successor
    )


def _edit(
    image: Image,
    keep: Keep | None,
    replaced: Collection[str],
    action: Action,
    reason: str,
    **details: Any,
) -> Step:
    why_kept = keep(image) if keep else None
    if why_kept is None:
        try:
            _stored.check_written_back(image.metadata, replaced)
        except _errors.InvalidProperty as e:
            why_kept = e.message
    return unless_kept(image, why_kept, action, reason, **details)


def _deletions(
    steps: Iterable[Step],
    protection: Protection | None,
    *,
    named: bool = False,
) -> Plan:
    """Return a plan of deletions, if what it rests on has no gaps."""
    plan = Plan(tuple(steps), protection, named)
    if plan.changes and protection is not None and not named:
        protection.usage.check_gaps()
    return plan
