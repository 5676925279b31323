"""The one way in which SEER folds text before it compares it."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path

__all__ = ["DATA", "normalise"]

DATA = Path(__file__).parent / "data"

# Letters that NFKC leaves alone though readers take them for plain ones.
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "&": " and "}
)
# Traditional and Japanese forms → simplified, for the characters that anatomy uses: one entry then serves all three.
_HAN_FROM = "腎臓臟腸動靜脈腦脳頭頸頚關関節膽葉氣気體門總総鎖囊腫轉転幹雙両兩側個腺顎齒歯髖髄髓濾肋髋脛橈尺鐘軟縱縦甲狀状顱頂顳黃贅闌漿淚膵顏頬頰"
_HAN_TO = "肾脏脏肠动静脉脑脑头颈颈关关节胆叶气气体门总总锁嚢肿转转干双两两侧个腺颌齿齿髋髓髓滤肋髋胫桡尺钟软纵纵甲状状颅顶颞黄赘阑浆泪胰颜颊颊"
_HAN = str.maketrans(_HAN_FROM, _HAN_TO)

_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc`´](?:s\b)?")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")
_MARKS = re.compile("[\u0300-\u036f]")
_SPLIT = re.compile(r"[\W_]+")
_CJK = "[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff]"
_CJK_SPACE = re.compile(f"(?<={_CJK}) (?={_CJK}|[0-9])|(?<=[0-9]) (?={_CJK})")


@cache
def _spelling() -> tuple[re.Pattern[str], dict[str, str]]:
    """British stems and their American forms (data/spelling.csv)."""
    with (DATA / "spelling.csv").open(encoding="utf-8", newline="") as file:
        table = {row["british"]: row["american"] for row in csv.DictReader(file)}
    return re.compile("|".join(sorted(table, key=len, reverse=True))), table


def normalise(text: str) -> str:
    """Fold a text for comparison: the single one used for terms, requests and answers alike.

    Unicode compatibility forms, case, diacritics, apostrophes (with a possessive s), dots of abbreviations, British
    spelling, Chinese and Japanese character variants; every other run of punctuation and white space becomes one
    space. Idempotent. Linear in the length of the text.
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
        folded = unicodedata.normalize("NFKC", folded.casefold()).translate(_HAN)
    folded = folded.translate(_LETTERS)
    folded = _APOSTROPHES.sub("", folded)
    folded = _DOTTED.sub(lambda match: match[0].replace(".", ""), folded)
    folded = _SPLIT.sub(" ", folded).strip()
    pattern, table = _spelling()
    folded = pattern.sub(lambda match: table[match[0]], folded)
    return _CJK_SPACE.sub("", folded) if not folded.isascii() else folded
