"""The part of the screen that is drawn anew, also where the window became narrower meanwhile.

Imports rich, so it is imported when a page is first made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.live import Live
from rich.segment import Segment


class Region:
    """Draws what `draw` gives, as it is whenever it is drawn, and knows how wide its lines were."""

    def __init__(self, draw: Callable[[Console, ConsoleOptions], RenderResult]) -> None:
        self._draw = draw
        self.widths: Sequence[int] = ()
        self.width = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [*Segment.split_lines(_segments(console, options, self._draw))]
        self.widths = [sum(cell_len(one.text) for one in line) for line in lines]
        self.width = console.width
        for number, line in enumerate(lines):
            if number:
                yield Segment.line()
            yield from line

    def rows(self, width: int) -> int:
        """How many rows what was drawn takes in a window of this width."""
        return sum(max(1, -(-one // width)) for one in self.widths)


class ResizedLive(Live):
    """Erases all of its region: terminals wrap its lines anew when they become narrower."""

    def __init__(self, region: Region, console: Console, refresh_per_second: float) -> None:
        super().__init__(
            region, console=console, refresh_per_second=refresh_per_second, transient=True
        )
        self._region = region

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """What is printed above goes over the region as it stands now."""
        with self._lock:
            width = self.console.width
            if 0 < width < self._region.width and self._live_render.last_render_height:
                self._live_render._shape = (width, self._region.rows(width))
                self._region.width = width
            return super().process_renderables(renderables)


def _segments(
    console: Console,
    options: ConsoleOptions,
    draw: Callable[[Console, ConsoleOptions], RenderResult],
) -> list[Segment]:
    found: list[Segment] = []
    for one in draw(console, options):
        if isinstance(one, Segment):
            found.append(one)
        else:
            found.extend(console.render(one, options))
    return found
