"""Episodes: what was acknowledged is on disk, whatever happens; what is read is what was written.

One long file: the faults are rigged at the same calls of the operating system for every promise.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from SEERSegmentLib.episodes import EpisodeStore, ProposedSegment, default_folder, disk, new_episode, store
from SEERSegmentLib.episodes.codec import decode, encode
from SEERSegmentLib.errors import StorageError
from SEERSegmentLib.values import (
    Code,
    CroppedArray,
    Episode,
    EpisodeVolume,
    Evidence,
    Finding,
    Modality,
    Provenance,
    Reasoning,
    Request,
    Review,
    Severity,
    Side,
    Skill,
    Stage,
    StageRecord,
    Target,
    TargetSpec,
    Terminology,
)

GRID = (5, 6, 7)
KIDNEY = Target("left kidney", "kidney_left", Side.LEFT, code="64033007")
AFFINE = ((-0.5, 0.0, 0.0, 10.0), (0.0, -0.5, 0.0, 20.0), (0.0, 0.0, 2.0, -3.25), (0.0, 0.0, 0.0, 1.0))
VOLUME = EpisodeVolume("ab" * 32, "2: Bäuche, ven.", Modality.CT, GRID, AFFINE)


def box(*ranges: tuple[int, int]) -> CroppedArray:
    mask = np.zeros(GRID, bool)
    mask[tuple(slice(*part) for part in ranges)] = True
    return CroppedArray.of(mask)


PROPOSED = box((1, 3), (1, 3), (1, 3))  # 8 voxels of 0.5 mm³
CORRECTED = box((1, 3), (1, 3), (1, 5))  # 16, of which 8 are shared: Dice 2 × 8 / 24


def made(
    request: str = "?hydro l kidney", decision: str = "corrected", **more: Any
) -> tuple[Episode, dict[str, CroppedArray]]:
    kidney = Terminology(
        Code("SCT", "123037004", "Anatomical Structure"),
        Code("SCT", "64033007", "Kidney"),
        Code("SCT", "7771000", "Left"),
    )
    corrected = {"left kidney": CORRECTED, "cyst": PROPOSED} if decision == "corrected" else None
    arguments: dict[str, Any] = {
        "volume": VOLUME,
        "request": Request(request, "r-1"),
        "reasoning": Reasoning(
            (Evidence("midline", "The midline is at 3 mm.", 3.0, "mm", "axial 5"), Evidence("size", "…", (1.0, 2.5))),
            ("“l” is left.",),
            "left kidney",
            "lexical",
            skills_used=("seer:1",),
        ),
        "spec": TargetSpec("left kidney", (KIDNEY,)),
        "segments": [ProposedSegment("left kidney", KIDNEY, kidney, 0.004, PROPOSED)],
        "findings": [Finding("side-of-patient", Severity.INFO, "Left, as expected.", status="agree")],
        "provenance": Provenance(
            "SEER 0", (StageRecord(Stage.REASON, "lexical", "0", "cd" * 32, 0.25, (("a", "b"),)),)
        ),
        "decision": decision,
        "reason": "The cyst is separate.\nSecond line.",
        "corrected": corrected,
        "skills": ("seer:1", "seer:2"),
        **more,
    }
    return new_episode(**arguments)


def check_masks(where: EpisodeStore, episode: Episode) -> None:
    """All masks of an episode are there and are those that :func:`made` gives."""
    named = [(segment.mask, PROPOSED) for segment in episode.segments]
    named += [(s.mask, CORRECTED if s.name == "left kidney" else PROPOSED) for s in episode.review.corrected]
    assert named
    for reference, expected in named:
        mask, affine = where.read_mask(reference)
        assert (mask.origin, mask.grid) == (expected.origin, expected.grid)
        np.testing.assert_array_equal(mask.voxels, expected.voxels)
        np.testing.assert_array_equal(affine, np.array(AFFINE))


def names_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_example_of_the_document_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    EpisodeStore(Path("episodes")).save(*made())
    (example,) = re.findall(r"^```python\n(.*?)^```$", (repository / "docs/episodes.md").read_text(), re.M | re.S)
    exec(compile(example, "episodes.md", "exec"), {})
    assert "corrected | ?hydro l kidney → left kidney" in capsys.readouterr().out


# --- what an episode is -----------------------------------------------------------------------------------------------


def test_an_episode_holds_the_run_and_the_review() -> None:
    episode, masks = made()
    assert episode.created.endswith("+00:00")
    assert [segment.name for segment in episode.segments] == ["left kidney"]
    first, second = episode.review.corrected
    assert (first.name, first.dice) == ("left kidney", 2 * 8 / 24)
    assert first.volume_ml == pytest.approx(16 * 0.5 / 1000)
    assert (second.name, second.dice) == ("cyst", None)  # the user's own
    assert set(masks) == {f"masks/{episode.id}/{name}.npz" for name in ("proposed-1", "corrected-1", "corrected-2")}
    assert made()[0].id != episode.id


def test_an_episode_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="approved, corrected, rejected"):
        made(decision="liked")
    with pytest.raises(ValueError, match="belong to the decision"):
        made(decision="approved", corrected={"left kidney": CORRECTED})
    with pytest.raises(ValueError, match="doesn't lie on the volume's"):
        made(volume=replace(VOLUME, shape=(5, 6, 8)))


def test_what_is_saved_is_read_with_its_masks(tmp_path: Path) -> None:
    where = EpisodeStore(tmp_path / "data" / "episodes")
    assert where.read() == ()
    assert not where.folder.exists()  # reading makes nothing
    saved = [made(), made("outline the liver\u2028\ud800", "approved"), made("…", "rejected")]
    for episode, masks in saved:
        assert where.save(episode, masks) == where.folder / "episodes.jsonl"
    assert where.read() == tuple(episode for episode, _ in saved)
    for episode, _ in saved:
        check_masks(where, episode)


def test_an_empty_mask_is_kept_as_such(tmp_path: Path) -> None:
    empty = CroppedArray.of(np.zeros(GRID, bool))
    episode, masks = made(decision="approved", segments=[ProposedSegment("left kidney", KIDNEY, None, 0.0, empty)])
    EpisodeStore(tmp_path).save(episode, masks)
    mask, _ = EpisodeStore(tmp_path).read_mask(episode.segments[0].mask)
    assert mask.count == 0
    assert mask.whole().shape == GRID


def test_masks_hold_no_pickle_and_only_the_box(tmp_path: Path) -> None:
    episode, masks = made(decision="approved")
    EpisodeStore(tmp_path).save(episode, masks)
    with np.load(tmp_path / episode.segments[0].mask, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["affine", "grid", "origin", "voxels"]
        assert (arrays["voxels"].dtype, arrays["voxels"].shape) == (np.uint8, (2, 2, 2))
        assert arrays["origin"].tolist() == [1, 1, 1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_files_are_for_the_users_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "episodes"
    before = os.umask(0)
    try:
        EpisodeStore(folder).save(*made())
    finally:
        os.umask(before)
    for path in [folder.parent, folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_masks_that_are_not_the_episodes_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    episode, masks = made()
    where = EpisodeStore(tmp_path / "episodes")
    first, *others = masks
    rest = {name: masks[name] for name in others}
    outside = replace(episode, segments=(replace(episode.segments[0], mask="masks/../../x-1.npz"),))
    for this, given in (
        (episode, {}),
        (episode, {**masks, f"masks/{episode.id}/corrected-9.npz": PROPOSED}),
        (episode, {**rest, first: CroppedArray(PROPOSED.voxels, PROPOSED.origin, (9, 9, 9))}),
        (outside, {**rest, "masks/../../x-1.npz": PROPOSED}),
        (replace(episode, id="../x"), masks),
        (replace(episode, id="other"), masks),
    ):
        with pytest.raises(ValueError, match=r"mask|id"):
            where.save(this, given)
    with pytest.raises((ValueError, TypeError)):
        where.save(replace(episode, created=np.zeros(1)), masks)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reasoner"):  # it could be written, and would never be read again
        where.save(replace(episode, reasoning=replace(episode.reasoning, reasoner=3)), masks)  # type: ignore[arg-type]
    assert not where.folder.exists()


def test_an_id_is_saved_once(tmp_path: Path) -> None:
    where = EpisodeStore(tmp_path)
    episode, masks = made()
    where.save(episode, masks)
    before = names_below(tmp_path)
    with pytest.raises(StorageError) as refused:
        where.save(episode, masks)
    assert refused.value.code == "episode-exists"
    assert names_below(tmp_path) == before
    assert where.read() == (episode,)
    check_masks(where, episode)
    where.save(*made(f"as in {episode.id}"))  # a text that holds an id is not that episode
    again = [one for one in where.read() if episode.id in one.request.text]
    where.save(*made())
    assert len(again) == 1
    assert len(where.read()) == 3


def test_a_folder_that_is_a_file_or_lies_in_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "episodes"):
        with pytest.raises(StorageError) as refused:
            EpisodeStore(folder).save(*made())
        assert refused.value.code == "episodes-folder-is-file"
    assert (tmp_path / "file").read_text() == "mine"


def test_the_default_folder_is_in_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_folder() == tmp_path / "seer" / "episodes"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_folder().parts[-4:] == ("Library", "Application Support", "seer", "episodes")


# --- lines ------------------------------------------------------------------------------------------------------------


texts = st.text(st.characters(), max_size=8)


@for_any(
    text=texts,
    reasoning=st.from_type(Reasoning),
    spec=st.from_type(TargetSpec),
    findings=st.lists(st.from_type(Finding), max_size=2),
    provenance=st.from_type(Provenance),
    skills=st.lists(st.from_type(Skill), max_size=2),
)
@settings(max_examples=60)
def test_any_episode_comes_back(
    text: str,
    reasoning: Reasoning,
    spec: TargetSpec,
    findings: list[Finding],
    provenance: Provenance,
    skills: list[Skill],
) -> None:
    episode, _ = made(
        text,
        reasoning=reasoning,
        spec=spec,
        findings=findings,
        provenance=provenance,
        skills=[skill.id for skill in skills],
        reason=text,
    )
    line = encode(episode)
    assert line.count(b"\n") == 1
    assert line.isascii()
    back = decode(line)
    assert encode(back) == line  # by their lines: NaN differs from itself
    assert (back.request.text, back.review.reason, back.findings) == (text, text, episode.findings)


def damaged_lines() -> dict[str, Callable[[dict[str, Any]], Any]]:
    return {
        "no JSON": lambda _: None,
        "its format is 2": lambda line: line.update(format=2),
        "its format is True": lambda line: line.update(format=True),
        "has no spec": lambda line: line.pop("spec"),
        "an unknown colour": lambda line: line.update(colour=1),
        "episode.volume.modality is 'XX'": lambda line: line["volume"].update(modality="XX"),
        "episode.volume.shape has 2 items": lambda line: line["volume"].update(shape=[1, 2]),
        "episode.volume.shape[0] is not of the kind int": lambda line: line["volume"].update(shape=[True, 2, 3]),
        "episode.request is not a JSON object": lambda line: line.update(request="x"),
        "episode.findings is not a list": lambda line: line.update(findings={}),
        "a review's decision": lambda line: line["review"].update(decision="liked"),
        "too large": lambda line: line["segments"][0].update(volume_ml=10**400),
    }


@pytest.mark.parametrize("says", damaged_lines())
def test_a_damaged_line_is_named_and_the_others_are_not_lost_with_it(tmp_path: Path, says: str) -> None:
    where = EpisodeStore(tmp_path)
    for _ in range(3):
        where.save(*made())
    path = tmp_path / "episodes.jsonl"
    lines = path.read_text().splitlines()
    plain = json.loads(lines[1])
    if says == "no JSON":
        lines[1] = lines[1][:40]
    else:
        damaged_lines()[says](plain)
        lines[1] = json.dumps(plain)
    damaged = "\n".join(lines) + "\n"
    path.write_text(damaged)
    with pytest.raises(StorageError) as refused:
        where.read()
    assert refused.value.code == "episode-damaged"
    assert refused.value.user_message.startswith(f"Line 2 of {path} is damaged")
    if says != "no JSON":
        assert says in refused.value.user_message
    where.save(*made())  # a review can still be saved, and changes nothing of what is there
    assert path.read_text().startswith(damaged)
    path.write_text("".join(line for number, line in enumerate(path.open()) if number != 1))
    assert len(where.read()) == 3


def test_numbers_that_are_none_and_endless_nesting_are_refused() -> None:
    line = encode(made()[0]).decode()
    for bad in (line.replace("0.004", "NaN"), line.replace("0.004", "Infinity"), "[" * 100_000, "[]", "3", ""):
        with pytest.raises(ValueError, match=r"."):
            decode(bad.encode())


def test_two_lines_of_one_id_are_refused(tmp_path: Path) -> None:
    where = EpisodeStore(tmp_path)
    path = where.save(*made())
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(StorageError, match=r"Line 2 .* line 1 has the same id"):
        where.read()


def test_a_mask_that_is_damaged_or_missing_or_elsewhere_is_told(tmp_path: Path) -> None:
    where = EpisodeStore(tmp_path)
    episode, masks = made(decision="approved")
    where.save(episode, masks)
    reference = episode.segments[0].mask
    path = tmp_path / reference
    whole = path.read_bytes()
    refused = 0
    codes: set[str] = set()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :])
        try:
            mask, _ = where.read_mask(reference)
        except StorageError as error:
            codes.add(error.code)
            refused += 1
        else:  # a byte that means nothing: a date in the archive
            np.testing.assert_array_equal(mask.voxels, PROPOSED.voxels)
    assert refused > len(whole) // 6
    assert codes == {"episode-mask-damaged"}
    np.save(tmp_path / "x.npy", np.array([object()]), allow_pickle=True)
    for content in (b"", whole[:-30], (tmp_path / "x.npy").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(StorageError):
            where.read_mask(reference)
    path.unlink()
    for name in (reference, "masks/../x-1.npz", "../masks/a/proposed-1.npz", str(path), "masks/a/b.npz\n"):
        with pytest.raises(StorageError) as error:
            where.read_mask(name)
        assert error.value.code == "episode-mask-damaged"


# --- crashes, full disks, other processes -----------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing after this runs, no clean-up either."""


