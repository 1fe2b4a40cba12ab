# SPDX-License-Identifier: Apache-2.0

"""Parse the version document of Compute. It does no I/O.

keystoneauth's own discovery is not used: it follows redirects, and sends the
token if asked for one.
"""

from collections.abc import Iterator
import re
from typing import Any
import urllib.parse

_SEGMENT = re.compile(r'v2(\.(?P<minor>\d{1,9}))?')
_MICROVERSION = re.compile(r'[0-9]{1,9}(\.[0-9]{1,9})?')


def path_of_version(document: Any) -> str | None:
    """Return the path of version 2 below the endpoint, such as ``v2.1``.

    The rest of the URL in the document is ignored: its host and path may be
    those behind a proxy, or untrusted.
    """
    found = {}
    for entry in _versions(document):
        links = entry.get('links')
        for link in links if isinstance(links, list) else ():
            segment = _last_segment(link)
            if segment is not None:
                found[int(segment['minor'] or 0)] = segment[0]
    return found[max(found)] if found else None


def microversions(document: Any) -> tuple[str, str] | None:
    """Return the lowest and highest microversion: ``('2.1', '2.104')``."""
    for entry in _versions(document):
        low, high = (
            str(entry.get(key) or '') for key in ('min_version', 'version')
        )
        if _MICROVERSION.fullmatch(low) and _MICROVERSION.fullmatch(high):
            return low, high
    return None


def _versions(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the versions of a document about one or all of them."""
    if not isinstance(document, dict):
        return
    versions = document.get('versions', [document.get('version')])
    if isinstance(versions, dict):
        versions = versions.get('values')
    for entry in versions if isinstance(versions, list) else ():
        if isinstance(entry, dict):
            yield entry


def _last_segment(link: Any) -> re.Match[str] | None:
    if not isinstance(link, dict) or link.get('rel') != 'self':
        return None
    try:
        path = urllib.parse.urlsplit(str(link.get('href'))).path
    except ValueError:
        return None
    return _SEGMENT.fullmatch(path.rstrip('/').rpartition('/')[2])
