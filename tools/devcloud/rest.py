# SPDX-License-Identifier: Apache-2.0

"""Requests to the services of a cloud."""

import json
from typing import Any
import urllib.error
import urllib.request

from install import DevcloudError


class Rest:
    """Sends requests with a token.

    :param keystone: URL of Keystone, with its version
    """

    def __init__(self, keystone: str, user: str, password: str, project: str):
        self.keystone = keystone
        self.token = ''
        domain = {'id': 'default'}
        identity = {
            'methods': ['password'],
            'password': {
                'user': {'name': user, 'domain': domain, 'password': password}
            },
        }
        scope = {'project': {'name': project, 'domain': domain}}
        self._authenticate({'identity': identity, 'scope': scope})

    def _authenticate(self, auth: dict[str, Any]) -> None:
        headers, body = self._send(
            'POST', f'{self.keystone}/auth/tokens', {'auth': auth}
        )
        self.token = headers['X-Subject-Token']
        self.project_id: str = body['token']['project']['id']

    def __call__(
        self, method: str, url: str, data: object = None, **headers: str
    ) -> Any:
        """Send a request, and return the body of the response."""
        return self._send(method, url, data, **headers)[1]

    def _send(
        self, method: str, url: str, data: object = None, **headers: str
    ) -> tuple[Any, Any]:
        sent = {k.replace('_', '-'): v for k, v in headers.items()}
        if self.token:
            sent['X-Auth-Token'] = self.token
        if data is not None and not isinstance(data, bytes):
            sent.setdefault('Content-Type', 'application/json')
            data = json.dumps(data).encode()
        request = urllib.request.Request(url, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                body = response.read()
                return response.headers, json.loads(body) if body else None
        except urllib.error.HTTPError as e:
            raise DevcloudError(
                f'{method} {url}: {e.code} {e.read().decode()[:500]}'
            ) from e
