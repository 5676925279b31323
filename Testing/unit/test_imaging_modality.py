"""Modality from intensities: right on real images, "unknown" where they don't tell."""

from __future__ import annotations

import numpy as np
import pytest

from SEERSegmentLib.imaging import estimate_modality, read_labelmap, read_volume
from SEERSegmentLib.values import Modality

CT_SAMPLES = ["example-ct", "example-ct-sm", "aorta-ct", "ct-chest"]


@pytest.mark.parametrize("name", CT_SAMPLES)
def test_real_ct(sample, name):
    assert read_volume(sample(name)).modality is Modality.CT


def test_real_mr(sample):
    volume = read_volume(sample("example-mr-sm"))
    assert (volume.modality, volume.modality_source) == (Modality.MR, "intensities")


@pytest.mark.parametrize("padding", [-1500, -2000, -3024])
def test_padded_ct(sample, padding):
    voxels = read_volume(sample("aorta-ct")).voxels.copy()
    voxels[:, :40] = padding
    assert estimate_modality(voxels) is Modality.CT


def test_ct_cropped_within_the_patient(sample):
    voxels = read_volume(sample("example-ct")).voxels[30:80, 35:65, 35:85]
    assert voxels.min() > -1100
    assert estimate_modality(voxels) is Modality.CT


def test_storage_type_does_not_matter(sample):
    voxels = read_volume(sample("aorta-ct")).voxels
    assert estimate_modality(voxels.astype(np.float32)) is Modality.CT
    assert estimate_modality(voxels.astype(np.float32)[::-1].transpose(2, 0, 1)) is Modality.CT


def test_ct_shifted_to_positive_values_is_not_called_mr(sample):
    voxels = np.clip(read_volume(sample("aorta-ct")).voxels, -1024, None) + 1024
    assert estimate_modality(voxels) is Modality.UNKNOWN


@pytest.mark.parametrize("name", ["example-ct", "example-ct-sm", "example-mr-sm", "ct-chest"])
def test_label_maps_are_neither(sample, name):
    assert estimate_modality(read_labelmap(sample(name, "labels")).voxels) is Modality.UNKNOWN


def test_difference_and_phase_images_are_neither():
    noise = np.random.default_rng(0).normal(0, 300, (20, 30, 30))
    assert estimate_modality(noise) is Modality.UNKNOWN
    assert (
        estimate_modality(np.random.default_rng(0).uniform(-4096, 4095, (20, 30, 30)).astype(np.int16))
        is Modality.UNKNOWN
    )


def test_magnitude_image_without_background():
    rng = np.random.default_rng(0)
    assert estimate_modality(rng.rayleigh(200, (20, 30, 30)).astype(np.uint16)) is Modality.MR
