# SPDX-License-Identifier: Apache-2.0

"""A mechanism driver of Neutron for a cloud without agents."""

from typing import Any

from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class Loopback(api.MechanismDriver):
    """Binds any port at once, without plugging anything."""

    def initialize(self) -> None:
        """Do nothing: no preparation is needed."""

    def bind_port(self, context: Any) -> None:
        """Bind to the first segment, of any type."""
        for segment in context.segments_to_bind:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_OVS,
                {portbindings.CAP_PORT_FILTER: False},
                status='ACTIVE',
            )
            return
