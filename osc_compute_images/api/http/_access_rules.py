# SPDX-License-Identifier: Apache-2.0

"""A request that the access rules of an application credential forbid.

The middleware of Keystone answers such a request like one with an invalid
token. The response to the login has the rules.
"""

import re
import urllib.parse

from osc_compute_images.api import _errors
from osc_compute_images.api.http._session import BoundedSession

_ID = re.compile('/(image|server|flavor)s/(?!detail$)[^/]+')
_KEY = re.compile('/metadata/[^/]+')


def explained(
    e: _errors.HTTPError, session: BoundedSession, method: str, url: str
) -> _errors.HTTPError:
    """Return the error, with the rule to add if that may be the reason."""
    if not session.has_access_rules():
        return e
    path = urllib.parse.urlsplit(url).path
    template = _KEY.sub('/metadata/{key}', _ID.sub(r'/\1s/{\1_id}', path))
    return type(e)(
        f'The access rules of the application credential may not allow '
        f'{method} {template}: {e.message}',
        http_status=e.http_status,
        request_id=e.request_id,
    )
