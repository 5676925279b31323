"""Pictures of the panel with a model: the settings, the question for consent, a reply that streams, MedVol-R1's boxes.

The model is a script (:mod:`Testing.scripted_server`): what it writes is not what a
trained model would say of the image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Testing.scripted_server import HOLD, ScriptedServer, reply, serving

from .driving import wait_until

__all__ = ["write_model_pictures"]

_REQUEST = "pls outline the rt lung, ?effusion"
_REPLY = reply(
    "right lung",
    "Both lungs are aerated (image 2).\nNo fluid is seen in the right pleural space (image 3).\n"
    "The right lung lies on the left of the picture (image 5).",
    "“rt” is right.\n“?effusion” asks whether there is fluid; it names no target of its own.",
)
_BOX = (
    "<think>The right lung is on the left of each picture. It is widest at slice {0}.</think>\n"
    '<answer>[{{"slice": {0}, "bbox_2d_list": [[120, 220, 470, 800]]}}]</answer>'
)


def write_model_pictures(window: Any, folder: Path) -> list[Path]:
    """Go through the settings and two runs, and write what is seen.

    Parameters
    ----------
    window : Window
        With a volume opened.
    folder : Path
    """
    with serving() as server:
        return [
            *_settings(window, folder, server),
            *_streaming(window, folder, server),
            *_boxes(window, folder, server),
        ]


def _settings(window: Any, folder: Path, server: ScriptedServer) -> list[Path]:
    driver, written = window.driver, []
    driver.find("settingsSection").setProperty("collapsed", False)
    driver.wait_until(lambda: driver.has("backbone_classical"), 30, "the list of parts")
    driver.settle()
    for kind in ("local", "medvol", "remote"):
        driver.click(f"reasoner_{kind}")
        if kind == "remote":
            driver.type_text("remoteUrlEdit", server.url)
            driver.click("testConnectionButton")
            driver.wait_until(lambda: window.state.probe is not None, 30, "an answer")
        driver.wait_until(lambda: driver.has("reasonerStatusLabel"), 30, "whether it is ready")
        driver.settle()
        written.append(window.panel_picture(folder / f"settings-{kind}.png"))
    driver.find("settingsSection").setProperty("collapsed", True)
    return written


def _streaming(window: Any, folder: Path, server: ScriptedServer) -> list[Path]:
    driver, written = window.driver, []
    half = len(_REPLY) // 2
    server.replies = [[_REPLY[:half], HOLD, _REPLY[half:]]]
    _begin(window)
    driver.click("consentPreviewButton")
    driver.wait_until(lambda: driver.has("consentPreviewTexts"), 60, "what would be sent")
    driver.wait_until(lambda: driver.has("thumbnail9"), 30, "the pictures that would be sent")
    written.append(window.panel_picture(folder / "consent.png"))
    driver.click("consentOnceButton")
    driver.wait_until(lambda: window.state.reasoning is not None and driver.has("evidenceCardText"), 60, "a reply")
    driver.settle()
    written.append(window.panel_picture(folder / "streaming.png"))
    server.go_on()
    _end(window)
    written.append(window.panel_picture(folder / "streamed.png"))
    return written


def _boxes(window: Any, folder: Path, server: ScriptedServer) -> list[Path]:
    driver = window.driver
    driver.find("settingsSection").setProperty("collapsed", False)
    driver.click("reasoner_medvol")
    driver.choose("medvolModelComboBox", "The server below")
    driver.find("settingsSection").setProperty("collapsed", True)
    server.replies = [[_BOX.format(16)]]
    _begin(window)
    driver.click("consentOnceButton")
    _end(window)
    window.show_result()
    return [window.panel_picture(folder / "medvol.png"), window.picture(folder / "medvol-window.png")]


def _begin(window: Any) -> None:
    driver = window.driver
    driver.type_text("requestEdit", _REQUEST)
    driver.click("runButton")
    driver.wait_until(lambda: driver.has("consentOnceButton"), 60, "the question")


def _end(window: Any) -> None:
    panel = window.loaded.widget.panel
    ends = ("done", "awaiting edit", "failed")
    wait_until(lambda: window.state.phase.value in ends and panel.up_to_date, 120, "the end of the run")
    window.driver.settle()
