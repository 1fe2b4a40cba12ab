# SPDX-License-Identifier: Apache-2.0

"""Filtering of logs by the commands."""

import io
import logging

import pytest

from osc_compute_images.output import logs


@pytest.fixture
def log():
    """Provide the output of the root logger after a command has started."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    logs.sanitize_logs()
    logs.sanitize_logs()
    assert len(handler.filters) == 1
    yield stream
    root.removeHandler(handler)


def test_credentials_are_removed_from_urls(log):
    logging.getLogger('keystoneauth.x').warning(
        'At %s: "http:\\/\\/x"', 'https://u:p@keystone/v3?a=b@c'
    )
    assert log.getvalue() == 'At https://keystone/v3?a=b@c: "http:\\/\\/x"\n'


def test_control_characters_are_escaped(log):
    logging.getLogger('x').warning('RESP BODY: %s', 'a\x1b[2J\r\u202eb\nc')
    assert log.getvalue() == 'RESP BODY: a\\x1b[2J\\r\\u202eb\nc\n'


def test_control_characters_in_traceback_are_escaped(log):
    error = ValueError('no https://u:p@host/\x1b[2J\nnext')
    logging.getLogger('x').error('failed', exc_info=error)
    assert log.getvalue() == (
        'failed\nValueError: no https://host/\\x1b[2J\nnext\n'
    )


def test_header_without_colon_prints_no_traceback(log):
    try:
        int('x')
    except ValueError:
        logging.getLogger('urllib3.connectionpool').warning(
            'Failed to parse headers', exc_info=True
        )
        logging.getLogger('other').warning('A bug', exc_info=True)
    lines = log.getvalue().splitlines()
    assert lines[:3] == [
        'Failed to parse headers',
        'A bug',
        'Traceback (most recent call last):',
    ]


def test_invalid_log_message_is_unchanged(log):
    record = logging.LogRecord('x', 30, 'f', 1, '%d', ('a',), None)
    assert logs._Sanitizer().filter(record)
    assert record.args == ('a',)
