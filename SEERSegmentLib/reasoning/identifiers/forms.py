"""What identifies by its form alone: e-mail addresses, links, addresses of computers, paths of files, UIDs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .folding import BLANK
from .identifier import Span

__all__ = ["find_forms"]

_TOP = r"(?:[^\W\d_]{2,24}|xn--[\w-]{2,40})"
_AT, _DOT = r"(?:@|\[at\]|\(at\)|<at>)", r"(?:\.|\[dot\]|\(dot\))"
_SCHEME = r"(?:https?|s?ftp|file|dicom(?:web)?|wado|pacs|ssh|smb|mailto|tel|urn):(?://)?"
#: First arcs of the UIDs that makers and institutions use: one of these is a UID however few parts follow.
_ARCS = r"(?:1\.2\.(?:826|840|276|392|124|250|300|528|752|756)|1\.3\.(?:6\.1|12\.2|46\.\d)|2\.(?:16|25))"

_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("email", rf"(?<![\w.+-])[\w.+%'-]{{1,128}} ?{_AT} ?(?:[^\W_][\w-]{{0,62}} ?{_DOT} ?){{1,5}}{_TOP}(?!\w)"),
        ("email", r"(?<![\w.+-])[\w.+%-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}"),
        # Dictated: "j dot smith at nhs dot net".
        (
            "email",
            r"(?<!\w)[\w-]{1,40}(?: (?:dot|underscore|hyphen|dash) [\w-]{1,40}){0,4} at"
            r" [\w-]{1,40}(?: dot [\w-]{2,40}){1,4}(?!\w)",
        ),
        ("link", rf"(?<!\w)(?:{_SCHEME}|www\.)[^\s<>\"'{BLANK}]{{2,2000}}"),
        (
            "link",
            rf"(?<![\w.@-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,5}}[a-z]{{2,12}}(?::\d{{2,5}})?/[^\s<>\"'{BLANK}]{{1,2000}}",
        ),
        ("link", r"(?<!\w)@[a-z_][\w.]{2,30}"),
        # Addresses of computers: IPv4, MAC, IPv6.
        ("link", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?(?!\w|\.\d)"),
        ("link", r"(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])"),
        ("link", r"(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}:?[0-9a-f]{1,4}(?![\w:])"),
        ("file", rf"(?<!\w)(?:[a-z]:[\\/]|\\\\)[^\s\"<>|*?{BLANK}]{{1,1000}}"),
        ("file", r"(?<![\w./~:<])(?:~|\.{1,2})?/(?:[\w.@+-]{1,128}/){1,24}[\w.@+-]{0,128}(?![>\w])"),
        ("uid", r"(?<![\w.])[0-2](?:\.\d{1,64}){4,40}\.{0,3}(?!\w)"),
        ("uid", r"(?<![\w.])\d{1,12}(?:\.\d{1,64}){5,40}"),
        ("uid", rf"(?<![\w.]){_ARCS}\.\d[\d.]{{0,64}}"),
        ("uid", r"(?<![\w.])1[ ,]2[ ,]840(?:[ ,]\d{1,40}){2,20}"),
        ("uid", r"(?<!\w)[0-9a-f]{8}-?(?:[0-9a-f]{4}-){3}[0-9a-f]{4,12}(?!\w)"),
        # A hash or a UUID without hyphens.
        ("uid", r"(?<!\w)(?=[a-f]{0,15}\d)(?=\d{0,15}[a-f])[0-9a-f]{16,128}(?!\w)"),
    )
)
_FOLDERS = (
    r"[a-z]:|\\\\|~|\.|/(?:home|users?|data|mnt|media|var|tmp|srv|opt|volumes|scans?|patients?|pacs|dicom|images?|share"
    r"|archive|storage|nas|export|work)/"
)
_FOLDER = re.compile(_FOLDERS, re.IGNORECASE)
_ENDING = re.compile(r"\.\w{1,5}(?:\.gz)?$|\d{4}")


def find_forms(text: str) -> Iterator[Span]:
    """Each of them in a folded text."""
    for kind, pattern in _FORMS:
        for match in pattern.finditer(text):
            if kind != "file" or _is_file(match[0]):
                yield Span(*match.span(), kind)


def _is_file(path: str) -> bool:
    """Whether a path leads to a file: "/liver/spleen/" is a list of things."""
    return _FOLDER.match(path) is not None or _ENDING.search(path) is not None
