# SPDX-License-Identifier: Apache-2.0

"""Serve a WSGI application of OpenStack: runs in the cloud's venv.

usage: serve.py keystone|glance|nova PORT
"""

import sys
from typing import Any


def _keystone() -> Any:
    from keystone.server import wsgi

    return wsgi.initialize_public_application()


def _glance() -> Any:
    from glance.common import wsgi_app

    return wsgi_app.init_app()


def _nova() -> Any:
    try:
        from nova.wsgi import osapi_compute
    except ImportError:
        # Before 2024.2.
        from nova.api.openstack import wsgi_app

        return wsgi_app.init_application('osapi_compute')
    return osapi_compute.application


_APPLICATIONS = {'keystone': _keystone, 'glance': _glance, 'nova': _nova}


def main() -> None:
    """Serve until the process is ended."""
    _, project, port = sys.argv
    # The applications parse the command line themselves.
    del sys.argv[1:]
    application = _APPLICATIONS[project]()

    import waitress

    waitress.serve(
        application, host='127.0.0.1', port=int(port), threads=8, ident=None
    )


if __name__ == '__main__':
    main()
