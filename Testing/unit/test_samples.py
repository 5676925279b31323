"""Samples: what is pinned is what is fetched, and what can't be fetched says so."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from SEERSegmentLib.errors import ServiceError, StorageError, UsageError
from SEERSegmentLib.imaging import samples
from SEERSegmentLib.imaging.samples import (
    SAMPLES,
    Package,
    cached_sample,
    export_sample,
    fetch_sample,
)


def test_every_part_of_every_sample_exists() -> None:
    for name, sample in SAMPLES.items():
        for part in sample.parts:
            assert fetch_sample(name, part).exists(), (name, part)


def test_sample_content_is_the_published_one() -> None:
    digest = hashlib.sha256(fetch_sample("ct-chest").read_bytes()).hexdigest()
    assert digest == "439ee098e50ee8e3254bd80ed8bcf7f8d006da4cab35be7a65b61ccb30dd6a3d"


def test_export_copies_every_part(tmp_path: Path) -> None:
    written = export_sample("ct-chest", tmp_path / "новая папка")
    assert sorted(written) == ["labels", "volume"]
    assert all(path.is_file() for path in written.values())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError) as unknown:
        fetch_sample("no-such-ct")
    assert unknown.value.code == "sample-unknown"
    with pytest.raises(UsageError) as part:
        fetch_sample("ct-chest", "nothing")
    assert part.value.code == "sample-part-unknown"


def test_a_package_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEER_CACHE", str(tmp_path))
    changed = Package("slicerio==1.4.0", "0" * 64, source=False, licence="MIT")
    monkeypatch.setitem(samples.SAMPLES, "ct-chest", samples.Sample(changed, "", SAMPLES["ct-chest"].parts))
    with pytest.raises(ServiceError) as refused:
        fetch_sample("ct-chest")
    assert refused.value.code == "sample-fetch-failed"
    assert refused.value.retryable
    assert not list(tmp_path.rglob("*.nrrd"))


def test_a_cache_that_can_not_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("SEER_CACHE", str(blocked))
    with pytest.raises(StorageError) as refused:
        fetch_sample("ct-chest")
    assert refused.value.code == "cache-unwritable"


def test_what_is_in_the_cache_is_known_without_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cached_sample("ct-chest") == fetch_sample("ct-chest")
    monkeypatch.setenv("SEER_CACHE", str(tmp_path))
    assert cached_sample("ct-chest") is None
    with pytest.raises(UsageError):
        cached_sample("no-such-ct")


SCRIPT = Path(samples.__file__).with_name("sample_process.py")


def _process(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The script as a file, from elsewhere, as the panel runs it."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **environment},
    )


def test_a_process_of_its_own_says_where_the_sample_is(tmp_path: Path) -> None:
    process = _process(tmp_path, "ct-chest")
    out, err = process.communicate()
    first, last = (json.loads(line) for line in out.splitlines())
    assert first == {"pid": process.pid}
    assert Path(last["path"]) == fetch_sample("ct-chest")
    assert (process.returncode, err) == (0, "")


def test_a_process_of_its_own_says_what_went_wrong(tmp_path: Path) -> None:
    process = _process(tmp_path, "no-such-ct")
    said = json.loads(process.communicate()[0].splitlines()[-1])
    assert said["code"] == "sample-unknown"
    assert "no-such-ct" in said["message"]
    assert process.returncode == 2


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_the_process_leads_a_group_so_that_pip_ends_with_it(tmp_path: Path) -> None:
    process = _process(tmp_path, "ct-chest", SEER_CACHE=str(tmp_path))
    assert process.stdout is not None
    pid = json.loads(process.stdout.readline())["pid"]
    assert os.getpgid(pid) == pid != os.getpgid(0)
    os.killpg(pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
