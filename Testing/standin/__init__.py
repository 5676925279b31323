"""What stands in for 3D Slicer in tests: its real core from wheels, and a strict imitation of its Qt side."""

from .singletons import make_immortal

make_immortal()
