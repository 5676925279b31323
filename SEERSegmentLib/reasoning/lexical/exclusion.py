"""Exclusions that stand after what they exclude: "trachea no", "humerus out", "with the upper lobes taken away"."""

from __future__ import annotations

from collections.abc import Sequence

from .items import Item
from .mention import Mention
from .roles import State
from .text import word_set

__all__ = [
    "WITH",
    "TakenOut",
    "denies_before",
    "exclude",
    "exclude_antecedents",
    "exclude_taken_out",
    "followed_by_name",
]


def followed_by_name(items: Sequence[Item], at: int) -> bool:
    """Whether anatomy is named right after an item."""
    return any(i.names_anatomy for i in items[at + 1 : at + 4])


_POST = word_set(
    "ではなく じゃなく でなく ではない 不要 含めない 含まない ではなくて じゃなくて は不要 いらない",
    "以外 以外の を除く を除いて 除く 除いた なし",
)


def denies_before(item: Item, items: Sequence[Item], at: int, state: State) -> bool:
    """A negation that stands after what it denies: "trachea no", "肝臓ではなく"."""
    sided = at > 0 and items[at - 1].kinds & {"side"} and item.norm in _DONE
    answered = item.norm in ("no", "nope", "out", "nein") and at > 0 and items[at - 1].text == ":"
    if answered and state.last is not None and state.last.at == at - 2:
        return at + 1 == len(items) or items[at + 1].mark
    if state.last is None or (state.last.segment != state.segment and item.norm not in _POST and not sided):
        return False
    if item.norm in _POST and any(c < "a" or c > "z" for c in item.norm):
        return not (item.norm in ("不要",) and followed_by_name(items, at))
    following = items[at + 1] if at + 1 < len(items) else None
    if item.norm in _DONE:
        return True
    if item.norm in ("excluded", "omitted", "spared", "isnt", "is not", "no", "nein", "non", "nao", "not", "nicht"):
        return following is None or following.mark or item.norm in ("excluded", "omitted", "isnt", "is not")
    return False


_DONE = frozenset(
    {"unnecessary", "not necessary", "already contoured", "already there", "already segmented"}
    | {f"{verb} done" for verb in ("is", "are", "have been", "has been")}
    | {verb + what for verb in ("", "is ", "are ") for what in ("already done", "not needed", "not required")}
    | {
        "not wanted",
        "irrelevant",
        "not relevant",
        "not my concern",
        "can be ignored",
        "can stay out",
        "stays out",
        "stay out",
        "must stay out",
        "should stay out",
    }
    | {verb + what for verb in ("", "is ", "are ") for what in ("of no interest", "not of interest")}
    | {verb + "irrelevant" for verb in ("is ", "are ")}
    | {
        verb + what
        for verb in ("", "is ", "are ")
        for what in ("contoured already", "segmented already", "drawn already")
    }
    | {"is done already", "are done already", "is already contoured", "are already drawn", "is already drawn"}
    | {
        "i have drawn already",
        "ive drawn already",
        "i have drawn",
        "ive drawn",
        "ive already drawn",
        "is drawn",
        "are drawn",
    }
    | {"we draw ourselves", "i draw myself", "we do ourselves", "i will draw myself"}
    | {"i already have", "we already have", "i have already", "is mine", "are mine"}
    | {"can be left out", "can be omitted", "is not relevant", "are not relevant", "to be ignored"}
)


def exclude(mention: Mention, words: str) -> None:
    """Exclude a mention and those that a list joins to it."""
    if mention.role == "anchor":  # "the bone for planning, brain not required"
        mention.role, mention.why = "excluded", f"“{words}” follows it"
        return
    chained: Mention | None = mention
    while chained is not None:
        if chained.role == "wanted":
            chained.role, chained.why = "excluded", f"“{words}” follows it"
        chained = chained.joined_to


def exclude_antecedents(mentions: Sequence[Mention], items: Sequence[Item]) -> None:
    """ "The vein's full of contrast, please don't include it": what the pronoun stands for is what is excluded."""
    for mention in mentions:
        if mention.role != "excluded" or mention.item.norm not in _PRONOUNS:
            continue
        if mention.at and items[mention.at - 1].norm == "let":
            continue  # "don't let it spill into the liver"
        before = [m for m in mentions if m.at < mention.at and m.role == "wanted" and m.segment < mention.segment]
        own = [m for m in mentions if m.at < mention.at and m.role == "excluded" and m.segment == mention.segment]
        if before and not own and before[-1].joined_to is None:
            before[-1].role, before[-1].why = "excluded", f"“{mention.text}” stands for it, {mention.why}"


_PRONOUNS = word_set("it them that those")


def exclude_taken_out(mentions: Sequence[Mention]) -> None:
    """ "Right hemipelvis. Sacrum out, femoral head out.": what is taken out of what another sentence asks for."""
    out = [m for m in mentions if m.role == "wanted" and m.taken_out]
    others = [m for m in mentions if m.role == "wanted" and m not in out and m.kind in ("structure", "outside", "head")]
    for mention in out if others else ():
        mention.role, mention.why = "excluded", f"“{mention.taken_out}” follows it"


class TakenOut:
    """What "out", "off", "taken away" stand after. It is excluded only where something else is left to be wanted."""

    def __init__(self) -> None:
        self._found: list[tuple[list[Mention], str]] = []

    def reads(self, items: Sequence[Item], at: int, last: Mention | None) -> bool:
        """Whether a word such as "out" says that the mention before it is to be taken out."""
        following = items[at + 1] if at + 1 < len(items) else None
        ends = following is None or following.mark or bool(following.kinds & {"plus", "ask", "only", "yes"})
        ends = ends or _out_of_it(items, at)
        if last is None or at - last.at > _NEAR or not (ends or items[at].norm.startswith("stripped")):
            return False
        if any(i.mark or i.names_anatomy for i in items[last.at + 1 : at]):
            return False
        if any(i.norm in _VERBS for i in items[max(0, last.at - 7) : last.at]) and last.role == "wanted":
            exclude(last, items[at].text)  # "keep the bone and the cartilage out"
            return True
        whole = next((n for n in range(last.at, -1, -1) if items[n].norm in WITH), -1)
        chain: list[Mention] = []
        chained: Mention | None = last
        while chained is not None and chained.at > whole:  # "the lung with the lobes taken out": not the lung
            chain.append(chained)
            chained = chained.joined_to
        self._found.append((chain, items[at].text))
        return True

    def exclude(self, mentions: Sequence[Mention]) -> None:
        """Exclude all that was taken out, unless that is all there is."""
        out = {id(mention) for chain, _ in self._found for mention in chain}
        if not any(
            m.role == "wanted" and id(m) not in out and m.kind not in ("pronoun", "condition") for m in mentions
        ):
            for chain, words in self._found:
                for mention in chain:
                    mention.taken_out = words
            return
        for chain, words in self._found:
            for mention in chain:
                if mention.role == "wanted":
                    mention.role, mention.why = "excluded", f"“{words}” follows it"


def _out_of_it(items: Sequence[Item], at: int) -> bool:
    """ "out of the mask"."""
    after = [i.norm for i in items[at + 1 : at + 4]]
    return after[:1] == ["of"] and bool(_PRODUCTS & set(after))


_PRODUCTS = word_set("mask contour it segmentation volume outline segment")
WITH = word_set("with mit avec con com")
_VERBS = word_set("keep keeping leave leaving take taking crop carve edit")
_NEAR = 3  # items from the name to the word: "the lower lobes were taken away"
