"""The embedded reasoner: reads a clinical request with tables and a small engine, without weights or network.

The stages, in order, each in its own module and each inspectable:

    text ──► tokens ──► clauses ──► mentions ──► relations, descriptions ──► choice ──► answer │ Abstention
             text.py    clauses.py  mentions.py  levels.py, describe.py      choose.py  reasoner.py
"""

from __future__ import annotations

from .reasoner import DOUBTS, LexicalReasoner

__all__ = ["DOUBTS", "LexicalReasoner"]
