# SPDX-License-Identifier: Apache-2.0

"""Somebody else, who changes a world between any two requests."""

import random
from typing import Any

from testbed import nova
from tests.oracle import generate
from tests.oracle import world as w

_OF_SERVERS = (*['boot', 'shelve', 'task'] * 2, 'unshelve', 'rename', 'delete')
_OF_IMAGES = (*['break'] * 4, 'delete image', 'need')
_EVENTS = (*_OF_SERVERS, *_OF_IMAGES, 'cell', 'region')


def act(chance: random.Random, world: w.World) -> None:
    """Change one thing."""
    region = chance.choice([*world.regions.values()])
    images = world.images(region.name)
    event = chance.choice(_EVENTS)
    if event == 'region':
        region.is_up = not region.is_up
    elif event == 'cell':
        region.is_cell_up = not region.is_cell_up
    elif event in _OF_IMAGES and images:
        _change_image(chance, event, images)
    elif event == 'boot' and images:
        record = w.Record('web', 'ACTIVE', None, chance.choice([*images]))
        number = sum(len(each.servers) for each in world.regions.values())
        region.servers.append(w.Server(f'new-{number}', [record]))
    elif event in _OF_SERVERS and region.servers:
        server = chance.choice(region.servers)
        if event == 'delete':
            region.servers.remove(server)
        else:
            _change_server(chance, event, server, images)


def _change_image(
    chance: random.Random, event: str, images: dict[str, Any]
) -> None:
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


def _change_server(
    chance: random.Random, event: str, server: w.Server, images: dict[str, Any]
) -> None:
    first = server.records[0]
    if event == 'rename':
        first.name = chance.choice(generate.NAMES)
    elif event == 'task':
        first.task = chance.choice(generate.TASKS)
        first.status = chance.choice(generate.STATUSES)
    elif event == 'unshelve':
        for record in server.records:
            record.status, record.task = 'ACTIVE', None
    elif event == 'shelve':
        for record in server.records:
            record.status = chance.choice(['SHELVED', 'SHELVED_OFFLOADED'])
        new = f'new-{len(images)}-{server.id}'
        images[new] = nova.image(
            id=new,
            name=f'{first.name}-shelved',
            created='2025-12-01T00:00:00Z',
            metadata={'instance_uuid': server.id, 'image_type': 'snapshot'},
            server={'id': server.id},
        )
