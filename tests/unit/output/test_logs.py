# SPDX-License-Identifier: Apache-2.0

"""Filtering of logs by the commands."""

import io
import logging

import pytest

from osc_compute_images.output import logs


@pytest.fixture
def handler():
    """Provide a handler of the root logger after a command has started."""
    handler = logging.StreamHandler(io.StringIO())
    root = logging.getLogger()
    root.addHandler(handler)
    logs.sanitize_logs()
    logs.sanitize_logs()
    assert len(handler.filters) == 1
    yield handler
    root.removeHandler(handler)


def test_credentials_and_control_characters_are_removed(handler):
    logging.getLogger('keystoneauth.x').warning(
        'At %s: "http:\\/\\/x"', 'https://u:p@keystone/v3?a=b@c'
    )
    logging.getLogger('x').warning('RESP BODY: %s', 'a\x1b[2J\r\u202eb\nc')
    error = ValueError('no https://u:p@host/\x1b[2J\nnext')
    logging.getLogger('x').error('failed', exc_info=error)
    assert handler.stream.getvalue() == (
        'At https://keystone/v3?a=b@c: "http:\\/\\/x"\n'
        'RESP BODY: a\\x1b[2J\\r\\u202eb\nc\n'
        'failed\nValueError: no https://host/\\x1b[2J\nnext\n'
    )


def test_header_without_colon_prints_no_traceback(handler):
    error = ValueError('x')
    for name in ('urllib3.connectionpool', 'other'):
        logging.getLogger(name).warning('From %s', name, exc_info=error)
    assert handler.stream.getvalue() == (
        'From urllib3.connectionpool\nFrom other\nValueError: x\n'
    )


def test_invalid_log_message_is_unchanged(handler):
    record = logging.LogRecord('x', 30, 'f', 1, '%d', ('a',), None)
    assert handler.filter(record)
    assert record.args == ('a',)
