# SPDX-License-Identifier: Apache-2.0

"""The ``compute-image`` command: these commands without OpenStackClient.

``compute-image list`` runs the same class as ``openstack compute image list``
in a third of the time. It has the shell of osc-lib, as ``openstack`` has, but
does not import what these commands do not use.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import importlib.util
import os
import sys
import types
from typing import Any

#: The authentication types that most users have, and their options.
_TYPES = (
    'admin_token', 'none', 'password', 'token', 'v2password', 'v2token',
    'v3applicationcredential', 'v3password', 'v3token', 'v3totp',
)  # fmt: skip
_LOGIN = frozenset({
    'application-credential-id', 'application-credential-name',
    'application-credential-secret', 'auth-url', 'default-domain-id',
    'default-domain-name', 'domain-id', 'domain-name', 'endpoint', 'passcode',
    'password', 'project-domain-id', 'project-domain-name', 'project-id',
    'project-name', 'system-scope', 'token', 'trust-id', 'user-domain-id',
    'user-domain-name', 'user-id', 'username',
})  # fmt: skip

#: Options of the shell itself.
_SHELL = frozenset({
    'beta-command', 'cacert', 'cert', 'cloud', 'compute-api-version',
    'default-domain', 'identity-api-version', 'interface', 'key',
    'region-name', 'remote-project-domain-id', 'remote-project-domain-name',
    'remote-project-id', 'remote-project-name', 'service-provider',
    'tenant-id', 'tenant-name',
})  # fmt: skip

#: Variables that are no options, or have the name of an option above.
_VARIABLES = frozenset({
    'auth-plugin', 'auth-type', 'client-config-file', 'client-secure-file',
    'cloud-name', 'endpoint-type', 'force-ipv4', 'prefer-ipv6',
})  # fmt: skip
#: These are of other services.
_OTHER_SERVICES = ('-api-version', '-endpoint-type')


def _usual_options(words: Sequence[str]) -> bool:
    """Return whether the options above are all that the command line has."""
    for word, following in zip(words, [*words[1:], ''], strict=False):
        option, given, value = word.partition('=')
        name = option.removeprefix('--os-')
        if name == option:
            continue
        if name == 'auth-type':
            if (value if given else following) not in _TYPES:
                return False
        elif name not in _LOGIN | _SHELL:
            return False
    return True


def _usual_variables(environment: Mapping[str, str]) -> bool:
    """Return whether no variable can be of another authentication type."""
    names = {
        name[3:].lower().replace('_', '-')
        for name, value in environment.items()
        if name.startswith('OS_') and value
    }
    return all(
        name.endswith(_OTHER_SERVICES)
        for name in names - _LOGIN - _SHELL - _VARIABLES
    )


class _Connection:
    """The part of openstacksdk's connection that the commands use."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def close(self) -> None:
        """Cache the token, if configured."""
        self.config.set_auth_cache()


def _import_less() -> None:
    """Avoid slow imports that are not used.

    ``import openstack.config`` would run the ``__init__`` of ``openstack``,
    which imports every service, as a connection does. ``strutils`` compiles
    many patterns at import, and only debug messages need them.
    """
    spec = importlib.util.find_spec('openstack')
    if spec is not None and 'openstack' not in sys.modules:
        sys.modules['openstack'] = importlib.util.module_from_spec(spec)
        name = 'openstack.connection'
        sys.modules[name] = module = types.ModuleType(name)
        vars(module)['Connection'] = _Connection
    # The first would import cmd2.
    for name in ('cliff.interactive', 'oslo_utils.strutils'):
        lazy = importlib.util.find_spec(name)
        if lazy is not None and lazy.loader is not None:
            lazy.loader = importlib.util.LazyLoader(lazy.loader)
            sys.modules[name] = module = importlib.util.module_from_spec(lazy)
            lazy.loader.exec_module(module)
            # Otherwise "from ... import" would ask whether it is loaded.
            parent, _, attribute = name.rpartition('.')
            setattr(sys.modules[parent], attribute, module)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``compute-image``; return its exit code."""
    words = sys.argv[1:] if argv is None else [*argv]
    # The others take what OpenStackClient imports to parse them.
    usual = _usual_options(words)
    if usual:
        _import_less()
    if os.path.expanduser('~') == '~':
        # A user whom the system does not know, as in a container: what finds
        # the folders of configurations would fail.
        os.environ['HOME'] = os.sep
    # NOTE: imported here, as it imports what must be replaced before.
    from osc_compute_images import _shell

    few = usual and _usual_variables(os.environ)
    return _shell.ComputeImageShell(
        _TYPES if few else (), _LOGIN if few else (), plugins=not usual
    ).run(words)
