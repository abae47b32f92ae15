"""Accuracy against cost, as text and as files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.evaluate.plots import Point, front, save, text_bars, text_plot
from edgemind.evaluate.statistics import Interval


def point(name: str, cost: float, accuracy: float) -> Point:
    return Point(name, cost, Interval(accuracy, accuracy - 0.05, accuracy + 0.05))


POINTS = [point("direct", 10, 0.5), point("vote", 40, 0.7), point("majority", 80, 0.6)]


def test_the_front() -> None:
    assert [each.name for each in front(POINTS)] == ["direct", "vote"]
    assert front([]) == []
    equals = [point("a", 5, 0.5), point("b", 5, 0.6), point("c", 6, 0.6)]
    assert [each.name for each in front(equals)] == ["b"]


def test_the_plot_in_characters() -> None:
    assert text_plot(POINTS, "tokens", width=20, height=5).splitlines() == [
        "right %",
        "  70.0 │          B",
        "       │",
        "  60.0 │                   C",
        "       │",
        "  50.0 │  A",
        "       └────────────────────",
        "        0          80 tokens",
        "        A direct*  B vote*  C majority",
    ]


def test_points_at_one_place() -> None:
    text = text_plot([point("a", 0, 0.5), point("b", 0, 0.5)], "s", width=10, height=3)
    assert "50.0 │*" in text
    assert text_plot([], "s") == ""


def test_bars_in_characters() -> None:
    bars = [("mon", 0.0), ("tue", 4.0), ("wed", 1.0), ("thu", 0.001)]
    assert text_bars(bars, "joules", width=5, height=2).splitlines() == [
        "joules",
        "     4 │      ███",
        "     0 │      ███  ▄▄▄  ▁▁▁",
        "       └────────────────────",
        "         mon  tue  wed  thu",
    ]
    assert text_bars([], "joules") == ""
    assert "█" not in text_bars([("mon", 0.0)], "joules")


def test_the_files_are_the_same_each_time(tmp_path: Path) -> None:
    first = save(POINTS, "tokens", "ours", tmp_path / "a" / "plot.v1")
    again = save(POINTS, "tokens", "ours", tmp_path / "b" / "plot.v1")
    assert [path.name for path in first] == ["plot.v1.png", "plot.v1.svg"]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert first[1].read_bytes() == again[1].read_bytes()
    assert "<svg" in first[1].read_text()


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"pip install 'edgemind\[eval\]'"):
        save(POINTS, "tokens", "ours", tmp_path / "plot")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        save(POINTS, "tokens", "ours", tmp_path / "file" / "plot")
