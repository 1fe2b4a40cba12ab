# SPDX-License-Identifier: Apache-2.0

"""Errors of the output."""

import io

from osc_lib import exceptions
import pytest

from osc_compute_images.output import flush


def test_error_of_final_flush_is_reported():
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, 'No space left on device')

    no_space = pytest.raises(exceptions.CommandError, match='No space left')
    with no_space, flush.flushed(Full()):
        pass


def test_closed_output_needs_no_flush():
    with flush.flushed(None):
        pass


def test_errors_of_a_connection_or_file_are_unchanged():
    for error in OSError('No CA bundle'), OSError(2, 'No', 'clouds.yaml'):
        raised = pytest.raises(OSError, match='No')
        with raised as caught, flush.flushed(io.StringIO()):
            raise error
        assert caught.value is error
