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

"""How the documentation is made."""

project = 'osc-compute-images'
copyright = 'the osc-compute-images authors'  # noqa: A001
extensions = [
    'cliff.sphinxext',
    'openstackdocstheme',
    'sphinx.ext.autodoc',
]
html_theme = 'openstackdocs'
html_static_path = ['_static']
autodoc_typehints = 'description'
autodoc_member_order = 'bysource'
autoprogram_cliff_application = 'openstack'
openstackdocs_auto_name = False
openstackdocs_auto_version = False
