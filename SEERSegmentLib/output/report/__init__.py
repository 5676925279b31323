"""The report: one HTML page that needs nothing but itself, for people to read, print and keep."""

from __future__ import annotations

from .page import check_report_path, write_report

__all__ = ["check_report_path", "write_report"]
