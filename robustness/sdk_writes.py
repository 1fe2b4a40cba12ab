# SPDX-License-Identifier: Apache-2.0

"""Change images with openstacksdk.

``delete <ID>`` and ``set <ID>`` change one image; ``choice <pattern>`` deletes
those whose names match. What the SDK documents that it raises is caught, as
its users do. Anything else is a traceback.
"""

import fnmatch
import sys
from typing import Any

from keystoneauth1.exceptions import ClientException
import openstack
from openstack.exceptions import SDKException


def _delete_chosen(compute: Any, pattern: str) -> None:
    failed = 0
    for image in [*compute.images()]:
        if not fnmatch.fnmatchcase(image.name, pattern):
            continue
        try:
            compute.delete_image(image.id)
        except (SDKException, ClientException) as e:
            failed += 1
            print(f'{type(e).__name__}: {e}', file=sys.stderr)
    if failed:
        sys.exit(1)


def main() -> None:
    """Do what the first argument says, to what the second says."""
    verb, what = sys.argv[1:]
    compute = openstack.connect().compute
    try:
        if verb == 'choice':
            _delete_chosen(compute, what)
        elif verb == 'delete':
            compute.delete_image(what, ignore_missing=False)
        else:
            compute.set_image_metadata(what, k='v')
    except (SDKException, ClientException) as e:
        sys.exit(f'{type(e).__name__}: {e}')


if __name__ == '__main__':
    main()
