# SPDX-License-Identifier: Apache-2.0

"""Share a database of SQLite between many threads and processes.

A transaction takes the lock when it first writes, and waits for it. If it had
begun before, as oslo.db's do, it would fail without waiting when another one
has written in between.
"""

import sqlite3
from typing import Any

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
    event.listen(Engine, 'savepoint', _savepoint)


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


def _begin(connection: Any) -> None:
    # Python begins a transaction before a statement that writes.
    connection.connection.dbapi_connection.isolation_level = 'IMMEDIATE'
    # oslo.db sends its own BEGIN, unless this is set.
    connection.info['in_transaction'] = True


def _savepoint(connection: Any, _name: str) -> None:
    # What is in one writes, but this alone would begin a deferred transaction.
    raw = connection.connection.dbapi_connection
    if not raw.in_transaction:
        raw.execute('BEGIN IMMEDIATE')
