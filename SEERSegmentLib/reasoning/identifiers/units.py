"""What tells a measurement from a number that identifies: the unit after it, the quantity before it."""

from __future__ import annotations

import re

__all__ = ["counted_after", "counts_many", "has_length", "has_unit", "measured_before", "range_before"]

_UNIT = re.compile(
    r" ?-? ?(?:[cmµun]m[²³23]?|cc|[mdcµ]l|[kmµn]g|[mc]?gy|hu|k?hz|mhz|[km]v|kvp|mas|m?sv|tesla|secs?|seconds?|mins?"
    r"|minutes?|hrs?|hours?|days?|weeks?|wks?|months?|years?|yrs?|yo|y/?o|voxels?|pixels?|px|slices?|images?|cells?|counts?"
    r"|i?u/m?l|miu|mmol|[µun]mol|pmol|mmhg|bpm|degrees?|french|gauge|mci|[mg]bq|[km]ev|ppm|x10|×10|units?|patients?|cases?"
    r"|steps?|iterations?|cmm|platelets|mcg|lbs?|rpm)(?![^\W\d_])"
    r"| ?(?:%|°|/(?:[µumd]?l|mm|cmm|mcl|hpf|min|kg|m2)(?!\w)|×|x ?10\^)",
    re.IGNORECASE,
)
#: Units that in another writing are a title, a name or an abbreviation: "Ms", "Ma", "Mo", "Fr".
_LOWER_UNIT = re.compile(r" ?-? ?(?:m|ms|ma|mo|g|ga|ng|pg|iu|u|fr|deg|per|cu|ug)(?![^\W\d_])")
_LENGTH = re.compile(r" ?-? ?(?:[cm]m|ml|cc|hu|slices?|images?)(?![^\W\d_])", re.IGNORECASE)
_LIMIT = re.compile(r"(?<![^\W_])(?:between|from|above|below|over|under|to|at)[\s<>~=]{1,2}$", re.IGNORECASE)
#: What a number of six digits and more may count: never a length or a time.
_LARGE = re.compile(
    r" ?(?:i?u(?:/m?l)?|miu(?:/ml)?|cells?|voxels?|pixels?|counts?|platelets?|copies|particles|iterations?|steps?"
    r"|patients?|mm3|mm²|mm³|cmm|colonies|cfu|bq|ng|pg|hz)(?![^\W\d_])"
    r"| ?(?:/ ?(?:[µumd]?l|mm|cmm|mcl|hpf)(?!\w)|%|per (?:mm|cmm|µl|ul|microl))",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r" ?(?:of (?:the |all )?)?(?:slices?|images?|levels?|views?|ribs?|nodes?|segments?|phases?|vertebra\w{0,2}|lobes?"
    r"|vessels?|cores?|lesions?|nodules?|cases?|power|strength|sequences?|series|cuts?|quadrants?|zones?|points?|ths?"
    r"|thirds?|days?|weeks?|months?|murmur|score|pain|severity|scale|ago|post|old|f/?u|follow|history|hx|time|kidneys?"
    r"|lungs?|leaflets?|cusps?|chambers?|positive|mm|cm|ml|t2|flair|stations?|fractions?|cycles?|hours?|rounds?)(?!\w)"
    r"| ?[%°]",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"(?<![^\W_])(?:window|level|wl|ww|w/l|hu|b|b-?values?|tr|te|ti|kvp?|mas?|matrix|size|dimensions?|dims?|voxels?"
    r"|spacing|threshold|range|flip|series|slices?|images?|frames?|im|se|img|snr|counts?|platelets?|plts?|wcc|wbc|psa|hcg"
    r"|b-?hcg|beta-hcg|afp|cea|ca ?19-?9|ca ?125|ca ?15-?3|ldh|ck|crp|lipase|amylase|ferritin|d-?dimer|bnp|nt-?pro-?bnp"
    r"|troponin|cd4|viral load|dose|dlp|epoch|seed|grid|bp)"
    r"[\s:=<>~≥≤(.-]{0,3}(?:of |was |is |at |now |to |about |around )?[\s<>~=]{0,2}$",
    re.IGNORECASE,
)
_BEFORE = 30


def has_unit(text: str, end: int) -> bool:
    """Whether a unit, or what is counted, stands right after a place in a text."""
    return _UNIT.match(text, end) is not None or _LOWER_UNIT.match(text, end) is not None


def has_length(text: str, end: int) -> bool:
    """Whether a length, a volume or a number of images stands right after a place in a text."""
    return _LENGTH.match(text, end) is not None


def counts_many(text: str, end: int) -> bool:
    """Whether what a long number counts stands right after a place in a text: "250000 platelets"."""
    return _LARGE.match(text, end) is not None


def counted_after(text: str, end: int) -> bool:
    """Whether what stands after a fraction is what it is a fraction of: "5/7 slices", "4/5 power"."""
    return _COUNTED.match(text, end) is not None


def measured_before(text: str, start: int) -> bool:
    """Whether the word before a place in a text is a quantity, whose number follows: "window", "TR", "platelets"."""
    return _QUANTITY.search(text[max(0, start - _BEFORE) : start]) is not None


def range_before(text: str, start: int) -> bool:
    """Whether a range follows: after a quantity, or "between", "from", "above"."""
    before = text[max(0, start - _BEFORE) : start]
    return _QUANTITY.search(before) is not None or _LIMIT.search(before) is not None
