# SPDX-License-Identifier: Apache-2.0

"""Random worlds."""

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


def odd_case(chance, text):
    """Return a text, sometimes in lower case."""
    return text.lower() if chance.random() < 0.2 else text


def server(chance, server_id, images):
    """Return a random server."""
    made = records.server(
        server_id,
        chance.choice(NAMES),
        image=chance.choice([None, 'gone', *images]),
        status=odd_case(chance, chance.choice(STATUSES)),
    )
    if chance.random() < 0.2:
        made['tenant_id'] = 'f' * 32
    return {**made, w.TASK: chance.choice(TASKS)}


def image(chance, image_id, ids):
    """Return a random image."""
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
        status=odd_case(chance, status),
        created=chance.choice([*[created] * 18, *odd]),
        metadata=metadata,
    )
    if chance.random() < 0.7:
        # An administrator may find any ID here: users set it as they like.
        metadata['instance_uuid'] = f'srv-{chance.choice(_TAKEN)}'
        made['server'] = {'id': metadata['instance_uuid']}
    return made


def region(chance, number, glance, images):
    """Return a random region."""
    servers = {}
    ids = [f'srv-{n}' for n in range(number, 7, 3) if chance.random() < 0.8]
    for server_id in ids:
        servers[server_id] = first = server(chance, server_id, [*images])
        if chance.random() < 0.08:
            again = server(chance, server_id, [*images])
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
    """Return a random world."""
    glances = []
    for number in range(2):
        ids = [f'img-{number}-{n}' for n in range(chance.randint(1, 9))]
        glances.append({i: image(chance, i, ids) for i in ids})
    regions = []
    is_admin = chance.random() < 0.7
    for number in range(chance.choice([1, 2, 2, 3])):
        glance = chance.choice([0, 0, 1])
        regions.append(region(chance, number, glance, glances[glance]))
        regions[-1].is_admin = is_admin
    return w.World(regions)
