# SPDX-License-Identifier: Apache-2.0

"""Start a real cloud, and show the commands on it."""

import argparse
from pathlib import Path
import shlex
import subprocess
import sys

_ROOT = Path(__file__).parents[1]
_DEVCLOUD = [sys.executable, str(_ROOT / 'tools' / 'devcloud')]

_SHOWN = (
    'openstack compute image list --limit 5',
    'openstack compute image list --flavor m1.tiny --name-pattern "*-[0-9]*"',
    'openstack compute image list --type snapshot -f csv -c Name -c Status',
    'openstack compute image show ubuntu-24.04',
    'openstack compute image list --all-regions --name ubuntu-24.04',
    'openstack server list -c Name -c Status -c Image',
    'openstack server image create --name web-1-now web-1 -f value -c status',
    'openstack compute image show --wait web-1-now -c name -c status -c size',
    'openstack compute image delete web-1-now',
)


def main() -> int:
    """Show all commands; leave the cloud running."""
    parser = argparse.ArgumentParser(prog='./run demo', description=__doc__)
    parser.add_argument('--cloud', help='name of the cloud (default: demo)')
    parser.add_argument('--release', help='release of OpenStack')
    args = parser.parse_args()
    options = [f'--{k}={v}' for k, v in vars(args).items() if v is not None]
    cloud = [*_DEVCLOUD, *options]
    subprocess.run([*cloud, 'up'], check=True)
    for line in _SHOWN:
        print(f'\n$ {line}', flush=True)
        subprocess.run([*cloud, 'run', '--', *shlex.split(line)], check=True)
    # Not before: a list would begin with them.
    subprocess.run([*cloud, 'backups'], check=True)
    run = ' '.join(['./run cloud', *options])
    print(f"""
This is a real Nova, with a real Keystone, Glance and Placement; only the
hypervisor is a fake, and there are no networks. The cloud keeps running. To
use it:

  eval "$({run} env)"
  .tox/demo/bin/openstack compute image list --help

It has the images of the examples in doc/source, such as backup-1. To make
these again after they were changed: {run} backups

To stop it:

  {run} down""")
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as e:
        sys.exit(e.returncode)
