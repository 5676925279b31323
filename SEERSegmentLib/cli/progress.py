"""Progress of a run on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..protocols import Emit
from ..values import Progress, Stage
from .console import printable

__all__ = ["moving_bar", "stage_lines"]


def stage_lines(write: Callable[[str], None]) -> Emit:
    """One line for each stage as it begins, and for each remark of the backbone."""
    seen: set[Stage] = set()

    def emit(progress: Progress) -> None:
        if progress.stage not in seen:
            seen.add(progress.stage)
            write(f"seer: {progress.stage.value} ...")
        if _is_remark(progress):
            write(f"seer: {progress.message}")

    return emit


@contextmanager
def moving_bar() -> Iterator[Emit]:
    """A bar that shows the stage at work, by rich; it clears itself at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def emit(progress: Progress) -> None:
            if _is_remark(progress):
                bar.console.print(printable(progress.message), markup=False, highlight=False)
                return
            words = progress.stage.value.capitalize() + (f" · {progress.message}" if progress.message else "")
            total = None if progress.fraction is None else 1.0  # without a known share the bar pulses
            bar.update(task, description=printable(words)[:60], total=total, completed=progress.fraction or 0.0)

        yield emit


def _is_remark(progress: Progress) -> bool:
    """Something about the result rather than about how far it is, such as labels that a label map doesn't have."""
    return progress.stage is Stage.SEGMENT and progress.fraction is None and bool(progress.message)
