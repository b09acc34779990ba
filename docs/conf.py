"""The web site: the course with its outputs as committed, and the reference of the two packages."""

import nanoformers

project = "nanoformers"
author = "the nanoformers contributors"
copyright = author
version = release = nanoformers.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
root_doc = "docs/index"
exclude_patterns = [
    ".venv",
    ".classroom",
    "build",
    ".pytest_cache",
    "CONTRIBUTING.md",
    "data",
    "lib",
    "tests",
    "benchmarks",
    "**/.ipynb_checkpoints",
    "README.md",
]
nb_execution_mode = "off"  # the notebooks carry the outputs of a real run
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "myst.xref_missing", "mystnb.unknown_mime_type", "ref.python"]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_use_ivar = True  # "Attributes:" beside the fields of a named tuple, not in place of them

default_role = "code"
html_extra_path = ["root"]  # index.html at the top leads to docs/
html_theme = "sphinx_book_theme"
html_title = "nanoformers"
html_theme_options = {
    "show_navbar_depth": 1,
    "use_download_button": True,
    "home_page_in_toc": True,
}
