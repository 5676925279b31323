"""The extension's package: every file is listed, CMake lays them out as Slicer loads them, catalogue entries agree."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

#: Stands in for what ``find_package(Slicer)`` brings; written for this test, none of it is Slicer's. It takes the
#: arguments that Slicer's macros take, refuses what they refuse, and installs where they install.
_STUB_CONFIG = """
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/use.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/generate.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/cpack.cmake)
"""
_STUB_USE = """
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.10/qt-scripted-modules)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_SHARE_DIR share/Slicer-5.10/qt-scripted-modules)
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(_stub "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(_stub_UNPARSED_ARGUMENTS OR NOT _stub_NAME)
    message(FATAL_ERROR "wrong arguments: ${_stub_UNPARSED_ARGUMENTS}")
  endif()
  set(_stub_to ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR})
  if(_stub_WITH_SUBDIR)
    get_filename_component(_stub_name ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    set(_stub_to ${_stub_to}/${_stub_name})
  endif()
  foreach(_stub_file ${_stub_SCRIPTS} ${_stub_RESOURCES})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${_stub_file})
      message(FATAL_ERROR "nonexistent file '${_stub_file}'")
    endif()
    get_filename_component(_stub_folder ${_stub_file} DIRECTORY)
    install(FILES ${_stub_file} DESTINATION ${_stub_to}/${_stub_folder} COMPONENT RuntimeLibraries)
  endforeach()
  message(STATUS "stub module ${_stub_NAME} generic tests ${_stub_WITH_GENERIC_TESTS}")
endmacro()
macro(slicer_add_python_unittest)
  cmake_parse_arguments(_stub "" "SCRIPT" "" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${_stub_SCRIPT})
    message(FATAL_ERROR "nonexistent test '${_stub_SCRIPT}'")
  endif()
  message(STATUS "stub unit test ${_stub_SCRIPT}")
endmacro()
"""


@pytest.fixture(scope="module")
def lister(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("list_files", repository / "Utilities/list_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cmake() -> str:
    """The wheel's CMake (extra ``dev``), else the machine's."""
    beside = shutil.which("cmake", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("cmake")
    assert found, "cmake is missing: pip install 'seer-segment[dev]'"
    return found


def _configure(cmake: str, source: Path, work: Path) -> subprocess.CompletedProcess[str]:
    stub = work / "stub"
    stub.mkdir()
    (stub / "SlicerConfig.cmake").write_text(_STUB_CONFIG, encoding="utf-8")
    (stub / "use.cmake").write_text(_STUB_USE, encoding="utf-8")
    (stub / "generate.cmake").write_text('message(STATUS "stub generate config")\n', encoding="utf-8")
    (stub / "cpack.cmake").write_text('message(STATUS "stub cpack of ${PROJECT_NAME}")\n', encoding="utf-8")
    command = [cmake, "-S", str(source), "-B", str(work / "build"), f"-DSlicer_DIR={stub}", "-DBUILD_TESTING=ON"]
    for language in ("C", "CXX"):  # nothing is compiled, and a machine without a compiler can run this
        command += [f"-DCMAKE_{language}_COMPILER={sys.executable}", f"-DCMAKE_{language}_COMPILER_FORCED=ON"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def installed(repository: Path, cmake: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of scripted modules as an installed extension has it."""
    work = tmp_path_factory.mktemp("package")
    done = _configure(cmake, repository, work)
    assert done.returncode == 0, done.stderr
    for line in (
        "stub module SEERSegment generic tests TRUE",
        "stub module SEERSegmentLib generic tests FALSE",
        "stub unit test SEERSegment.py",
        "stub generate config",
        "stub cpack of SEER",
    ):
        assert f"-- {line}\n" in done.stdout
    command = [cmake, "--install", str(work / "build"), "--prefix", str(work / "tree"), "--component"]
    subprocess.run([*command, "RuntimeLibraries"], check=True, capture_output=True)
    assert {path.name for path in (work / "tree/share/Slicer-5.10/qt-scripted-modules/SEER").iterdir()} == {
        "LICENSE",
        "NOTICE",
    }
    return work / "tree/lib/Slicer-5.10/qt-scripted-modules"


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["SEERSegment", "SEERSegmentLib"])
def test_the_list_of_files_is_the_tree(repository: Path, lister: ModuleType, name: str) -> None:
    assert name in lister.FOLDERS
    assert (repository / name / "files.cmake").read_text(encoding="utf-8") == lister.cmake_list(repository / name), (
        "run: python Utilities/list_files.py"
    )


