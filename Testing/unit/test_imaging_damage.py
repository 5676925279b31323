"""Damaged bytes anywhere in a header, or in a DICOM file, end in a volume or a VolumeError, never in anything else."""

from __future__ import annotations

import contextlib
import gzip
import struct
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.imaging import read_volume

VOXELS = np.arange(120, dtype=np.int16).reshape(4, 5, 6)


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    folder: Path = tmp_path_factory.mktemp("originals")
    nibabel.save(nibabel.Nifti1Image(VOXELS.T, np.eye(4)), folder / "v.nii")
    nrrd.write(str(folder / "v.nrrd"), VOXELS.T, {
        "space": "LPS", "space directions": np.eye(3), "space origin": [0, 0, 0], "encoding": "raw",
    })  # fmt: skip
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(folder / "v.mha"))
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS[:1]), str(folder / "v.dcm"))
    found = {p.suffix: p.read_bytes() for p in folder.iterdir()}
    return {**found, ".gz": gzip.compress(found[".nii"])}


@settings(max_examples=150)
@given(
    where=st.lists(st.integers(0, 400), min_size=1, max_size=4),
    what=st.lists(
        st.one_of(st.binary(min_size=0, max_size=4), st.sampled_from([b"nan", b"-1", b"1e999", b"\0"])), min_size=4
    ),
    replace=st.integers(0, 4),
)
@pytest.mark.parametrize("kind", [".nii", ".gz", ".nrrd", ".mha", ".dcm"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_damage(originals, tmp_path_factory, kind, where, what, replace):
    raw = bytearray(originals[kind])
    for at, piece in zip(where, what, strict=False):
        at += 100 if kind == ".dcm" else 0
        raw[at : at + replace] = piece
    path = tmp_path_factory.mktemp("damaged") / "image"
    path.write_bytes(raw)
    with contextlib.suppress(VolumeError):
        volume = read_volume(path, resample=bool(replace % 2))
        assert np.isfinite(volume.affine).all()
        assert volume.voxels.ndim == 3


def test_every_field_of_a_nifti_header_may_hold_anything(originals, tmp_path):
    for at in range(0, 348, 4):
        for value in (b"\xff\xff\xff\xff", b"\0\0\0\0", struct.pack("<f", float("nan")), struct.pack("<f", 1e30)):
            raw = bytearray(originals[".nii"])
            raw[at : at + 4] = value
            (tmp_path / "v.nii").write_bytes(raw)
            with contextlib.suppress(VolumeError):
                assert read_volume(tmp_path / "v.nii").shape == (4, 5, 6)
