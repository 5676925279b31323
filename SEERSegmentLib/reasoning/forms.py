"""The forms of a reply, for models that can be held to one: as a regular expression, a grammar, and a skeleton.

Every repetition is bounded and the alphabet is printable ASCII: an unbounded one lets a small model write to the end of
its budget, and a large alphabet makes some servers' grammars slow to build. A form is asked for where a free reply
could not be read; what comes back is parsed as strictly as any other reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FORMS", "Form", "Piece"]


@dataclass(frozen=True)
class Piece:
    """Of a skeleton: ``text`` is written as it stands, then the model writes at most ``tokens`` without ``<``."""

    text: str
    tokens: int = 0


@dataclass(frozen=True)
class Form:
    """One form in three notations.

    Attributes
    ----------
    regex : str
        Without anchors or look-around: what structured-output engines (xgrammar, outlines, SGLang) take.
    gbnf : str
        llama.cpp's grammar notation.
    skeleton : tuple of Piece
        For a model at hand whose next token can be chosen.
    """

    regex: str
    gbnf: str
    skeleton: tuple[Piece, ...]


_PROSE = r"[ !-;=?-~\n]"  # printable ASCII and line feed, without < and >
_PHRASE = r"[ A-Za-z0-9(),'-]"
_NUMBER = "[0-9]{1,4}"
_BOX = rf"\[{_NUMBER}, {_NUMBER}, {_NUMBER}, {_NUMBER}\]"
_GBNF_PROSE = r"prose ::= [ !-;=?-~\n]"

#: Name of a form, as a Prompt has it → the form.
FORMS: Mapping[str, Form] = {
    "tags": Form(
        regex=(
            rf"<evidence>{_PROSE}{{8,500}}</evidence>\n<rationale>{_PROSE}{{8,400}}</rationale>\n"
            rf"<answer>{_PHRASE}{{2,160}}</answer>"
        ),
        gbnf=(
            'root ::= "<evidence>" prose{8,500} "</evidence>\\n<rationale>" prose{8,400} "</rationale>\\n<answer>"'
            ' phrase{2,160} "</answer>"\n' + _GBNF_PROSE + "\nphrase ::= [ A-Za-z0-9(),'-]\n"
        ),
        skeleton=(
            Piece("<evidence>", 100),
            Piece("</evidence>\n<rationale>", 80),
            Piece("</rationale>\n<answer>", 40),
            Piece("</answer>"),
        ),
    ),
    "anchor": Form(
        regex=(
            rf"<think>{_PROSE}{{1,500}}</think>\n<answer>\[\{{\"slice\": {_NUMBER},"
            rf" \"bbox_2d_list\": \[{_BOX}(, {_BOX}){{0,7}}\]\}}\]</answer>"
        ),
        gbnf=(
            'root ::= "<think>" prose{1,500} "</think>\\n<answer>[{\\"slice\\": " number{1,4} ", \\"bbox_2d_list\\": ["'
            ' box (", " box){0,7} "]}]</answer>"\n' + _GBNF_PROSE + "\nnumber ::= [0-9]\n"
            'box ::= "[" number{1,4} ", " number{1,4} ", " number{1,4} ", " number{1,4} "]"\n'
        ),
        skeleton=(
            Piece("<think>", 100),
            Piece('</think>\n<answer>[{"slice": ', 130),
            Piece("</answer>"),
        ),
    ),
}
