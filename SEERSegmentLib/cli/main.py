"""``seer``: from the words on the command line to a command, and from whatever happens to an exit code.

This is the outer border of the command: errors become one sentence and a code here, and nowhere else.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import __version__
from ..errors import Cancelled, SeerError, StorageError, UsageError
from . import options
from .console import Console

__all__ = ["main"]

#: Command → module of this package that does it, imported when it is asked for.
_COMMANDS = {
    "segment": "segment",
    "reason": "reason",
    "reply": "reply",
    "evaluate": "evaluate",
    "views": "views",
    "sample": "sample",
    "doctor": "doctor",
    "demo": "demo",
}

#: 128 + SIGPIPE, as a Unix program ends whose reader went away.
_BROKEN_PIPE = 141

_log = logging.getLogger("seer")


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that a mistake on the command line is reported like any other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help", code="usage-arguments")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``seer`` and return its exit code.

    0 done, 1 unexpected failure, 2 usage, 3 abstained, 4 input, 5 reasoner, 6 backbone, 7 service, 8 storage,
    130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _tolerate_narrow_encodings()
    console = Console(as_json="--json" in words, quiet="--quiet" in words, debug="--debug" in words)
    try:
        code = _run(words, console)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _detach_stdout()
        return _BROKEN_PIPE
    except SeerError as error:
        return _report(error, console)
    except KeyboardInterrupt:
        return _report(Cancelled(), console)
    except MemoryError:
        return _report(_out_of_memory(), console)
    except Exception as error:  # noqa: BLE001 - the outer border: whatever it is, the user gets a sentence
        return _report(_unexpected(error), console, error)


def _run(words: list[str], console: Console) -> int:
    try:
        parsed = build_parser().parse_args(words)
    except SystemExit as stop:  # --help and --version have printed what was asked for
        return int(stop.code or 0)
    module = importlib.import_module(f".{_COMMANDS[parsed.command]}_command", __package__)
    code: int = module.run(parsed, console)
    return code


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line; docs/command-line.md describes it."""
    parser = _Parser(
        prog="seer",
        description="Segment a CT or MR volume from a sentence, with the reasoning beside it. Research use only.",
        epilog="Exit codes: 0 done, 2 usage, 3 abstained, 4 input, 5 reasoner, 6 backbone, 7 service, 8 storage, "
        "130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"seer {__version__}")
    commands: Any = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for add in options.ALL:
        add(commands)
    return parser


def _report(error: SeerError, console: Console, cause: BaseException | None = None) -> int:
    """Show an error as one sentence and its code, and return its exit code."""
    if console.debug:
        traceback.print_exception(cause or error, file=sys.stderr)
    _log.debug("%s: %s", error.code, error)
    try:
        console.error(error)
    except BrokenPipeError:
        _detach_stdout()
    return error.exit_code


def _unexpected(error: Exception) -> SeerError:
    if isinstance(error, OSError):
        return StorageError(
            "A file or folder could not be used.", code="file-unusable", detail=f"{type(error).__name__}: {error}"
        )
    if isinstance(error, ModuleNotFoundError):
        return UsageError(
            f"The Python package '{error.name}' is missing; install SEER with: pip install seer-segment",
            code="dependency-missing",
        )
    return SeerError(
        "Something went wrong that SEER did not foresee; run again with --debug and report what it prints.",
        code="unexpected",
        detail=f"{type(error).__name__}: {error}",
    )


def _out_of_memory() -> SeerError:
    return SeerError(
        "The computer ran out of memory; close other programs, or use a smaller or cropped volume.",
        code="out-of-memory",
    )


def _tolerate_narrow_encodings() -> None:
    """Where a terminal can't show a character, show its number rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _detach_stdout() -> None:
    """The reader has gone: send what is still buffered nowhere, or the interpreter complains at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stream without a descriptor has nothing to complain about
        return
