"""The course as a website: Sphinx over the stored notebooks, which are not run. Built by ``make site``."""

import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
sys.path += [str(HERE), str(REPOSITORY)]

with (REPOSITORY / "pyproject.toml").open("rb") as file:
    metadata = tomllib.load(file)["project"]

project = "Advanced RNNs"
html_title = project
author = "The Advanced RNNs authors"
release = metadata["version"]
copyright = f"{author}, MIT licence"
language = "en"

extensions = [
    "myst_nb",  # Markdown pages and notebooks
    "autoapi.extension",  # pages of `utils` from its docstrings, read without importing TensorFlow
    "sphinx.ext.napoleon",  # "Args:", "Returns:", "Raises:"
    "sphinx_copybutton",  # copies a code cell
    "glossary_links",  # a lesson's first mention of a term leads to the glossary
]

# The pages stand where a reader of the repository finds them, so that links between them hold there and here.
root_doc = "site/index"
include_patterns = [
    "site/*.md",
    "site/guide/*.md",
    "site/api/**",
    "notebooks/[0-9][0-9]_*.ipynb",  # the lessons, and not the template of the capstone
    "FINDINGS.md",
    "findings/*.md",
    "BENCHMARKS.md",
    "data/README.md",
]
exclude_patterns = [".venv*", "build", "tests", "utils", "tools"]

nb_execution_mode = "off"
nb_custom_formats = {".ipynb": ["lesson_pages.read", {}, False]}
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

suppress_warnings = ["autoapi.python_import_resolution"]  # TensorFlow, which is not installed for this

autoapi_dirs = [str(REPOSITORY / "utils")]
autoapi_root = "site/api"
autoapi_ignore = ["*/exercises/*"]
autoapi_options = ["members"]
autoapi_add_toctree_entry = False
python_maximum_signature_line_length = 80
napoleon_use_rtype = False  # "Array of shape (steps,) - what is in it" rather than two entries

html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": metadata["urls"]["Repository"],
    "repository_branch": "main",
    "use_repository_button": True,
    "use_issues_button": True,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "show_toc_level": 2,
    "max_navbar_depth": 1,
    "navbar_persistent": [],  # the search field stands in the side bar
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_static_path = ["static", "../build/static"]
html_css_files = ["course.css"]
html_additional_pages = {"index": "to-start.html"}
html_use_index = False  # the search finds more
html_domain_indices = False
templates_path = ["templates"]
mathjax_path = "mathjax/es5/tex-svg.js"  # beside the pages; see tools/site.py
mathjax3_config = {"tex": {"inlineMath": [["\\(", "\\)"]]}, "svg": {"fontCache": "local"}}

# Checked elsewhere or not open to a machine: this repository and its launch pages, and publishers' doors.
linkcheck_ignore = [re.escape(metadata["urls"]["Repository"]), r"https://(colab|mybinder)\.", r"https://doi\.org"]
linkcheck_retries = 2


def setup(app) -> None:
    app.connect("source-read", link_cells)
    app.connect("doctree-read", link_pages_that_move, priority=400)  # before Sphinx collects files to download
    app.connect("html-page-context", rows_of_parameters)


def link_cells(app, name: str, source: list[str]) -> None:
    """Links name cells as JupyterLab does; here cells have the targets that ``lesson_pages`` gives them."""
    source[0] = re.sub(r"\([\w./-]*\.ipynb#cell-id=([\w-]+)", r"(#cell-\1", source[0])


def link_pages_that_move(app, doctree) -> None:
    """A link to a page of ``site/play`` opens it, where Sphinx would offer a file to download."""
    for node in list(doctree.findall(addnodes.download_reference)):
        if re.search(r"(^|/)play/\w+\.html$", node["reftarget"]):
            node.replace_self(nodes.reference("", "", *node.children, refuri=node["reftarget"], internal=True))


def rows_of_parameters(app, page: str, template: str, context: dict, doctree) -> None:
    """Plain rows for the parameters of a long signature, which Sphinx writes as descriptions (``dd``) of no term."""
    context["body"] = re.sub(
        r"<dl>\n((?:<dd>.*?</dd>\n)+)</dl>",
        lambda found: '<div class="parameters">\n' + re.sub(r"(</?)dd>", r"\1div>", found[1]) + "</div>",
        context.get("body", ""),
    )
