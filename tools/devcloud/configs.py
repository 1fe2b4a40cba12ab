# SPDX-License-Identifier: Apache-2.0

"""The configuration files of the services."""

from pathlib import Path
import shutil

from layout import Layout
from layout import PASSWORD
from layout import PROCESSES

_KEYSTONE = """\
[database]
connection = sqlite:///keystone.db
[fernet_tokens]
key_repository = fernet-keys
[identity]
# The passwords are no secret. Each command logs in, and the default costs a
# quarter of a second of that.
password_hash_rounds = 4
[cache]
# It is the only process that changes what it caches.
enabled = true
backend = oslo_cache.dict
"""

_AUTH = """\
[keystone_authtoken]
# For access rules. Only Nova itself uses Placement.
service_type = {type}
www_authenticate_uri = {keystone}
service_token_roles_required = true
auth_url = {keystone}
auth_type = password
username = {user}
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
[oslo_concurrency]
lock_path = lock
"""

_GLANCE = f"""\
[DEFAULT]
enabled_backends = fs:file
limit_param_default = 1000
# In Zed as in the policies below; of no meaning to a later Glance.
enforce_secure_rbac = true
[database]
connection = sqlite:///glance.db
[glance_store]
default_backend = fs
[fs]
filesystem_store_datadir = images
[os_glance_staging_store]
filesystem_store_datadir = staging
[os_glance_tasks_store]
filesystem_store_datadir = tasks
[paste_deploy]
flavor = keystone
[oslo_policy]
# As by default since 2023.1: a reader changes nothing.
enforce_new_defaults = true
enforce_scope = true
{_AUTH}"""

_NOVA = f"""\
[DEFAULT]
state_path = .
my_ip = 127.0.0.1
host = loopback
transport_url = fake:///
compute_driver = hypervisor.Hypervisor
# A server that is shelved stays so until somebody offloads it.
shelved_offload_time = -1
# Nothing happens behind a test's back.
sync_power_state_interval = -1
heal_instance_info_cache_interval = -1
periodic_fuzzy_delay = 0
[quota]
# Of servers; that of an image's properties is Nova's own.
instances = -1
cores = -1
ram = -1
[vnc]
enabled = false
[api_database]
connection = sqlite:///api.db
[database]
connection = sqlite:///cell1.db
[glance]
# From the catalogue it is a quarter slower; without retries an outage shows at
# once.
endpoint_override = {{glance}}
region_name = {{region}}
num_retries = 0
[placement]
auth_section = keystone_authtoken
region_name = {{region}}
[neutron]
auth_section = keystone_authtoken
region_name = {{region}}
[service_user]
# Glance then ignores the access rules of the user.
auth_section = keystone_authtoken
send_service_user_token = true
{_AUTH}"""

_PLACEMENT = f"""\
[placement_database]
connection = sqlite:///placement.db
sync_on_startup = true
{_AUTH}"""

#: The type in the catalog, and the files, by service.
_SERVICES = {
    'keystone': ('identity', {'keystone.conf': _KEYSTONE}),
    'glance': ('image', {'glance-api.conf': _GLANCE}),
    'nova': ('compute', {'nova.conf': _NOVA, 'placement.conf': _PLACEMENT}),
}


def write(layout: Layout, etc: Path) -> None:
    """Write the configuration of all services, each into its folder.

    :param etc: the folder of configuration files from the packages
    """
    for process in PROCESSES:
        service, _, region = process.partition('-')
        kind, files = _SERVICES[service]
        folder = layout.folder(process)
        folder.mkdir(parents=True, exist_ok=True)
        for name, template in files.items():
            text = template.format(
                type=kind, user=service, password=PASSWORD,
                keystone=layout.keystone, region=region,
                glance=region and layout.endpoints(region)['image'],
            )  # fmt: skip
            (folder / name).write_text(text)
        for path in (etc / service).glob('*api-paste.ini'):
            shutil.copy(path, folder)
        if service == 'nova':
            # A killed test may have left it.
            layout.hold_file(region).unlink(missing_ok=True)
    layout.write_clouds_yaml()
