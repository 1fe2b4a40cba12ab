# SPDX-License-Identifier: Apache-2.0

"""What may be deleted, as the documents say.

See "What uses an image" in ``filters.rst``, ``commands/delete.rst`` and
``commands/prune.rst``. Nothing here looks at the product.
"""

import datetime

from tests.oracle import world as w

#: In these, a server is or may be stored in any of its snapshots.
STORED = ('SHELVED', 'SHELVED_OFFLOADED', 'ERROR', 'UNKNOWN', 'RESCUE')
STORED += ('RESIZE', 'VERIFY_RESIZE')
#: In these it may be said to have a task, even if none is shown.
BUSY = ('BUILD', 'HARD_REBOOT', 'MIGRATING', 'PASSWORD', 'REBOOT', 'REBUILD')
BUSY += ('REVERT_RESIZE', 'SOFT_DELETED', 'DELETED')
#: Names of the images of such servers, after the name of the server.
SUFFIXES = ('-shelved', '-resize-temp')

_FORMATS = {
    'hourly': '%Y-%m-%d %H',
    'daily': '%Y-%m-%d',
    'weekly': '%G-%V',
    'monthly': '%Y-%m',
    'yearly': '%Y',
}
#: No image of a world was created from here to the clock of this machine.
_NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def is_stored(server, statuses):
    """Return whether a server is, or may be, stored in its snapshots."""
    return server['status'].upper() in statuses or server[w.TASK] is not None


def is_from(image, server):
    return w.image_server(image) == server['id']


def is_named_after(image, server):
    """Return whether an image without a server has the name of its image."""
    names = [server['name'] + suffix for suffix in SUFFIXES]
    return w.image_server(image) is None and image['name'] in names


def may_hold_any(image):
    """Return whether it may hold a server of an unknown name."""
    return w.image_server(image) is None and image['name'].endswith(SUFFIXES)


def is_booted(image, server):
    return server['image'] != '' and server['image']['id'] == image['id']


def is_needed(image, images):
    found = set()
    for metadata in (other['metadata'] for other in images):
        found |= {metadata.get('kernel_id'), metadata.get('ramdisk_id')}
        disks = metadata.get('block_device_mapping', [])
        found |= {disk['image_id'] for disk in disks}
    return image['id'] in found


def is_chosen(command, image):
    """Return whether the image itself is one that a command may delete."""
    status = image['status'].upper()
    if command.kind == 'named':
        return image['id'] in command.named
    if command.kind == 'prune':
        return status == 'ACTIVE' and group_of(command, image) is not None
    choice = command.choice
    return (
        status in ('ACTIVE', 'ERROR')
        and choice.get('status', status) == status
        and choice.get('name', '') in image['name']
        and choice.get('type') in (None, w.image_type(image))
        and ('orphaned' not in choice or w.image_server(image) is not None)
    )


def group_of(command, image):
    is_by_name = command.group_by == 'name'
    return image['name'] if is_by_name else w.image_server(image)


def chosen(command, images):
    """Return the images that a command would delete if nothing used them."""
    matching = [image for image in images if is_chosen(command, image)]
    if command.kind != 'prune':
        return matching
    rules = dict(command.rules)
    if 'within' in rules:
        rules['within'] = datetime.timedelta(hours=rules['within'])
    groups = {}
    for image in matching:
        if (time := _time(image)) is not None:
            group = groups.setdefault(group_of(command, image), set())
            group.add((time, image['id']))
    pruned = {
        image_id
        for group in groups.values()
        for _, image_id in group - kept_of(group, rules)
    }
    return [image for image in matching if image['id'] in pruned]


def kept_of(group, rules):
    """Return the images of a group that are kept, by restic's documents.

    The documents do not tell which of two images of the same time is the
    newer: here it is the ID.

    :param group: images of the past: when they were created, and their IDs
    """
    past = sorted(group, reverse=True)
    rules = {rule: value for rule, value in rules.items() if value}
    if not rules or not past:
        # "If one were to specify --keep-last 0, restic will respond that no
        # snapshots will be removed."
        return {*past}
    # "A snapshot only needs to match a single option to be kept."
    found = set()
    for rule, value in rules.items():
        if rule == 'last':
            # "Keep the n last (most recent) snapshots."
            found |= {*past[:value]}
        elif rule == 'within':
            # "Keep snapshots that are newer than the duration relative to the
            # latest snapshot."
            found |= {i for i in past if i[0] > past[0][0] - value}
        else:
            # "For the last n hours which have one or more snapshots, keep
            # only the most recent one for each hour."
            newest = {}
            for image in past:
                newest.setdefault(image[0].strftime(_FORMATS[rule]), image)
            found |= {*[*newest.values()][:value]}
            # "If there are not enough snapshots to keep one for each option,
            # the oldest snapshot is kept additionally."
            if len(newest) < value:
                found.add(past[-1])
    return found


def _time(image):
    """Return when an image was created; None: unreadable, or in the future."""
    try:
        time = datetime.datetime.fromisoformat(image['created'])
    except ValueError:
        return None
    return time if time < _NOW else None


def replaces(command, other, image):
    """Return whether another image of a group is good, and is newer."""
    newer, time = _time(other), _time(image)
    return (
        other['status'].upper() == 'ACTIVE'
        and group_of(command, other) == group_of(command, image)
        and newer is not None
        and time is not None
        and (newer, other['id']) > (time, image['id'])
    )
