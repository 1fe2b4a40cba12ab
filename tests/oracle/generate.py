# SPDX-License-Identifier: Apache-2.0

"""Random worlds, and somebody else who changes them between requests."""

import datetime

from testbed import nova
from testbed import records
from tests.oracle import world as w

NAMES = ('web', 'db', 'old')
STATUSES = (
    *('ACTIVE', 'SHUTOFF', 'SHELVED', 'SHELVED_OFFLOADED') * 4,
    *('BUILD', 'DELETED', 'ERROR', 'HARD_REBOOT', 'MIGRATING', 'PASSWORD'),
    *('PAUSED', 'REBOOT', 'REBUILD', 'RESCUE', 'RESIZE', 'REVERT_RESIZE'),
    *('SOFT_DELETED', 'SUSPENDED', 'UNKNOWN', 'VERIFY_RESIZE'),
)
TASKS = (*[None] * 12, 'shelving', 'shelving_offloading', 'unshelving')
TASKS += ('image_snapshot', 'rebuilding', 'resize_prep')
#: The numbers of the servers that images are taken from.
_TAKEN = (0, 0, 0, 1, 1, 2, 3, 4, 5, 6)
_START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_OF_SERVERS = (*['boot', 'shelve', 'task'] * 2, 'unshelve', 'rename', 'delete')
_OF_IMAGES = (*['break'] * 4, 'delete image', 'need')
# NOTE: what cannot be read refuses most plans, which then show nothing.
_EVENTS = (*(_OF_SERVERS + _OF_IMAGES) * 2, 'cell', 'region')


def _odd_case(chance, text):
    return text.lower() if chance.random() < 0.2 else text


def _server(chance, server_id, images):
    made = records.server(
        server_id,
        chance.choice(NAMES),
        image=chance.choice([None, 'gone', *images]),
        status=_odd_case(chance, chance.choice(STATUSES)),
    )
    if chance.random() < 0.2:
        made['tenant_id'] = 'f' * 32
    return {**made, w.TASK: chance.choice(TASKS)}


def _image(chance, image_id, ids):
    others = [other for other in ids if other != image_id] or ['gone']
    metadata = {
        key: chance.choice(others)
        for key in ('kernel_id', 'ramdisk_id')
        if chance.random() < 0.05
    }
    if chance.random() < 0.05:
        disk = {'source_type': 'image', 'image_id': chance.choice(others)}
        metadata['block_device_mapping'] = [disk]
    if chance.random() < 0.7:
        metadata['image_type'] = 'snapshot'
    hours = chance.randrange(chance.choice([3, 60, 2000, 20000]))
    created = f'{_START + datetime.timedelta(hours=hours):%FT%TZ}'
    suffix = chance.choice(['', '', '-shelved', '-resize-temp'])
    status = chance.choice([*['ACTIVE'] * 8, 'SAVING', 'ERROR'])
    odd = ['2199-01-01T00:00:00Z', 'soon']
    made = nova.image(
        id=image_id,
        name=chance.choice(NAMES) + suffix,
        status=_odd_case(chance, status),
        created=chance.choice([*[created] * 18, *odd]),
        metadata=metadata,
    )
    if chance.random() < 0.7:
        # An administrator may find any ID here: users set it as they like.
        metadata['instance_uuid'] = f'srv-{chance.choice(_TAKEN)}'
        made['server'] = {'id': metadata['instance_uuid']}
    # NOTE: as little as other gaps, which refuse most plans.
    made['opaque'] = chance.random() < 0.01
    return made


def _region(chance, number, glance, images):
    servers = {}
    ids = [f'srv-{n}' for n in range(number, 7, 3) if chance.random() < 0.8]
    for server_id in ids:
        servers[server_id] = first = _server(chance, server_id, [*images])
        if chance.random() < 0.08:
            again = _server(chance, server_id, [*images])
            again |= {k: first[k] for k in ('name', 'tenant_id', w.TASK)}
            servers[server_id + w.AGAIN] = again
    right = f'http://glance-{glance}'
    urls = [right, right, right, None, f'{right}-{number}']
    made = w.Region(f'r{number}', images, chance.choice(urls), servers)
    made.highest = (2, 104 if chance.random() < 0.8 else 60)
    made.max_page = chance.choice([2, 1000, 1000])
    made.filters = chance.random() < 0.5
    made.is_up = chance.random() < 0.97
    for server_id in ids:
        keys = {server_id, server_id + w.AGAIN} & {*servers}
        if chance.random() < 0.5:
            made.cell |= keys
        if chance.random() < 0.06:
            how = chance.choice([*w.MALFORMED])
            made.malformed |= dict.fromkeys(sorted(keys), how)
    made.down = {*made.cell} if chance.random() < 0.06 else set()
    return made


def world(chance):
    glances = []
    for number in range(2):
        ids = [f'img-{number}-{n}' for n in range(chance.randint(1, 9))]
        glances.append({i: _image(chance, i, ids) for i in ids})
    is_admin = chance.random() < 0.7
    regions = []
    for number in range(chance.choice([1, 2, 2, 3])):
        glance = chance.choice([0, 0, 1])
        regions.append(_region(chance, number, glance, glances[glance]))
        regions[-1].is_admin = is_admin
    return w.World(regions)


def act(chance, world):
    """Change one thing."""
    region = chance.choice([*world.regions.values()])
    event = chance.choice(_EVENTS)
    if event == 'region':
        region.is_up = not region.is_up
    elif event == 'cell':
        region.down = set() if region.down else {*region.cell}
    elif event in _OF_IMAGES and region.images:
        _change_image(chance, event, region.images)
    elif event in _OF_SERVERS and region.servers:
        _change_server(chance, event, region)


def _change_image(chance, event, images):
    some = chance.choices([*images.values()], k=3)
    # The newest is most likely the one that is kept instead of others.
    image = max(some, key=lambda each: str(each['created']))
    image['updated'] = '2027-01-01T00:00:00Z'
    if event == 'delete image':
        del images[image['id']]
    elif event == 'break':
        image['status'] = chance.choice(['ERROR', 'SAVING', 'DELETED'])
    else:
        others = [other for other in images if other != image['id']]
        image['metadata']['kernel_id'] = chance.choice([*others, 'gone'])


def _change_server(chance, event, region):
    key = chance.choice([*region.servers])
    server = region.servers[key]
    if event == 'boot':
        new = f'new-{chance.random()}'
        image = chance.choice([*region.images, 'gone'])
        region.servers[new] = records.server(new, 'web', image=image)
    elif event == 'delete':
        del region.servers[key]
    elif event == 'rename':
        server['name'] = chance.choice(NAMES)
    elif event == 'task':
        server[w.TASK] = chance.choice(TASKS)
        server['status'] = chance.choice(STATUSES)
    elif event == 'unshelve':
        server |= {'status': 'ACTIVE', w.TASK: None}
    else:
        server['status'] = chance.choice(['SHELVED', 'SHELVED_OFFLOADED'])
        new = f'new-{len(region.images)}-{key}'
        taken = {'id': new, 'name': f'{server["name"]}-shelved'}
        taken['created'] = '2025-12-01T00:00:00Z'
        region.images[new] = records.snapshot(0, server['id'], **taken)