class RiggedOs:
    """:mod:`os`, of which one call goes wrong. ``calls`` are those so far, with their arguments."""

    CALLS = ("open", "write", "fsync", "close", "rename", "mkdir", "unlink", "rmdir", "ftruncate", "listdir")

    def __init__(self, at: int = -1, mode: str = "record") -> None:
        self.at, self.mode = at, mode
        self.calls: list[tuple[str, tuple[Any, ...], Any]] = []
        self.handles: set[int] = set()
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return (lambda *arguments: self._call(name, real, arguments)) if name in self.CALLS else real

    def _call(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if self.dead:
            raise Killed
        now = len(self.calls) == self.at
        if now and self.mode.startswith("kill"):
            self.dead = True
            if self.mode == "kill halfway" and name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if self.mode == "kill after":
                self._done(name, arguments, real(*arguments))
            raise Killed
        full = self.mode == "full from here" and 0 <= self.at <= len(self.calls)
        if (now and self.mode.startswith("error")) or (full and name in ("open", "write", "mkdir")):
            self.calls.append((name, arguments, None))
            if name == "close":
                real(*arguments)
                self.handles.discard(arguments[0])
            if name == "write" and "halfway" in self.mode:
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        if name == "write" and self.mode == "short writes":
            arguments = (arguments[0], arguments[1][: max(1, len(arguments[1]) // 3)])
        return self._done(name, arguments, real(*arguments))

    def _done(self, name: str, arguments: tuple[Any, ...], result: Any) -> Any:
        self.calls.append((name, arguments, result))
        if name == "open":
            self.handles.add(result)
        if name == "close":
            self.handles.discard(arguments[0])
        return result


@contextmanager
def rigged(at: int = -1, mode: str = "record") -> Iterator[RiggedOs]:
    """Every call of the store goes through a RiggedOs; at the end its files are closed, as the system would."""
    fake = RiggedOs(at, mode)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "os", fake)
        patch.setattr(store, "os", fake)
        try:
            yield fake
        finally:
            for handle in fake.handles:
                os.close(handle)


def prepared(folder: Path, started: str) -> list[Episode]:
    """A store before the save that goes wrong: none, one with an episode, one with another's unfinished save."""
    if started == "nothing":
        return []
    acknowledged = [made("the first")]
    EpisodeStore(folder).save(*acknowledged[0])
    if started == "half a line":
        with (folder / "episodes.jsonl").open("ab") as file:
            file.write(encode(made("never acknowledged")[0])[:300])
        (folder / "masks" / ".saving-0123").mkdir()
        (folder / "masks" / ".saving-0123" / "proposed-1.npz").write_bytes(b"half")
    return [episode for episode, _ in acknowledged]


def boundaries(folder: Path, started: str) -> int:
    """How many calls a save makes."""
    prepared(folder, started)
    with rigged() as fake:
        EpisodeStore(folder).save(*made())
    shutil.rmtree(folder)
    return len(fake.calls)


@pytest.mark.parametrize("started", ["nothing", "one episode", "half a line"])
@pytest.mark.parametrize("mode", ["kill", "kill halfway", "kill after"])
def test_a_writer_that_is_killed_at_any_call_loses_nothing_that_was_acknowledged(
    tmp_path: Path, mode: str, started: str
) -> None:
    count = boundaries(tmp_path / "x", started)
    assert count > 20
    for at in range(count):
        folder = tmp_path / str(at)
        acknowledged = prepared(folder, started)
        episode, masks = made("the second")
        with rigged(at, mode), pytest.raises(Killed):
            EpisodeStore(folder).save(episode, masks)
        where = EpisodeStore(folder)  # the next process
        found = list(where.read())
        assert found in (acknowledged, [*acknowledged, episode]), at
        for one in found:
            check_masks(where, one)
        after, its_masks = made("the third")
        where.save(after, its_masks)
        assert list(where.read()) == [*found, after], at
        check_masks(where, after)
        assert not [name for name in names_below(folder) if ".saving" in name], at
        if episode not in found:  # the user saves it again, under the same id
            where.save(episode, masks)
            assert list(where.read()) == [*found, after, episode]
            check_masks(where, episode)


@pytest.mark.parametrize("started", ["nothing", "one episode", "half a line"])
@pytest.mark.parametrize("mode", ["error", "error halfway", "full from here"])
def test_a_save_that_fails_leaves_nothing_of_itself(tmp_path: Path, mode: str, started: str) -> None:
    count = boundaries(tmp_path / "x", started)
    failed = 0
    codes: set[str] = set()
    for at in range(count):
        folder = tmp_path / str(at)
        acknowledged = prepared(folder, started)
        episode, masks = made("the second")
        where = EpisodeStore(folder)
        with rigged(at, mode) as fake:
            try:
                where.save(episode, masks)
            except StorageError as error:
                codes.add(error.code)
                failed += 1
            else:  # a call that failed without harm: a close, or clearing away another's leftovers
                acknowledged.append(episode)
        assert not fake.handles
        assert list(where.read()) == acknowledged, at
        if episode not in acknowledged:
            assert not [name for name in names_below(folder) if episode.id in name], at
            where.save(episode, masks)
            assert list(where.read()) == [*acknowledged, episode]
        for one in where.read():
            check_masks(where, one)
    assert failed > count // 2 - 5
    assert codes == {"episodes-unwritable"}


def test_what_can_neither_be_written_nor_taken_back_keeps_its_masks(tmp_path: Path) -> None:
    """The line is there, its flush fails, and so does cutting it off: should it survive, it must be whole."""
    episode, masks = made()
    where = EpisodeStore(tmp_path)
    with rigged() as fake:
        real = fake._call

        def broken(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            line_is_written = any(n == "write" and b'"format"' in bytes(a[1]) for n, a, _ in fake.calls)
            if line_is_written and name in ("fsync", "ftruncate"):
                raise OSError(errno.EIO, "Input/output error")
            return real(name, function, arguments)

        fake._call = broken  # type: ignore[method-assign]
        with pytest.raises(StorageError):
            where.save(episode, masks)
    for one in where.read():
        check_masks(where, one)


def test_a_disk_that_takes_a_little_at_a_time_gets_it_all(tmp_path: Path) -> None:
    episode, masks = made()
    with rigged(mode="short writes") as fake:
        EpisodeStore(tmp_path).save(episode, masks)
    assert sum(name == "write" for name, _, _ in fake.calls) > 20
    assert EpisodeStore(tmp_path).read() == (episode,)
    check_masks(EpisodeStore(tmp_path), episode)


@pytest.mark.skipif(os.name == "nt", reason="Windows flushes folders by itself")
def test_everything_is_flushed_before_it_is_acknowledged_and_masks_before_their_line(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "episodes"
    with rigged() as fake:
        EpisodeStore(folder).save(*made())
    of: dict[int, Path] = {}
    unflushed: set[Path] = set()  # files with content, and folders with entries, that a power cut would lose
    for name, arguments, result in fake.calls:
        if name == "open":
            of[result] = Path(arguments[0])
            if arguments[1] & os.O_CREAT:
                unflushed.add(of[result].parent)
        elif name == "write":
            if of[arguments[0]].name == "episodes.jsonl":
                assert unflushed == set(), "the line names what is not on disk"
            unflushed.add(of[arguments[0]])
        elif name == "mkdir":
            unflushed.add(Path(arguments[0]).parent)
        elif name == "rename":
            source, target = map(Path, arguments)
            assert source not in unflushed
            assert not any(source in path.parents for path in unflushed)
            unflushed |= {source.parent, target.parent}
        elif name == "fsync":
            unflushed.discard(of[arguments[0]])
    assert unflushed == set()


def test_a_last_line_without_its_end_is_kept_where_it_is_whole(tmp_path: Path) -> None:
    """An editor may take the last line's end away; that is no reason to lose an episode."""
    where = EpisodeStore(tmp_path)
    first, second = made(), made()
    path = where.save(*first)
    path.write_bytes(path.read_bytes()[:-1])
    assert where.read() == (first[0],)
    where.save(*second)
    assert where.read() == (first[0], second[0])
    assert path.read_bytes().count(b"\n") == 2


_CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from SEERSegmentLib.episodes import EpisodeStore
from SEERSegmentLib.episodes.codec import decode
store = EpisodeStore(Path(sys.argv[2]))
model = decode(sys.stdin.buffer.readline())
masks = {s.mask: store.read_mask(s.mask)[0] for s in model.segments}
number = 0
while number != int(sys.argv[4]):
    new = f"{sys.argv[3]}-{number}"
    named = tuple(replace(s, mask=s.mask.replace(model.id, new)) for s in model.segments)
    store.save(replace(model, id=new, segments=named), {k.replace(model.id, new): v for k, v in masks.items()})
    print(new, flush=True)
    number += 1
"""


def start_writer(repository: Path, folder: Path, model: Episode, name: str, count: int) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", _CHILD, str(repository), str(folder), name, str(count)]
    child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(encode(model))
    child.stdin.close()
    return child


def test_two_processes_write_to_one_folder(tmp_path: Path, repository: Path) -> None:
    model, masks = made(decision="approved")
    EpisodeStore(tmp_path).save(model, masks)
    children = [start_writer(repository, tmp_path, model, name, 25) for name in ("a", "b")]
    for child in children:
        assert child.stdout is not None
        assert len(child.stdout.read().split()) == 25
        assert child.wait() == 0
        child.stdout.close()
    where = EpisodeStore(tmp_path)
    ids = [episode.id for episode in where.read()]
    assert ids[0] == model.id
    assert sorted(ids[1:]) == sorted(f"{name}-{number}" for name in "ab" for number in range(25))
    for name in "ab":
        assert [one for one in ids if one.startswith(name + "-")] == [f"{name}-{number}" for number in range(25)]
    for episode in where.read():
        check_masks(where, episode)


def test_a_process_that_is_killed_for_real_has_saved_what_it_acknowledged(tmp_path: Path, repository: Path) -> None:
    model, masks = made(decision="approved")
    EpisodeStore(tmp_path).save(model, masks)
    child = start_writer(repository, tmp_path, model, "c", -1)
    assert child.stdout is not None
    said = [child.stdout.readline().decode().strip() for _ in range(10)]
    child.kill()
    said += child.stdout.read().decode().split()
    child.stdout.close()
    child.wait()
    where = EpisodeStore(tmp_path)
    ids = [episode.id for episode in where.read()]
    assert ids[1 : len(said) + 1] == said
    assert len(ids) <= len(said) + 2  # one may be there that it had no time to acknowledge
    for episode in where.read():
        check_masks(where, episode)
    after = made()
    where.save(*after)  # the lock went with the process
    assert where.read()[-1] == after[0]


def test_a_store_that_another_keeps_locked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = EpisodeStore(tmp_path)
    where.save(*made())
    monkeypatch.setattr(disk, "LOCK_SECONDS", 0.0)
    with disk.locked(tmp_path / "episodes.lock"), pytest.raises(StorageError) as refused:
        where.save(*made())
    assert refused.value.code == "episodes-locked"
    assert refused.value.retryable
    where.save(*made())
    assert len(where.read()) == 2


def test_a_review_knows_only_three_decisions() -> None:
    for decision in ("approved", "corrected", "rejected"):
        assert Review(decision, "2026-01-01T00:00:00+00:00").corrected == ()
