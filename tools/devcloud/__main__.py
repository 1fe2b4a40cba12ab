# SPDX-License-Identifier: Apache-2.0

"""A real cloud on loopback, with services of OpenStack from PyPI."""

import argparse
import json
import os
from pathlib import Path
import shlex
import sys
import time

from cloud import Cloud
from install import DevcloudError
from install import NEWEST
from install import RELEASES
from install import Say
from layout import USERS

_STATE = Path(__file__).resolve().parents[2] / '.devcloud'

_STATES = {True: 'up', False: 'down'}


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
    up = commands.add_parser('up', help='install, fill and start the cloud')
    up.add_argument(
        '--fresh', action='store_true', help='remove an existing cloud first'
    )
    commands.add_parser('down', help='stop the cloud')
    status = commands.add_parser(
        'status', help='print whether it runs; fail if it does not'
    )
    status.add_argument(
        '--json', action='store_true', help='print all facts, for programs'
    )
    seed = commands.add_parser('seed', help='add any number of images')
    seed.add_argument('count', type=int)
    commands.add_parser('unseed', help='remove the added images')
    backups = commands.add_parser(
        'backups',
        help='make the images backup-* that examples of the documentation '
        'change, as if never changed',
    )
    backups.add_argument(
        '--remove', action='store_true', help='only remove them'
    )
    run = commands.add_parser(
        'run', help='run a command on the cloud: run -- openstack image list'
    )
    run.add_argument('words', nargs='+', metavar='WORD')
    env = commands.add_parser('env', help='print variables for a shell')
    for command in (run, env):
        command.add_argument(
            '--as', choices=USERS, default='demo', dest='user', help='user'
        )
    return parser


def _do(cloud: Cloud, args: argparse.Namespace) -> bool:
    """Do what a command says; return whether it succeeded."""
    match args.command:
        case 'up':
            cloud.up(fresh=args.fresh)
        case 'down':
            cloud.down()
        case 'seed':
            cloud.seed(args.count)
        case 'unseed':
            cloud.unseed()
        case 'backups':
            cloud.make_backups(only_remove=args.remove)
        case 'status':
            is_up = cloud.is_up()
            print(json.dumps(cloud.facts()) if args.json else _STATES[is_up])
            return is_up
        case 'env':
            _print_environment(cloud, args.user)
        case 'run':
            os.execvpe(
                args.words[0], args.words, cloud.layout.environment(args.user)
            )
    return True


def _print_environment(cloud: Cloud, user: str) -> None:
    if not cloud.is_up():
        raise DevcloudError('The cloud is down: bring it up first')
    environment = cloud.layout.environment(user)
    for name in ('OS_CLIENT_CONFIG_FILE', 'OS_CLOUD'):
        print(f'export {name}={shlex.quote(environment[name])}')


def _timed(say: Say) -> Say:
    """Prefix each line with the seconds since the start."""
    began = time.monotonic()
    return lambda text: say(f'{time.monotonic() - began:5.1f} s  {text}')


def main() -> int:
    """Run the command."""
    args = _parser().parse_args()
    say = _timed(lambda text: print(text, file=sys.stderr, flush=True))
    try:
        state = Path(os.environ.get('DEVCLOUD_STATE', _STATE)).resolve()
        done = _do(Cloud(state, args.cloud, args.release, say), args)
    except (DevcloudError, OSError) as e:
        print(f'./run cloud: {e}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(not done)


if __name__ == '__main__':
    sys.exit(main())
