# SPDX-License-Identifier: Apache-2.0

"""The endpoints of a service in the catalog, in all regions."""

from collections.abc import Iterator
from typing import Any

from keystoneauth1 import adapter as ksa_adapter

#: What keystoneauth raises for a malformed catalog.
MALFORMED = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)


def endpoints(
    catalog: Any,
    adapter: ksa_adapter.Adapter,
    service_type: str | None,
    service_name: str | None = None,
) -> Iterator[Any]:
    """Yield the endpoints of a service, in all regions.

    :param adapter: has the interface
    """
    interface: Any = adapter.interface
    # NOTE: given several interfaces, keystoneauth returns only regions that
    # have the first one found.
    for each in interface if isinstance(interface, list) else [interface]:
        by_type = catalog.get_endpoints_data(
            service_type=service_type,
            service_name=service_name,
            interface=each,
        )
        for found in by_type.values():
            yield from found
