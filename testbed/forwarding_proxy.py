# SPDX-License-Identifier: Apache-2.0

"""A proxy before a real service, on loopback.

It forwards requests to the service, optionally under another path. A handler
may respond instead.
"""

import http.client
import urllib.parse

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
        self._upstream = urllib.parse.urlsplit(upstream)
        self._prefix = prefix
        super().__init__(lambda r: before(r) or self.forward(r))

    def forward(self, request: Request) -> Response | None:
        """Return the response of the service; None without the prefix."""
        if not request.path.startswith(f'{self._prefix}/'):
            return None
        path = request.path.removeprefix(self._prefix)
        target = self._upstream.path.rstrip('/') + path
        if request.query:
            target += '?' + urllib.parse.urlencode(request.query)
        # The Host header is kept: the service makes its links from it.
        headers = {
            k: v for k, v in request.headers.items() if k not in _HOP_BY_HOP
        }
        connection = http.client.HTTPConnection(
            self._upstream.netloc, timeout=120
        )
        try:
            connection.request(
                request.method, target, request.body or None, headers
            )
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        # Remove the canned server's own headers.
        returned = {'Content-Type': '', 'X-Openstack-Request-Id': ''}
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                returned[name.title()] = value
        return Response(body, response.status, returned)
