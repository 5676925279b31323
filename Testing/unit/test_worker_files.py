"""Arrays in the session folder: what is written comes back, and nothing else is opened."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SEERSegmentLib.errors import ServiceError, StorageError
from SEERSegmentLib.values import CroppedArray
from SEERSegmentLib.worker import files
from SEERSegmentLib.worker.files import create_array, open_array, read_mask, write_mask
from SEERSegmentLib.worker.messages import ArrayFile, CroppedMask
from SEERSegmentLib.worker.session import MARKER, remove_session


def assert_malformed(caught: pytest.ExceptionInfo[ServiceError]) -> None:
    assert caught.value.code == "wire-malformed"


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "|u1", "<f4", "<f8", "|b1", "<u8"])
def test_slabs_that_were_written_are_read_back(tmp_path: Path, dtype: str) -> None:
    voxels, file = create_array(tmp_path, "volume.npy", dtype, (7, 5, 3))
    for k in range(7):
        voxels[k] = k % 2
    del voxels
    read = open_array(tmp_path, file)
    assert file == ArrayFile("volume.npy", dtype, (7, 5, 3))
    assert isinstance(read, np.memmap)
    np.testing.assert_array_equal(read, np.broadcast_to((np.arange(7) % 2)[:, None, None], (7, 5, 3)))
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_an_array_is_for_this_user_alone(tmp_path: Path) -> None:
    create_array(tmp_path, "volume.npy", "<i2", (1, 2, 3))
    assert (tmp_path / "volume.npy").stat().st_mode & 0o077 == 0


def test_a_new_array_of_the_same_name_leaves_a_reader_of_the_old_one_alone(tmp_path: Path) -> None:
    voxels, file = create_array(tmp_path, "volume.npy", "<i2", (2, 2, 2))
    voxels[:] = 5
    voxels.flush()
    old = open_array(tmp_path, file)
    create_array(tmp_path, "volume.npy", "<i2", (2, 2, 2))
    assert (old == 5).all()
    assert (open_array(tmp_path, file) == 0).all()


@pytest.mark.parametrize(
    "name", ["../volume.npy", "/etc/passwd", "a/b.npy", "a\\b.npy", "", ".", "..", ".hidden", "a\n", "C:x"]
)
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    _, file = create_array(tmp_path, "volume.npy", "<i2", (1, 2, 3))
    with pytest.raises(ServiceError) as caught:
        open_array(folder, replace(file, name=name))
    assert_malformed(caught)
    with pytest.raises(ServiceError) as caught:
        create_array(folder, name, "<i2", (1, 2, 3))
    assert_malformed(caught)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    _, file = create_array(tmp_path, "volume.npy", "<i2", (1, 2, 3))
    (folder / "volume.npy").symlink_to(tmp_path / "volume.npy")
    with pytest.raises(ServiceError) as caught:
        open_array(folder, file)
    assert_malformed(caught)


@pytest.mark.parametrize(
    "file",
    [
        ArrayFile("volume.npy", "<i4", (2, 3, 4)),
        ArrayFile("volume.npy", ">i2", (2, 3, 4)),
        ArrayFile("volume.npy", "int16", (2, 3, 4)),
        ArrayFile("volume.npy", "<i2", (4, 3, 2)),
        ArrayFile("volume.npy", "<i2", (24,)),
        ArrayFile("volume.npy", "<i2", ()),
        ArrayFile("volume.npy", "<i2", (0, 3, 4)),
        ArrayFile("volume.npy", "<i2", (2, 3, -4)),
        ArrayFile("volume.npy", "<i2", (2**40, 2**40, 2**40)),
        ArrayFile("volume.npy", "|O", (2, 3, 4)),
        ArrayFile("volume.npy", "|V8", (2, 3, 4)),
        ArrayFile("volume.npy", "<c8", (2, 3, 4)),
        ArrayFile("volume.npy", "<U4", (2, 3, 4)),
        ArrayFile("volume.npy", "<M8[s]", (2, 3, 4)),
        ArrayFile("volume.npy", "<i2,<i2", (2, 3, 4)),
        ArrayFile("volume.npy", "(2,)<i2", (2, 3, 4)),
        ArrayFile("volume.npy", "nonsense", (2, 3, 4)),
        ArrayFile("other.npy", "<i2", (2, 3, 4)),
    ],
    ids=str,
)
def test_what_a_message_says_of_a_file_must_be_so(tmp_path: Path, file: ArrayFile) -> None:
    create_array(tmp_path, "volume.npy", "<i2", (2, 3, 4))
    with pytest.raises(ServiceError) as caught:
        open_array(tmp_path, file)
    assert_malformed(caught)


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"hello", pickle.dumps(_Trap()), b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 70000]
)
def test_a_file_that_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "volume.npy").write_bytes(content)
    with pytest.raises(ServiceError) as caught:
        open_array(tmp_path, ArrayFile("volume.npy", "<i2", (2, 3, 4)))
    assert_malformed(caught)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    array = np.empty((1,), dtype=object)
    array[0] = _Trap()
    np.save(tmp_path / "volume.npy", array, allow_pickle=True)
    for dtype in ("|O", "<i8"):
        with pytest.raises(ServiceError) as caught:
            open_array(tmp_path, ArrayFile("volume.npy", dtype, (1,)))
        assert_malformed(caught)


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    _, file = create_array(tmp_path, "volume.npy", "<i2", (2, 3, 4))
    content = (tmp_path / "volume.npy").read_bytes()
    (tmp_path / "volume.npy").write_bytes(content[:-1])
    with pytest.raises(ServiceError) as caught:
        open_array(tmp_path, file)
    assert_malformed(caught)


def test_an_array_in_fortran_order_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "volume.npy", np.asfortranarray(np.zeros((2, 3, 4), np.int16)))
    with pytest.raises(ServiceError) as caught:
        open_array(tmp_path, ArrayFile("volume.npy", "<i2", (2, 3, 4)))
    assert_malformed(caught)


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: _Usage())
    with pytest.raises(StorageError) as caught:
        create_array(tmp_path, "volume.npy", "<i2", (2, 3, 4))
    assert caught.value.code == "session-folder-full"
    assert list(tmp_path.iterdir()) == []


class _Usage:
    free = 1000


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no such call here")
def test_room_that_is_not_there_after_all_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "posix_fallocate", full)
    with pytest.raises(StorageError) as caught:
        create_array(tmp_path, "volume.npy", "<i2", (2, 3, 4))
    assert caught.value.code == "session-folder-full"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        create_array(tmp_path / "gone", "volume.npy", "<i2", (2, 3, 4))
    assert caught.value.code == "session-folder-unusable"


@given(mask=hnp.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)))
@settings(max_examples=50)
def test_a_mask_comes_back_whole(tmp_path_factory: pytest.TempPathFactory, mask: np.ndarray) -> None:
    folder = tmp_path_factory.getbasetemp()
    written = write_mask(folder, "mask.npy", CroppedArray.of(mask))
    assert (written.voxels is None) == (not mask.any())
    read = read_mask(folder, written)
    np.testing.assert_array_equal(read.whole(), mask)
    assert read.voxels.dtype == np.bool_


def test_a_small_mask_of_a_large_grid_costs_what_it_holds(tmp_path: Path) -> None:
    written = write_mask(tmp_path, "mask.npy", CroppedArray(np.ones((2, 3, 4), bool), (5, 5, 5), (4000, 4000, 4000)))
    assert (tmp_path / "mask.npy").stat().st_size < 1000
    assert read_mask(tmp_path, written).count == 24


def _mask(folder: Path, value: int = 1) -> CroppedMask:
    voxels, file = create_array(folder, "mask.npy", np.uint8, (2, 3, 4))
    voxels[:] = value
    return CroppedMask(file, (0, 0, 0), (4, 4, 4))


@pytest.mark.parametrize(
    "change",
    [
        {"origin": (3, 0, 0)},
        {"origin": (-1, 0, 0)},
        {"grid": (1, 4, 4)},
        {"grid": (0, 0, 0)},
        {"voxels": None, "grid": (0, 4, 4)},
        {"voxels": ArrayFile("mask.npy", "|b1", (2, 3, 4))},
        {"voxels": ArrayFile("mask.npy", "|u1", (24,))},
    ],
    ids=str,
)
def test_a_mask_beyond_its_grid_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    mask = replace(_mask(tmp_path), **change)  # type: ignore[arg-type]
    with pytest.raises(ServiceError) as caught:
        read_mask(tmp_path, mask)
    assert_malformed(caught)


def test_a_mask_with_more_than_two_values_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        read_mask(tmp_path, _mask(tmp_path, value=2))
    assert_malformed(caught)


def test_only_a_folder_that_a_panel_made_is_removed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    remove_session(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    (tmp_path / "mine" / MARKER).touch()
    remove_session(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    remove_session(tmp_path / "mine")
