# SPDX-License-Identifier: Apache-2.0

"""A hypervisor that runs nothing: Nova's fake driver, with persistence.

Nova's fake driver forgets its servers when it is stopped, and its snapshots
have no data and take no time. This one asks Nova for its servers, and uploads
a snapshot to Glance as the libvirt driver does, slowly enough to observe.
"""

import contextlib
import io
import os
import time
from typing import Any
import uuid

from nova import context as nova_context
from nova import exception
from nova import objects
from nova.compute import task_states
import nova.conf
from nova.image import glance
from nova.virt import fake

#: Its node, which is the same after a restart.
_NODE = str(uuid.uuid5(uuid.NAMESPACE_DNS, nova.conf.CONF.host))
with contextlib.suppress(ImportError):
    # Since 2023.1 Nova stores it in a file, and insists on that.
    from nova.virt import node

    _NODE = node.get_local_node_uuid()

#: Seconds that a snapshot takes, and at most while a file exists.
_SNAPSHOT, _HOLD = 1, 120

#: Bytes of the data of a snapshot.
_SIZE = 64 * 1024


class Hypervisor(fake.FakeDriver):
    """Nova's fake driver, except as described above."""

    def init_host(self, host: str) -> None:
        super().init_host(host)
        for server in objects.InstanceList.get_by_host(
            nova_context.get_admin_context(), host
        ):
            self.instances[server.uuid] = fake.FakeInstance(
                server.name, server.power_state, server.uuid
            )

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        """Return the resources, and a constant ID of the node."""
        resource: dict[str, Any] = super().get_available_resource(nodename)
        return {**resource, 'uuid': _NODE}

    def get_nodenames_by_uuid(
        self,
        refresh: bool = False,  # noqa: ARG002
    ) -> dict[str, str]:
        [name] = self.get_available_nodes()
        return {_NODE: name}

    def snapshot(
        self,
        context: Any,
        instance: Any,
        image_id: str,
        update_task_state: Any,
    ) -> None:
        """Upload a disk of zeros to Glance."""
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        api = glance.API()
        name = api.get(context, image_id)['name']
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        time.sleep(_SNAPSHOT)
        end = time.monotonic() + _HOLD
        while os.path.exists('hold-snapshots') and time.monotonic() < end:
            time.sleep(0.05)
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING,
            expected_state=task_states.IMAGE_PENDING_UPLOAD,
        )
        api.update(
            context,
            image_id,
            {
                'status': 'active',
                'name': name,
                'disk_format': 'raw',
                'container_format': 'bare',
                'properties': {
                    'kernel_id': instance.kernel_id,
                    'ramdisk_id': instance.ramdisk_id,
                    'image_location': 'snapshot',
                    'image_state': 'available',
                    'owner_id': instance.project_id,
                },
            },
            io.BytesIO(bytes(_SIZE)),
        )
