"""Testing the connection to a reasoner's server: one GET of its list of models; no image and no request goes there.

It follows the rules of the reasoner itself (:mod:`SEERSegmentLib.reasoning.openai`), and goes the same way.
"""

from __future__ import annotations

from functools import partial

from ..errors import ServiceError, UsageError
from ..protocols import CancelToken
from ..reasoning.openai import faults
from ..reasoning.openai.address import Address, parse_address
from ..reasoning.openai.background import Background
from ..reasoning.openai.capabilities import Listed
from ..reasoning.openai.keys import find_key
from .messages import PartChoice, ProbeReport

__all__ = ["probe"]

#: Time for all of it, in seconds.
LIMIT_S = 10.0

_MAX_MODELS = 200


def probe(job: str, reasoner: PartChoice, cancel: CancelToken) -> ProbeReport:
    """Ask the server at option ``url`` for ``/models``, with the key that a run would send.

    That is option ``key``, else the environment's or the keyring's. It goes to that address alone: redirects are not
    followed, ``.netrc`` is not read, and it is not sent unencrypted to another computer. Raises Cancelled.
    """
    url, key, model = (reasoner.options.get(name, "").strip() for name in ("url", "key", "model"))
    try:
        address = parse_address(url)
        with Background(LIMIT_S, cancel, partial(faults.timeout, address.place, LIMIT_S)) as background:
            (models,) = background.do([partial(_ask, address, key, background)])
    except (UsageError, ServiceError) as error:
        return ProbeReport(job, False, error.user_message)
    names = tuple(listed.name for listed in models[:_MAX_MODELS])
    said = f"Connected to {address.place}: {len(models)} model{'' if len(models) == 1 else 's'}."
    if model and model not in names:
        said += f" '{model}' is not among them."
    return ProbeReport(job, True, said, names)


def _ask(address: Address, key: str, background: Background) -> tuple[Listed, ...]:
    from ..reasoning.openai.asking import Desk, list_models  # and requests with it

    return list_models(Desk(address, find_key(address, key), background), tries=1)
