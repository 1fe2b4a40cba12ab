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

"""From the client manager of a command to the images API."""

from collections.abc import Iterator
import contextlib
from typing import Any
from typing import TYPE_CHECKING

from osc_lib import exceptions
from osc_lib.i18n import _

if TYPE_CHECKING:
    from osc_compute_images.api import ImagesAPI


@contextlib.contextmanager
def images_api(client_manager: Any) -> 'Iterator[ImagesAPI]':
    """Provide the images API of the cloud that the user has configured.

    Inside, the errors of the API become those of a command, with what there
    is to do about them on the command line.

    :param client_manager: osc-lib's, which has authenticated already
    """
    # NOTE: imported here, as every "openstack" command loads this module.
    from keystoneauth1 import adapter

    from osc_compute_images import api

    # NOTE: not client_manager.compute: to make it costs a request for the
    # versions of the service, and fails where these do not suit it.
    config = client_manager.sdk_connection.config
    compute = adapter.Adapter(
        session=client_manager.session,
        service_type=config.get_service_type('compute'),
        service_name=config.get_service_name('compute'),
        interface=config.get_interface('compute'),
        region_name=config.get_region_name('compute'),
        endpoint_override=config.get_endpoint('compute'),
        connect_retries=config.get_connect_retries('compute'),
        status_code_retries=config.get_status_code_retries('compute'),
        client_name='osc-compute-images',
    )
    try:
        yield api.ImagesAPI(compute)
    except api.ImagesNotServed as e:
        raise exceptions.CommandError(
            _('%s. Use the "openstack image list" command instead.') % e
        ) from e
    except api.ListingInterrupted as e:
        raise exceptions.CommandError(
            _('%(error)s. To go on from there, add --marker %(marker)s')
            % {'error': e, 'marker': e.marker}
        ) from e
