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
_LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
# Traditional and Japanese forms → simplified, for the characters that anatomy uses: one entry then serves all three.
_HAN_FROM = (
    "腎臓臟腸動靜脈腦脳頭頸頚關関節膽葉氣気體門總総鎖囊腫轉転幹雙両兩側個顎"
    "齒歯髖髄濾脛橈鐘軟縱縦狀顱頂顳黃贅闌漿淚膵顏頬頰間盤瞼診斷斷質塊損傷"
)
_HAN_TO = (
    "肾脏脏肠动静脉脑脑头颈颈关关节胆叶气气体门总总锁嚢肿转转干双两两侧个颌"
    "齿齿髋髓滤胫桡钟软纵纵状颅顶颞黄赘阑浆泪胰颜颊颊间盘睑诊断断质块损伤"
)
_CHARACTERS = str.maketrans({**_LETTERS, **dict(zip(_HAN_FROM, _HAN_TO, strict=True))})

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
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        folded = unicodedata.normalize("NFKC", _MARKS.sub("", folded)).casefold().translate(_CHARACTERS)
    if not folded.replace(" ", "").isalnum():
        folded = _APOSTROPHES.sub("", folded.replace("&", " and "))
        folded = _DOTTED.sub(lambda match: match[0].replace(".", ""), folded)
        folded = _SPLIT.sub(" ", folded)
    folded = " ".join(folded.split())
    pattern, table = _spelling()
    folded = pattern.sub(lambda match: table[match[0]], folded)
    return folded if folded.isascii() else _CJK_SPACE.sub("", folded)
