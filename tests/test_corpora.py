"""Text from every machine: there, labelled as the tokenizer says, and spelled back without loss."""

import ast
from pathlib import Path

import numpy as np
import pytest

from utils.datasets import corpora
from utils.datasets.corpora import CLASSES, Vocabulary, build_vocabulary, label_characters


def test_there_is_enough_of_each():
    prose, source = corpora.load_prose(), corpora.load_source()
    assert len(prose) > 400_000
    assert len(source) > 1_000_000
    assert '"for" statement' in prose
    assert "def " in source


def test_prose_in_numbers_spells_the_prose():
    numbers, past = corpora.encode_prose(size=64, share=0.75)
    prose = corpora.load_prose()
    assert len(numbers) == len(prose)
    assert past == pytest.approx(0.75 * len(prose), abs=1)
    assert set(numbers) == set(range(64))
    vocabulary, text = build_vocabulary(prose, 64)
    assert vocabulary.decode(numbers) == text
    kept = np.array(list(text)) == np.array(list(prose))
    assert kept.mean() > 0.99


def test_labels_by_hand():
    source = 'if x1 >= 2.5:  # why "not"\n    y = "a if"\n'
    labels = label_characters(source)
    expected = "kk_nn_oo_mmmo__ccccccccccc_____n_o_ssssss_"
    names = {"k": "keyword", "n": "name", "o": "operator", "m": "number", "c": "comment", "s": "string", "_": "other"}
    assert [CLASSES[i] for i in labels] == [names[letter] for letter in expected]


def test_labels_of_strings_over_lines_and_of_f_strings():
    source = 'a = """one\ntwo"""\nb = f"x"\n'
    text = "".join("s" if CLASSES[i] == "string" else "." for i in label_characters(source))
    assert text == "....sssssssssssss.....ssss."


def test_every_class_occurs_in_real_source():
    source = corpora.load_source(["textwrap", "heapq"])
    counts = np.bincount(label_characters(source), minlength=len(CLASSES))
    assert (counts > 0).all()
    names = {word for word, kind in zip(source, label_characters(source), strict=True) if CLASSES[kind] == "comment"}
    assert "#" in names


def test_vocabulary_spells_what_it_read():
    vocabulary, text = build_vocabulary("hello world")
    assert vocabulary.characters == " dehlorw"
    assert vocabulary.decode(vocabulary.encode("hello")) == "hello"
    assert text == "hello world"
    small, text = build_vocabulary("aaaa bbb cc d", size=3)
    assert (small.characters, text) == (" ab", "aaaa bbb     ")
    assert len(small) == 3


def test_bad_input_is_named():
    vocabulary = Vocabulary("abc")
    with pytest.raises(ValueError, match="'!' at position 2 is not in the vocabulary of 3 characters"):
        vocabulary.encode("ab!")
    with pytest.raises(ValueError, match="expected 0 to 2"):
        vocabulary.decode([0, 3])
    with pytest.raises(ValueError, match="text is empty"):
        build_vocabulary("")
    with pytest.raises(ValueError, match="size is 1"):
        build_vocabulary("abc", size=1)
    for characters in ("a", "aab"):
        with pytest.raises(ValueError, match="at least two different characters"):
            Vocabulary(characters)
    with pytest.raises(ValueError, match="source is empty"):
        label_characters("  \n")
    with pytest.raises(ValueError, match="not Python that can be tokenized"):
        label_characters('x = """never closed')
    with pytest.raises(ValueError, match="None of no_such_module"):
        corpora.load_source(["no_such_module"])


def test_verses_are_aligned_and_clean():
    verses = corpora.load_verses("kjv", "web")
    assert len(verses) > 31_000
    assert verses[0][0] == "In the beginning God created the heaven and the earth."
    assert all(verse and "[" not in verse and "\n" not in verse for pair in verses for verse in pair)
    john = next(i for i, (kjv, _) in enumerate(verses) if kjv == "Jesus wept.")
    assert verses[john][1] == "Jesus wept."
    names = ("Nebuchadnezzar", "Mordecai", "Timotheus")  # what is said of one in the one is said of him in the other
    for name, other in zip(names, ("Nebuchadnezzar", "Mordecai", "Timothy"), strict=True):
        both = [(name in kjv, other in web) for kjv, web in verses]
        assert sum(a and b for a, b in both) > 0.8 * sum(a for a, _ in both) > 10
    assert corpora.load_bible("web").split("\n")[:2] == [verses[0][1], verses[1][1]]


