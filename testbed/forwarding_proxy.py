# SPDX-License-Identifier: Apache-2.0

"""A proxy before a real service, on loopback.

It forwards what it is asked to the service, under another path if need be;
and what it is told to answer itself, it does.
"""

import http.client
import urllib.parse

from testbed import canned_cloud
from testbed.canned_cloud import Handler
from testbed.canned_cloud import Request
from testbed.canned_cloud import Response

# Of one connection; the server makes its own.
_HOP_BY_HOP = ('connection', 'content-length', 'transfer-encoding')


class ForwardingProxy(canned_cloud.Server):
    """Forwards requests to a service.

    Several are forwarded at a time, each over a connection of its own.

    :param upstream: URL of the service
    :param prefix: of the paths that are forwarded, and are without it then;
        others are not found
    :param before: called with each request, before it is forwarded; what it
        returns, if anything, is the answer
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
        """Return the answer of the service; None without the prefix."""
        if not request.path.startswith(f'{self._prefix}/'):
            return None
        path = request.path.removeprefix(self._prefix)
        target = self._upstream.path.rstrip('/') + path
        if request.query:
            target += '?' + urllib.parse.urlencode(request.query)
        # The Host header stays: the service makes its links from it.
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
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        # Nothing of the canned server's own headers is to be left.
        answered = {'Content-Type': '', 'X-Openstack-Request-Id': ''}
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                answered[name.title()] = value
        return Response(body, answer.status, answered)
