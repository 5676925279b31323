"""Every image that SEER can't use is refused by a code of its own, with a sentence a radiologist understands."""

from __future__ import annotations

import gzip
import json
import re
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from SEERSegmentLib.cli import main
from SEERSegmentLib.errors import Cancelled, VolumeError
from SEERSegmentLib.imaging import read_volume
from SEERSegmentLib.protocols import CancelToken

SHAPE = (6, 5, 4)  # (i, j, k)


def voxels(dtype=np.int16):
    return np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)


def nifti(path: Path, array=None, affine=None, **patches: tuple[str, int, tuple]) -> Path:
    """Write a NIfTI-1 file, then overwrite header fields: name=(struct format, offset, values)."""
    nibabel.save(
        nibabel.Nifti1Image(voxels() if array is None else array, np.eye(4) if affine is None else affine), path
    )
    raw = bytearray(path.read_bytes())
    for fmt, offset, values in patches.values():
        struct.pack_into(f"<{fmt}", raw, offset, *values)
    path.write_bytes(raw)
    return path


def nrrd_text(**fields: str) -> bytes:
    header = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "6 5 4",
        "space directions": "(1,0,0) (0,1,0) (0,0,1)", "kinds": "domain domain domain", "endian": "little",
        "encoding": "raw", "space origin": "(0,0,0)", **{k.replace("_", " "): v for k, v in fields.items()},
    }  # fmt: skip
    lines = "".join(f"{k}: {v}\n" for k, v in header.items() if v)
    return f"NRRD0004\n{lines}\n".encode() + voxels().tobytes()


def mha_text(**fields: str) -> bytes:
    header = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0",
        "ElementSpacing": "1 1 1", "DimSize": "6 5 4", "ElementType": "MET_SHORT", **fields, "ElementDataFile": "LOCAL",
    }  # fmt: skip
    return "".join(f"{k} = {v}\n" for k, v in header.items() if v).encode() + voxels().tobytes()


def with_bytes(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "image"
        path.write_bytes(content)
        return path

    return make


def with_nifti(*args, **kwargs) -> Callable[[Path], Path]:
    return lambda folder: nifti(folder / "v.nii", *args, **kwargs)


def with_itk(array: np.ndarray, *, vector: bool = False, ending: str = ".nrrd") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"v{ending}"
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=vector), str(path))
        return path

    return make


