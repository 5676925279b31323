"""The voxels of a file whose header has been checked: read once, into the one array that becomes the Volume.

A compressed file is decompressed straight into that array, in pieces, so that the peak is the array plus a piece;
its true length is known when the stream ends, and both too short and too long are refused then.
"""

from __future__ import annotations

import bz2
import math
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from ..protocols import CancelToken
from .headers import ImageHeader, check_surplus, truncated

__all__ = ["peek_gzip", "read_voxels"]

_CHUNK = 1 << 20

#: Uncompressed voxels are read in larger pieces: a disk delivers this in some hundredths of a second.
_RAW_CHUNK = 1 << 24


def peek_gzip(head: bytes, length: int) -> bytes:
    """The first ``length`` bytes inside of a gzip file whose first bytes are ``head``; ``file-damaged`` if none."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, length)
    except zlib.error as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> VolumeError:
    return VolumeError(
        "This file's compressed image data is damaged; copy or download it again.",
        code="file-damaged",
        detail=str(error),
    )


def read_voxels(header: ImageHeader, cancel: CancelToken) -> NDArray[Any]:
    """Read the voxels that a checked header describes.

    Returns
    -------
    ndarray, shape (k, j, i), native byte order
        As stored, or with slope and intercept applied where the file has them.

    Raises
    ------
    VolumeError
        ``file-truncated``, ``file-longer-than-header``, ``file-damaged``, ``volume-too-large``.
    Cancelled
    """
    try:
        stored = _text(header) if header.encoding == "text" else _binary(header, cancel)
        if not stored.dtype.isnative:
            stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
        return rescale(stored.reshape(header.size[::-1]), header.slope, header.intercept)
    except MemoryError as error:
        raise VolumeError(
            "This image does not fit into this computer's memory.",
            code="volume-too-large",
            detail=f"{header.voxel_bytes} bytes",
        ) from error


def _binary(header: ImageHeader, cancel: CancelToken) -> NDArray[Any]:
    voxels: NDArray[Any] = np.empty(math.prod(header.size), dtype=header.dtype)
    target = voxels.view(np.uint8).data
    with header.data_path.open("rb") as stream:
        if header.encoding == "raw":
            stream.seek(*((-header.voxel_bytes, 2) if header.offset < 0 else (header.offset, 0)))
            for at in range(0, len(target), _RAW_CHUNK):
                cancel.check()
                piece = target[at : at + _RAW_CHUNK]
                got = stream.readinto(piece)
                if got < len(piece):
                    raise truncated(len(target), at + got)
            return voxels
        stream.seek(max(header.offset, 0))
        try:
            _inflate(stream, target, header, cancel)
        except (zlib.error, OSError, EOFError) as error:
            raise _damaged(error) from error
    return voxels


def _decompressor(encoding: str) -> Any:
    return bz2.BZ2Decompressor() if encoding == "bz2" else zlib.decompressobj(wbits=31 if encoding == "gzip" else 15)


def _inflate(stream: BinaryIO, target: memoryview, header: ImageHeader, cancel: CancelToken) -> None:
    """Decompress into ``target``; a gzip or bzip2 file may consist of several members one after the other."""
    skip, at, surplus = header.skip, 0, 0
    machine, waiting = _decompressor(header.encoding), b""
    while True:
        cancel.check()
        if machine.eof:
            waiting = machine.unused_data or stream.read(_CHUNK)
            if header.encoding == "zlib" or not waiting.strip(b"\0\r\n"):
                break
            machine = _decompressor(header.encoding)
        elif not waiting and getattr(machine, "needs_input", True):
            waiting = stream.read(_CHUNK)
            if not waiting:
                break
        piece = machine.decompress(waiting, 4 * _CHUNK)
        waiting = b"" if header.encoding == "bz2" else machine.unconsumed_tail
        if skip:
            skip, piece = max(skip - len(piece), 0), piece[skip:]
        fits = min(len(piece), len(target) - at)
        target[at : at + fits] = piece[:fits]
        at += fits
        surplus += len(piece) - fits
        if surplus:
            check_surplus(header, surplus)
    if at < len(target):
        raise truncated(len(target), at)
    if not machine.eof:
        raise _damaged(EOFError("the compressed stream has no end"))


def _text(header: ImageHeader) -> NDArray[Any]:
    with header.data_path.open("rb") as stream:
        stream.seek(max(header.offset, 0))
        words = stream.read().split()
    claimed = math.prod(header.size)
    if len(words) < claimed:
        raise truncated(claimed, len(words))
    if len(words) > claimed:
        check_surplus(header, (len(words) - claimed) * header.dtype.itemsize)
    try:
        return np.array([float(w) for w in words[:claimed]]).astype(header.dtype.newbyteorder("="))
    except ValueError as error:
        raise VolumeError(
            "This file's image data is not made of numbers; the file is damaged.",
            code="file-damaged",
            detail=str(error),
        ) from error


def rescale(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Apply slope and intercept: integers stay integers where the result is one and fits, else float32.

    The product is formed in double precision and rounded once, as nibabel and ITK do, slab by slab. Integers of
    more than 16 bits and doubles become float64, since float32 would lose digits.
    """
    if slope == 1.0 and intercept == 0.0:
        return stored
    if stored.dtype.kind in "iu" and slope == 1.0 and intercept == int(intercept):
        shift = int(intercept)
        low, high = int(stored.min()) + shift, int(stored.max()) + shift
        kinds = [stored.dtype, np.dtype(f"i{stored.dtype.itemsize}"), np.dtype("i2"), np.dtype("i4"), np.dtype("i8")]
        for dtype in kinds:
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                wide = np.dtype(np.int64)
                out = stored if dtype.itemsize == stored.dtype.itemsize else np.empty(stored.shape, dtype)
                if out is stored:
                    out = stored.view(dtype)
                for source, target in zip(stored, out, strict=True):
                    target[...] = (source.astype(wide) + shift).astype(dtype)
                return out
    real = np.float32 if stored.dtype.itemsize <= 2 or stored.dtype == np.float32 else np.float64
    out = stored if stored.dtype == real else np.empty(stored.shape, real)
    for source, target in zip(stored, out, strict=True):
        target[...] = source.astype(np.float64) * slope + intercept
    return out
