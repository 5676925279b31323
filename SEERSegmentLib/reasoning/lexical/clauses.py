"""Cuts a text into clauses and tells what each is for: request, history, quoted, or an attempt to steer the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .items import Item
from .steering import quotes_someone, steers
from .text import Token, word_set

__all__ = ["Clause", "Role", "Span", "assign_roles", "cut"]


class Role(str, Enum):
    """What a clause is for."""

    REQUEST = "request"
    CONTEXT = "context"
    QUOTED = "quoted"
    STEERING = "steering"


@dataclass(frozen=True, slots=True)
class Span:
    """A clause before it is read: its tokens, the header it stands under, and whether it is a quotation."""

    start: int
    end: int
    header: str = ""
    quoted: bool = False
    paragraph: int = 0
    bracketed: bool = False
    tagged: bool = False  # inside of <tags>: markup, not what a person says


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause, read: its words as typed, its items and its role with the reason for it."""

    text: str
    items: tuple[Item, ...]
    role: Role
    why: str = ""
    span: Span = Span(0, 0)

    def has(self, *kinds: str) -> bool:
        return any(item.kinds & set(kinds) for item in self.items)

    @property
    def names_anatomy(self) -> bool:
        return any(item.names_anatomy for item in self.items)


_TITLES = word_set("dr mr mrs ms prof st fig v m vs no nr lig")
_ABBREVIATIONS = _TITLES | word_set(
    "rt lt pls plz approx e g i eg ie art z b d h ca izq dcha dch dx sx sin sn dext vol max min diam seg incl",
    "glut art musc oes duod panc abd thor lumb cerv vert prox dist kid adr asc desc comm subcl brach ven lob bil",
    "excl resp ggf ant post sup inf lat med li re bds a p r l pt hx cf etc incl resp bzw evtl int ext segm",
)
_OPEN, _CLOSE = "\"\u201c\u00ab\u201e\u2018\u300c\u300e'", "\"\u201d\u00bb\u201c\u2019\u300d\u300f'"
_PAIRS = {"\"": "\"", "\u201c": "\u201d", "\u00ab": "\u00bb", "\u201e": "\u201c\u201d", "\u2018": "\u2019",
          "\u300c": "\u300d", "\u300e": "\u300f", "'": "'", "[": "]", "<": ">", "{": "}"}  # fmt: skip
_STOPS = frozenset(".!?;\u3002\uff01\uff1f\uff1b")
_MAX_QUOTE = 400  # tokens
_MAX_CLAUSE = 250  # words: nobody writes a longer sentence; text without stops is cut here
_CJK_WORD = 2  # characters of Chinese or Japanese that count as a word


