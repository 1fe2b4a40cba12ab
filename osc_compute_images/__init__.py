# SPDX-License-Identifier: Apache-2.0

"""OpenStackClient plugin for the images API of the Compute service."""

import logging

__version__: str

# No output unless the program configures logging.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> str:
    if name == '__version__':
        # NOTE: imported here, as every "openstack" command loads this module.
        import importlib.metadata

        try:
            return importlib.metadata.version('osc-compute-images')
        except importlib.metadata.PackageNotFoundError:
            # Python was told where the package is.
            return 'unknown'
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
