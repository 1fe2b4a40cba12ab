# SPDX-License-Identifier: Apache-2.0

"""Share a database of SQLite between many threads and processes."""

import sqlite3
import time
from typing import Any

from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import event
from sqlalchemy.engine import Engine

#: Seconds to wait for a lock.
_PATIENCE = 60

#: A connection to each database that stays open. oslo.db opens one for each
#: transaction. The last one to close would write the log back and remove it,
#: and opening another one at that moment fails without waiting.
_anchors: dict[str, sqlite3.Connection] = {}


def prepare() -> None:
    """Configure every connection that this process will open."""
    event.listen(Engine, 'connect', _connect)
    event.listen(Engine, 'begin', _begin)
    _mark_writers(enginefacade._TransactionFactory)


def _connect(connection: Any, _record: Any) -> None:
    connection.execute(f'PRAGMA busy_timeout = {_PATIENCE * 1000}')
    # Committed data survives the end of the process, but not a power failure.
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
    """Mark the writing transactions of oslo.db.

    A writing transaction takes the lock at its start, and waits for it. If it
    read first and took the lock later, it would fail without waiting when
    another transaction has written in between. Reading transactions must not
    take the lock: they may be part of the operation that holds it.
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
    # oslo.db sends its own BEGIN, unless this is set.
    if (
        not connection.get_execution_options().get('writes')
        or 'in_transaction' in connection.info
    ):
        return
    raw = connection.connection.dbapi_connection
    # Don't wait in SQLite itself: with green threads, that would block the
    # thread that holds the lock.
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
