# SPDX-License-Identifier: Apache-2.0

"""Delete an image with openstacksdk, or set a property of it.

It catches the exceptions that the SDK documents, as its users do. Any other
exception is a traceback.
"""

import sys

from keystoneauth1.exceptions import ClientException
import openstack
from openstack.exceptions import SDKException


def main() -> None:
    """Delete or change an image: the arguments are a verb and an ID."""
    verb, image_id = sys.argv[1:]
    compute = openstack.connect().compute
    try:
        if verb == 'delete':
            compute.delete_image(image_id, ignore_missing=False)
        else:
            compute.set_image_metadata(image_id, k='v')
    except (SDKException, ClientException) as e:
        sys.exit(f'{type(e).__name__}: {e}')


if __name__ == '__main__':
    main()
