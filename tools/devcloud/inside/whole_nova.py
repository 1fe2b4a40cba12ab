# SPDX-License-Identifier: Apache-2.0

"""All of Nova, and Placement, in one process.

The parts of Nova exchange messages in memory, as in Nova's own functional
tests. Placement has its own path, and so has what stands in for Neutron: it
has no networks, ports or security groups.
"""

from collections.abc import Iterable
import json
import os
from pathlib import Path
import sys
import threading
import traceback
from typing import Any

_PLACEMENT = '/placement'
_NETWORK = '/network'


class Application:
    """Nova's API and Placement's."""

    def __init__(self) -> None:
        from placement import wsgi

        # Both configure logging; the last one wins.
        self._placement = wsgi.init_application()
        self._compute = _compute()
        self._started = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ['PATH_INFO']
        answer: Iterable[bytes]
        if path == _PLACEMENT or path.startswith(f'{_PLACEMENT}/'):
            environ['SCRIPT_NAME'] += _PLACEMENT
            environ['PATH_INFO'] = path.removeprefix(_PLACEMENT)
            answer = self._placement(environ, start)
        elif path.startswith(f'{_NETWORK}/'):
            # NOTE: a list of any kind, such as "ports", is empty.
            kind = path.rpartition('/')[2].replace('-', '_')
            start('200 OK', [('Content-Type', 'application/json')])
            answer = [json.dumps({kind: []}).encode()]
        else:
            self._started.wait()
            answer = self._compute(environ, start)
        return answer

    def start(self) -> None:
        """Start the other parts of Nova, or end the process."""
        try:
            _start_services()
        except BaseException:  # noqa: BLE001 - nobody else would end it
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        self._started.set()


def _compute() -> Any:
    try:
        from nova.wsgi import osapi_compute
    except ImportError:
        # Before 2024.2.
        from nova.api.openstack import wsgi_app

        return wsgi_app.init_application('osapi_compute')
    return osapi_compute.application


def _start_services() -> None:
    from nova import context
    from nova import service
    from nova.objects import host_mapping
    import nova.virt

    # Nova loads drivers from this package only.
    nova.virt.__path__.append(str(Path(__file__).parent))
    for binary in ('nova-conductor', 'nova-scheduler', 'nova-compute'):
        service.Service.create(
            binary=binary, topic=binary.removeprefix('nova-')
        ).start()
    host_mapping.discover_hosts(context.get_admin_context())
