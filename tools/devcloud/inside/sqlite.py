# SPDX-License-Identifier: Apache-2.0

"""Let many threads and processes share a database of SQLite."""

import sqlite3
import time
from typing import Any

from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import event
from sqlalchemy.engine import Engine

#: Seconds to wait for a lock.
_PATIENCE = 60

#: A connection to each database that stays open. oslo.db opens one for each
#: transaction; the last one to close would write the log back and remove it,
#: and whoever opens one in that moment is refused without a wait.
_anchors: dict[str, sqlite3.Connection] = {}


def prepare() -> None:
    """Set up every connection that this process opens from now on."""
    event.listen(Engine, 'connect', _connect)
    event.listen(Engine, 'begin', _begin)
    _mark_writers(enginefacade._TransactionFactory)


def _connect(connection: Any, _record: Any) -> None:
    connection.execute(f'PRAGMA busy_timeout = {_PATIENCE * 1000}')
    # What it has written survives the end of the process, if not that of the
    # machine.
    connection.execute('PRAGMA synchronous = OFF')
    (_number, _name, path) = connection.execute(
        'PRAGMA database_list'
    ).fetchone()
    if path not in _anchors:
        anchor = sqlite3.connect(
            path, timeout=_PATIENCE, check_same_thread=False
        )
        _anchors[path] = anchor
        anchor.execute('PRAGMA journal_mode = WAL')
        anchor.execute('SELECT count(*) FROM sqlite_master').fetchone()


def _mark_writers(factory: Any) -> None:
    """Mark the transactions that oslo.db means for writing.

    Such a one takes the lock when it begins, and waits for it if need be. One
    that reads first and takes it later is refused without a wait, if another
    has written in between. Those that only read must not take it: they may be
    part of what holds it.
    """
    create_session = factory._create_session
    create_connection = factory._create_connection

    def session(self: Any, mode: Any, bind: Any = None) -> Any:
        made = create_session(self, mode, bind)
        if mode is enginefacade._WRITER and bind is None:
            made.bind = made.bind.execution_options(writes=True)
        return made

    def connection(self: Any, mode: Any) -> Any:
        made = create_connection(self, mode)
        if mode is enginefacade._WRITER:
            made = made.execution_options(writes=True)
        return made

    factory._create_session = session
    factory._create_connection = connection


def _begin(connection: Any) -> None:
    # oslo.db sends a BEGIN of its own unless this says that one was sent.
    if (
        not connection.get_execution_options().get('writes')
        or 'in_transaction' in connection.info
    ):
        return
    raw = connection.connection.dbapi_connection
    # Not by SQLite itself: where threads are green, that would keep the one
    # that holds the lock from giving it back.
    raw.execute('PRAGMA busy_timeout = 0')
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            raw.execute('BEGIN IMMEDIATE')
            break
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)
    connection.info['in_transaction'] = True
