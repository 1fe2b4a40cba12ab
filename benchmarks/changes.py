# SPDX-License-Identifier: Apache-2.0

"""The cost of changing or deleting many images.

A command that selects the images is compared with a program that uses
openstacksdk, and with a shell loop that runs a command for each image. The
loop is measured with a few images, as each takes the same time.
"""

from collections.abc import Callable
import tempfile

from benchmarks import measure

#: Images of the shell loop.
FEW = 10

OURS = 'openstack, with filters'
CONSOLE = 'compute-image, with filters'
SDK = 'openstacksdk, one process'
LOOP = 'xargs -n 1 openstack'

_CHANGES = {
    'set': ('set', '--allow-private', '--property', 'checked=yes'),
    'delete': ('delete',),
}
_BY_CHOICE = {
    'set': ('--with-name-pattern', 'cirros-*'),
    'delete': ('--name-pattern', 'cirros-*'),
}
_AT_ONCE = ('--auto-approve', '-f', 'value')

_Way = Callable[[str, measure.Cloud], measure.Run]


def _by_choice(*command: str) -> _Way:
    def run(verb: str, cloud: measure.Cloud) -> measure.Run:
        words = (*command, *_CHANGES[verb], *_BY_CHOICE[verb], *_AT_ONCE)
        return measure.run(words, cloud.env, keep=True)

    return run


def _sdk(verb: str, cloud: measure.Cloud) -> measure.Run:
    return measure.subject(
        'openstacksdk changes', cloud.env, delete=verb == 'delete'
    )[0]


def _loop(verb: str, cloud: measure.Cloud) -> measure.Run:
    """Run a command for each of the images."""
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as ids:
        image = [measure.OPENSTACK, 'compute', 'image']
        listed = measure.run(
            [*image, 'list', '-f', 'value', '-c', 'ID'], cloud.env, keep=True
        )
        ids.write(listed.output.decode())
        ids.flush()
        loop = ['xargs', '-n', '1', '-a', ids.name]
        return measure.run([*loop, *image, *_CHANGES[verb]], cloud.env)


WAYS: dict[str, _Way] = {
    OURS: _by_choice(measure.OPENSTACK, 'compute', 'image'),
    CONSOLE: _by_choice(measure.COMPUTE_IMAGE),
    SDK: _sdk,
    LOOP: _loop,
}


def measured(images: int, runs: int) -> dict[str, dict[str, float]]:
    """Measure each way of each change.

    :param images: number of images, except of the shell loop
    :returns: number of images, CPU seconds, seconds, requests, and bytes of
        the responses
    :raises RuntimeError: if not all images were deleted
    """
    medians = measure.Medians()
    for number in range(runs):
        for verb in _CHANGES:
            for name, way in WAYS.items():
                measure.note(f'run {number + 1}: {verb}: {name}')
                count = FEW if way is _loop else images
                with measure.Cloud(count) as cloud:
                    done = way(verb, cloud)
                    figures = cloud.statistics()
                    left = 0 if verb == 'delete' else count
                    if figures['images'] != left:
                        raise RuntimeError(
                            f'{figures["images"]} images are left'
                        )
                medians.add(
                    f'{verb}: {name}',
                    images=count,
                    cpu=done.cpu,
                    wall=done.wall,
                    requests=figures['requests'],
                    bytes=figures['bytes'],
                )
    return medians.result()
