"""DICOM series: sorted by place, checked, scaled slice by slice, and nothing about the person kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import Cancelled, SeriesChoiceNeeded, VolumeError
from SEERSegmentLib.imaging import list_series, read_volume
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import Modality

ROWS, COLUMNS = 7, 9
PATIENT = "DOE^JOHN"


def stored_slice(index: int) -> np.ndarray:
    return (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) + 100 * index).astype(np.int16)


def dataset(position, *, row=(1, 0, 0), column=(0, 1, 0), pixels=None, series="1.2.3", **tags) -> FileDataset:
    """A CT slice as a scanner writes it, patient's name and all."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    pixels = stored_slice(0) if pixels is None else pixels
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.SeriesDescription = series, 3, "Thorax 1.5"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = PATIENT, "4711", "19600101"
    ds.Modality, ds.InstanceNumber, ds.BodyPartExamined = "CT", 1, "CHEST"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ImagePositionPatient = [float(f"{x:.6f}") for x in position]
    ds.ImageOrientationPatient = [float(f"{x:.8f}") for x in (*row, *column)]
    ds.PixelSpacing = [0.8, 0.7]
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.RescaleSlope, ds.RescaleIntercept = 1, 0
    ds.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(ds, name, value)
    return ds


def save(folder: Path, datasets, order=None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = order if order is not None else range(len(datasets))
    for name, ds in zip(names, datasets, strict=True):
        ds.save_as(folder / f"IM{name:04d}", enforce_file_format=True)
    return folder


def stack(count=6, step=2.0, **tags):
    return [
        dataset((-10, -20, 30 + step * k), pixels=stored_slice(k), InstanceNumber=k + 1, **tags) for k in range(count)
    ]


def refused(folder: Path, **options) -> VolumeError:
    with pytest.raises(VolumeError) as caught:
        read_volume(folder, **options)
    assert PATIENT not in str(caught.value)
    return caught.value


def test_slices_are_ordered_by_place_not_by_name_or_number(tmp_path):
    slices = stack()
    for number, ds in enumerate(slices):
        ds.InstanceNumber = 100 - number
    volume = read_volume(save(tmp_path / "s", slices, order=[3, 1, 5, 0, 4, 2]))
    np.testing.assert_array_equal(volume.voxels, np.stack([stored_slice(k) for k in range(6)]))
    np.testing.assert_allclose(volume.affine, [[-0.7, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1]])
    assert (volume.modality, volume.modality_source) == (Modality.CT, "DICOM")
    assert volume.voxels.dtype == np.int16


def test_nothing_about_the_person_is_kept(tmp_path):
    volume = read_volume(save(tmp_path / PATIENT, stack()))
    kept = repr((volume.name, dict(volume.metadata), volume.transforms))
    for word in ("DOE", "JOHN", "4711", "1960", "Thorax"):
        assert word not in kept
    assert volume.metadata["BodyPartExamined"] == "CHEST"
    assert volume.name == "CT series 3"


@settings(max_examples=20)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    step=st.floats(0.5, 10),
    reverse=st.booleans(),
)
def test_oblique_series_agree_with_itk(tmp_path_factory, angles, step, reverse):
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    slices = [
        dataset(
            axes[:, 2] * step * k * (-1 if reverse else 1) + [1, 2, 3],
            row=axes[:, 0], column=axes[:, 1], pixels=stored_slice(k),
        )
        for k in range(4)
    ]  # fmt: skip
    folder = save(tmp_path_factory.mktemp("dicom"), slices)
    volume = read_volume(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    for index in [(0, 0, 0), (COLUMNS - 1, ROWS - 1, 3)]:
        np.testing.assert_allclose(
            (volume.affine @ [*index, 1])[:3] * [-1, -1, 1], image.TransformIndexToPhysicalPoint(index), atol=1e-3
        )
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(image))


def test_real_series_equals_itk(sample):
    folder = sample("example-dicom")
    volume = read_volume(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine[:3, 3] * [-1, -1, 1], image.GetOrigin())
    assert list_series(folder)[0][1].startswith("CT, 20 slices")


