# SPDX-License-Identifier: Apache-2.0

"""Serve a WSGI application of OpenStack: runs in the cloud's venv.

usage: serve.py keystone|glance|nova PORT
"""

import importlib.util
import os
import sys
import threading
from typing import Any


def _keystone() -> Any:
    from keystone.server import wsgi

    return wsgi.initialize_public_application()


def _glance() -> Any:
    from glance.common import wsgi_app

    return wsgi_app.init_app()


def _nova() -> Any:
    import whole_nova

    return whole_nova.Application()


def _use_green_threads_if_it_must() -> None:
    """Monkey-patch with eventlet, before anything else is imported."""
    if importlib.util.find_spec('nova.thread_pool_factory') is None:
        # Before 2025.2 Nova's compute does not support threads.
        del os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING']
        import nova.monkey_patch  # noqa: F401


_APPLICATIONS = {
    'keystone': _keystone,
    'glance': _glance,
    'nova': _nova,
}


def main() -> None:
    """Serve until the process ends."""
    _, project, port = sys.argv
    # The applications parse the command line themselves.
    del sys.argv[1:]
    if project == 'nova':
        _use_green_threads_if_it_must()
    import sqlite

    sqlite.prepare()
    application = _APPLICATIONS[project]()

    import waitress

    server = waitress.create_server(
        application, host='127.0.0.1', port=int(port), threads=8, ident=None
    )
    if project == 'nova':
        # The started parts send requests to this process, too.
        threading.Thread(target=application.start, daemon=True).start()
    server.run()


if __name__ == '__main__':
    main()
