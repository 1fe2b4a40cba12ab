# SPDX-License-Identifier: Apache-2.0

"""Let many threads and processes share a database of SQLite."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


def prepare(*, immediate: bool) -> None:
    """Set up every connection that this process opens from now on.

    :param immediate: whether a transaction takes the lock for writing when it
        begins, and waits for it if need be. One that reads first and takes it
        later is refused without a wait, if another has written in between.
    """

    @event.listens_for(Engine, 'connect')
    def _connect(connection: Any, _record: Any) -> None:
        connection.execute('PRAGMA busy_timeout = 60000')
        connection.execute('PRAGMA journal_mode = WAL')
        # It survives the end of a process; that of the machine need not.
        connection.execute('PRAGMA synchronous = OFF')

    if not immediate:
        return

    @event.listens_for(Engine, 'begin')
    def _begin(connection: Any) -> None:
        # oslo.db sends a BEGIN of its own unless this says that one was sent.
        if 'in_transaction' not in connection.info:
            connection.exec_driver_sql('BEGIN IMMEDIATE')
            connection.info['in_transaction'] = True
