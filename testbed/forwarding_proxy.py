# SPDX-License-Identifier: Apache-2.0

"""A proxy before a real service, on loopback.

It forwards requests to the service, optionally under another path. A handler
may respond instead.
"""

import urllib.parse

import urllib3

from testbed import canned_cloud
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

# Headers of one connection; the server makes its own.
_HOP_BY_HOP = ('connection', 'content-length', 'transfer-encoding')


class ForwardingProxy(canned_cloud.Server):
    """Forwards requests to a service.

    It forwards several requests at the same time, each over its own
    connection.

    :param upstream: URL of the service
    :param prefix: prefix of the forwarded paths, which is removed; other paths
        are not found
    :param before: called with each request; it may return a response
    """

    def __init__(
        self,
        upstream: str,
        prefix: str = '',
        before: Handler = lambda _request: None,
    ) -> None:
        self._upstream = upstream.rstrip('/')
        self._prefix = prefix
        super().__init__(lambda r: before(r) or self.forward(r))

    def forward(self, request: Request) -> Response | None:
        """Return the response of the service; None without the prefix."""
        if not request.path.startswith(f'{self._prefix}/'):
            return None
        url = self._upstream + request.path.removeprefix(self._prefix)
        if request.query:
            url += '?' + urllib.parse.urlencode(request.query)
        # The Host header is kept: the service makes its links from it.
        headers = {
            k: v for k, v in request.headers.items() if k not in _HOP_BY_HOP
        }
        response = urllib3.PoolManager().request(
            request.method,
            url,
            body=request.body or None,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=120,
            decode_content=False,
        )
        # Remove the canned server's own headers.
        returned = {'Content-Type': '', 'X-Openstack-Request-Id': ''}
        for name, value in response.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                returned[name.title()] = value
        return Response(response.data, response.status, returned)
