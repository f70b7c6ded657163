"""Browser libraries that decks and pages load, kept beside them so that both work with the network off.

Fetched once from the npm registry as pinned archives, checked against their published SHA-512, and kept in
``build/libraries``. No Node.js is needed.
"""

import base64
import hashlib
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools.notebooks import REPOSITORY
from utils.files import write_whole

KEPT = REPOSITORY / "build" / "libraries"
REGISTRY = "https://registry.npmjs.org"


@dataclass(frozen=True)
class Library:
    """A package of the npm registry, and which of its files are used (beginnings of their paths)."""

    name: str
    version: str
    sha512: str  # base64, as `npm view NAME@VERSION dist.integrity` says
    files: tuple[str, ...]


REVEAL = Library(  # 5.x: the slides; the last whose speaker notes are one file
    "reveal.js",
    "5.2.1",
    "r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRlrpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ==",
    ("dist/reset.css", "dist/reveal.", "dist/theme/fonts/source-sans-pro/", "plugin/notes/", "LICENSE"),
)
MATHJAX = Library(  # 3.x: one file without fonts, for slides and pages
    "mathjax",
    "3.2.2",
    "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
    ("es5/tex-svg.js", "LICENSE"),
)
AXE = Library(  # accessibility checks, for the tests
    "axe-core",
    "4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ("axe.min.js", "LICENSE"),
)


def copy(library: Library, folder: Path) -> None:
    """Lay the files of a library into a folder, from ``build/libraries`` or, the first time, from the registry.

    Raises:
        SystemExit: the registry cannot be reached, or what came is not the pinned archive.
    """
    kept = KEPT / f"{library.name}-{library.version}.tgz"
    if not kept.exists():
        write_whole(kept, _fetch(library, kept))
    with tarfile.open(kept) as archive:
        for member in archive.getmembers():
            path = member.name.removeprefix("package/")
            if member.isfile() and path.startswith(library.files):
                write_whole(folder / path, archive.extractfile(member).read())


def _fetch(library: Library, target: Path) -> bytes:
    """The archive of a library from the registry, checked."""
    address = f"{REGISTRY}/{library.name}/-/{library.name.rsplit('/', 1)[-1]}-{library.version}.tgz"
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            archive = response.read()
    except (urllib.error.URLError, OSError) as error:
        raise SystemExit(
            f"{address} cannot be fetched ({error}). It is needed once; go online and try again, or copy the file "
            f"{target.relative_to(REPOSITORY)} from a machine that has it."
        ) from None
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != library.sha512:
        raise SystemExit(f"{address} is not the pinned archive: SHA-512 {found}, expected {library.sha512}.")
    return archive