def cut(tokens: Sequence[Token]) -> list[Span]:
    """Sentences, with quotations and bracketed notes on their own and the section header each stands under."""
    spans: list[Span] = []
    start, paragraph, at = 0, 0, 0
    words, counted_to = 0, 0
    while at < len(tokens):
        token = tokens[at]
        if start > counted_to:
            words, counted_to = 0, start
        words += max(1, len(token.norm) // _CJK_WORD) if token.kind == "cjk" else 1
        if token.newline and at > start and _breaks_line(tokens, at):
            spans.append(Span(start, at, paragraph=paragraph))
            start = at
            paragraph += 1
        if token.text in _PAIRS and (close := _closing(tokens, at)):
            if close - at > 4 or token.text in "[{<":
                if at > start:
                    spans.append(Span(start, at, paragraph=paragraph))
                bracket = token.text in "[{<"
                inner = _sentences(tokens, at + 1, close, paragraph)
                spans += [replace(span, quoted=not bracket, bracketed=bracket) for span in inner]
                start = close + 1
            at = close + 1
            continue
        if (token.text in _STOPS and _stops(tokens, at)) or words > _MAX_CLAUSE:
            spans.append(Span(start, at + 1, paragraph=paragraph))
            start = at + 1
        at += 1
    if start < len(tokens):
        spans.append(Span(start, len(tokens), paragraph=paragraph))
    return [s for s in spans if any(t.is_word for t in tokens[s.start : s.end])]


def _sentences(tokens: Sequence[Token], start: int, end: int, paragraph: int) -> list[Span]:
    spans, begin = [], start
    for at in range(start, end):
        if tokens[at].text in _STOPS and _stops(tokens, at):
            spans.append(Span(begin, at + 1, paragraph=paragraph))
            begin = at + 1
    if begin < end:
        spans.append(Span(begin, end, paragraph=paragraph))
    return spans


def _closing(tokens: Sequence[Token], at: int) -> int | None:
    opening = tokens[at]
    wanted = _PAIRS[opening.text]
    if opening.text == "'" and (at and not opening.spaced and tokens[at - 1].is_word):
        return None
    if opening.text == "<" and at + 1 < len(tokens) and (tokens[at + 1].spaced or tokens[at + 1].norm[:1].isdigit()):
        return None
    for other in range(at + 1, min(len(tokens), at + _MAX_QUOTE)):
        token = tokens[other]
        if token.text in wanted:
            if token.text == "'" and (
                token.spaced or (other + 1 < len(tokens) and tokens[other + 1].is_word and not tokens[other + 1].spaced)
            ):
                continue
            return other
    return None


def _breaks_line(tokens: Sequence[Token], at: int) -> bool:
    before, after = tokens[at - 1], tokens[at]
    if before.text not in ",+&/" and _short_line(tokens, at, -1) and _short_line(tokens, at, 1):
        return True  # a list, one name a line
    return before.text in _STOPS or before.text == ":" or not after.text[:1].islower()


def _short_line(tokens: Sequence[Token], at: int, step: int) -> bool:
    """Whether the line that ends or begins at a line break has a few words, as an entry of a list has."""
    count = 0
    place = at - 1 if step < 0 else at
    while 0 <= place < len(tokens) and count <= _ENTRY:
        count += 1
        if step < 0 and tokens[place].newline:
            break
        place += step
        if step > 0 and place < len(tokens) and tokens[place].newline:
            break
    return count <= _ENTRY


_ENTRY = 4  # tokens


def _stops(tokens: Sequence[Token], at: int) -> bool:
    """Whether a stop ends a sentence: not in "rt.", "3. Rippe", "5.1", "?hydro"."""
    token = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    previous = tokens[at - 1] if at else None
    if following is None or token.text in "\u3002\uff01\uff1f\uff1b;":
        return True
    if following.text in _STOPS:
        return False
    if token.text == "." and previous is not None and previous.text == "." and following.text[:1].islower():
        return False
    if token.text in "?!":
        return not (following.is_word and not following.spaced)
    if not following.spaced:
        return False
    if previous is None or following.newline:
        return True
    if previous.norm in _TITLES:
        return False
    if previous.norm in _ABBREVIATIONS or (len(previous.norm) == 1 and previous.norm.isalpha()):
        return following.text[:1].isupper() and len(following.text) > 2
    if (
        previous.norm.isdecimal()
        and len(previous.norm) <= 2
        and (at < 2 or not tokens[at - 2].is_word or tokens[at - 2].norm.isalpha())
    ):
        return following.norm not in _COUNTED_NOUNS
    return True


_COUNTED_NOUNS = word_set(
    "rippe rippen lendenwirbel brustwirbel halswirbel wirbel lendenwirbelkorper brustwirbelkorper",
    "halswirbelkorper bwk lwk hwk linke rechte linken rechten costilla costola cote vertebra sakralwirbel",
)


def assign_roles(clauses: Sequence[Clause]) -> list[Clause]:
    """Tell requests from everything else.

    Text that talks to the system instead of about the patient is set aside first, then quotations that give orders;
    of what is left, sentences that ask are requests; where none asks, those that read like one.
    """
    marked = _set_aside(clauses)
    open_ = [n for n, c in enumerate(marked) if c.role is Role.CONTEXT]
    chosen = _requests(marked, open_)
    if not chosen:  # a request that is nothing but a quotation is a request, unless it steers
        quoted = [n for n, c in enumerate(marked) if c.role is Role.QUOTED]
        if not any(marked[n].names_anatomy for n in open_):
            chosen = {n: "the only words that ask are quoted" for n in quoted if marked[n].names_anatomy}
    return [replace(c, role=Role.REQUEST, why=chosen[n]) if n in chosen else c for n, c in enumerate(marked)]


def _set_aside(clauses: Sequence[Clause]) -> list[Clause]:
    marked: list[Clause] = []
    steering_in = -1  # paragraph in which a steering clause stands
    talking = [_steers(c) for c in clauses]
    genuine = {n for n, c in enumerate(clauses) if _orders(c) and c.names_anatomy and not talking[n]}
    third_party = False
    for n, clause in enumerate(clauses):
        words = clause.text[:2000]
        other = bool(genuine - {n}) if len(genuine) < 3 else True
        if talking[n]:
            steering_in = clause.span.paragraph
            marked.append(replace(clause, role=Role.STEERING, why="it addresses the system, not the image"))
        elif clause.span.quoted and (_orders(clause) or third_party or len(clause.items) > 8):
            marked.append(replace(clause, role=Role.QUOTED, why="it is quoted from someone else"))
        elif clause.span.bracketed and _orders(clause) and other:
            marked.append(replace(clause, role=Role.QUOTED, why="it is a bracketed note"))
        elif quotes_someone(words) and _orders(clause) and other and not clause.has("only"):
            marked.append(replace(clause, role=Role.QUOTED, why="it reports what someone else wrote"))
        elif (
            steering_in == clause.span.paragraph
            and n
            and marked[-1].role is Role.STEERING
            and _orders(clause)
            and clause.span.header != "request"
            and (len(genuine) > 2 or bool(genuine - {n, n - 1}))
        ):
            marked.append(replace(clause, role=Role.STEERING, why="it goes on with the text before it"))
        else:
            marked.append(replace(clause, role=Role.CONTEXT))
        third_party = bool(quotes_someone(words))
    return marked


def _steers(clause: Clause) -> bool:
    text = clause.text[:2000]
    return (
        steers(text)
        or text.lstrip().startswith("!--")
        or clause.span.tagged
        or ("{" in text and "label" in text.casefold())
    )


def _orders(clause: Clause) -> bool:
    return clause.has("ask")


def _strong(clause: Clause) -> bool:
    items = clause.items
    return any(
        any(s.kind == "ask" and s.value != "weak" for s in item.senses) and not _noun(items, at)
        for at, item in enumerate(items)
    )


_NOUNS_TOO = word_set("outline outlines contour contours mask masks segment segments mark label labels trace highlight")


def _noun(items: Sequence[Item], at: int) -> bool:
    """Whether a word that can ask is a noun here: "nodular contour", "in segment VIII"."""
    if items[at].norm not in _NOUNS_TOO or at == 0:
        return False
    before = items[at - 1]
    after = items[at + 1] if at + 1 < len(items) else None
    if after is not None and after.norm in _DETERMINERS:
        return False
    if (
        before.mark
        or before.kinds & {"ask", "plus", "only"}
        or before.norm in ("to", "just", "you", "also", "then", "now", "so")
    ):
        return after is not None and after.kinds >= {"roman"}
    return not (
        after is not None
        and (after.names_anatomy or "side" in after.kinds)
        and not before.kinds & {"rel", "adjective", "structure"}
    )


_DETERMINERS = word_set("the a an this that these both all each my our his her their whatever every it them only")


def _requests(clauses: Sequence[Clause], open_: Sequence[int]) -> dict[int, str]:
    strong = [
        n
        for n in open_
        if (_strong(clauses[n]) or clauses[n].span.header == "request") and clauses[n].span.header != "history"
    ]
    strong = strong or [n for n in open_ if _strong(clauses[n])]
    today = [n for n in open_ if not clauses[n].has("past")]
    if any(clauses[n].has("ask", "only") for n in today):
        strong = [n for n in strong if n in today]
    named = [n for n in strong if _has_object(clauses[n])]
    if named:
        return _extended(dict.fromkeys(strong, "it asks"), clauses, open_)
    weak = [
        n for n in open_ if clauses[n].has("ask") and _has_object(clauses[n]) and clauses[n].span.header != "history"
    ]
    weak = [n for n in weak if not clauses[n].has("normal")] or weak  # "no ring, normal" asks for none
    only = [
        n
        for n in open_
        if (_has_object(clauses[n]) or clauses[n].has("side")) and (clauses[n].has("only") or clauses[n].has("missing"))
    ]
    bare = [n for n in open_ if _bare(clauses[n])]
    bare += [n for n in open_ if bare and n not in bare and _entry(clauses[n])]
    if len(open_) == 1:
        return {open_[0]: "it is the only sentence"}
    if strong:  # "Left kidney. Outline please."
        pointing = bare or [n for n in open_ if clauses[n].names_anatomy and clauses[n].span.header != "history"][-1:]
        return _extended(dict.fromkeys((*strong, *pointing), "it asks"), clauses, open_)
    for group, why in (
        (only, "it says what alone is wanted"),
        (weak, "it asks"),
        (bare, "it names anatomy and nothing else"),
    ):
        if group:
            return _extended(dict.fromkeys(group, why), clauses, open_)
    objects = [n for n in open_ if _has_object(clauses[n])]
    last = objects[-1:]
    if last and _points_back(clauses[last[0]]) and last[0] - 1 in open_:
        return dict.fromkeys((last[0] - 1, *last), "no sentence asks; these are the last that name something")
    return dict.fromkeys(last, "no sentence asks; it is the last that names something")


def _points_back(clause: Clause) -> bool:
    """ "The principal one, not its helper.", "The lingula counts as part of it.": what is meant was told before."""
    heads = [i for i in clause.items if "head" in i.kinds or "pron" in i.kinds]
    return any(i.norm in _BACK for i in heads) or any(i.norm in ("its", "their") for i in clause.items)


_BACK = word_set("one ones it they them")


def _has_object(clause: Clause) -> bool:
    return clause.names_anatomy or clause.has("head", "disease", "adjective", "pron", "remain")


def _bare(clause: Clause) -> bool:
    """A noun phrase of a few words, like an entry on a list."""
    words = [i for i in clause.items if not i.mark]
    return (
        clause.names_anatomy
        and words[0].norm not in _STUDIES
        and len(words) <= 6
        and not clause.has("disease", "normal", "abnormal", "removed")
        and clause.span.header != "history"
    )


_STUDIES = word_set("ct mr mri cta mra mrcp ctpa pet hrct cbct")


def _entry(clause: Clause) -> bool:
    """A lesion as an entry of a list: on a line of its own with a bullet, or between semicolons."""
    items = clause.items
    words = [i for i in items if not i.mark]
    listed = items[0].text in _BULLETS or items[-1].text in (";", "\uff1b")
    lesion = any(i.disease is not None and i.disease.lesion for i in items)
    return listed and lesion and len(words) <= 6 and not clause.has("normal", "removed")


_BULLETS = frozenset("-*\u2022\u2013\u00b7")


def _extended(chosen: dict[int, str], clauses: Sequence[Clause], open_: Sequence[int]) -> dict[int, str]:
    """Neighbours of a request that only say what is not meant, or what alone is, belong to it."""
    first = min(chosen)
    for n in open_:
        words = [i for i in clauses[n].items if not i.mark]
        if n in chosen or not words or (not _has_object(clauses[n]) and not clauses[n].has("side")):
            continue
        leading = words[0].kinds
        after = n > first and n - 1 in chosen
        before = n + 1 in chosen
        following = clauses[n + 1] if n + 1 < len(clauses) and n + 1 in chosen else None
        goes_on = following is not None and following.items[0].norm in _ADDING and not clauses[n].has("past")
        if goes_on and clauses[n].span.header != "history" and not clauses[n].has("disease", "normal", "abnormal"):
            chosen[n] = "the next sentence adds to it"
        told_side = clauses[n].has("side") and any(i.norm in _BACK for i in clauses[n].items)
        if n > first and told_side and len(words) <= _ENTRY + 4 and not clauses[n].names_anatomy:
            chosen[n] = "it says which side"
        if (after and leading & {"not", "only", "except", "patientside", "screen", "side"}) or (
            before and leading & {"not", "except"} and words[0].norm in _SPOKEN_NOT
        ):
            chosen[n] = "it narrows the request beside it"
    return chosen


_ADDING = word_set("add also plus additionally and include including") | {"and also", "in addition"}
_SPOKEN_NOT = word_set("not dont never mind forget skip ignore leave nicht pas non ignore leave out spare omit exclude")
