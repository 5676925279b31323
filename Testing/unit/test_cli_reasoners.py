"""How ``--reasoner`` is spelt, and what it does not let through."""

from __future__ import annotations

from pathlib import Path

import pytest

from SEERSegmentLib.cli.reasoners import DEFAULT_MODEL_VARIABLE, parse_reasoner, ready_reasoner
from SEERSegmentLib.errors import ReasonerError, SeerError, ServiceError, UsageError

URL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lexical", ("lexical", {})),
        ("qwen:models/base", ("qwen", {"model": "models/base"})),
        ("qwen:models/base@models/seer", ("qwen", {"model": "models/base", "adapter": "models/seer"})),
        (r"qwen:C:\models\base@D:\seer", ("qwen", {"model": r"C:\models\base", "adapter": r"D:\seer"})),
        (f"openai:{URL}#seer", ("openai", {"url": URL, "model": "seer"})),
        (f"openai:{URL}", ("openai", {"url": URL})),
        (f"openai:{URL}#org/model:tag", ("openai", {"url": URL, "model": "org/model:tag"})),
        (f"cascade:openai:{URL}#m", ("cascade", {"vlm": "openai", "url": URL, "model": "m"})),
        ("medvol:qwen:base@tuned", ("medvol", {"vlm": "qwen", "model": "base", "adapter": "tuned"})),
        ("a-third-party", ("a-third-party", {})),
    ],
)
def test_spellings(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_reasoner(text) == expected


def test_a_folder_with_an_at_in_its_name_is_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base@v2").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_reasoner("qwen:base@v2") == ("qwen", {"model": "base@v2"})
    assert parse_reasoner("qwen:base@v2@seer") == ("qwen", {"model": "base@v2", "adapter": "seer"})


def test_cascade_and_medvol_take_their_model_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEFAULT_MODEL_VARIABLE, f"openai:{URL}#m")
    assert parse_reasoner("cascade") == ("cascade", {"vlm": "openai", "url": URL, "model": "m"})
    assert parse_reasoner("medvol:qwen:p") == ("medvol", {"vlm": "qwen", "model": "p"})
    monkeypatch.delenv(DEFAULT_MODEL_VARIABLE)
    with pytest.raises(UsageError, match="cascade:qwen:PATH") as caught:
        parse_reasoner("cascade")
    assert caught.value.code == "reasoner-spec"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("cascade:nonsense:x", (), "reasoner-spec"),
        ("medvol:x", (), "reasoner-spec"),
        ("lexical:x", (), "reasoner-spec"),
        ("lexical", ("template",), "reasoner-spec"),
        ("lexical", ("=x",), "reasoner-spec"),
        ("lexical", ("template=official",), "part-options"),
        (f"openai:{URL}#m", ("key=sk-1",), "reasoner-key-visible"),
        (f"openai:{URL}#m", ("nonsense=1",), "part-options"),
        (f"openai:{URL}#m", ("rephrasings=many",), "part-options"),
        (f"openai:{URL}#m", ("identifiers=perhaps",), "part-options"),
        (f"openai:{URL}#m", ("template=nonsense",), "template-unknown"),
        (f"openai:{URL}#m", ("deadline=0",), "part-options"),
        ("qwen:x", ("download=perhaps",), "part-options"),
        ("nonsense", (), "reasoner-unknown"),
    ],
)
def test_mistakes_have_their_own_error(text: str, options: tuple[str, ...], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        ready_reasoner(text, options, ("snapshots",))
    assert caught.value.code == code
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize("text", [f"openai:{URL}#m", f"cascade:openai:{URL}#m", f"medvol:openai:{URL}#m"])
@pytest.mark.parametrize("allowed", [(), ("volume",)])
def test_what_sends_is_refused_without_its_word(text: str, allowed: tuple[str, ...]) -> None:
    """Loopback is no exception, and a consent to the volume is none to snapshots."""
    with pytest.raises(ServiceError) as caught:
        ready_reasoner(text, (), allowed)
    assert caught.value.code == "consent-missing"
    assert ready_reasoner(text, (), ("snapshots",)).info.offline is False


def test_a_local_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SeerError) as caught:
        ready_reasoner(f"qwen:{tmp_path / 'nowhere'}")
    assert isinstance(caught.value, ReasonerError | UsageError)
