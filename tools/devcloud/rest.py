# SPDX-License-Identifier: Apache-2.0

"""Requests to the services of a cloud."""

from typing import Any

from install import DevcloudError
from keystoneauth1 import exceptions
from keystoneauth1 import session
from keystoneauth1.identity import v3


class Rest:
    """Sends requests with a token.

    :param keystone: URL of Keystone, with its version
    """

    def __init__(self, keystone: str, user: str, password: str, project: str):
        self.keystone = keystone
        self._session = session.Session(
            v3.Password(
                auth_url=keystone,
                username=user,
                password=password,
                project_name=project,
                user_domain_id='default',
                project_domain_id='default',
            )
        )
        self.project_id = str(self._session.get_project_id())

    def __call__(
        self, method: str, url: str, data: object = None, **headers: str
    ) -> Any:
        """Send a request, and return the body of the response."""
        named = {k.replace('_', '-'): v for k, v in headers.items()}
        try:
            response = self._session.request(
                url, method, json=data, headers=named
            )
        except exceptions.ClientException as e:
            raise DevcloudError(f'{method} {url}: {e}') from e
        return response.json() if response.content else None
