# SPDX-License-Identifier: Apache-2.0

"""A second, simple implementation of what may be deleted."""

import dataclasses
import datetime
import random

import msgspec

from osc_compute_images.api import Image
from osc_compute_images.api import plan
from osc_compute_images.api import retention
from osc_compute_images.api import Server
from osc_compute_images.api import ServerList
from osc_compute_images.api.protection import Protection

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FORMATS = {
    'hourly': '%Y-%m-%d %H',
    'daily': '%Y-%m-%d',
    'weekly': '%G-%V',
    'monthly': '%Y-%m',
    'yearly': '%Y',
}


@dataclasses.dataclass
class Fleet:
    """A cloud, and the options of its user.

    :param images: all images
    :param servers: all servers
    :param include_used: whether images in use may be deleted
    :param named: IDs that the user has given
    :param rules: arguments of retention.Rules
    """

    images: list[Image]
    servers: list[Server]
    include_used: bool
    named: set[str]
    rules: dict[str, object]


def fleet(seed: int) -> Fleet:
    """Return a random fleet."""
    chance = random.Random(seed)
    names = ['web', 'db', 'old']
    ids = [f'img-{n}' for n in range(chance.randint(1, 8))]
    servers = [
        Server(
            f'srv-{n}',
            chance.choice(names),
            chance.choice(
                ['ACTIVE', 'SHUTOFF', 'SHELVED', 'SHELVED_OFFLOADED']
            ),
            chance.choice([None, 'gone', *ids]),
            task_state=chance.choice([None, None, 'shelving']),
        )
        for n in range(chance.randint(0, 4))
    ]
    images = [_image(chance, image_id, ids, names) for image_id in ids]
    periods = chance.sample(['last', *FORMATS], chance.randint(1, 3))
    rules: dict[str, object] = {p: chance.randint(0, 3) for p in periods}
    if chance.random() < 0.3:
        rules['within'] = datetime.timedelta(hours=chance.randint(0, 90))
    return Fleet(
        images,
        servers,
        chance.random() < 0.3,
        set(chance.sample(ids, chance.choice([0, 0, 0, 1]))),
        rules,
    )


def _image(
    chance: random.Random, image_id: str, ids: list[str], names: list[str]
) -> Image:
    shelved = [f'{name}-shelved' for name in names]
    metadata = {
        key: chance.choice(ids)
        for key in ('kernel_id', 'ramdisk_id')
        if chance.random() < 0.1
    }
    hours = chance.choice([3, 60, 2000, 20000])
    created = START + datetime.timedelta(hours=chance.randrange(hours))
    document = {
        'id': image_id,
        'name': chance.choice([None, 'nightly', *names, *shelved]),
        'status': chance.choice([*['ACTIVE'] * 8, 'SAVING', 'ERROR', None]),
        'created': chance.choice([*[created.isoformat()] * 9, None]),
        'metadata': metadata,
    }
    if chance.random() < 0.7:
        document['server'] = {'id': f'srv-{chance.randrange(5)}'}
    return msgspec.convert(document, Image)


def is_shelved_in(image: Image, fleet: Fleet) -> bool:
    """Return whether a shelved server is, or may be, stored in an image."""
    for server in fleet.servers:
        shelved = server.status in ('SHELVED', 'SHELVED_OFFLOADED')
        if not shelved and server.task_state != 'shelving':
            continue
        if server.image_id is None:
            # The server is stored in its volume.
            continue
        name = server.name + '-shelved'
        certain = [
            i
            for i in fleet.images
            if i.name == name
            and (i.server is None or i.server.id == server.id)
        ]
        possible = [
            i
            for i in fleet.images
            if i.server is not None and i.server.id == server.id
        ]
        if image in (certain or possible):
            return True
    return False


def is_protected(image: Image, fleet: Fleet) -> bool:
    """Return whether an image must be kept."""
    if image.id in fleet.named:
        return False
    if is_shelved_in(image, fleet):
        return True
    if fleet.include_used:
        return False
    booted = any(s.image_id == image.id for s in fleet.servers)
    needed = any(
        other.metadata.get(key) == image.id
        for other in fleet.images
        for key in ('kernel_id', 'ramdisk_id')
    )
    return booted or needed


def may_be_deleted(fleet: Fleet) -> set[str]:
    """Return the IDs to delete if all images are selected."""
    return {
        i.id
        for i in fleet.images
        if not is_protected(i, fleet)
        and (i.status in ('ACTIVE', 'ERROR') or i.id in fleet.named)
    }


def may_be_pruned(fleet: Fleet) -> set[str]:
    """Return the IDs to delete if all images are pruned, by server."""
    pruned = set()
    for server_id in {i.server_id for i in fleet.images} - {None}:
        group = sorted(
            (
                i
                for i in fleet.images
                if i.server_id == server_id
                and i.status == 'ACTIVE'
                and i.created is not None
            ),
            key=lambda i: (i.created, i.id),
            reverse=True,
        )
        kept = set()
        rules = {rule: value for rule, value in fleet.rules.items() if value}
        if not rules:
            continue
        for rule, value in rules.items():
            if rule == 'last':
                kept |= {i.id for i in group[:value]}
            elif rule == 'within':
                limit = value
                kept |= {
                    i.id for i in group if _time(group[0]) - _time(i) < limit
                }
            else:
                # The first image of each period is its newest.
                newest = {}
                for image in group:
                    period = _time(image).strftime(FORMATS[rule])
                    newest.setdefault(period, image.id)
                kept |= {*list(newest.values())[:value]}
                if len(newest) < value:
                    kept |= {i.id for i in group[-1:]}
        pruned |= {
            i.id
            for i in group
            if i.id not in kept and not is_protected(i, fleet)
        }
    return pruned


def _time(image: Image) -> datetime.datetime:
    return datetime.datetime.fromisoformat(image.created)


def compare(seed: int) -> tuple[int, int]:
    """Compare both plans of a random fleet with this implementation.

    :returns: the numbers of deleted and of kept images
    """
    made = fleet(seed)
    protection = Protection(
        ServerList(tuple(made.servers)),
        made.images,
        include_used=made.include_used,
        named=made.named,
    )
    deleted = plan.delete(made.images, protection)
    rules = retention.Rules(**made.rules)
    pruned = plan.prune(made.images, rules, protection)
    for todo, expected in (
        (deleted, may_be_deleted(made)),
        (pruned, may_be_pruned(made)),
    ):
        assert {s.image.id for s in todo.changes} == expected, (seed, made)
        assert {s.image.id for s in todo.steps} == {i.id for i in made.images}
    removed = len(deleted.changes) + len(pruned.changes)
    return removed, len(deleted.kept) + len(pruned.kept)
