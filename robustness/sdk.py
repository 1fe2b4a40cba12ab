# SPDX-License-Identifier: Apache-2.0

"""List images with openstacksdk, and print the ID of each.

It catches the exceptions that the SDK documents, as its users do. Any other
exception is a traceback.
"""

import sys
from typing import Any

from keystoneauth1.exceptions import ClientException
import openstack
from openstack.exceptions import SDKException


def main() -> None:
    """List the images of the cloud that is configured."""
    limit: dict[str, Any] = {'limit': int(sys.argv[1])} if sys.argv[1:] else {}
    connection = openstack.connect()
    try:
        for image in connection.compute.images(**limit):
            print(image.id, flush=True)
    except (SDKException, ClientException) as e:
        sys.exit(f'{type(e).__name__}: {e}')


if __name__ == '__main__':
    main()
