# SPDX-License-Identifier: Apache-2.0

"""Somebody else, who changes a world between any two requests."""

from testbed import records
from tests.oracle import generate
from tests.oracle import world as w

_OF_SERVERS = (*['boot', 'shelve', 'task'] * 2, 'unshelve', 'rename', 'delete')
_OF_IMAGES = (*['break'] * 4, 'delete image', 'need')
# NOTE: what cannot be read refuses most plans, which then show nothing.
_EVENTS = (*(_OF_SERVERS + _OF_IMAGES) * 2, 'cell', 'region')


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
    elif event == 'boot' and region.images:
        number = sum(len(each.servers) for each in world.regions.values())
        image = chance.choice([*region.images])
        new = records.server(f'new-{number}', 'web', image=image)
        region.servers[new['id']] = new
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
    if event == 'delete':
        del region.servers[key]
    elif event == 'rename':
        server['name'] = chance.choice(generate.NAMES)
    elif event == 'task':
        server[w.TASK] = chance.choice(generate.TASKS)
        server['status'] = chance.choice(generate.STATUSES)
    elif event == 'unshelve':
        server |= {'status': 'ACTIVE', w.TASK: None}
    else:
        server['status'] = chance.choice(['SHELVED', 'SHELVED_OFFLOADED'])
        new = f'new-{len(region.images)}-{key}'
        region.images[new] = records.snapshot(
            0,
            server['id'],
            id=new,
            name=f'{server["name"]}-shelved',
            created='2025-12-01T00:00:00Z',
        )
