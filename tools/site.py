"""``python -m tools.site [html | linkcheck]``: the website in ``build/site``, from the stored notebooks.

A warning of Sphinx is an error. ``linkcheck`` asks every other site that a page links to, and writes no page.
"""

import sys

from sphinx.cmd.build import build_main

from tools import libraries, play
from tools.notebooks import REPOSITORY

SITE = REPOSITORY / "build" / "site"
STATIC = REPOSITORY / "build" / "static"  # what pages load beside their own files


def main(builder: str = "html") -> int:
    """Build the site, or with "linkcheck" check what it links to; returns Sphinx' exit code."""
    libraries.copy(libraries.MATHJAX, STATIC / "mathjax")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--jobs", "auto"]
    places = ["--conf-dir", str(REPOSITORY / "site"), "--doctree-dir", str(REPOSITORY / "build" / "doctrees")]
    target = SITE if builder == "html" else REPOSITORY / "build" / builder
    failed = build_main([*options, *places, "-b", builder, str(REPOSITORY), str(target)])
    if builder == "html":
        play.copy(SITE / "site" / "play")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