def truncate(source: Callable[[Path], Path], keep: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = source(folder)
        raw = path.read_bytes()
        path.write_bytes(raw[: int(len(raw) * keep)])
        return path

    return make


def gzipped(source: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = source(folder)
        path.write_bytes(gzip.compress(path.read_bytes()))
        return path

    return make


def flip_bits(source: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = source(folder)
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2 :] = bytes(b ^ 0xFF for b in raw[len(raw) // 2 :])
        path.write_bytes(raw)
        return path

    return make


def noisy(value: float) -> np.ndarray:
    array = voxels(np.float32)
    array[1, 2, 3] = value
    return array


RGB = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
SHEAR = np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
MIRRORED = np.diag([-1.0, 1, 1, 1])
nan = float("nan")

CASES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    # files
    "empty": ("file-empty", with_bytes(b"")),
    "text": ("format-unknown", with_bytes(b"hello, this is no image\n")),
    "noise": ("format-unknown", with_bytes(bytes(range(256)) * 8)),
    "gzip of something else": ("format-unknown", with_bytes(gzip.compress(b"hello"))),
    "missing": ("path-missing", lambda folder: folder / "nothing.nii"),
    "null in name": ("path-missing", lambda folder: folder / "a\0b"),
    "folder without DICOM": ("dicom-none", lambda folder: folder),
    "header only": ("file-truncated", truncate(with_nifti(), 0.3)),
    "cut nifti": ("file-truncated", truncate(with_nifti(), 0.8)),
    "cut nifti.gz": ("file-truncated", truncate(gzipped(with_nifti()), 0.9)),
    "cut nrrd": ("file-truncated", truncate(with_bytes(nrrd_text()), 0.9)),
    "cut mha": ("file-truncated", truncate(with_bytes(mha_text()), 0.9)),
    "damaged gzip": ("file-damaged", flip_bits(gzipped(with_nifti()))),
    # headers that lie
    "nifti claims more": ("file-truncated", with_nifti(dim=("8h", 40, (3, 30000, 30000, 30000, 1, 1, 1, 1)))),
    "nifti.gz claims more": ("file-truncated", gzipped(with_nifti(dim=("8h", 40, (3, *[30000] * 3, 1, 1, 1, 1))))),
    "nrrd claims more": ("file-truncated", with_bytes(nrrd_text(sizes="60000 60000 60000"))),
    "mha claims more": ("file-truncated", with_bytes(mha_text(DimSize="60000 60000 60000"))),
    "nifti claims less": ("file-longer-than-header", with_nifti(dim=("8h", 40, (3, 6, 5, 3, 1, 1, 1, 1)))),
    "nifti.gz claims less": ("file-longer-than-header", gzipped(with_nifti(dim=("8h", 40, (3, 6, 5, 3, 1, 1, 1, 1))))),
    "nrrd claims less": ("file-longer-than-header", with_bytes(nrrd_text(sizes="6 5 3"))),
    "mha claims less": ("file-longer-than-header", with_bytes(mha_text(DimSize="6 5 3"))),
    "a million cubed": ("header-absurd-size", with_bytes(nrrd_text(sizes="1000000 1000000 1000000"))),
    "a million cubed, mha": ("header-absurd-size", with_bytes(mha_text(DimSize="1000000 1000000 1000000"))),
    "no axes": ("header-damaged", with_nifti(dim=("8h", 40, (0, 6, 5, 4, 1, 1, 1, 1)))),
    "nrrd without sizes": ("header-damaged", with_bytes(nrrd_text(sizes=""))),
    "nrrd with words for sizes": ("header-damaged", with_bytes(nrrd_text(sizes="six five four"))),
    "nrrd with a size too few": ("header-damaged", with_bytes(nrrd_text(sizes="6 5"))),
    "nrrd without endian": ("header-damaged", with_bytes(nrrd_text(endian=""))),
    "mha without sizes": ("header-damaged", with_bytes(mha_text(DimSize=""))),
    "voxels inside the header": ("header-damaged", with_nifti(offset=("f", 108, (16.0,)))),
    "scaling infinite": ("rescale-not-finite", with_nifti(slope=("2f", 112, (float("inf"), 0.0)))),
    "intercept nan": ("rescale-not-finite", with_nifti(slope=("2f", 112, (2.0, nan)))),
    "data file elsewhere": ("data-file-elsewhere", with_bytes(nrrd_text(data_file="../../etc/passwd"))),
    "data file missing": ("data-file-missing", with_bytes(nrrd_text(data_file="other.raw"))),
    "data files listed": ("data-file-list", with_bytes(nrrd_text(data_file="slice%03d.raw 0 3 1"))),
    # what is in a voxel, and how many there are
    "no voxels": ("volume-empty", with_bytes(nrrd_text(sizes="6 5 0"))),
    "minus voxels": ("volume-empty", with_nifti(dim=("8h", 40, (3, 6, 5, -4, 1, 1, 1, 1)))),
    "2D": ("volume-2d", with_itk(np.arange(30, dtype=np.int16).reshape(5, 6))),
    "2D mha": ("volume-2d", with_itk(np.arange(30, dtype=np.int16).reshape(5, 6), ending=".mha")),
    "2D nifti": ("volume-2d", with_nifti(voxels()[:, :, :1])),
    "4D": ("volume-4d", with_nifti(np.stack([voxels()] * 3, axis=3))),
    "4D nrrd": ("volume-4d", with_bytes(nrrd_text(
        dimension="4", sizes="3 2 5 4", space_directions="none (1,0,0) (0,1,0) (0,0,1)",
        kinds="list domain domain domain",
    ))),
    "one voxel": ("volume-one-voxel", with_nifti(voxels()[:1, :1, :1])),
    "constant": ("volume-constant", with_nifti(np.full(SHAPE, 7, np.int16))),
    "RGB nifti": ("voxels-colour", with_nifti(RGB)),
    "RGB nrrd": ("voxels-colour", with_bytes(nrrd_text(
        dimension="4", sizes="3 2 5 4", space_directions="none (1,0,0) (0,1,0) (0,0,1)",
        kinds="RGB-color domain domain domain",
    ))),
    "vector nrrd": ("voxels-vector", with_itk(np.zeros((4, 5, 6, 3), np.uint8), vector=True)),
    "vector mha": ("voxels-vector", with_itk(np.zeros((4, 5, 6, 3), np.uint8), vector=True, ending=".mha")),
    "vector nifti": ("voxels-vector", with_nifti(np.zeros((*SHAPE, 1, 3), np.float32))),
    "complex nifti": ("voxels-complex", with_nifti(voxels(np.complex64))),
    "complex nrrd": ("voxels-complex", with_bytes(nrrd_text(
        dimension="4", sizes="2 3 5 4", space_directions="none (1,0,0) (0,1,0) (0,0,1)",
        kinds="complex domain domain domain",
    ))),
    "long double": ("voxels-unsupported", with_nifti(datatype=("h", 70, (1536,)))),
    "nrrd block": ("voxels-unsupported", with_bytes(nrrd_text(type="block"))),
    "nrrd odd encoding": ("voxels-unsupported", with_bytes(nrrd_text(encoding="hex"))),
    "NaN": ("voxels-nan", with_nifti(noisy(nan))),
    "infinite": ("voxels-infinite", with_nifti(noisy(-np.inf))),
    "absurd values": ("voxels-absurd", with_nifti(noisy(1e20).astype(np.float64) ** 2)),
    # geometry
    "zero spacing nifti": ("spacing-not-positive", with_nifti(pixdim=("8f", 76, (1, 1, 0, 1, 1, 1, 1, 1)))),
    "negative spacing nifti": ("spacing-not-positive", with_nifti(pixdim=("8f", 76, (1, 1, -1, 1, 1, 1, 1, 1)))),
    "NaN spacing nifti": ("spacing-not-finite", with_nifti(pixdim=("8f", 76, (1, 1, nan, 1, 1, 1, 1, 1)))),
    "zero spacing nrrd": ("spacing-not-positive", with_bytes(nrrd_text(space_directions="(1,0,0) (0,0,0) (0,0,1)"))),
    "zero spacing mha": ("spacing-not-positive", with_bytes(mha_text(ElementSpacing="1 0 1"))),
    "negative spacing mha": ("spacing-not-positive", with_bytes(mha_text(ElementSpacing="1 -2 1"))),
    "NaN spacing mha": ("spacing-not-finite", with_bytes(mha_text(ElementSpacing="1 nan 1"))),
    "absurd spacing": ("spacing-absurd", with_nifti(affine=np.diag([1e6, 1, 1, 1]))),
    "tiny spacing": ("spacing-absurd", with_nifti(affine=np.diag([0.001, 0.001, 0.001, 1]))),
    "two voxel sizes": ("spacing-conflict", with_nifti(pixdim=("8f", 76, (1, 3, 3, 3, 1, 1, 1, 1)))),
    "NaN direction nifti": ("affine-not-finite", with_nifti(srow=("4f", 280, (nan, 0, 0, 0)))),
    "NaN direction nrrd": ("affine-not-finite", with_bytes(nrrd_text(space_directions="(nan,0,0) (0,1,0) (0,0,1)"))),
    "NaN direction mha": ("affine-not-finite", with_bytes(mha_text(TransformMatrix="nan 0 0 0 1 0 0 0 1"))),
    "NaN origin": ("affine-not-finite", with_bytes(nrrd_text(space_origin="(nan,0,0)"))),
    "far away": ("origin-absurd", with_bytes(nrrd_text(space_origin="(1e9,0,0)"))),
    "singular nifti": ("affine-singular", with_nifti(srow=("8f", 280, (1, 1, 0, 0, 0, 0, 0, 0)))),
    "singular nrrd": ("affine-singular", with_bytes(nrrd_text(space_directions="(1,0,0) (1,0,0) (0,0,1)"))),
    "singular mha": ("affine-singular", with_bytes(mha_text(TransformMatrix="1 0 0 1 0 0 0 0 1"))),
    "no direction mha": ("affine-singular", with_bytes(mha_text(TransformMatrix="0 0 0 0 1 0 0 0 1"))),
    "sheared nifti": ("affine-sheared", with_nifti(affine=SHEAR)),
    "sheared nrrd": ("affine-sheared", with_bytes(nrrd_text(space_directions="(1,0,0) (0.3,1,0) (0,0,1)"))),
    "sheared mha": ("affine-sheared", with_bytes(mha_text(TransformMatrix="1 0 0 0.3 0.95 0 0 0 1"))),
    "no orientation nifti": ("orientation-unknown", with_nifti(codes=("2h", 252, (0, 0)))),
    "no orientation nrrd": ("orientation-unknown", with_bytes(nrrd_text(space=""))),
    "no orientation mha": ("orientation-unknown", with_bytes(mha_text(TransformMatrix=""))),
    "Analyze": ("orientation-unknown", with_nifti(magic=("4s", 344, (b"\0\0\0\0",)))),
    "two orientations": ("orientation-conflict", with_nifti(
        affine=MIRRORED, srow=("4f", 280, (1, 0, 0, 0)), codes=("2h", 252, (1, 1)),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_is_refused_by_its_own_code(tmp_path, name):
    code, make = CASES[name]
    path = make(tmp_path)
    with pytest.raises(VolumeError) as caught:
        read_volume(path)
    assert caught.value.code == code, str(caught.value)
    assert caught.value.exit_code == 4
    message = caught.value.user_message
    assert message.endswith(".")
    assert str(tmp_path) not in message
    assert "Traceback" not in message


@pytest.mark.parametrize("name", CASES)
def test_the_command_says_so_and_leaves_nothing(tmp_path, capsys, name):
    code, make = CASES[name]
    (tmp_path / "in").mkdir()
    path = make(tmp_path / "in")
    before = sorted(tmp_path.rglob("*"))
    outputs = ("-o", str(tmp_path / "o.seg.nrrd"), "--report", str(tmp_path / "r.html"))
    assert main(["segment", str(path), "liver", *outputs, "--json", "--quiet"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_each_code_is_documented(repository):
    documented = (repository / "docs" / "errors.md").read_text(encoding="utf-8")
    raised = {
        code
        for source in (repository / "SEERSegmentLib" / "imaging").glob("*.py")
        for code in re.findall(r'VolumeError\(.*?code="([a-z0-9-]+)"', source.read_text(encoding="utf-8"), re.DOTALL)
    }
    assert len(raised) > 30
    undocumented = sorted(code for code in raised | {c for c, _ in CASES.values()} if f"`{code}`" not in documented)
    assert not undocumented


@pytest.mark.parametrize("name", [n for n in CASES if "claims more" in n or "million" in n])
def test_a_lying_header_allocates_nothing(tmp_path, name):
    path = CASES[name][1](tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(VolumeError):
            read_volume(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_reading_needs_the_voxels_and_little_more(tmp_path):
    array = np.random.default_rng(0).integers(-1000, 1000, (64, 256, 256), dtype=np.int16)
    for name, write in (("v.nii.gz", nibabel.Nifti1Image), ("v.nii", nibabel.Nifti1Image)):
        nibabel.save(write(array.T, np.eye(4)), tmp_path / name)
        tracemalloc.start()
        volume = read_volume(tmp_path / name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.5 * array.nbytes + 20e6
        assert volume.voxels.nbytes == array.nbytes


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd"])
def test_reading_stops_when_asked(tmp_path, ending):
    """Within the file, not only before it: the second look at the token is the one that stops."""

    class Soon(CancelToken):
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 1:
                self.cancel()
            super().check()

    array = np.random.default_rng(0).integers(-1000, 1000, (80, 256, 512), dtype=np.int16)
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path), useCompression=ending == ".nii.gz")
    token = Soon()
    with pytest.raises(Cancelled):
        read_volume(path, cancel=token)
    assert token.looks == 2
    np.testing.assert_array_equal(read_volume(path).voxels, array)  # more than one piece, put together rightly


def test_sheared_image_is_resampled_on_the_users_word(tmp_path):
    array = np.zeros((20, 20, 20), np.int16)
    array[8:12, 8:12, 8:12] = 100
    path = nifti(tmp_path / "v.nii", array, SHEAR)
    volume = read_volume(path, resample=True)
    axes = volume.affine[:3, :3]
    np.testing.assert_allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-9)
    assert any("resampled" in note for note in volume.transforms)
    where = np.argwhere(volume.voxels > 50)[:, ::-1]
    centre = volume.affine[:3, :3] @ where.mean(axis=0) + volume.affine[:3, 3]
    np.testing.assert_allclose(centre, SHEAR[:3, :3] @ [9.5, 9.5, 9.5], atol=0.3)
    assert len(where) * volume.voxel_ml == pytest.approx(64 * abs(np.linalg.det(SHEAR)) / 1000, rel=0.2)


def test_sform_that_differs_little_from_qform_is_taken_and_noted(tmp_path):
    path = nifti(tmp_path / "v.nii", codes=("2h", 252, (1, 1)), srow=("4f", 280, (1, 0, 0, 5.0)))
    volume = read_volume(path)
    assert volume.affine[0, 3] == 5.0
    assert any("sform" in note for note in volume.transforms)
