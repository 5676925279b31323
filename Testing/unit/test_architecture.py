"""The shape of the house: which room may import which, what an import costs, and what the project may refer to."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import SEERSegmentLib

#: Rooms in layers; a module may import its own room and those of earlier layers, never a later one or a sibling's.
LAYERS = [
    {"values", "errors", "metrics", "protocols", "interpreter", "folders"},
    {"anatomy", "imaging"},
    {"grounding"},
    {"reasoning", "backbones"},
    {"registry", "pipeline"},
    {"output"},
    {"episodes", "evaluation"},
    {"worker"},
    {"presenter"},
    {"mrml"},
    {"cli"},
    {"__main__"},
]
LIBRARY = Path(SEERSegmentLib.__file__).parent
MODULES = sorted(LIBRARY.rglob("*.py"))


def _room(path: Path) -> str:
    first = path.relative_to(LIBRARY).parts[0]
    return first.removesuffix(".py")


def _imports(path: Path) -> set[tuple[str, ...]]:
    """Dotted names below SEERSegmentLib that a module imports, relative or absolute, at any depth of the code."""
    package = path.relative_to(LIBRARY.parent).with_suffix("").parts[:-1]
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                found.add((*module, alias.name))
        elif isinstance(node, ast.Import):
            found.update(tuple(alias.name.split(".")) for alias in node.names)
    return {name[1:] for name in found if name[0] == "SEERSegmentLib" and len(name) > 1}


def _layer(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_go_one_way(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return
    for name in _imports(path):
        other = name[0]
        if other in ("__version__", room):
            continue
        same_values_layer = other in LAYERS[0] and room in LAYERS[0]
        assert same_values_layer or _layer(other) < _layer(room) or (room, other) == ("pipeline", "registry"), (
            f"{room} imports {'.'.join(name)}, which is not an earlier room"
        )


def test_every_room_has_a_layer() -> None:
    rooms = {_room(path) for path in MODULES} - {"__init__"}
    assert rooms <= set().union(*LAYERS)


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


HEAVY = {
    "torch",
    "scipy",
    "SimpleITK",
    "requests",
    "numpy",
    "PIL",
    "pydicom",
    "vtk",
    "slicer",
    "rich",
    "slicerio",
    "nrrd",
}


def test_importing_the_library_loads_nothing_heavy() -> None:
    assert not _loaded_after("import SEERSegmentLib") & HEAVY


def test_importing_the_values_loads_only_numpy() -> None:
    assert _loaded_after("import SEERSegmentLib.values, SEERSegmentLib.protocols, SEERSegmentLib.registry") & HEAVY == {
        "numpy"
    }


def test_the_command_starts_without_heavy_imports() -> None:
    assert not _loaded_after("import SEERSegmentLib.cli, SEERSegmentLib.cli.bootstrap") & HEAVY


def test_reading_a_request_needs_no_image_library() -> None:
    statement = "import SEERSegmentLib.reasoning.lexical"
    assert not _loaded_after(statement) & (HEAVY - {"numpy"})


def _modules_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["worker.client", "worker.files", "presenter", "presenter.presenter"])
def test_the_panel_pays_for_nothing_but_numpy(name: str) -> None:
    """What runs in Slicer's own process; everything that works is the worker's."""
    loaded = _modules_after(f"import SEERSegmentLib.{name}")
    assert {module.split(".")[0] for module in loaded} & HEAVY <= {"numpy"}
    works = [
        "pipeline",
        "registry",
        "anatomy",
        "grounding",
        "reasoning",
        "backbones",
        "imaging",
        "output",
        "episodes",
        "evaluation",
    ]
    assert not loaded & {f"SEERSegmentLib.{room}" for room in works}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_modules_stay_readable(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400


def test_every_public_name_resolves() -> None:
    for name in SEERSegmentLib.__all__:
        assert getattr(SEERSegmentLib, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = SEERSegmentLib.nonsense


def test_every_error_code_is_documented(repository: Path) -> None:
    """Every code that an error is raised with is in docs/errors.md, and every code there is in the library."""
    written: set[str] = set()
    strings: set[str] = set()
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.add(node.value)
            if isinstance(node, ast.Call) and re.search(r"(Error|Needed|Target)$", ast.unparse(node.func)):
                written.update(
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
                )
    documented = set(
        re.findall(r"^\| `([a-z0-9-]+)`", (repository / "docs/errors.md").read_text(encoding="utf-8"), re.M)
    )
    assert written - documented == set()
    assert documented - strings == set()