def test_slope_and_intercept_of_each_slice(tmp_path):
    slices = stack(3)
    for k, ds in enumerate(slices):
        ds.Modality, ds.RescaleSlope, ds.RescaleIntercept = "PT", 0.5 * (k + 1), 1.0
    volume = read_volume(save(tmp_path / "pet", slices))
    expected = np.stack([stored_slice(k) * 0.5 * (k + 1) + 1.0 for k in range(3)])
    np.testing.assert_allclose(volume.voxels, expected, rtol=1e-6)
    assert volume.voxels.dtype == np.float32
    assert (volume.modality, volume.modality_source) == (Modality.UNKNOWN, "DICOM")


@pytest.mark.parametrize(("top", "dtype"), [(3000, np.int16), (60000, np.int32)])
def test_unsigned_values_with_an_intercept_stay_integers_that_fit(tmp_path, top, dtype):
    slices = stack(3, RescaleIntercept=-1024)
    pixels = np.linspace(0, top, ROWS * COLUMNS).astype(np.uint16).reshape(ROWS, COLUMNS)
    for ds in slices[1:]:
        ds.PixelRepresentation, ds.PixelData = 0, pixels.tobytes()
    volume = read_volume(save(tmp_path / "s", slices))
    assert volume.voxels.dtype == dtype
    np.testing.assert_array_equal(volume.voxels[0], stored_slice(0) - 1024)
    np.testing.assert_array_equal(volume.voxels[2], pixels.astype(np.int32) - 1024)


def test_monochrome1_is_turned_so_that_bright_is_large_but_hounsfield_units_are_not(tmp_path):
    mr = stack(
        3, Modality="MR", PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11, PixelRepresentation=0
    )
    volume = read_volume(save(tmp_path / "mr", mr))
    np.testing.assert_array_equal(volume.voxels[1], 4095 - stored_slice(1))
    assert any("inverted" in note for note in volume.transforms)
    ct = read_volume(save(tmp_path / "ct", stack(3, PhotometricInterpretation="MONOCHROME1")))
    np.testing.assert_array_equal(ct.voxels[1], stored_slice(1))


def test_missing_slice(tmp_path):
    slices = stack(8)
    del slices[3]
    folder = save(tmp_path / "gap", slices)
    assert refused(folder).code == "dicom-slices-missing"
    volume = read_volume(folder, resample=True)
    np.testing.assert_array_equal(volume.voxels, np.stack([stored_slice(k) for k in range(8)]))  # linear in k: exact
    assert any("resampled" in note for note in volume.transforms)


def test_doubled_slice(tmp_path):
    folder = save(tmp_path / "double", [*stack(), stack()[2]])
    assert refused(folder).code == "dicom-slices-duplicate"
    volume = read_volume(folder, resample=True)
    assert volume.shape[0] == 6
    assert any("doubled" in note for note in volume.transforms)


def test_several_volumes_in_one_series(tmp_path):
    folder = save(tmp_path / "4d", [*stack(), *stack(), *stack()])
    error = refused(folder)
    assert error.code == "dicom-several-volumes"
    assert "3 images at every slice position" in error.user_message
    assert refused(folder, resample=True).code == "dicom-several-volumes"


def test_uneven_slices(tmp_path):
    heights = [0.0, 2.0, 4.0, 5.3, 8.0, 10.0]
    slices = [dataset((0, 0, z), pixels=(np.full((ROWS, COLUMNS), 100 * z)).astype(np.int16)) for z in heights]
    folder = save(tmp_path / "uneven", slices)
    assert refused(folder).code == "dicom-slices-uneven"
    volume = read_volume(folder, resample=True)
    np.testing.assert_allclose(volume.voxels[:, 0, 0], 200 * np.arange(6), atol=1)
    assert volume.spacing[2] == pytest.approx(2)


def test_rounded_positions_are_no_unevenness(tmp_path):
    slices = [dataset((0, 0, round(0.625 * k, 1)), pixels=stored_slice(k)) for k in range(9)]
    assert read_volume(save(tmp_path / "rounded", slices)).shape[0] == 9


