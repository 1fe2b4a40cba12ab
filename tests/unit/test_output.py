# SPDX-License-Identifier: Apache-2.0

import io

from osc_lib import exceptions
import pytest

from osc_compute_images.commands import _output


class Full(io.StringIO):
    """Takes what is written, and cannot get rid of it."""

    def flush(self):
        raise OSError(28, 'No space left on device')


def test_what_is_left_in_a_buffer_is_written():
    no_space = pytest.raises(exceptions.CommandError, match='No space left')
    with no_space, _output.flushed(Full()):
        pass


@pytest.mark.parametrize(
    'error',
    [
        OSError('Could not find a suitable TLS CA certificate bundle'),
        FileNotFoundError(2, 'No such file or directory', 'clouds.yaml'),
        ValueError('No recognized column names'),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_not_taken_for_errors_of_the_output(error):
    with pytest.raises(type(error)) as caught, _output.flushed(io.StringIO()):
        raise error
    assert caught.value is error
