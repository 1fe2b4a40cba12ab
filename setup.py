# SPDX-License-Identifier: Apache-2.0

"""Describe the package: see ``setup.cfg`` for all but its description."""

from pathlib import Path
import re

import setuptools

_README = (Path(__file__).parent / 'README.rst').read_text(encoding='utf-8')

setuptools.setup(
    # An index of packages does not have the pictures of the repository.
    long_description=re.sub(r'\.\. image::.*\n(   .*\n)*\n', '', _README),
    long_description_content_type='text/x-rst',
)