def test_gantry_tilt(tmp_path):
    shift = 2.0 * np.tan(np.radians(20))
    slices = [
        dataset((0, shift * k, 2.0 * k), pixels=np.pad(np.full((2, 3), 500, np.int16), ((10 - k, 8 + k), (5, 5))))
        for k in range(8)
    ]
    for ds in slices:
        ds.PixelSpacing = [shift, 1.0]  # one row a slice: the bar stands upright in the patient
    folder = save(tmp_path / "tilt", slices)
    assert refused(folder).code == "dicom-gantry-tilt"
    volume = read_volume(folder, resample=True)
    bar = np.argwhere(volume.voxels > 250)
    assert set(bar[:, 1]) == set(bar[bar[:, 0] == 0][:, 1])  # the same rows in every slice
    assert len(bar) == 8 * 6
    y = (volume.affine @ [0, bar[0, 1], 0, 1])[1]
    assert y == pytest.approx(-10 * shift, abs=1e-6)
    assert any("20.0 degrees" in note for note in volume.transforms)


def test_slices_off_a_straight_line(tmp_path):
    slices = [dataset((5.0 * (k % 2), 0, 2.0 * k), pixels=stored_slice(k)) for k in range(6)]
    folder = save(tmp_path / "scatter", slices)
    assert refused(folder).code == "dicom-slices-scattered"
    assert refused(folder, resample=True).code == "dicom-slices-scattered"


def test_several_series_are_listed_and_one_is_chosen(tmp_path):
    other = stack(4, series="1.2.4", SeriesNumber=2, SeriesDescription="Abdomen 5.0")
    folder = save(tmp_path / "two", [*stack(), *other])
    with pytest.raises(SeriesChoiceNeeded) as caught:
        read_volume(folder)
    assert caught.value.series == (("1.2.4", "CT, 4 slices, 'Abdomen 5.0'"), ("1.2.3", "CT, 6 slices, 'Thorax 1.5'"))
    assert caught.value.code == "dicom-several-series"
    assert list_series(folder) == caught.value.series
    assert read_volume(folder, series="1.2.4").shape[0] == 4
    assert refused(folder, series="9.9").code == "dicom-series-unknown"


def test_orientations_within_a_series_are_told_apart(tmp_path):
    sagittal = [dataset((2.0 * k, 0, 0), row=(0, 1, 0), column=(0, 0, -1), pixels=stored_slice(k)) for k in range(3)]
    folder = save(tmp_path / "mixed", [*stack(), *sagittal])
    with pytest.raises(SeriesChoiceNeeded) as caught:
        read_volume(folder, series="1.2.3")
    chosen = [uid for uid, text in caught.value.series if "3 slices" in text]
    assert read_volume(folder, series=chosen[0]).axis_codes == "PIR"


def test_localizers_step_aside(tmp_path):
    localizer = dataset((0, 0, 0), row=(0, 1, 0), column=(0, 0, -1), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    volume = read_volume(save(tmp_path / "with", [*stack(), localizer]))
    assert volume.shape[0] == 6
    assert any("localizer" in note for note in volume.transforms)


def test_other_files_are_passed_over_and_a_single_slice_is_no_volume(tmp_path):
    folder = save(tmp_path / "s", stack())
    (folder / "notes.txt").write_text("hello")
    (folder / "sub").mkdir()
    (folder / "sub" / "empty").touch()
    assert read_volume(folder).shape[0] == 6
    assert refused(save(tmp_path / "one", stack(1))).code == "volume-2d"
    assert refused(folder / "IM0000").code == "volume-2d"


def test_images_that_are_no_slices(tmp_path):
    colour = dataset((0, 0, 0), SamplesPerPixel=3, PhotometricInterpretation="RGB")
    assert refused(save(tmp_path / "rgb", [colour])).code == "voxels-colour"
    radiograph = dataset((0, 0, 0))
    del radiograph.ImagePositionPatient
    assert refused(save(tmp_path / "x-ray", [radiograph])).code == "dicom-no-geometry"
    structures = dataset((0, 0, 0), Modality="RTSTRUCT")
    assert refused(save(tmp_path / "rt", [structures])).code == "dicom-none"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"RescaleSlope": 0}, "rescale-not-finite"),
        ({"PixelSpacing": [0.0, 0.7]}, "spacing-not-positive"),
        ({"PixelSpacing": [700.0, 700.0]}, "spacing-absurd"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "affine-singular"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 1, 0]}, "affine-singular"),
    ],
)
def test_bad_headers(tmp_path, tags, code):
    assert refused(save(tmp_path / "bad", stack(**tags))).code == code


