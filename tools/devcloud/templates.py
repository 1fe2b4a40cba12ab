# SPDX-License-Identifier: Apache-2.0

"""Templates of the configuration files; configs.py fills them in."""

KEYSTONE = """
    [DEFAULT]
    log_file = {log}
    [database]
    connection = sqlite:///{home}/keystone.db
    [fernet_tokens]
    key_repository = {home}/fernet-keys
    [credential]
    key_repository = {home}/credential-keys
    [token]
    provider = fernet
    # Of an hour, as by default, but said: tests rely on it.
    expiration = 3600
    [identity]
    # The passwords are no secret. Each command logs in, and the default costs
    # a quarter of a second of that.
    password_hash_rounds = 4
    [cache]
    # It is the only process that changes what it caches.
    enabled = true
    backend = oslo_cache.dict
"""

_AUTH = """
    [keystone_authtoken]
    # For access rules. Only Nova itself uses Placement.
    service_type = {type}
    www_authenticate_uri = {keystone}
    auth_url = {keystone}
    auth_type = password
    username = {user}
    password = {password}
    project_name = service
    user_domain_name = Default
    project_domain_name = Default
    service_token_roles_required = true
"""


def _client(service: str) -> str:
    """Return the settings for a service to log in to another."""
    return f"""
    [{service}]
    auth_url = {{keystone}}
    auth_type = password
    username = {{user}}
    password = {{password}}
    project_name = service
    user_domain_name = Default
    project_domain_name = Default
    region_name = {{region}}
"""


GLANCE = (
    """
    [DEFAULT]
    log_file = {log}
    enabled_backends = fs:file
    limit_param_default = 1000
    api_limit_max = 1000
    # No scrubbing, no importing: nothing changes behind a test's back.
    enable_v2_api = true
    # In Zed as in the policies below; of no meaning to a later Glance.
    enforce_secure_rbac = true
    [database]
    connection = sqlite:///{home}/glance.db
    [glance_store]
    default_backend = fs
    [fs]
    filesystem_store_datadir = {home}/images
    [os_glance_staging_store]
    filesystem_store_datadir = {home}/staging
    [os_glance_tasks_store]
    filesystem_store_datadir = {home}/tasks
    [paste_deploy]
    flavor = keystone
    config_file = {home}/glance-api-paste.ini
    [oslo_policy]
    # As by default since 2023.1: a reader changes nothing.
    enforce_new_defaults = true
    enforce_scope = true
    [oslo_concurrency]
    lock_path = {home}/lock
"""
    + _AUTH
)

NOVA = (
    """
    [DEFAULT]
    log_file = {log}
    state_path = {home}
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
    vif_plugging_timeout = 0
    vif_plugging_is_fatal = false
    [devcloud]
    hold_file = {hold_file}
    [quota]
    # Of servers; that of an image's properties is Nova's own.
    instances = -1
    cores = -1
    ram = -1
    [vnc]
    enabled = false
    [api]
    auth_strategy = keystone
    [api_database]
    connection = sqlite:///{home}/api.db
    [database]
    connection = sqlite:///{home}/cell1.db
    [glance]
    # From the catalogue it is a quarter slower; without retries an outage
    # shows at once.
    endpoint_override = {glance}
    region_name = {region}
    num_retries = 0
    [wsgi]
    api_paste_config = {home}/api-paste.ini
    [oslo_concurrency]
    lock_path = {home}/lock
"""
    + _AUTH
    + _client('placement')
    + _client('neutron')
    + _client('service_user')
    + """
    # Glance and Neutron then ignore the access rules of the user.
    send_service_user_token = true
"""
)

PLACEMENT = (
    """
    [DEFAULT]
    log_file = {log}
    [placement_database]
    connection = sqlite:///{home}/placement.db
    sync_on_startup = true
"""
    + _AUTH
)

NEUTRON = (
    """
    [DEFAULT]
    log_file = {log}
    state_path = {home}
    core_plugin = ml2
    service_plugins =
    transport_url = fake:///
    auth_strategy = keystone
    api_paste_config = {home}/api-paste.ini
    notify_nova_on_port_status_changes = false
    notify_nova_on_port_data_changes = false
    dns_domain = loopback.
    [database]
    connection = sqlite:///{home}/neutron.db
    [ml2]
    type_drivers = local
    tenant_network_types = local
    mechanism_drivers = loopback
    [oslo_concurrency]
    lock_path = {home}/lock
"""
    + _AUTH
)
