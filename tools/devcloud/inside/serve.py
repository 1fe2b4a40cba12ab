# SPDX-License-Identifier: Apache-2.0

"""Serve a WSGI application of OpenStack: runs in the cloud's venv.

usage: serve.py keystone|glance|nova FD
"""

import importlib.util
import os
import pkgutil
import socket
import sys
import threading

#: What makes the application of each service.
_APPLICATIONS = {
    'keystone': 'keystone.server.wsgi:initialize_public_application',
    'glance': 'glance.common.wsgi_app:init_app',
    'nova': 'whole_nova:Application',
}


def _use_threads_if_possible() -> None:
    """Otherwise monkey-patch, before anything else is imported."""
    if importlib.util.find_spec('nova.thread_pool_factory') is None:
        # Before 2025.2 Nova's compute does not support threads.
        import nova.monkey_patch  # noqa: F401
    else:
        # Releases in between would use eventlet.
        os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING'] = '1'


def main() -> None:
    """Serve on a socket that has this number, until the process ends."""
    _, service, number = sys.argv
    # The applications parse the command line themselves.
    del sys.argv[1:]
    if service == 'nova':
        _use_threads_if_possible()
    import sqlite

    sqlite.prepare()
    application = pkgutil.resolve_name(_APPLICATIONS[service])()

    import waitress

    server = waitress.create_server(
        application,
        sockets=[socket.socket(fileno=int(number))],
        threads=8,
        ident=None,
    )
    if service == 'nova':
        # The started parts send requests to this process, too.
        threading.Thread(target=application.start, daemon=True).start()
    server.run()


if __name__ == '__main__':
    main()
