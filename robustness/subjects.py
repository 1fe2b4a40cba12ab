# SPDX-License-Identifier: Apache-2.0

"""The programs that are run on the faults: this plugin and its peers."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import importlib.metadata
import pathlib
import platform
import sys

from benchmarks import golang
from robustness.deletions import PATTERN
from robustness.scene import Api
from robustness.scene import GLANCE
from robustness.scene import NOVA

HERE = pathlib.Path(__file__).parent
OPENSTACK = str(pathlib.Path(sys.executable).with_name('openstack'))
IDS = ('-f', 'value', '-c', 'ID')

#: A list of IDs and names, and a deletion of those that match.
_LOOP = (
    'set -o pipefail; {0} image list -f value -c ID -c Name | '
    "grep ' {1}$' | cut -d ' ' -f 1 | xargs -r {0} image delete"
)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A program that lists images.

    :param name: as in the table
    :param api: the API that it uses
    :param command: prints the IDs
    :param limiting: arguments that set the page size, if there are any
    :param configured: it reads ``clouds.yaml``
    :param table: the command that prints a table, if it is a command
    :param writing: commands that change an image, by verb; the ID of the image
        is appended
    """

    name: str
    api: Api
    command: Sequence[str]
    limiting: Sequence[str] = ()
    configured: bool = True
    table: Sequence[str] = ()
    writing: Mapping[str, Sequence[str]] = dataclasses.field(
        default_factory=dict
    )

    def asking(self, limit: int | None) -> list[str]:
        """Return the command that lists, with pages of this size."""
        words = self.limiting if limit is not None else ()
        return [*self.command, *(word.format(limit) for word in words)]


def subjects(folder: pathlib.Path) -> list[Subject]:
    """Return the subjects that are installed.

    :param folder: for the program that is built
    """
    command = [OPENSTACK, 'compute', 'image']
    ours = [*command, 'list']
    sdk = [sys.executable, str(HERE / 'sdk_writes.py')]
    theirs = [OPENSTACK, 'image', 'list']
    found = [
        Subject(
            'this plugin',
            NOVA,
            [*ours, *IDS],
            ['--limit', '{}', '--max-items', '1000000'],
            table=ours,
            writing={
                'delete': [*command, 'delete'],
                # Otherwise it requests the visibility, which is not served.
                'set': [
                    *(*command, 'set', '--allow-private'),
                    *('--property', 'k=v'),
                ],
                'choice': [
                    *(*command, 'delete', '--auto-approve'),
                    *('--name-pattern', PATTERN),
                ],
            },
        ),
        Subject(
            'openstacksdk',
            NOVA,
            [sys.executable, str(HERE / 'sdk.py')],
            ['{}'],
            writing={
                'delete': [*sdk, 'delete'],
                'set': [*sdk, 'set'],
                'choice': [*sdk, 'choice', PATTERN],
            },
        ),
    ]
    go = golang.build(
        HERE.parent / 'benchmarks/gophercloud', folder / 'gophercloud'
    )
    if go is not None:
        found.append(
            Subject(
                'gophercloud',
                NOVA,
                [go, 'IDs'],
                ['{}'],
                configured=False,
                # It has no request that sets a property.
                writing={
                    'delete': [go, 'delete'],
                    'choice': [go, 'choice', PATTERN],
                },
            )
        )
    # The client always uses Glance's own page size.
    image_list = Subject(
        'openstack image list',
        GLANCE,
        [*theirs, *IDS],
        table=theirs,
        writing={
            'delete': [OPENSTACK, 'image', 'delete'],
            'set': [OPENSTACK, 'image', 'set', '--property', 'k=v'],
            'choice': ['bash', '-c', _LOOP.format(OPENSTACK, PATTERN)],
        },
    )
    return [*found, image_list]


def versions(*, go: bool) -> dict[str, str]:
    """Return the versions of the subjects and their main dependencies."""
    found = {
        name: importlib.metadata.version(name)
        for name in (
            'osc-compute-images',
            'openstacksdk',
            'python-openstackclient',
            'keystoneauth1',
        )
    }
    if go:
        found.update(golang.versions())
    return {**found, 'Python': platform.python_version()}
