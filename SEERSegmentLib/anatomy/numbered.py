"""Terms that follow a rule: vertebrae, ribs, discs and liver segments, in the languages of the tables.

Twenty-five vertebrae, twelve ribs and twenty-three discs have some forty names each; a rule says them once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from .levels import VERTEBRAE
from .structure import Entry

__all__ = ["ROMAN", "numbered_entries"]

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

_ORDINALS = {  # feminine where a language has genders: vertebra and rib are feminine in all but German's Wirbel
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "de": "erster zweiter dritter vierter fünfter sechster siebter achter neunter zehnter elfter zwölfter",
    "de-f": "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte",
    "fr": "première deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième",
    "es": "primera segunda tercera cuarta quinta sexta séptima octava novena décima undécima duodécima",
    "it": "prima seconda terza quarta quinta sesta settima ottava nona decima undicesima dodicesima",
    "pt": "primeira segunda terceira quarta quinta sexta sétima oitava nona décima undécima duodécima",
    "la": "prima secunda tertia quarta quinta sexta septima octava nona decima undecima duodecima",
}
_HAN_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_LETTERS = {"C": ("C",), "T": ("T", "D", "Th"), "L": ("L",), "S": ("S",)}
_ADJECTIVES = {
    "C": {"en": "cervical", "la": "cervicalis", "fr": "cervicale", "es": "cervical", "it": "cervicale"},
    "T": {"en": "thoracic dorsal", "la": "thoracica", "fr": "thoracique dorsale", "es": "torácica dorsal"},
    "L": {"en": "lumbar", "la": "lumbalis", "fr": "lombaire", "es": "lumbar", "it": "lombare", "pt": "lombar"},
    "S": {"en": "sacral", "la": "sacralis", "fr": "sacrée", "es": "sacra", "it": "sacrale", "pt": "sacral"},
}
_ADJECTIVES["C"]["pt"] = "cervical"
_ADJECTIVES["T"] |= {"it": "toracica dorsale", "pt": "torácica dorsal"}
_NOUNS = {"la": "vertebra", "fr": "vertèbre", "es": "vértebra", "it": "vertebra", "pt": "vértebra"}
_MARKS = {"la": ("",), "fr": ("e", "ème", ""), "es": ("a", ""), "it": ("a", ""), "pt": ("a", "")}  # "ª" folds to "a"
_GERMAN = {
    "C": ("Halswirbel", "HWK", "HW"),
    "T": ("Brustwirbel", "BWK", "BW"),
    "L": ("Lendenwirbel", "LWK", "LW"),
    "S": ("Sakralwirbel", "SWK", "Kreuzbeinwirbel"),
}
_HAN = {"C": "颈", "T": "胸", "L": "腰", "S": "骶 仙"}


def numbered_entries() -> Iterator[Entry]:
    """Every term of every numbered structure; terms are not yet normalised."""
    for region, count in (("C", 7), ("T", 12), ("L", 5), ("S", 1)):
        for n in range(1, count + 1):
            id, level = f"vertebrae_{region}{n}", f"{region}{n}"
            for language, term in _vertebra(region, n):
                kind = "abbreviation" if language == "abb" else "synonym" if language == "en" else "translation"
                yield Entry(id, term, kind, "en" if language == "abb" else language, level=level)
    for n in range(1, 13):
        for language, term in _rib(n):
            yield Entry("rib", term, "synonym" if language == "en" else "translation", language, level=str(n))
        for term in (f"{_ordinal(n)} ribs", f"{_word('en', n)} ribs"):
            yield Entry(f"ribs_{n}", term, "synonym", level=str(n))
    discs = VERTEBRAE[1 : VERTEBRAE.index("S1") + 1]
    for upper, lower in pairwise(discs):
        for language, term in _disc(upper, lower):
            kind = "synonym" if language == "en" else "translation"
            yield Entry(f"disc_{upper}_{lower}", term, kind, language, level=f"{upper}/{lower}")
    for n, roman in enumerate(ROMAN[:8], start=1):
        for number in (str(n), roman):
            for term in (
                f"liver segment {number}",
                f"hepatic segment {number}",
                f"segment {number} of liver",
                f"segment {number} of the liver",
                f"Couinaud segment {number}",
                f"Couinaud {number}",
            ):
                kind = "eponym" if "Couinaud" in term else "synonym"
                yield Entry(f"liver_segment_{n}", term, kind, level=str(n))


def _word(language: str, n: int) -> str:
    return _ORDINALS[language].split()[n - 1]


def _ordinal(n: int) -> str:
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n, 'th') }"


def _vertebra(region: str, n: int) -> Iterator[tuple[str, str]]:
    for letters in _LETTERS[region]:
        yield from (("abb", f"{letters}{n}"), ("abb", f"{letters} {n}"))
        for text in (f"{letters}{n}", f"{letters} {n}"):
            yield from (
                ("en", term)
                for term in (f"{text} vertebra", f"vertebra {text}", f"{text} vertebral body", f"vertebral body {text}")
            )
            yield from ((language, f"{noun} {text}") for language, noun in _NOUNS.items())
            yield from (("zh", f"{text}椎体"), ("zh", f"{text}椎"), ("de", f"Wirbel {text}"))
    for adjective in _ADJECTIVES[region]["en"].split():
        yield from (("en", f"{ordinal} {adjective} vertebra") for ordinal in (_ordinal(n), _word("en", n)))
        yield from (("en", f"{ordinal} {adjective} vertebral body") for ordinal in (_ordinal(n), _word("en", n)))
        yield from (("en", f"{adjective} vertebra {n}"), ("en", f"{adjective} vertebral body {n}"))
        yield from (("en", f"{adjective} {n}"), ("en", f"vertebra {adjective} {n}"))
    for language, noun in _NOUNS.items():
        for adjective in _ADJECTIVES[region][language].split():
            yield language, f"{_word(language, n)} {noun} {adjective}"
            yield language, f"{noun} {adjective} {_word(language, n)}"
            yield from ((language, f"{noun} {adjective} {number}") for number in (n, ROMAN[n - 1]))
            yield from ((language, f"{n}{mark} {noun} {adjective}") for mark in _MARKS[language])
    for noun in _GERMAN[region]:
        yield from (("de", f"{noun} {n}"), ("de", f"{noun}{n}"), ("de", f"{n}. {noun}"))
    wirbel = _GERMAN[region][0]
    yield from (("de", f"{_word(form, n)}{end} {wirbel}") for form, end in (("de", ""), ("de-f", ""), ("de-f", "n")))
    yield from (("de", f"{wirbel}körper {n}"), ("de", f"{n}. {wirbel}körper"))
    for sign in _HAN[region].split():
        for number in (str(n), _HAN_NUMBERS[n - 1]):
            for term in (f"第{number}{sign}椎", f"第{number}{sign}椎体", f"{sign}{number}椎体", f"{sign}{number}椎"):
                yield "zh", term
            yield "zh", f"{sign}{number}"


def _rib(n: int) -> Iterator[tuple[str, str]]:
    yield from (("en", f"{ordinal} rib") for ordinal in (_ordinal(n), _word("en", n)))
    yield from (("en", f"rib {n}"), ("en", f"rib number {n}"), ("en", f"rib no {n}"), ("en", f"rib {ROMAN[n - 1]}"))
    yield from (("la", f"costa {_word('la', n)}"), ("la", f"costa {ROMAN[n - 1]}"), ("it", f"costa {n}"))
    yield from (("de", f"{n}. Rippe"), ("de", f"Rippe {n}"), ("de", f"{_word('de-f', n)} Rippe"))
    yield ("de", f"{_word('de-f', n)}n Rippe")
    yield from (("fr", term) for term in (f"{n}e côte", f"{n}ème côte", f"côte {n}", f"{_word('fr', n)} côte"))
    for language, noun in (("es", "costilla"), ("it", "costa"), ("it", "costola"), ("pt", "costela")):
        yield from ((language, f"{noun} {n}"), (language, f"{_word(language, n)} {noun}"))
        yield from ((language, f"{n}a {noun}"), (language, f"{noun} {ROMAN[n - 1]}"))
    for number in (str(n), _HAN_NUMBERS[n - 1]):
        yield from (("zh", f"第{number}肋骨"), ("zh", f"第{number}肋"))


def _disc(upper: str, lower: str) -> Iterator[tuple[str, str]]:
    below_letters = _LETTERS[lower[0]]
    for at, above in enumerate(_LETTERS[upper[0]]):
        below = below_letters[at % len(below_letters)]
        top, bottom = f"{above}{upper[1:]}", f"{below}{lower[1:]}"
        joined = [f"{top} {bottom}"]
        if upper[0] == lower[0]:
            joined += [f"{top} {lower[1:]}", f"{top}{lower[1:]}"] if int(upper[1:]) < 10 else [f"{top} {lower[1:]}"]
        for text in joined:
            for noun in ("disc", "disk", "intervertebral disc", "intervertebral disk", "disc space"):
                yield from (("en", f"{text} {noun}"), ("en", f"{noun} {text}"))
            yield from (("de", f"Bandscheibe {text}"), ("fr", f"disque {text}"), ("es", f"disco {text}"))
            yield from (("it", f"disco {text}"), ("zh", f"{text}椎间盘"))
