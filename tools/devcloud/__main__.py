# SPDX-License-Identifier: Apache-2.0

"""A real cloud on loopback, with services of OpenStack from PyPI."""

import argparse
from collections.abc import Callable
import json
import os
from pathlib import Path
import shlex
import sys
import time
from typing import Any

from cloud import Cloud
from install import DevcloudError
from install import NEWEST
from install import RELEASES
from layout import USERS

_STATE = Path(__file__).resolve().parents[2] / '.devcloud'


def _status(cloud: Cloud, args: argparse.Namespace) -> bool:
    is_up = cloud.is_up()
    state = 'up' if is_up else 'down'
    print(json.dumps(cloud.facts()) if args.json else state)
    return is_up


def _env(cloud: Cloud, args: argparse.Namespace) -> None:
    if not cloud.is_up():
        raise DevcloudError('The cloud is down: bring it up first')
    environment = cloud.layout.environment(args.user)
    for name in ('OS_CLIENT_CONFIG_FILE', 'OS_CLOUD'):
        print(f'export {name}={shlex.quote(environment[name])}')


def _run(cloud: Cloud, args: argparse.Namespace) -> None:
    environment = cloud.layout.environment(args.user)
    os.execvpe(args.words[0], args.words, environment)


#: The help of each command, and what does it; it may return whether all is
#: well.
_COMMANDS: dict[str, tuple[str, Callable[[Cloud, Any], object]]] = {
    'up': (
        'install, fill and start the cloud',
        lambda cloud, args: cloud.up(fresh=args.fresh),
    ),
    'down': ('stop the cloud', lambda cloud, _: cloud.down()),
    'status': ('print whether it runs; fail if it does not', _status),
    'seed': (
        'add this number of images, instead of those added before',
        lambda cloud, args: cloud.seed(args.count),
    ),
    'backups': (
        'make the images backup-* of the examples, as if never changed',
        lambda cloud, args: cloud.make_backups(only_remove=args.remove),
    ),
    'run': ('run a command on the cloud: run -- openstack image list', _run),
    'env': ('print variables for a shell', _env),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='./run cloud',
        description=f'{__doc__} All its data is in .devcloud.',
    )
    parser.add_argument(
        '--cloud',
        default=os.environ.get('DEVCLOUD_CLOUD', 'demo'),
        help='name of the cloud; several can run at the same time '
        '(default: demo, or DEVCLOUD_CLOUD)',
    )
    parser.add_argument(
        '--release',
        choices=sorted(RELEASES),
        default=os.environ.get('DEVCLOUD_RELEASE', NEWEST),
        help='release of OpenStack; each has its own clouds (default: newest, '
        'or DEVCLOUD_RELEASE)',
    )
    commands = parser.add_subparsers(
        dest='command', metavar='COMMAND', required=True
    )
    made = {
        name: commands.add_parser(name, help=text)
        for name, (text, _do) in _COMMANDS.items()
    }
    for name, option, text in (
        ('up', '--fresh', 'remove an existing cloud first'),
        ('status', '--json', 'print all facts, for programs'),
        ('backups', '--remove', 'only remove them'),
    ):
        made[name].add_argument(option, action='store_true', help=text)
    made['seed'].add_argument('count', type=int)
    made['run'].add_argument('words', nargs='+', metavar='WORD')
    for name in ('run', 'env'):
        made[name].add_argument(
            '--as', choices=USERS, default='demo', dest='user', help='user'
        )
    return parser


def main() -> int:
    args = _parser().parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        seconds = time.monotonic() - began
        print(f'{seconds:5.1f} s  {text}', file=sys.stderr, flush=True)

    try:
        state = Path(os.environ.get('DEVCLOUD_STATE', _STATE)).resolve()
        cloud = Cloud(state, args.cloud, args.release, say)
        done = _COMMANDS[args.command][1](cloud, args)
    except (DevcloudError, OSError) as e:
        print(f'./run cloud: {e}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(done is False)


if __name__ == '__main__':
    sys.exit(main())
