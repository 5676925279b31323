"""Fixtures on Slicer's real core; without the extra ``slicer-test`` these tests fail and say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from Testing.standin.core import boot_core, take_messages


@pytest.fixture
def slicer() -> Iterator[Any]:
    """The ``slicer`` package with an empty scene; a warning or an error of MRML's or VTK's fails the test."""
    package = boot_core()
    package.mrmlScene.Clear(False)
    take_messages()
    yield package
    messages = take_messages()
    package.mrmlScene.Clear(False)
    take_messages()
    assert messages == []


@pytest.fixture
def scene(slicer: Any) -> Any:
    """The empty vtkMRMLScene."""
    return slicer.mrmlScene