def test_damaged_files(tmp_path):
    folder = save(tmp_path / "cut", stack())
    path = folder / "IM0002"
    path.write_bytes(path.read_bytes()[:-40])
    assert refused(folder).code == "file-truncated"
    slices = stack()
    del slices[1].PixelData
    assert refused(save(tmp_path / "bare", slices)).code == "dicom-no-pixels"
    folder = save(tmp_path / "garbage", stack())
    (folder / "IM0003").write_bytes(b"\0" * 128 + b"DICM" + bytes(range(256)))
    assert refused(folder).code in ("dicom-damaged", "dicom-slices-missing")


def test_compression_that_can_be_unpacked_and_that_can_not(tmp_path):
    slices = stack()
    for ds in slices:
        ds.compress(RLELossless)
    volume = read_volume(save(tmp_path / "rle", slices))
    np.testing.assert_array_equal(volume.voxels, np.stack([stored_slice(k) for k in range(6)]))
    broken = stack()
    for ds in broken:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
        ds.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51not a codestream"])
        ds["PixelData"].is_undefined_length = True
    assert refused(save(tmp_path / "j2k", broken)).code == "dicom-compression"


def test_jpeg_written_by_itk_is_unpacked(tmp_path):
    image = sitk.GetImageFromArray(stored_slice(3)[None])
    sitk.WriteImage(image, str(tmp_path / "j.dcm"), useCompression=True, compressor="JPEG2000", imageIO="GDCMImageIO")
    jpeg = pydicom.dcmread(tmp_path / "j.dcm")
    slices = stack(2)
    for ds in slices:
        ds.file_meta.TransferSyntaxUID = jpeg.file_meta.TransferSyntaxUID
        ds.PixelData, ds["PixelData"].is_undefined_length = jpeg.PixelData, True
        ds.RescaleIntercept = -1024
    volume = read_volume(save(tmp_path / "jpeg", slices))
    np.testing.assert_array_equal(volume.voxels[0], stored_slice(3) - 1024)


def test_reading_a_series_stops_when_asked(tmp_path):
    class Later(CancelToken):
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 9:  # six headers, then pixels
                self.cancel()
            super().check()

    folder = save(tmp_path / "s", stack())
    token = Later()
    with pytest.raises(Cancelled):
        read_volume(folder, cancel=token)
    assert token.looks == 10


def test_multi_frame_file(tmp_path):
    frames = np.stack([stored_slice(k) for k in range(5)])
    ds = dataset((0, 0, 0), pixels=frames, NumberOfFrames=5, SOPClassUID=EnhancedCTImageStorage)
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, tag)
    shared, measures, orientation, values = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, orientation.ImageOrientationPatient = [1.0, 1.0], [1, 0, 0, 0, 1, 0]
    values.RescaleSlope, values.RescaleIntercept = 1, -1000
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([orientation])
    shared.PixelValueTransformationSequence = Sequence([values])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for k in range(5):
        group, position = Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, 3.0 * (4 - k)]
        group.PlanePositionSequence = Sequence([position])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    folder = save(tmp_path / "enhanced", [ds])
    for source in (folder, folder / "IM0000"):
        volume = read_volume(source)
        np.testing.assert_array_equal(volume.voxels, frames[::-1] - 1000)
        assert volume.spacing == pytest.approx((1, 1, 3))