def test_the_lister_sees_every_kind_of_file(lister: ModuleType, tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "b/d.csv", "py.typed", ".hidden", "b/__pycache__/c.pyc", "files.cmake"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert lister.installed_files(tmp_path) == (["a.py", "b/c.py"], ["b/d.csv", "py.typed"])


def test_what_is_tracked_is_listed(repository: Path, lister: ModuleType) -> None:
    """The lister's rule leaves out nothing that belongs to the project."""
    if shutil.which("git") is None or not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    for name in lister.FOLDERS:
        tracked = subprocess.run(
            ["git", "-c", f"safe.directory={repository}", "-C", str(repository), "ls-files", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        scripts, resources = lister.installed_files(repository / name)
        listed = {f"{name}/{file}" for file in (*scripts, *resources)}
        there = {file for file in tracked if (repository / file).exists()}
        assert there - listed <= {f"{name}/CMakeLists.txt", f"{name}/files.cmake"}


def test_every_file_is_installed_where_slicer_looks(repository: Path, lister: ModuleType, installed: Path) -> None:
    """The module's files at the top, the library beside them under its own name."""
    scripts, resources = lister.installed_files(repository / "SEERSegment")
    expected = {*scripts, *resources}
    scripts, resources = lister.installed_files(repository / "SEERSegmentLib")
    expected |= {f"SEERSegmentLib/{file}" for file in (*scripts, *resources)}
    assert _files(installed) == expected
    for name in expected:
        source = repository / ("" if name.startswith("SEERSegmentLib/") else "SEERSegment") / name
        assert (installed / name).read_bytes() == source.read_bytes(), name
    # Slicer takes every script at the top of the folder for a module.
    assert [path.name for path in installed.glob("*.py")] == ["SEERSegment.py"]


_STAGED_RUN = """
import json, pathlib, pkgutil, sys
import SEERSegmentLib
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.reasoning import clean_request
from SEERSegmentLib.registry import make_backbone, make_reasoner
volume, _ = chest_phantom(6.0)
request = clean_request("pls outline the rt lung")
result = run(Job(volume, request, make_reasoner("lexical"), make_backbone("classical")))
loaded = {name: module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "SEERSegmentLib"}
print(json.dumps({"segments": [s.name for s in result.segments], "loaded": loaded}))
"""


def test_the_installed_library_runs_by_itself(installed: Path, tmp_path: Path) -> None:
    """From the staged folder alone: code and tables, a request that becomes a segment."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _STAGED_RUN], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["segments"] == ["right lung"]
    assert all(Path(file).is_relative_to(installed) for file in result["loaded"].values())


def test_a_list_that_names_a_missing_file_is_refused(repository: Path, cmake: str, tmp_path: Path) -> None:
    """The stub is no rubber stamp: without the file, configuring fails as it does with Slicer."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "Testing", "build", "bench", "docs")
    for name in ("SEERSegment", "SEERSegmentLib"):
        shutil.copytree(repository / name, source / name, ignore=ignored)
    for name in ("CMakeLists.txt", "LICENSE", "NOTICE"):
        shutil.copyfile(repository / name, source / name)
    (source / "SEERSegmentLib/py.typed").unlink()
    done = _configure(cmake, source, tmp_path)
    assert done.returncode != 0
    assert "nonexistent file 'py.typed'" in done.stderr


def _cmake_settings(repository: Path) -> dict[str, str]:
    text = (repository / "CMakeLists.txt").read_text(encoding="utf-8")
    return dict(re.findall(r'^set\(EXTENSION_(\w+) "(.*)"\)$', text, re.M))


def test_catalogue_entries_agree(repository: Path) -> None:
    settings = _cmake_settings(repository)
    entry = json.loads((repository / "SEER.json").read_text(encoding="utf-8"))
    lines = (repository / "SEER.s4ext").read_text(encoding="utf-8").splitlines()
    older = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    # All that schema 1.0.2 knows; it takes nothing else.
    assert set(entry) <= {
        *("$schema", "category", "scm_url", "scm_revision", "scm_type", "build_dependencies"),
        *("dicom_support_rule", "build_subdirectory", "enabled", "tier"),
    }
    assert "-v1.0.2.json" in entry["$schema"]
    assert entry["category"] == older["category"] == settings["CATEGORY"]
    assert entry["scm_url"] == older["scmurl"] == settings["HOMEPAGE"] + ".git"
    assert entry["scm_url"].rsplit("/", 1)[1].startswith("Slicer")  # what the index asks of a repository's name
    assert entry["scm_revision"] == older["scmrevision"]
    assert entry["build_subdirectory"] == older["build_subdirectory"]
    assert (entry["build_dependencies"], older["depends"], settings["DEPENDS"]) == ([], "NA", "NA")
    assert older["homepage"] == settings["HOMEPAGE"]
    for key in ("contributors", "description", "iconurl", "screenshoturls"):
        assert older[key] == settings[key.upper()], key
    assert "Research use only" in settings["DESCRIPTION"]
    for url in (settings["ICONURL"], *settings["SCREENSHOTURLS"].split()):
        assert url.split("/main/", 1)[1].startswith("Resources/")


def test_icons_are_of_the_size_that_is_asked_for(repository: Path) -> None:
    icon = repository / _cmake_settings(repository)["ICONURL"].split("/main/", 1)[1]
    module_icon = repository / "SEERSegment/Resources/Icons/SEERSegment.png"
    assert icon.read_bytes() == module_icon.read_bytes()
    with Image.open(icon) as image:
        assert image.size == (128, 128)
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0))[3] == 0  # rounded corners: it sits on light and dark toolbars


_RECORDING_SLICER = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$(dirname "$0")/arguments"
while [ "$1" != --additional-module-path ]; do shift; done
ls "$2" "$2/.." > "$(dirname "$0")/seen"
exit 3
"""


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
@pytest.mark.parametrize("layout", ["checkout", "installed"])
@pytest.mark.parametrize("window", [False, True])
def test_the_script_that_runs_slicer_passes_what_slicer_takes(
    repository: Path, tmp_path: Path, layout: str, window: bool
) -> None:
    """On a stub in place of Slicer, which records what it was started with; its exit code comes back."""
    slicer = tmp_path / "Slicer"
    slicer.write_text(_RECORDING_SLICER, encoding="utf-8")
    slicer.chmod(0o755)
    command = [str(repository / "Utilities/run_slicer_tests.sh"), "--layout", layout]
    command += ["--window"] if window else []
    done = subprocess.run([*command, str(slicer)], check=False, env={**os.environ, "DISPLAY": ":0"})
    assert done.returncode == 3
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").splitlines()
    assert ("--no-main-window" in arguments) is not window
    assert "--testing" in arguments
    folder = Path(arguments[arguments.index("--additional-module-path") + 1])
    code = arguments[arguments.index("--python-code") + 1]
    assert code == f"import slicer.testing; slicer.testing.runUnitTest(['{folder}'], 'SEERSegment')"
    seen, beside = (tmp_path / "seen").read_text(encoding="utf-8").split("\n\n", 1)
    assert "SEERSegment.py" in seen
    assert "SEERSegmentLib" in (seen if layout == "installed" else beside)
    assert layout == "checkout" or not folder.exists()  # the copy is removed


def test_workflows_run_what_is_in_the_project(repository: Path) -> None:
    for name, said in (("test.yml", ".ci/run"), ("slicer.yml", "Utilities/run_slicer_tests.sh")):
        text = (repository / ".github/workflows" / name).read_text(encoding="utf-8")
        assert said in text
        assert os.access(repository / said, os.X_OK)
    assert "Not run yet" in text.split("\nname:")[0]
