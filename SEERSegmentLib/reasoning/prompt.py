"""The prompt protocol: what a vision-language model is shown, in which order, and in whose words.

The order is that of SEER's official inference (``infer/v1_1/infer_v1_1.py`` of the official repository): a system text;
then one user turn with the pictures, the user text, ``<skill_bank>`` where skills were retrieved, and ``<raw_prompt>``
with the request. Between the user text and the skills, our own templates can put two blocks that the official one does
not have: ``<views>`` (what each picture is, so that evidence can cite it) and ``<measured>`` (facts of the volume).

The words are data, in versions: a :class:`Template`, whose hash goes into the provenance of every run. The official
words are not ours to ship; a user who has the official repository points to it, and its constants are read as literals.

A request, a skill or a fact is text from somebody else: :func:`escaped` takes from it what could open or close a tag,
or stand for a special token of a chat format.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..protocols import ReasoningCase
from ..values import ImageFacts, Skill, View

__all__ = ["DEFAULT_TEMPLATE", "Prompt", "Template", "chat_messages", "compose", "escaped", "load_template"]

DEFAULT_TEMPLATE = "seer"

_OWN = Path(__file__).with_name("data")

#: Where the official release keeps its words: version → file, and names of system, user and user-with-skills text.
_OFFICIAL: Mapping[str, tuple[str, tuple[str, str, str]]] = {
    "official": (
        "infer/v1_1/infer_v1_1.py",
        ("DEFAULT_SYSTEM_PROMPT", "DEFAULT_USER_PROMPT_NO_SKILL", "DEFAULT_USER_PROMPT_WITH_SKILL"),
    ),
    "official-v1.0": (
        "infer/v1_0/infer_v1.py",
        ("DEFAULT_SYSTEM_PROMPT", "DEFAULT_USER_PROMPT", "DEFAULT_USER_PROMPT"),
    ),
}
_MAX_TEMPLATE = 1 << 20

#: ``<`` where a tag, a special token ("<|im_end|>"), a comment or a declaration may begin; "<1 cm" and "a < b" stay.
_OPENS = re.compile(r"<(?=[\s\u200b-\u200f\u2060\ufeff]*[/|!?a-zA-Z_\\])")

#: What of the measured evidence a model is told: nothing that names a patient is measured at all.
_TOLD = ("modality", "field-of-view", "voxel-size", "contrast", "landmark-", "region-", "covered-levels")


@dataclass(frozen=True)
class Template:
    """The words around a request.

    Attributes
    ----------
    name, version : str
    system, user, user_with_skills : str
    lists_views, tells_facts : bool
        Whether ``<views>`` and ``<measured>`` follow the user text.
    """

    name: str
    version: str
    system: str
    user: str
    user_with_skills: str
    lists_views: bool = False
    tells_facts: bool = False

    @property
    def sha256(self) -> str:
        """Of its words, in 64 hex digits."""
        parts = (self.system, self.user, self.user_with_skills, f"{self.lists_views}{self.tells_facts}")
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()

    @property
    def title(self) -> str:
        """For the provenance: ``"seer 1 (3f2a…)"``."""
        return f"{self.name} {self.version} ({self.sha256[:12]})"


@dataclass(frozen=True, eq=False)
class Prompt:
    """One request as a model gets it: a system text, and one user turn of texts and pictures in order.

    ``form`` is what the reply is to look like: ``"tags"`` or ``"anchor"``.
    """

    system: str
    content: tuple[str | View, ...]
    form: str = "tags"

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(part for part in self.content if isinstance(part, View))

    @property
    def sha256(self) -> str:
        """Of all texts and pixels, in order."""
        parts = [self.system, *(part if isinstance(part, str) else part.sha256 for part in self.content)]
        return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def escaped(text: str) -> str:
    """A text in which no tag and no special token of a chat format begins: such a ``<`` becomes ``&lt;``."""
    return _OPENS.sub("&lt;", text)


def compose(case: ReasoningCase, template: Template, wording: str | None = None) -> Prompt:
    """The prompt of a case, in the official order.

    Parameters
    ----------
    case : ReasoningCase
    template : Template
    wording : str, optional
        Another wording of the case's request, to ask for in its place.
    """
    blocks = [template.user_with_skills if case.skills else template.user]
    if template.lists_views and case.views:
        blocks.append(_block("views", (_described(n, view) for n, view in enumerate(case.views, 1))))
    if template.tells_facts and case.facts is not None and (told := _told(case.facts)):
        blocks.append(_block("measured", told))
    if case.skills:
        blocks.append(f"<skill_bank>\n{render_skills(case.skills)}\n</skill_bank>")
    request = case.request.text if wording is None else wording
    blocks.append(f"<raw_prompt>{escaped(request)}</raw_prompt>")
    return Prompt(template.system, (*case.views, "\n\n".join(blocks)))


def render_skills(skills: Sequence[Skill]) -> str:
    """Skills as the official release shows them: ``[rank]``, Tag, Content, Audit; blank lines between."""
    return "\n\n".join(
        f"[{rank}]\nTag: {escaped(skill.tag)}\nContent: {escaped(skill.content)}\nAudit: {escaped(skill.audit)}"
        for rank, skill in enumerate(skills, 1)
    )


def chat_messages(prompt: Prompt, picture: Callable[[View], dict[str, Any]]) -> list[dict[str, Any]]:
    """A prompt as the messages of a chat; ``picture`` makes the item of a view, as the receiver wants it."""
    items = [{"type": "text", "text": part} if isinstance(part, str) else picture(part) for part in prompt.content]
    return [
        {"role": "system", "content": [{"type": "text", "text": prompt.system}]},
        {"role": "user", "content": items},
    ]


def load_template(name: str = DEFAULT_TEMPLATE, path: str | Path = "") -> Template:
    """A template by name.

    Parameters
    ----------
    name : str
        ``"seer"``: our own words. ``"official"``, ``"official-v1.0"``: those of the official repository, of which
        ``path`` is a checkout (or the file itself). ``"custom"``: those of the JSON file ``path``, with the keys
        ``name``, ``version``, ``system``, ``user``, ``user_with_skills`` and, optional, ``lists_views`` and
        ``tells_facts``.

    Raises
    ------
    UsageError
        ``template-unknown``, ``template-unreadable``.
    """
    if name in _OFFICIAL:
        return _official(name, path)
    if name == "custom":
        return _from_json(_text_of(Path(path), name), str(path))
    own = _OWN / f"template-{name}.json"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not own.is_file():
        known = ", ".join((DEFAULT_TEMPLATE, *_OFFICIAL, "custom"))
        raise UsageError(f"There is no prompt template '{name}'; there are: {known}.", code="template-unknown")
    return _from_json(own.read_text(encoding="utf-8"), own.name)


def _block(tag: str, lines: Iterable[str]) -> str:
    return "\n".join((f"<{tag}>", *lines, f"</{tag}>"))


def _described(number: int, view: View) -> str:
    where = "" if view.position_mm is None else f", at {view.position_mm:.0f} mm"
    return f"image {number}: {escaped(view.name)} ({view.plane.value}{where})"


def _told(facts: ImageFacts) -> list[str]:
    return [escaped(item.text) for item in facts.evidence if item.name.startswith(_TOLD)]


def _official(name: str, path: str | Path) -> Template:
    file, names = _OFFICIAL[name]
    if not str(path):
        raise UsageError(
            "The official prompts are read from a checkout of the official SEER repository; say where it is.",
            code="template-unreadable",
        )
    source = Path(path) if Path(path).suffix == ".py" else Path(path) / file
    texts = _literals(_text_of(source, name), source)
    lacking = [wanted for wanted in names if wanted not in texts]
    if lacking:
        raise _unreadable(source, f"it has no text {', '.join(lacking)}")
    system, user, with_skills = (texts[wanted] for wanted in names)
    return Template(name, file.split("/")[1].replace("_", "."), system, user, with_skills)


def _literals(source: str, path: Path) -> dict[str, str]:
    """Top-level names that are given a text as a literal; nothing is executed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(path, "it is not Python") from error
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _from_json(text: str, source: str) -> Template:
    try:
        plain = json.loads(text)
        words = {key: plain[key] for key in ("name", "version", "system", "user")}
        words["user_with_skills"] = plain.get("user_with_skills", words["user"])
        switches = {key: plain.get(key, False) for key in ("lists_views", "tells_facts")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(source, "it needs name, version, system and user") from error
    if not all(isinstance(value, str) and value for value in words.values()):
        raise _unreadable(source, "its name, version, system and user must be texts")
    if not all(isinstance(value, bool) for value in switches.values()):
        raise _unreadable(source, "lists_views and tells_facts must be true or false")
    return Template(**words, **switches)


def _text_of(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TEMPLATE + 1)
        if len(data) > _MAX_TEMPLATE:
            raise _unreadable(path, "it is too long")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"no such text for '{name}'") from error


def _unreadable(path: str | Path, why: str) -> UsageError:
    return UsageError(f"The prompt template {path} can't be used: {why}.", code="template-unreadable")
