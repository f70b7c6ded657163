"""Words that may not be said, in a text that comes piece by piece.

``forbidden`` may arrive as ``for`` and ``bidden``. Whoever looks at each piece alone lets it pass; so what may still
become a forbidden word is held back until the next characters decide.
"""

import re
from collections.abc import Sequence

MASK = "*"
LONGEST = 100  # characters of a word or phrase


class OutputFilter:
    """Masks words in a text that comes in pieces; however it is cut, the result is the same.

    Taught in lesson 16.

    A word counts when it stands by itself, in capitals or not: ``pass`` may be said where ``ass`` may not. A space in a
    phrase stands for any single white space.

    Attributes:
        masked: characters so far.

    ::

        filter = OutputFilter(["forbidden"])
        filter.add("a for"), filter.add("bidden f"), filter.end()  # "a ", "********* ", "f"
    """

    def __init__(self, words: Sequence[str], before: str = "") -> None:
        """Begin a text.

        Args:
            words: words and phrases.
            before: text that has been read or said before. A word that begins there is masked from here on.

        Raises:
            ValueError: a word that is empty, longer than 100 characters, or begins or ends with white space.
        """
        for word in words:
            if word != word.strip() or not 1 <= len(word) <= LONGEST:
                raise ValueError(f"{word!r} is no word or phrase of 1 to {LONGEST} characters without space around it.")
        self.masked = 0
        self._text = before  # of which the filter still needs the end
        self._said = self._seen = len(before)  # up to where it has been given out, and searched
        self._found = self._may_become = None
        if words:
            letters = [[r"\s" if c.isspace() else re.escape(c) for c in word] for word in words]
            letters.sort(key=len, reverse=True)
            whole = "|".join(map("".join, letters))
            begun = "|".join("".join(f"(?:{c}" for c in word) + ")?" * len(word) for word in letters)
            self._found = re.compile(rf"(?<!\w)(?:{whole})(?!\w)", re.IGNORECASE)
            self._may_become = re.compile(rf"(?<!\w)(?=.)(?:{begun})\Z", re.IGNORECASE | re.DOTALL)
            self._seen = 0

    def add(self, text: str) -> str:
        """What can be given out now that ``text`` has come; as many characters as were put in, in the end."""
        self._text += text
        return self._decided(final=False)

    def end(self) -> str:
        """What was held back, now that nothing more comes."""
        return self._decided(final=True)

    def _decided(self, final: bool) -> str:
        if self._found is None:
            said, self._text, self._said = self._text[self._said :], "", 0
            return said
        pieces = []
        while True:
            open_from = None if final else self._may_become.search(self._text, self._seen)
            limit = open_from.start() if open_from else len(self._text)
            word = self._found.search(self._text, self._seen)
            if word is None or word.start() >= limit:
                break
            length = max(0, word.end() - max(word.start(), self._said))
            self.masked += length
            pieces += [self._text[self._said : word.start()], MASK * length]
            self._said, self._seen = max(self._said, word.end()), word.end()
        pieces.append(self._text[self._said : limit])
        self._said, self._seen = max(self._said, limit), max(self._seen, limit)
        drop = max(0, min(self._said, self._seen) - 1)  # one character stays, to see whether a word begins after it
        self._text, self._said, self._seen = self._text[drop:], self._said - drop, self._seen - drop
        return "".join(pieces)
