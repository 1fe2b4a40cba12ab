# SPDX-License-Identifier: Apache-2.0

"""HTTP: requests to the Compute endpoint of an adapter.

A request passes :class:`Client`, the loop of its retries, ``send_once`` and
``check``. The modules, each of which imports only those above it; the first
three import no library for HTTP:

``_error_message``
    extracts the message of an error response
``_retry``
    whether and when a request is retried
``_response``
    whether a response is a success, by RFC 9110
``_sessions``
    the settings of an adapter and its sessions
``_exceptions``
    translates the exceptions of other libraries to those of this API
``_endpoint``
    finds the endpoint in the configuration or the catalog; logs in
``_body``
    reads a body, with limits of size and time
``_alarm``
    ends requests that these limits do not, if a program allows it
``_request``
    sends one request; the only module that does
``_locator``
    finds the version of an endpoint that has none
``_client``
    the interface: requests with retries

The other modules of the API import only what this package exports.
"""

from osc_compute_images.api.http._alarm import allow_alarms
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to

__all__ = ['Client', 'allow_alarms', 'path_to']
