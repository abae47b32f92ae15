"""Models: which one answers, and whether each fits into memory now, alone and for a vote."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site, State
from edgemind.doctor.models import Known, asked_by
from edgemind.engines.llama.sizing import SPARE_BYTES
from edgemind.errors import plain
from edgemind.files import decimal as size

RANK = 100
WIDTHS = (1, 8)
SMALLER = "close other programs, take a smaller one (edgemind models quantize), or another default"


def models(site: Site) -> Iterator[Finding]:
    """The catalogue, the model that would be asked first."""
    free = site.free_memory()
    found = site.models()
    for known in found.known:
        yield _finding(known, free)
    for number, line in enumerate(found.warnings):
        action = "edgemind models list shows what is left; add again what is missing"
        yield Finding(f"catalogue{number or ''}", line, line, "note", action)


def _finding(known: Known, free: int | None) -> Finding:
    name = plain(known.name)
    value: dict[str, object] = {"path": str(known.path), "default": known.asked}
    if known.late:
        text = f"not looked at, for want of time: edgemind models show {name}"
        return Finding(name, text, value)
    card = known.card
    if card is None:
        state: State = "problem" if known.asked else "note"
        where = asked_by() if known.asked else f"edgemind models rm {name}"
        if known.asked and known.name != "default":
            where = f"edgemind models verify {name}, or {where}"
        return Finding(name, plain(known.error), value, state, where)
    needed = {wide: card.memory(known.tokens, wide) + SPARE_BYTES for wide in WIDTHS}
    fits = {wide: free is None or amount <= free for wide, amount in needed.items()}
    value |= {
        "bytes": card.bytes,
        "context": known.tokens,
        "memory": {str(wide): amount for wide, amount in needed.items()},
        "fits": {str(wide): fit for wide, fit in fits.items()},
    }
    text = f"{card.quantisation or card.format}, {size(card.bytes)}" + (
        ", answers by default" if known.asked else ""
    )
    text += f"; takes {size(needed[1])} for 1 sample and {size(needed[8])} for 8"
    if free is None or fits[8]:
        return Finding(name, text, value)
    text += f", {size(free)} are free"
    if fits[1]:
        action = "close other programs, or --width 4: a vote is narrower where memory is short"
        return Finding(name, f"{text}: fits alone", value, "note", action)
    state = "problem" if known.asked else "note"
    return Finding(name, f"{text}: does not fit now", value, state, SMALLER)
