"""Where a key comes from: an option, the environment, or the computer's keyring. It is in no log and no message."""

from __future__ import annotations

import os

from .address import Address, check_key

__all__ = ["ENVIRONMENT", "SERVICE", "find_key", "key_at_hand"]

ENVIRONMENT = "SEER_API_KEY"

#: In a keyring, a key's service; its user name is the server's origin: ``"https://gpu.example.org:8443"``.
SERVICE = "seer"


def key_at_hand(given: str = "") -> str:
    """The key given, else ``SEER_API_KEY``; empty where there is neither."""
    return given.strip() or os.environ.get(ENVIRONMENT, "").strip()


def find_key(address: Address, given: str = "") -> str:
    """The key for a server: the one given, else ``SEER_API_KEY``, else the keyring's for just this server; or none.

    A keyring may ask the user to unlock it: call this where waiting does no harm.

    Raises
    ------
    UsageError
        ``server-key-invalid``, ``server-key-unencrypted``: wherever it comes from, it is held to the same rules.
    """
    key = key_at_hand(given) or _from_keyring(address)
    check_key(address, key)
    return key


def _from_keyring(address: Address) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return (keyring.get_password(SERVICE, address.origin) or "").strip()
    except (KeyringError, RuntimeError, OSError):  # there is none here, or it stays locked: as if it had no key
        return ""
