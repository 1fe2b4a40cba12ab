# SPDX-License-Identifier: Apache-2.0

"""The loop of every night, on the real cloud: create, check, prune."""

from collections.abc import Iterator

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Shell
from tests.functional.servers import Compute

NAMES = ('loop-1', 'loop-2', 'loop-3')
LOOP = ('--name-pattern', 'loop-?')


@pytest.fixture
def servers(cloud: Cloud, demo: Shell, glance: Glance) -> Iterator[list[str]]:
    """Make three servers; delete them and their snapshots."""
    Compute(cloud, 'admin').wait_for_host()
    compute = Compute(cloud, 'demo')
    base = demo('compute', 'image', 'show', '-f', 'json', 'cirros-0.6.2')
    made = []
    try:
        for name in NAMES:
            server_id, reason = compute.boot(str(base.json()['id']), '1', name)
            assert server_id, reason
            made.append(server_id)
        for server_id in made:
            compute.wait(server_id)
        yield made
    finally:
        for server_id in made:
            compute.delete(server_id)
        for image in glance.images():
            if image.get('instance_uuid') in made:
                glance.delete(image['id'])


def test_create_check_and_prune(demo, servers):
    def run(command, *words, code=0):
        line = ('compute', 'image', command, *words, '-f', 'json')
        result = demo.run(*line)
        assert result.code == code, result.err
        return result.json()

    check = ('check', *LOOP, '--newest-within', '1h', '--min-count', '2')
    create = ('create', *LOOP, '--wait', '--auto-approve')
    assert len(run(*check, code=2)) == 3
    for number in (1, 2):
        done = run(*create, '--image-name', f'{{server}}-{number}')
        assert sorted(row['Image Name'] for row in done) == [
            f'{name}-{number}' for name in NAMES
        ]
        assert {row['Result'] for row in done} == {'done'}
    again = run(*create, '--not-within', '1h')
    assert {row['Result'] for row in again} == {'skipped'}
    rows = run(*check, '--include-ok')
    assert [(row['Level'], row['Count']) for row in rows] == [('OK', 2)] * 3
    assert sorted(row['Server ID'] for row in rows) == sorted(servers)
    pruned = run(
        *('prune', '--keep-last', '1', '--name-pattern', 'loop-?-?'),
        '--auto-approve',
    )
    deleted = [row['Name'] for row in pruned if row['Action'] == 'delete']
    assert sorted(deleted) == [f'{name}-1' for name in NAMES]
    assert len(run(*check, code=2)) == 3
    run(*check[:-2])
