"""Names in writing without capitals or spaces: Chinese, Japanese, Korean, Arabic, Hebrew, Devanagari; Russian forms.

What in these languages looks like a surname is often a word of medicine: 高血压 begins with one, 신장 and 심장 do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .folding import BLANK
from .identifier import Span

__all__ = ["script_names"]

_HAN = "\u3005-\u3007\u4e00-\u9fff"
_KATAKANA = "\u30a1-\u30fa\u30fc"
#: The commonest surnames. Chinese ones are simplified and traditional.
_CHINESE = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖萧蕭田董袁潘"
    "于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范石廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱江尹薛闫阎雷侯龙龍"
    "史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴赖賴武戴莫孔向汤湯"
)
_NO_CHINESE = "高血|高脂|高热|高龄|白血|白内|白带|马尾|马蹄|范围|方便|石骨|许多|何时|毛细|任何|向|于|曾|余|万"
_JAPANESE = (
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|斎藤|斉藤|清水|山崎|池田"
    "|橋本|阿部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|藤井|西村|福田|太田|三浦|岡本"
    "|松田|中川|中野|原田|小野|田村|竹内|金子|和田|中山|石田"
)
_KOREAN = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선"
    "설마길연위표명기반왕금옥육인맹제모탁국"
)
_NO_KOREAN = (
    "우측|이전|이번|이상|신장|심장|방광|위장|전립|지방|주의|안구|고관|고혈|하지|하복|상지|양측|기관|기존|정상|조영|오른|배|간"
    "|소장|대장|췌장|비장|부신|여성|남성|성인|소아|노인|여자|남자|환자|문의|연구|진단|수술|내과|외과|주치|담당"
)


def _not_after(words: str) -> str:
    return "".join(f"(?<!{word})" for word in words.split())


_NO_PERSON = _not_after("患者 皆 客 師 医 お子 息子 母 父 娘 奥 赤 妊婦 科 同 模 多 仕 異 一 神 王 摂 攝 華")
_NO_DOCTOR = _not_after("科 医 師 担当 依頼 紹介 専門 主治 当直 研修 放射線 他 各")
_TITLES = "السيدة|السيد|الدكتورة|الدكتور|الأستاذ|د\\.|أ\\.د\\.|אדון|גברת|מר|גב'|ד\"ר|דר'|פרופ'|श्रीमती|श्री|डॉ\\.?|डॉक्टर"
_WORD = rf"[^\W\d_][^\s\d.,;:،।{BLANK}]{{1,24}}"

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # Japanese: before san, sama …, and before sensei.
        rf"(?P<name>(?:[{_HAN}]{{1,5}}|[{_KATAKANA}]{{2,12}}(?:[・ ][{_KATAKANA}]{{2,12}})?)){_NO_PERSON}"
        r"(?=さん|様|氏(?=[、。はがのをにへとも\s]|$)|くん|ちゃん|殿)",
        rf"(?P<name>[{_HAN}]{{2,4}}){_NO_DOCTOR}(?=先生|医師)",
        # Chinese: a surname and at most two characters before Mr, Ms, doctor.
        rf"(?P<name>(?!{_NO_CHINESE})[{_CHINESE}][{_HAN}]{{0,2}})"
        r"(?=先生|女士|小姐|太太|医生|醫生|医师|醫師|大夫|主任|教授|护士|護士|同志|老师)",
        # After a label, or the word patient.
        r"(?:姓名|患者名|氏名|名前|病人姓名|患者姓名|病人|患者|检查者|報告者|报告医生|申请医生|依頼医)\s?[::]\s?"
        rf"(?P<name>[{_HAN}{_KATAKANA}]{{2,8}}(?: [{_HAN}{_KATAKANA}]{{1,8}})?)",
        rf"(?:患者|病人)(?P<name>(?!{_NO_CHINESE})[{_CHINESE}][{_HAN}]{{1,2}})(?=[,,。;;、\s]|$)",
        rf"(?:患者|氏名|名前|患者名)[ ::]{{0,2}}(?P<name>(?:{_JAPANESE}) ?[{_HAN}\u3041-\u3096]{{1,3}})"
        r"(?=[\s,、。,)]|$)",
        # Korean: before ssi, nim, the doctor; after the word patient.
        rf"(?<![가-힣])(?P<name>(?!{_NO_KOREAN})[{_KOREAN}][가-힣]{{1,2}})(?= ?(?:씨|님|교수|선생|의사|과장))",
        rf"(?<![가-힣])(?P<name>(?!{_NO_KOREAN})[{_KOREAN}][가-힣]{{2}})(?= ?환자)",
        rf"(?:환자|성명|이름|환자명)\s?:\s?(?P<name>[{_KOREAN}][가-힣]{{1,2}})(?=[\s,.]|님|씨|$)",
        rf"(?:환자|성명|이름|환자명) (?P<name>(?!{_NO_KOREAN})[{_KOREAN}][가-힣]{{2}})(?=[\s,.]|님|씨|$)",
        # Russian: surname with initials either way, and patronymics.
        r"(?<!\w)(?P<name>[А-ЯЁ][а-яё]{2,20} [А-ЯЁ]\. ?[А-ЯЁ]\.)",
        r"(?<!\w)(?P<name>[А-ЯЁ]\. ?[А-ЯЁ]\. ?[А-ЯЁ][а-яё]{2,20})",
        r"(?<!\w)(?P<name>(?:[А-ЯЁ][а-яё]{1,20} ){0,2}[А-ЯЁ][а-яё]{2,16}(?:ович|евич|овна|евна|ична)(?:а|у|ем|ой|ы|е)?"
        r"(?: [А-ЯЁ][а-яё]{2,20})?)(?!\w)",
        # Arabic, Hebrew, Devanagari: up to two words after a title.
        rf"(?<!\w)(?:{_TITLES})(?:\s?:\s?|\s)(?P<name>{_WORD}(?: {_WORD})?)",
        rf"(?<!\w)(?:المريضة|المريض|الاسم|שם|החולה|रोगी|मरीज|नाम)\s?:\s?(?P<name>{_WORD}(?: {_WORD})?)",
        # Turkish: a name before Bey or Hanım.
        r"(?<!\w)(?P<name>[A-ZÇĞİÖŞÜ][a-zçğıöşü]{1,20})(?= (?:Bey|Hanım|Hanim)(?!\w))",
    )
)


def script_names(text: str) -> Iterator[Span]:
    """Each name in such writing."""
    if text.isascii():
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Span(*match.span("name"), "name")
