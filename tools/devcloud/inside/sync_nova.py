# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Make the databases of a Nova: runs in the cloud's venv.

It does what four calls of nova-manage do, in a fifth of their time.

usage: sync_nova.py NOVA.CONF
"""

from pathlib import Path
import shutil
import sys
import uuid


def main() -> None:
    """Make the tables, and map the cells."""
    from nova import config
    from nova import context
    from nova import objects
    from nova.db import migration

    home = Path(sys.argv[1]).parent
    config.parse_args(['nova-manage', '--config-file', sys.argv[1]])
    objects.register_all()
    migration.db_sync(database='api')
    migration.db_sync(database='main')
    shutil.copy(home / 'cell1.db', home / 'cell0.db')
    for name, cell, transport in (
        ('cell0', objects.CellMapping.CELL0_UUID, 'none:///'),
        ('cell1', str(uuid.uuid4()), 'fake:///'),
    ):
        objects.CellMapping(
            context.get_admin_context(),
            uuid=cell,
            name=name,
            transport_url=transport,
            database_connection=f'sqlite:///{home}/{name}.db',
        ).create()


if __name__ == '__main__':
    main()
