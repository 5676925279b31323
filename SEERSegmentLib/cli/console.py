"""What the command says and where: results on standard output, everything else on standard error."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import SeerError, SeriesChoiceNeeded

if TYPE_CHECKING:
    from ..protocols import Emit

__all__ = ["Console", "printable"]


def printable(line: str) -> str:
    """Without characters that would steer a terminal: names may come from a file's header or a model's reply."""
    return "".join(c if c.isprintable() else " " for c in line)


class Console:
    """Prints for people, or as JSON for programs.

    Parameters
    ----------
    as_json
        Results and errors are JSON objects on standard output; sentences for people still go to standard error.
    quiet
        No progress.
    debug
        Errors come with where they came from.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.debug = debug

    def text(self, *lines: str) -> None:
        """Lines of a result for people; nothing in JSON mode."""
        if not self.as_json:
            for line in lines:
                print(printable(line))

    def json(self, value: Any) -> None:
        """One JSON object on one line, at once; nothing where the result is for people."""
        if self.as_json:
            self.json_line(value)

    def json_line(self, value: Any) -> None:
        """One JSON object on one line, at once, whatever the mode."""
        print(json.dumps(value, allow_nan=False), flush=True)

    def note(self, line: str) -> None:
        """A line about the run itself."""
        if not self.quiet:
            print(printable(line), file=sys.stderr, flush=True)

    def error(self, error: SeerError) -> None:
        """One sentence and the code; in JSON mode an object as well."""
        print(printable(f"seer: {error.user_message} [{error.code}]"), file=sys.stderr, flush=True)
        series = error.series if isinstance(error, SeriesChoiceNeeded) else ()
        for uid, description in series:
            print(printable(f"  --series {uid}   {description}"), file=sys.stderr, flush=True)
        if self.debug and error.detail:
            for line in error.detail.splitlines():
                print(printable(f"  {line}"), file=sys.stderr, flush=True)
        content: dict[str, Any] = {
            "code": error.code,
            "message": error.user_message,
            "detail": error.detail,
            "retryable": error.retryable,
            "exit_code": error.exit_code,
        }
        if series:
            content["series"] = [{"uid": uid, "description": description} for uid, description in series]
        self.json({"status": "error", "error": content})

    @contextmanager
    def progress(self) -> Iterator[Emit]:
        """An ``emit`` for the pipeline: a moving bar on a terminal, a line per stage elsewhere or without rich."""
        if self.quiet:
            yield lambda progress: None
        elif sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
            from .progress import moving_bar

            with moving_bar() as emit:
                yield emit
        else:
            from .progress import stage_lines

            yield stage_lines(self.note)
