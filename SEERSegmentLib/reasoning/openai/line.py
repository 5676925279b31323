"""One connection to a server, which any thread can end at any moment: while connecting, in a handshake, while reading.

Ending it shuts the connection down under whoever waits for it. The socket that does so is a duplicate, since TLS takes
the first one over: both stand for the same connection.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
from contextlib import suppress

__all__ = ["Ended", "Line"]


_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Ended(Exception):
    """The connection was ended from another thread before there was one; nobody waits for it any more."""


class Line:
    """A connection's end, before and while there is one."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._held: socket.socket | None = None
        self._ended = False

    def hold(self, connection: socket.socket) -> None:
        """Take charge of a new socket, connected or not yet. Raises Ended where it is too late."""
        with self._changing:
            self._let_go()
            if self._ended:
                raise Ended
            self._held = connection.dup()

    def end(self) -> None:
        """Shut the connection down now, and let none be made any more.

        It is closed with a reset: a server that is writing, and that nobody reads any more, learns of it at once.
        """
        with self._changing:
            self._ended = True
            if self._held is not None:
                with suppress(OSError):  # it is not connected yet, or no more
                    self._held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    self._held.shutdown(socket.SHUT_RDWR)
            self._let_go()

    def release(self) -> None:
        """Leave the closing to whoever uses the connection, and has come to its end."""
        with self._changing:
            self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
