# SPDX-License-Identifier: Apache-2.0

"""HTTP: requests to the Compute endpoint of an adapter.

``_client``
    the interface: requests with retries
``_request``
    sends one request; the only module that does
``_locator``, ``_endpoint``, ``_versions``
    finds the endpoint: the catalog, and the version document
``_retry``
    whether and when a request is retried
``_exceptions``
    translates the exceptions of other libraries to those of this API
``_fault``
    whether an error may be transient
``_response``
    whether a response is a success, by RFC 9110
``_error_message``
    extracts the message of an error response
``_body``, ``_interim``
    reads a body, with limits of size and time; skips interim responses
``_alarm``
    ends requests that these limits do not, if a program allows it

The other modules of the API import only what this package exports.
"""

from osc_compute_images.api.http._alarm import allow_alarms
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to

__all__ = ['Client', 'allow_alarms', 'path_to']
