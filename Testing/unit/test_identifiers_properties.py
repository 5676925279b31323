"""What holds of every text: nothing is raised, spans are sound, a masked text holds nothing more, work is linear."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.bench_identifiers import ordinary_requests, planted_rows
from SEERSegmentLib.reasoning import identifiers
from SEERSegmentLib.reasoning.identifiers import KINDS, Identifier, find_identifiers, masked
from SEERSegmentLib.reasoning.identifiers.naming import Reader
from SEERSegmentLib.reasoning.identifiers.tokens import tokenise
from SEERSegmentLib.reasoning.identifiers.words import load_words

FRAGMENTS = sorted(
    {
        word
        for request in (*(row.request for row in planted_rows()), *ordinary_requests("tune"))
        for word in request.replace(",", " , ").split()
    }
)
SEPARATORS = st.sampled_from(
    [" ", " ", " ", ", ", ". ", ": ", "-", "/", "\n", "", "^", "#", "(", ")", "\u200b", "\xa0", "'s "]
)
MIXED = st.lists(st.tuples(st.sampled_from(FRAGMENTS), SEPARATORS), max_size=14).map(
    lambda parts: "".join(word + separator for word, separator in parts)
)
TEXTS = st.one_of(MIXED, st.text(max_size=80), st.text(alphabet="aA1 .,-/^@#:Mr\n_", max_size=50))


def check_spans(text: str, found: tuple[Identifier, ...]) -> None:
    at = 0
    for one in found:
        assert at <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text
        assert one.kind in KINDS
        at = one.end


@given(TEXTS)
@example("Address: 1.25 ")
@example("Mr \ufffc Smith, MRN \ufffc12345")
@example("\ud800Mr Smith\udfff")
@example("Mr Smith \u202e12345\u202c")
@example("John, John, John, John")
@settings(max_examples=500)
def test_any_text_is_read(text: str) -> None:
    found = find_identifiers(text)
    check_spans(text, found)
    assert find_identifiers(masked(text, found)) == ()


@given(st.lists(st.sampled_from([f"{name} " for name in KINDS.values()]), max_size=6).map("".join), MIXED)
def test_placeholders_of_an_earlier_screening_stay(placeholders: str, text: str) -> None:
    assert masked(placeholders) == placeholders
    assert masked(placeholders + masked(text)) == placeholders + masked(text)


@given(MIXED)
def test_what_is_not_masked_is_not_changed(text: str) -> None:
    found = find_identifiers(text)
    rest = masked(text)
    at = 0
    for one in found:
        between = text[at : one.start]
        assert rest.startswith(between)
        rest = rest[len(between) :].removeprefix(KINDS[one.kind])
        at = one.end
    assert rest == text[at:]


def test_only_the_identifiers_that_are_given_are_masked() -> None:
    text = "Mr Okonkwo, MRN 4839201, left kidney"
    name, number = find_identifiers(text)
    assert masked(text, [number]) == "Mr Okonkwo, MRN [record number], left kidney"
    assert masked(text, [name]) == "Mr [name], MRN 4839201, left kidney"
    assert masked(text, []) == text


def test_a_text_shows_in_no_repr() -> None:
    (one,) = find_identifiers("Dr Okonkwo wants the spleen")
    assert one.text == "Okonkwo"
    assert "Okonkwo" not in repr(one)
    assert repr(one) == "Identifier(kind='name', start=3, end=10)"


ADVERSARIAL = (
    "a", "1", "a.", "1.", "1-", "1/", "1 ", "Mr ", "Smith ", "A. ", "John, ", "MRN ", "a@", "a@a.", "/a", "a^", "+1",
    "one ", "12 may ", "van ", "O'", "call me on ", "dob ", "x dot ", "12 Elm ", "thanks ", "0:", "[name] ", "И. ",
    "a_", "A1-", "\u200b", "1 2 840 ", "address 1", "\u0301", "王", "さん", "Okonkwo Adeyemi ", "\n", "((((", "#1",
)  # fmt: skip


@pytest.mark.parametrize("unit", ADVERSARIAL, ids=repr)
def test_long_repetitions_are_read(unit: str) -> None:
    text = unit * (8_000 // len(unit))
    found = find_identifiers(text)
    check_spans(text, found)
    assert find_identifiers(masked(text, found)) == ()


def test_a_megabyte_is_read() -> None:
    unit = "Outline the left kidney, T12 and the mass of 3.2 x 4.1 cm in segment VIII. "
    text = unit * (1_000_000 // len(unit))
    check_spans(text, find_identifiers(text))


class CountingReader(Reader):
    """Counts the tokens that are looked at."""

    looked = 0

    def at(self, index: int):  # type: ignore[no-untyped-def]
        type(self).looked += 1
        return super().at(index)


@pytest.mark.parametrize("unit", [u for u in ADVERSARIAL if len(tokenise(u)) and u not in ("a", "1")], ids=repr)
def test_the_tokens_looked_at_are_in_proportion_to_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("SEERSegmentLib.reasoning.identifiers.screen.Reader", CountingReader)
    counts = []
    for size in (2_000, 4_000):
        CountingReader.looked = 0
        find_identifiers(unit * (size // len(unit)))
        counts.append(CountingReader.looked)
    assert counts[1] <= 2.2 * counts[0] + 500


_parser = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern that a module of the package holds, by itself or in a tuple, with its name."""
    for info in pkgutil.iter_modules(identifiers.__path__):
        module = importlib.import_module(f"{identifiers.__name__}.{info.name}")
        for name, value in vars(module).items():
            for item in value if isinstance(value, tuple) else (value,):
                for part in item if isinstance(item, tuple) else (item,):
                    if isinstance(part, re.Pattern):
                        yield f"{info.name}.{name}", part


#: Runs of one class of characters, each read once and never tried again at another length.
SINGLE_RUNS = {"tokens._TOKEN", "labelled._LETTERS", "words._WORD", "forms._FOLDER", "labelled._MARKED_LABEL"}


def test_every_pattern_has_a_bounded_reach() -> None:
    """A pattern that can match so many characters and no more does bounded work at each place of a text."""
    seen = list(patterns())
    assert len(seen) > 80
    for name, pattern in seen:
        if name in SINGLE_RUNS:
            continue
        _, widest = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE | re.UNICODE).getwidth()
        assert widest < 10_000, f"{name}: {pattern.pattern[:80]}"


def test_the_import_is_light() -> None:
    code = (
        "import sys; from SEERSegmentLib.reasoning.identifiers import masked; masked('Mr Smith'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert not loaded & {"torch", "scipy", "SimpleITK", "requests", "PIL", "pydicom", "rapidfuzz"}


def test_the_lists_do_not_contradict_each_other() -> None:
    """A name that is nothing else is no ordinary word; an eponym is none either."""
    words = load_words()
    assert not (words.given | words.surnames) & words.ordinary
    assert not words.eponyms & words.ordinary
    assert not words.given & words.never
    assert not words.surnames & words.never
    assert words.body <= words.also_names
    assert words.common_eponyms & {"smith", "johnson", "wilson"}
