# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""List images with openstacksdk, and print the ID of each.

What the SDK documents that it raises is caught, as its users do. Anything
else is a traceback.
"""

import sys

from keystoneauth1.exceptions import ClientException
import openstack
from openstack.exceptions import SDKException


def main() -> None:
    """List the images of the cloud that is configured."""
    limit = {'limit': int(sys.argv[1])} if sys.argv[1:] else {}
    connection = openstack.connect()
    try:
        for image in connection.compute.images(**limit):
            print(image.id, flush=True)
    except (SDKException, ClientException) as e:
        sys.exit(f'{type(e).__name__}: {e}')


if __name__ == '__main__':
    main()
