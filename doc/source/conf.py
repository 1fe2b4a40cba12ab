# SPDX-License-Identifier: Apache-2.0

"""How the documentation is made."""

import importlib.metadata
import logging
from pathlib import Path
import sys

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE / '_ext'))

import command_pages  # noqa: E402

project = 'osc-compute-images'
author = 'the osc-compute-images authors'
copyright = author  # noqa: A001
release = version = importlib.metadata.version(project)
# In the manual pages.
today_fmt = '%Y-%m-%d'
extensions = [
    'command_pages',
    'reno.sphinxext',
    'sphinx.ext.autodoc',
    'sphinx_copybutton',
]
# Each note that reno finds is no news.
logging.getLogger('reno').setLevel(logging.WARNING)

exclude_patterns = []
if not (_HERE.parents[1] / '.git').exists():
    # Release notes are read from the history.
    exclude_patterns.append('release-notes.rst')
    suppress_warnings = ['toc.excluded']

autodoc_typehints = 'signature'
autodoc_typehints_format = 'short'
python_use_unqualified_type_names = True
maximum_signature_line_length = 72
autodoc_member_order = 'bysource'
autoprogram_cliff_application = 'openstack'

# Two hyphens begin an option, also in prose.
smartquotes = False

html_theme = 'furo'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['custom.css']
html_show_sphinx = False
html_copy_source = False
# What is copied is what one types.
copybutton_prompt_text = '$ '
copybutton_line_continuation_character = '\\'

man_pages = command_pages.man_pages()
