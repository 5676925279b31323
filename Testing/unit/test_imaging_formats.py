"""NIfTI, NRRD and MetaImage files: geometry kept exactly, types kept, whoever wrote them."""

from __future__ import annotations

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
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.imaging import read_labelmap, read_volume
from SEERSegmentLib.values import Modality

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def ramp(shape=(4, 5, 6), dtype=np.int16):
    """Voxels (k, j, i), all different."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


@st.composite
def affines(draw):
    """IJK→RAS: any rotation, either handedness, any axis order, clinical spacing and offset."""
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 10)] * 3))
    origin = draw(st.tuples(*[st.floats(-500, 500)] * 3))
    mirror = draw(st.sampled_from([1.0, -1.0]))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * np.array(
        [*spacing[:2], mirror * spacing[2]]
    )
    affine[:3, 3] = origin
    return affine


def write_itk(path: Path, voxels, affine) -> None:
    image = sitk.GetImageFromArray(voxels)
    lps = LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    sitk.WriteImage(image, str(path), useCompression=path.suffix != ".nii")


@settings(max_examples=25)
@given(affine=affines())
@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nhdr", ".mhd"])
def test_itk_files_keep_oblique_and_left_handed_geometry(tmp_path_factory, ending, affine):
    path = tmp_path_factory.mktemp("itk") / f"v{ending}"
    write_itk(path, ramp(), affine)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-6)
    assert np.sign(np.linalg.det(volume.affine)) == np.sign(np.linalg.det(affine))
    np.testing.assert_array_equal(volume.voxels, ramp())
    assert volume.voxels.dtype == np.int16


@settings(max_examples=25)
@given(affine=affines(), compressed=st.booleans())
def test_nibabel_sform_is_kept_to_single_precision(tmp_path_factory, affine, compressed):
    path = tmp_path_factory.mktemp("nii") / ("v.nii.gz" if compressed else "v.nii")
    image = nibabel.Nifti1Image(ramp().T, affine)
    nibabel.save(image, path)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.affine, nibabel.load(path).affine, atol=1e-6)
    np.testing.assert_array_equal(volume.voxels, ramp())


@settings(max_examples=25)
@given(affine=affines())
def test_qform_alone_is_read_as_nibabel_reads_it(tmp_path_factory, affine):
    path = tmp_path_factory.mktemp("qform") / "v.nii"
    image = nibabel.Nifti2Image(ramp().T, affine)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    nibabel.save(image, path)
    np.testing.assert_allclose(read_volume(path).affine, affine, atol=1e-6)


@settings(max_examples=25)
@given(affine=affines())
def test_single_precision_qform_is_read_as_nibabel_reads_it(tmp_path_factory, affine):
    path = tmp_path_factory.mktemp("qform") / "v.nii"
    image = nibabel.Nifti1Image(ramp().T, affine)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    nibabel.save(image, path)
    header = nibabel.load(path).header
    # Near a turn of 180 degrees single precision leaves the first component open, and readers differ by up to 1e-3.
    open_component = 1 - sum(float(header[f"quatern_{c}"]) ** 2 for c in "bcd") < 1e-6
    np.testing.assert_allclose(read_volume(path).affine, header.get_qform(), atol=2e-2 if open_component else 1e-4)


def test_two_writers_of_nifti_give_the_same_volume(tmp_path):
    affine = np.array([[0, 0, 2.0, 10], [-1.5, 0, 0, 20], [0, 1.0, 0, -30], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(ramp().T, affine), tmp_path / "a.nii.gz")
    write_itk(tmp_path / "b.nii.gz", ramp(), affine)
    assert read_volume(tmp_path / "a.nii.gz").sha256 == read_volume(tmp_path / "b.nii.gz").sha256


@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "left-anterior-superior", "LPS"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_nrrd_spaces_and_encodings(tmp_path, space, encoding):
    signs = {"l": (-1, -1, 1), "R": (1, 1, 1), "L": (-1, -1, 1)}[space[0]] if "anterior" not in space else (-1, 1, 1)
    directions = np.array([[1.5, 0, 0], [0, 0, 2.0], [0, -1.0, 0]])
    header = {
        "space": space, "space directions": directions, "space origin": [1.0, 2.0, 3.0], "encoding": encoding,
        "kinds": ["domain"] * 3, "space units": ["mm"] * 3,
    }  # fmt: skip
    nrrd.write(str(tmp_path / "v.nrrd"), ramp().T, header)
    volume = read_volume(tmp_path / "v.nrrd")
    expected = np.eye(4)
    expected[:3, :3], expected[:3, 3] = directions.T, [1, 2, 3]
    np.testing.assert_allclose(volume.affine, np.diag([*signs, 1]) @ expected, atol=1e-12)
    np.testing.assert_array_equal(volume.voxels, ramp())


def test_nrrd_units_of_space_are_brought_to_millimetres(tmp_path):
    header = {
        "space": "RAS", "space directions": np.eye(3) * 0.2, "space origin": [1.0, 0, 0], "encoding": "raw",
        "space units": ["cm"] * 3,
    }  # fmt: skip
    nrrd.write(str(tmp_path / "v.nrrd"), ramp().T, header)
    volume = read_volume(tmp_path / "v.nrrd")
    assert volume.spacing == pytest.approx((2, 2, 2))
    assert volume.affine[0, 3] == pytest.approx(10)


def test_nifti_units_are_brought_to_millimetres(tmp_path):
    image = nibabel.Nifti1Image(ramp().T, np.diag([0.002, 0.002, 0.003, 1]))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "v.nii")
    assert read_volume(tmp_path / "v.nii").spacing == pytest.approx((2, 2, 3))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_scalar_type_is_kept(tmp_path, dtype, order):
    voxels = ramp((3, 4, 5), np.dtype(dtype))
    image = nibabel.Nifti1Image(voxels.T, np.eye(4), dtype=np.dtype(dtype))
    nibabel.save(
        nibabel.Nifti1Image(voxels.T, np.eye(4), header=image.header.as_byteswapped(order)), tmp_path / "v.nii"
    )
    volume = read_volume(tmp_path / "v.nii")
    assert volume.voxels.dtype == np.dtype(dtype)
    assert volume.voxels.dtype.isnative
    np.testing.assert_array_equal(volume.voxels, voxels)


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "dtype"),
    [
        ("i2", 1.0, -1024.0, "i2"),
        ("u2", 1.0, -1024.0, "i2"),
        ("u1", 1.0, -1000.0, "i2"),
        ("i2", 1.0, 40000.0, "i4"),
        ("i2", 0.5, 0.0, "f4"),
        ("i2", 2.0, 0.1, "f4"),
        ("i4", 0.1, 3.0, "f8"),
        ("f4", 3.0, 1.0, "f4"),
    ],
)
def test_scaling_gives_what_nibabel_gives(tmp_path, stored, slope, intercept, dtype):
    image = nibabel.Nifti1Image(ramp((3, 4, 5), np.dtype(stored)).T, np.eye(4))
    image.header.set_slope_inter(slope, intercept)
    path = tmp_path / "v.nii"
    nibabel.save(image, path)
    raw = bytearray(path.read_bytes())  # nibabel undoes the scaling in the voxels it writes: put ours in
    struct.pack_into("<2f", raw, 112, slope, intercept)
    raw[352:] = ramp((3, 4, 5), np.dtype(stored)).tobytes()
    path.write_bytes(raw)
    volume = read_volume(path)
    assert volume.voxels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(volume.voxels.astype(np.float32), nibabel.load(path).get_fdata(dtype=np.float32).T)


def test_a_scaling_of_zero_means_none(tmp_path):
    nibabel.save(nibabel.Nifti1Image(ramp().T, np.eye(4)), tmp_path / "v.nii")
    raw = bytearray((tmp_path / "v.nii").read_bytes())
    struct.pack_into("<2f", raw, 112, 0.0, 7.0)
    (tmp_path / "v.nii").write_bytes(raw)
    np.testing.assert_array_equal(read_volume(tmp_path / "v.nii").voxels, ramp())


def test_pair_of_header_and_image(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(ramp().T, np.diag([1, 2, 3, 1.0])), tmp_path / "v.img")
    volume = read_volume(tmp_path / "v.hdr")
    np.testing.assert_array_equal(volume.voxels, ramp())
    assert volume.spacing == (1, 2, 3)


def test_trailing_axes_of_one_element_are_let_through(tmp_path):
    nibabel.save(nibabel.Nifti1Image(ramp().T[..., None, None], np.eye(4)), tmp_path / "v.nii.gz")
    assert read_volume(tmp_path / "v.nii.gz").shape == (4, 5, 6)


def test_gzip_of_several_members(tmp_path):
    nibabel.save(nibabel.Nifti1Image(ramp().T, np.eye(4)), tmp_path / "v.nii")
    raw = (tmp_path / "v.nii").read_bytes()
    (tmp_path / "v.nii.gz").write_bytes(gzip.compress(raw[:400]) + gzip.compress(raw[400:]))
    np.testing.assert_array_equal(read_volume(tmp_path / "v.nii.gz").voxels, ramp())


def test_content_decides_not_the_ending_and_any_name_works(tmp_path):
    folder = tmp_path / "Jürgens Bilder – 患者"
    folder.mkdir()
    write_itk(folder / "v.nrrd", ramp(), np.eye(4))
    odd = (folder / "v.nrrd").rename(folder / "Kopf Ü 1.nii.gz")
    volume = read_volume(odd)
    assert volume.name == "Kopf Ü 1.nii.gz"
    np.testing.assert_array_equal(volume.voxels, ramp())
    nibabel.save(nibabel.Nifti1Image(ramp().T, np.eye(4)), folder / "ö ä.nii.gz")
    np.testing.assert_array_equal(read_volume(str(folder / "ö ä.nii.gz")).voxels, ramp())


def test_free_text_of_a_header_stays_out(tmp_path):
    nibabel_image = nibabel.Nifti1Image(ramp().T, np.eye(4))
    nibabel_image.header["descrip"] = b"DOE^JOHN"
    nibabel.save(nibabel_image, tmp_path / "a.nii")
    nrrd.write(str(tmp_path / "b.nrrd"), ramp().T, {
        "space": "RAS", "space directions": np.eye(3), "space origin": [0, 0, 0], "content": "DOE^JOHN",
        "patient": "DOE^JOHN",
    })  # fmt: skip
    for name in ("a.nii", "b.nrrd"):
        volume = read_volume(tmp_path / name)
        assert "DOE" not in repr((volume.name, dict(volume.metadata), volume.transforms))


def test_the_user_decides_on_modality(tmp_path):
    write_itk(tmp_path / "v.nrrd", ramp(), np.eye(4))
    volume = read_volume(tmp_path / "v.nrrd", modality=Modality.CT)
    assert (volume.modality, volume.modality_source) == (Modality.CT, "user")
    assert read_volume(tmp_path / "v.nrrd").modality_source == "intensities"


def test_real_segmentation_reads_as_a_label_map_on_the_grid_of_its_image(sample):
    labels = read_labelmap(sample("ct-chest", "labels"))
    assert {0, 5, 6} <= set(np.unique(labels.voxels))


def test_label_map_may_be_constant_but_must_be_whole(tmp_path):
    write_itk(tmp_path / "empty.nrrd", np.zeros((3, 4, 5), np.uint8), np.eye(4))
    assert read_labelmap(tmp_path / "empty.nrrd").voxels.max() == 0
    write_itk(tmp_path / "half.nrrd", ramp((3, 4, 5), np.float32) / 2, np.eye(4))
    with pytest.raises(VolumeError) as caught:
        read_labelmap(tmp_path / "half.nrrd")
    assert caught.value.code == "labels-not-whole"
    with pytest.raises(VolumeError) as caught:
        read_labelmap(tmp_path)
    assert caught.value.code == "labels-folder"


@pytest.mark.parametrize("name", ["example-ct", "aorta-ct", "example-mr-sm"])
def test_real_nifti_equals_nibabel(sample, name):
    reference = nibabel.load(sample(name))
    volume = read_volume(sample(name))
    np.testing.assert_array_equal(volume.voxels, reference.get_fdata().T)
    np.testing.assert_allclose(volume.affine, reference.affine, atol=1e-6)
    assert volume.voxels.dtype == reference.get_data_dtype()


def test_real_nrrd_equals_itk(sample):
    reference = sitk.ReadImage(str(sample("ct-chest")))
    volume = read_volume(sample("ct-chest"))
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(reference))
    for index in [(0, 0, 0), (127, 3, 33)]:
        point = LPS @ [*reference.TransformIndexToPhysicalPoint(index), 1]
        np.testing.assert_allclose(volume.affine @ [*index, 1], point, atol=1e-6)
