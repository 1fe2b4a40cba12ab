# SPDX-License-Identifier: Apache-2.0

"""HTTP: requests to the Compute endpoint of an adapter.

``_client``
    what the API sees: requests that are sent again when that may help
``_request``
    sends one request; the only module that does
``_locator``, ``_endpoint``, ``_versions``
    where the images are: the catalog, and the version document
``_retry``
    whether and when a request is sent again
``_exceptions``
    from the exceptions of the libraries below to those of this API
``_fault``
    what an error means for another attempt
``_answer``
    whether an answer is a success, by RFC 9110
``_words``
    what a server says about an error
``_body``, ``_interim``
    reads a body, within bounds of size and time, and skips interim responses
``_alarm``
    ends what these bounds do not, where a program allows it

The other modules of the API use what is imported here, and nothing else.

Names of other libraries that are private, and relied on; where one is missing,
the request works, without what is said here. ``tests/unit/test_private.py``
tells when one goes:

``keystoneauth1.session.Session._connect_retries``
    the retries that the user has set for the session, which keystoneauth
    applies when it fetches a token (``_retry``)
``_original_response``, ``_connection``, ``_pool``, ``_fp``
    of a response of urllib3: the connection that an interim response came by,
    to read the final one from it (``_interim``)
"""

from osc_compute_images.api.http._alarm import allow_alarms
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to

__all__ = ['Client', 'allow_alarms', 'path_to']
