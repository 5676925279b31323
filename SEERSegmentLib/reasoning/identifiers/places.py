"""Where somebody lives: streets with a number, postcodes, P.O. boxes, and what the word "address" announces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .folding import BLANK
from .identifier import Span

__all__ = ["find_places"]

_STREETS = (
    r"street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|crescent|cres|boulevard|blvd|terrace|court|ct|place|pl|square|sq"
    r"|way|parade|gardens|grove|highway|hwy|row|mews|hill|walk|circle|parkway|pkwy"
)
_TITLE_WORD = r"[A-ZÀ-Ý][\w'-]{1,24}"
_GERMAN = r"(?:str\.|straße|strasse|weg|gasse|allee|platz|ufer|damm|ring|laan|straat|gatan|vej|veien|gata)"
_ROMANCE = (
    r"(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Ii]mpasse|[Pp]lace|Calle|C/|Avda\.?|Plaza|Via|Viale|Piazza|Corso|Rua"
    r"|Avenida|Travessa)"
)
_OF = r"(?:d[eiu'] ?(?:la |l')?|de la |del |della |des |dos |da )?"
_STATES = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
#: What the last two letters of a British postcode could be in a request instead: "T12 3RD", "L1 4HU".
_NO_INWARD = r"(?!ST|ND|RD|TH|HU|YR|PT|RT|LT|LN|WK|HR|DY|ED)"
_INWARD = rf"\d{_NO_INWARD}[ABD-HJLNP-UW-Z]{{2}}"
_CITIES = (
    r"Berlin|Hamburg|München|Köln|Frankfurt|Stuttgart|Düsseldorf|Leipzig|Dortmund|Essen|Bremen|Dresden|Hannover|Nürnberg"
    r"|Bonn|Münster|Mannheim|Heidelberg|Freiburg|Mainz|Wien|Paris|Lyon|Marseille|Toulouse|Lille|Nantes|Bordeaux|Madrid"
    r"|Barcelona|Valencia|Sevilla|Roma|Milano|Napoli|Torino|Bologna|Firenze"
)
_ANNOUNCING = (
    r"(?:(?:home|postal|patient) )?address|adresse|anschrift|wohnhaft(?: in)?|domicili\w{1,3}|dirección|direccion"
    r"|indirizzo|endereço|adres|postcode|post code|postal code|zip(?: code)?|plz|code postal|адрес|住址|地址|住所|주소"
)

_PLACES = (
    re.compile(
        rf"(?<![\w.,/-])\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:[A-Z][a-z'.][\w'.-]{{0,23}} ){{1,3}}(?i:{_STREETS})"
        r"(?!\w)\.?"
        r"(?:,? (?:Apt|Unit|Flat|Suite)\.? ?\w{1,6})?"
    ),
    re.compile(
        r"(?<![\w.,/-])\d{1,5}[a-z]? (?:[a-z'-]{2,24} ){1,2}(?:street|road|avenue|lane|boulevard|crescent)(?!\w)"
    ),
    re.compile(
        rf"(?<!\w)[A-ZÄÖÜ][\w.ß-]{{0,30}}{_GERMAN} ?\d{{1,4}} ?[a-z]?(?!\w)(?:,? \d{{4,5}} [A-ZÄÖÜ]\w{{2,24}})?"
    ),
    re.compile(
        rf"(?<![\w.,/-])(?:\d{{1,4}}(?: ?(?:bis|ter))?,? )?{_ROMANCE} {_OF}{_TITLE_WORD}(?: {_TITLE_WORD}){{0,3}}"
        rf"(?:,? ?(?:n[°.]? ?|no )?\d{{1,4}})?(?=[\s.,;)]|$)(?:,? \d{{5}} {_TITLE_WORD})?"
    ),
    re.compile(rf"(?<![\w-])[A-Z]{{1,2}}\d[A-Z\d]? ?{_INWARD}(?![\w-])"),
    re.compile(rf"(?<![\w-])(?:[a-z]{{2}}\d[a-z\d]?|[a-z]\d[a-z\d]) (?i:{_INWARD})(?![\w-])"),
    # Canada; T1N 0M0 is a stage.
    re.compile(r"(?<![\w-])(?!T\dN)[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])"),
    re.compile(rf"(?<!\w)[A-Z][a-z]{{2,20}}(?: [A-Z][a-z]{{2,20}})?,? (?:{_STATES}) \d{{5}}(?:-\d{{4}})?(?!\w)"),
    re.compile(rf"(?<!\w)(?:[A-Z]{{1,2}}-)?\d{{4,5}} (?:{_CITIES})(?!\w)"),
    re.compile(r"(?<!\w)(?i:P\.?\s?O\.?\s?Box|Postfach|Apartado) \d{1,8}(?!\w)"),
)
_ANNOUNCED = re.compile(
    rf"(?<!\w)(?:{_ANNOUNCING})(?![^\W_])\s?[:=]?\s?(?=[^\n;{BLANK}]{{0,60}}\d)(?P<place>\w[^\n;.{BLANK}]{{2,79}})",
    re.IGNORECASE,
)
_LIVES_AT = re.compile(
    rf"(?<!\w)(?:lives|living|resides|resident) (?:at|in|of) (?=[^\n;{BLANK}]{{0,60}}\d)"
    rf"(?P<place>\w[^\n;.{BLANK}]{{2,79}})",
    re.IGNORECASE,
)


def find_places(text: str) -> Iterator[Span]:
    """Each address in a folded text."""
    for pattern in _PLACES:
        yield from (Span(*match.span(), "address") for match in pattern.finditer(text))
    for pattern in (_ANNOUNCED, _LIVES_AT):
        yield from (Span(*match.span("place"), "address") for match in pattern.finditer(text))
