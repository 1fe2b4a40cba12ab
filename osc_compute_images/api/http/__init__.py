# SPDX-License-Identifier: Apache-2.0

"""HTTP: requests to the Compute endpoint of an adapter.

A request passes :class:`Client`, the loop of its retries, ``send_once`` and
the adapter. The modules, each of which imports only those above it:

``_error_response``
    the error for an error response: its type, message and delay
``_settings``
    the settings of an adapter and its sessions, and when a request is retried
``_body``
    limits of the size of a response, and of the time that it takes
``_exceptions``
    translates the exceptions of other libraries to those of this API
``_keystone``
    logs in; finds the endpoint in the configuration or the catalog
``_access_rules``
    explains that an application credential may not allow a request
``_request``
    sends one request, and checks the response
``_locator``
    finds the version of an endpoint that has none
``_client``
    the interface: requests with retries

The other modules of the API import only what this package exports.
"""

from osc_compute_images.api.http._body import alarm
from osc_compute_images.api.http._body import allow_alarms
from osc_compute_images.api.http._client import Client
from osc_compute_images.api.http._client import path_to

__all__ = ['Client', 'alarm', 'allow_alarms', 'path_to']
