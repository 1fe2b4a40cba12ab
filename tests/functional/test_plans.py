# SPDX-License-Identifier: Apache-2.0

"""Choose, plan and apply on the real cloud, checked in Glance and Nova.

Every name begins with ``ours-``, which is what the commands choose by: the
cloud has other images, too.
"""

from collections.abc import Iterator
import json

import pytest

from tests.functional.conftest import Cloud
from tests.functional.conftest import Glance
from tests.functional.conftest import Images
from tests.functional.conftest import Result
from tests.functional.conftest import Shell
from tests.functional.conftest import told
from tests.functional.servers import wait_until
from tests.functional.terminal import Terminal

DELETE = ('compute', 'image', 'delete')
PRUNE = ('compute', 'image', 'prune')
OURS = ('--name-pattern', 'ours-*')
JSON = ('-f', 'json')
DRY = '--dry-run'
GO = '--auto-approve'

FORBIDDEN = 'You are not allowed to delete the image. (HTTP 403)'

UNSEEN = (
    'Some uses of images are unknown: servers of other projects are not '
    'visible'
)


def warned(shell: Shell, *words: str, code: int = 0) -> Result:
    """Run a plan of deletions, which warns of what the user cannot see.

    :return: the result, with the rest of stderr
    """
    result = shell.run(*words)
    assert result.code == code, result.err
    first, *rest = result.errors()
    assert first == UNSEEN
    return Result(result.code, result.out, '\n'.join(rest))


# --- what is protected ----------------------------------------------------


@pytest.fixture
def resting(images: Images, compute, boot) -> str:
    """Provide the ID of a shelved server, beside images of each kind."""
    machine = {
        f'{kind}_id': images(
            f'ours-{kind}', disk_format=format_, container_format=format_
        )
        for kind, format_ in (('kernel', 'aki'), ('ramdisk', 'ari'))
    }
    images('ours-machine', **machine)
    images('ours-old')
    images('ours-protected', protected=True)
    boot('ours-web')
    server_id: str = boot('ours-rest')
    compute.snapshot(server_id, 'ours-nightly')
    compute.shelve(server_id)
    return server_id


NEEDED = 'image ours-machine needs it'
STORED = 'server ours-rest, which is SHELVED, may be stored in it'
REASONS = {
    'ours-web-base': 'server ours-web was booted from it',
    'ours-rest-base': 'server ours-rest was booted from it',
    'ours-rest-shelved': STORED,
    'ours-nightly': STORED,
    'ours-kernel': NEEDED,
    'ours-ramdisk': NEEDED,
}
FREE = ('ours-old', 'ours-machine')
STAY = {'ours-rest-shelved', 'ours-nightly', 'ours-protected'}


def test_used_images_are_kept_and_others_deleted(demo, resting, compute, left):
    everything = {*REASONS, *FREE, 'ours-protected'}
    rows = warned(demo, *DELETE, *OURS, DRY, *JSON).json()
    assert told(rows, 'Action', 'Reason') == {
        **{name: ('keep', reason) for name, reason in REASONS.items()},
        **dict.fromkeys((*FREE, 'ours-protected'), ('delete', 'selected')),
    }
    assert left() == everything

    # One is forbidden, and the others are deleted.
    result = warned(demo, *DELETE, *OURS, GO, *JSON, code=1)
    assert FORBIDDEN in result.errors()[0]
    assert '1 of 3 images failed to delete.' in result.errors()
    results = told(result.json(), 'Result', 'Reason')
    failed, _reason = results.pop('ours-protected')
    assert failed == 'failed'
    assert results == {
        **{name: ('kept', reason) for name, reason in REASONS.items()},
        **dict.fromkeys(FREE, ('done', 'selected')),
    }
    assert left() == {*REASONS, 'ours-protected'}

    # What is named is deleted, unless a server may be stored in it.
    assert demo(*DELETE, 'ours-web-base').out == ''
    result = demo.run(*DELETE, 'ours-rest-shelved', 'ours-nightly')
    assert (result.code, result.out) == (7, '')
    # The option includes all but that.
    result = demo.run(*DELETE, *OURS, '--include-used', GO, *JSON)
    assert told(result.json(), 'Result') == {
        **dict.fromkeys(
            ('ours-rest-base', 'ours-kernel', 'ours-ramdisk'), ('done',)
        ),
        **dict.fromkeys(('ours-rest-shelved', 'ours-nightly'), ('kept',)),
        'ours-protected': ('failed',),
    }
    assert left() == STAY
    result = demo.run(*PRUNE, *OURS, '--keep-last', '0', GO, *JSON)
    assert result.code == 0
    assert left() == STAY

    # The server still has what it is stored in.
    compute.unshelve(resting)
    wait_until(lambda: left() == STAY - {'ours-rest-shelved'})


# --- what is not done -----------------------------------------------------


def test_no_changes_without_approval(demo, images, left):
    names = {f'ours-{n}' for n in range(3)}
    for name in names:
        images(name)
    line = demo.fails(*DELETE, *OURS)
    assert line.startswith('Nothing was changed: there is no terminal')
    warned(demo, *DELETE, *OURS, '--max-changes', '2', GO, code=7)
    terminal = Terminal(demo, *DELETE, *OURS, stdout=False)
    code, shown, out = asked(terminal, 'N\n')
    assert (code, out) == (1, '')
    assert 'nothing was changed' in shown
    assert left() == names

    terminal = Terminal(demo, *DELETE, *OURS, *JSON, stdout=False)
    code, shown, out = asked(terminal, 'y\n')
    assert code == 0, shown
    # The plan is on the terminal, and the results alone on stdout.
    assert all(f'| {name} ' in shown for name in names)
    assert told(json.loads(out), 'Result') == dict.fromkeys(names, ('done',))
    assert left() == set()
    # Again: there is nothing to do.
    again = warned(demo, *DELETE, *OURS, GO)
    assert (again.out.strip(), again.err) == ('', 'No images match')


def asked(terminal: Terminal, answer: str) -> tuple[int, str, str]:
    """Answer the question for approval, and wait for the end."""
    assert terminal.shows('Delete 3 images? [y/N]'), terminal.end()
    terminal.type(answer)
    return terminal.end()


# --- regions --------------------------------------------------------------


@pytest.fixture
def images_in_two(cloud: Cloud) -> Iterator[Images]:
    """Provide images of the ordinary user in the second region."""
    with Images(cloud, 'demo', 'RegionTwo') as made:
        yield made


def test_one_plan_for_several_regions(
    cloud, demo, images, images_in_two, left
):
    one = images('ours-a')
    two = images_in_two('ours-a')
    refused = images_in_two('ours-b', protected=True)
    words = (*DELETE, *OURS, '--all-regions', *JSON)
    warned(demo, *words, '--max-changes', '2', GO, code=7)
    assert left() == {'ours-a'}
    result = warned(demo, *words, GO, code=1)
    assert result.errors()[0].startswith(
        f'Region RegionTwo: Failed to delete image {refused!r}: {FORBIDDEN}'
    )
    assert '1 of 3 images failed to delete.' in result.errors()
    assert [
        (row['Region'], row['ID'], row['Result']) for row in result.json()
    ] == [
        ('RegionOne', one, 'done'),
        ('RegionTwo', refused, 'failed'),
        ('RegionTwo', two, 'done'),
    ]
    assert left() == set()
    glance = Glance(cloud, 'demo', 'RegionTwo')
    assert glance.image(two) is None
    assert glance.image(refused) is not None
