"""Fixtures shared by all layers of tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from SEERSegmentLib.imaging.samples import fetch_sample

# Wall-clock deadlines make property tests flaky on shared machines; speed is measured by `make bench`.
settings.register_profile("seer", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seer")


@pytest.fixture(scope="session")
def sample() -> Callable[..., Path]:
    """``sample("example-ct")`` is the path of a real volume; ``sample("example-ct", "labels")`` of its label map."""
    return fetch_sample


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[1]