def test_basic_english_is_aligned_to_the_end():
    aligned = corpora.load_verses("kjv", "bbe")
    assert len(aligned) > 31_000
    verses = dict(aligned)
    assert verses["Jesus wept."] == "And Jesus himself was weeping."
    assert verses["The LORD is my shepherd; I shall not want."].endswith(
        "The Lord takes care of me as his sheep; I will not be without any good thing."
    )
    assert aligned[-1][1] == "The grace of the Lord Jesus be with the saints. So be it."
    names = ("Abraham", "Moses", "Solomon", "Daniel", "Pilate", "Timothy")  # spelled alike in both
    for name in names:
        said = [(name in kjv, name in basic) for kjv, basic in aligned]
        assert sum(a and b for a, b in said) > 0.85 * sum(a for a, _ in said) > 5, name


@pytest.mark.parametrize("versions", [(), ("kjv", "vulgate")])
def test_a_bible_that_is_not_there_is_refused_in_words(versions):
    with pytest.raises(ValueError, match="expected one or several of kjv, web, bbe"):
        corpora.load_verses(*versions)


def test_paragraphs_are_english_and_statements_are_code():
    paragraphs = corpora.load_paragraphs().split("\n")
    assert len(paragraphs) > 300
    assert min(len(line.split()) for line in paragraphs) > 12
    assert not any(">>>" in line or "===" in line for line in paragraphs)
    code = corpora.load_statements()
    assert len(code) > 800_000
    source = corpora.load_source()
    assert ast.dump(ast.parse(code.replace("\t", "    "))) == ast.dump(without_strings(ast.parse(source)))
    assert "    " not in {line[:4] for line in code.split("\n")}


def without_strings(tree):
    """Every statement that is only a string becomes ``pass``, as the loader says."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            for i, child in enumerate(getattr(node, name, None) if isinstance(getattr(node, name, None), list) else []):
                if isinstance(child, ast.Expr) and isinstance(getattr(child.value, "value", None), str):
                    getattr(node, name)[i] = ast.Pass()
    return tree


def test_labelled_docstrings_stand_in_their_file_without_the_name_of_the_library():
    found = corpora.load_labelled_docstrings(("numpy", "joblib"), most=80)
    assert [d.library for d in found].count("numpy") == 80
    assert len({d.text for d in found}) == len(found)
    for entry in found:
        assert entry.library not in entry.text.lower().split()
        assert len(entry.text.split()) >= 4
    import numpy

    entry = found[0]
    source = (Path(numpy.__file__).parents[1] / entry.file).read_text(encoding="utf-8")
    rest = source
    for word in entry.text.split():
        assert word in rest
    assert found == corpora.load_labelled_docstrings(("numpy", "joblib"), most=80)


def test_docstrings_of_no_package_are_refused():
    with pytest.raises(ValueError, match="no package 'nowhere'"):
        corpora.load_labelled_docstrings(("nowhere",))
    with pytest.raises(ValueError, match="no package 'bisect'"):
        corpora.load_labelled_docstrings(("bisect",))
    with pytest.raises(ValueError, match="most is 0"):
        corpora.load_labelled_docstrings(most=0)


def test_docstrings_leave_out_the_files_that_are_tested_on():
    everything = corpora.load_docstrings(("joblib",))
    kept = corpora.load_docstrings(("joblib",), leave_out=["joblib/hashing.py"])
    assert "Hash a Python object" not in kept
    assert 0 < len(kept) < len(everything)
    assert "joblib" not in everything.lower().split()
    with pytest.raises(ValueError, match="1 files to leave out are not there"):
        corpora.load_docstrings(("joblib",), leave_out=["joblib/nothing.py"])
    with pytest.raises(ValueError, match="no package 'nowhere'"):
        corpora.load_docstrings(("nowhere",))


def test_words_in_numbers_by_hand():
    words, numbers = corpora.number_words(["a", "b", "a", "c", "b", "a"], least=2)
    assert words == ["a", "b"]
    assert numbers.tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="No word of a text of 2 occurs 2 times"):
        corpora.number_words(["a", "b"], least=2)
