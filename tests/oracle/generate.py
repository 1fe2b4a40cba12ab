# SPDX-License-Identifier: Apache-2.0

"""Random worlds."""

import dataclasses
import datetime
import random
from typing import Any

from testbed import nova
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


def odd_case(chance: random.Random, text: str) -> str:
    """Return a text, sometimes in lower case."""
    return text.lower() if chance.random() < 0.2 else text


def server(chance: random.Random, number: int, images: list[str]) -> w.Server:
    """Return a random server."""
    twice = chance.random() < 0.08
    record = w.Record(
        chance.choice(NAMES),
        odd_case(chance, chance.choice(STATUSES)),
        chance.choice(TASKS),
        chance.choice([None, 'gone', *images]),
    )
    other = dataclasses.replace(
        record,
        status=chance.choice(STATUSES),
        image=chance.choice([None, *images]),
    )
    return w.Server(
        f'srv-{number}',
        [record, other] if twice else [record],
        w.OTHER if chance.random() < 0.2 else w.OWN,
        chance.randint(1, 2),
        chance.choice(w.MALFORMED) if chance.random() < 0.03 else w.WHOLE,
    )


def image(
    chance: random.Random, image_id: str, ids: list[str]
) -> dict[str, Any]:
    """Return a random image."""
    others = [other for other in ids if other != image_id] or ['gone']
    metadata: dict[str, Any] = {
        key: chance.choice(others)
        for key in ('kernel_id', 'ramdisk_id')
        if chance.random() < 0.05
    }
    if chance.random() < 0.05:
        disk = {'source_type': 'image', 'image_id': chance.choice(others)}
        metadata['block_device_mapping'] = [disk]
    if chance.random() < 0.7:
        metadata['image_type'] = 'snapshot'
    hours = chance.choice([3, 60, 2000, 20000])
    created = (
        _START + datetime.timedelta(hours=chance.randrange(hours))
    ).strftime('%Y-%m-%dT%H:%M:%SZ')
    suffixes = ('', '', '-shelved', '-resize-temp')
    made = nova.image(
        id=image_id,
        name=chance.choice(NAMES) + chance.choice(suffixes),
        status=odd_case(
            chance, chance.choice([*['ACTIVE'] * 8, 'SAVING', 'ERROR'])
        ),
        created=chance.choice(
            [*[created] * 18, '2199-01-01T00:00:00Z', 'soon']
        ),
        metadata=metadata,
    )
    if chance.random() < 0.7:
        # An administrator may find any ID here: users set it as they like.
        metadata['instance_uuid'] = f'srv-{chance.choice(_TAKEN)}'
        made['server'] = {'id': metadata['instance_uuid']}
    return made


def world(chance: random.Random) -> w.World:
    """Return a random world."""
    glances = []
    for number in range(2):
        ids = [f'img-{number}-{n}' for n in range(chance.randint(1, 9))]
        glances.append({i: image(chance, i, ids) for i in ids})
    regions = {}
    is_admin = chance.random() < 0.7
    for number in range(chance.choice([1, 2, 2, 3])):
        glance = chance.choice([0, 0, 1])
        ids = [*glances[glance]]
        right = f'http://glance-{glance}'
        regions[f'r{number}'] = w.Region(
            f'r{number}',
            glance,
            chance.choice([right, right, right, None, f'{right}-{number}']),
            offers_unknown=chance.random() < 0.8,
            page=chance.choice([2, 1000, 1000]),
            shows_services=is_admin,
            servers=[
                server(chance, n, ids)
                for n in range(7)
                if n % 3 == number and chance.random() < 0.8
            ],
            is_up=chance.random() < 0.95,
            is_cell_up=chance.random() < 0.9,
        )
    return w.World(regions, glances, is_admin)
