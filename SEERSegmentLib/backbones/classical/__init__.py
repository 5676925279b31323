"""The embedded backbone: CT structures from CT numbers and shape, with scipy and SimpleITK alone."""

from __future__ import annotations

from .backbone import ClassicalBackbone
from .targets import supported_structures

__all__ = ["ClassicalBackbone", "supported_structures"]
