# SPDX-License-Identifier: Apache-2.0

"""HTTP: requests to the Compute endpoint of an adapter.

A request passes :class:`._client.Client` with the loop of its retries,
``send_once`` and the adapter. The modules, each of which imports only those
above it:

``_catalog``
    the endpoints of a service in the catalog
``_error_response``
    the error for an error response: its type, message and delay
``_body``
    limits of the size of a response, and of the time that it takes
``_exceptions``
    translates the exceptions of other libraries to those of this API
``_session``
    the settings of an adapter and its sessions; logs in, and waits before a
    retry
``_request``
    sends one request, and checks the response
``_endpoint``
    finds the endpoint, and a version of it
``_client``
    the interface: requests with retries
"""
