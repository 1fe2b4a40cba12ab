# SPDX-License-Identifier: Apache-2.0

"""Errors of the output."""

import io

from osc_lib import exceptions
import pytest

from osc_compute_images.output import flush

NO_SPACE = OSError(28, 'No space left on device')


@pytest.mark.parametrize(
    ('error', 'kind'),
    [
        (NO_SPACE, exceptions.CommandError),
        # These are of a connection, or of a file.
        (OSError('Could not find a suitable TLS CA bundle'), OSError),
        (FileNotFoundError(2, 'No such file', 'clouds.yaml'), OSError),
        (ValueError('No recognized column names'), ValueError),
    ],
)
def test_only_errors_of_the_output_are_those_of_a_command(error, kind):
    with pytest.raises(kind) as caught, flush.flushed(io.StringIO()):
        raise error
    assert (caught.value is error) == (error is not NO_SPACE)
