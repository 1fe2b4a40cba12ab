# SPDX-License-Identifier: Apache-2.0

"""Plan changes of many images.

An image that is chosen by a rule or a filter is deleted only if everything
that could use it was read, and does not: with a gap, a plan that deletes is
refused. What is named is deleted unless a server may be stored in it.
"""

from collections.abc import Iterable
from collections.abc import Mapping

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
from osc_compute_images.api.changes.keep import either
from osc_compute_images.api.changes.keep import Keep
from osc_compute_images.api.changes.keep import unless_complete
from osc_compute_images.api.changes.protection import Protection
from osc_compute_images.api.groups.summary import grouping
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

    :param protection: of images in use, and of chosen ones whose properties
        are unknown; by default, none is protected
    :param keep: returns why an image must be kept, or None: see :mod:`.keep`
    :param named: whether the images were named one by one. Pass a protection
        with ``include_used`` then, made from the servers that the images were
        taken from: see :meth:`.Fleet.servers_of`
    :raises GapsFound: if images that were not named would be deleted, and what
        the protection rests on has gaps
    """
    protects = _protects(keep, protection, named=named)
    reason = 'named' if named else 'selected'

    def step(image: Image) -> Step:
        if image.state not in _DELETABLE and not named:
            return kept(image, _state(image))
        deletion = Step(image=image, action=Action.DELETE, reason=reason)
        return unless_kept(deletion, protects(image))

    steps = map(step, _distinct(images))
    return _checked(Plan(tuple(steps), protection, named))


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
    Snapshots of volume-backed servers are not in a group of ``server`` with
    others.

    See :func:`delete` for the other arguments, and the errors.

    :param keep: what it keeps still counts in its group
    :param group_by: ``server``, ``name``, ``type``, ``status``,
        ``property:KEY``
    :raises ValueError: for an unknown key
    """
    keys, group = grouping(group_by)
    protects = _protects(keep, protection)
    steps = []
    groups: dict[tuple[object, ...], list[Image]] = {}
    for image in _distinct(images):
        if image.state != 'ACTIVE':
            steps.append(kept(image, _state(image)))
        elif None in (its_group := group(image)):
            reason = f'it has no {" and ".join(keys)} to group by'
            steps.append(kept(image, reason))
        else:
            # NOTE: if a server on a volume was restored from a snapshot, Nova
            # copies the server of that one to its own snapshots.
            kind = 'server' in keys and image.is_volume_backed
            groups.setdefault((*its_group, kind), []).append(image)
    for members in groups.values():
        successor = None
        for image, why_kept in retention.reasons(members, rules):
            if why_kept is not None:
                successor = successor or image.id
                steps.append(kept(image, why_kept))
                continue
            deletion = Step(
                image=image,
                action=Action.DELETE,
                reason='no rule keeps it',
                successor=successor,
            )
            steps.append(unless_kept(deletion, protects(image)))
    return _checked(Plan(tuple(steps), protection))


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
    reason = 'named' if named else 'selected'

    def step(image: Image) -> Step:
        missing = _stored.not_stored(wanted, image.metadata)
        others = image.metadata.keys() - wanted.keys() if replace else ()
        if not missing and not others:
            return kept(image, 'it has these properties')
        edit = Step(
            image=image,
            action=Action.SET,
            reason=reason,
            properties=wanted if replace else missing,
            replaces=replace,
        )
        return _unless_kept(edit, keep)

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

    :param keys: a text alone is one key
    """
    distinct = dict.fromkeys([keys] if isinstance(keys, str) else keys)
    reason = 'named' if named else 'selected'

    def step(image: Image) -> Step:
        present = [key for key in distinct if key in image.metadata]
        # NOTE: the first removal must not corrupt what the next ones remove.
        present.sort(
            key=lambda key: (
                key not in properties.JSON_KEYS
                or not isinstance(image.metadata[key], str)
            )
        )
        if not present and image.is_complete:
            return kept(image, 'it has none of these properties')
        edit = Step(
            image=image,
            action=Action.UNSET,
            reason=reason,
            keys=tuple(present),
        )
        return _unless_kept(edit, keep)

    return Plan(tuple(map(step, _distinct(images))), named=named)


def _protects(
    keep: Keep | None, protection: Protection | None, *, named: bool = False
) -> Keep:
    if protection is None:
        return either(keep)
    unread = None if named else unless_complete
    return either(keep, protection.reason, unread)


def _distinct(images: Iterable[Image]) -> Iterable[Image]:
    return {image.id: image for image in images}.values()


def _state(image: Image) -> str:
    return f'it is {image.status}' if image.status else 'it has no status'


def _unless_kept(edit: Step, keep: Keep | None) -> Step:
    why_kept = keep(edit.image) if keep else None
    if why_kept is None and (error := _stored.corruption(edit, edit.image)):
        why_kept = error.message
    return unless_kept(edit, why_kept)


def _checked(plan: Plan) -> Plan:
    """Return a plan of deletions, if what it rests on has no gaps."""
    if plan.changes and plan.protection is not None and not plan.named:
        plan.protection.usage.check_gaps()
    return plan
