"""Fenced blocks: where they start, what is in them, and no text that takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.verify.fences import Block, blocks

CPU_SECONDS = 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no block", []),
        ("```python\nx = 1\n```", [Block(2, "python", "x = 1\n")]),
        ("a\n\n```Python title=x\nx\ny\n```\nb\n```\nz\n```\n",
         [Block(4, "python", "x\ny\n"), Block(9, "", "z\n")]),
        ("~~~json\n{}\n~~~", [Block(2, "json", "{}\n")]),
        ("````\n```\ninner\n```\n````", [Block(2, "", "```\ninner\n```\n")]),
        ("- item\n  ```py\n  if a:\n      b\n  ```", [Block(3, "py", "if a:\n    b\n")]),
        ("```py\nx = 1\n", [Block(2, "py", "x = 1\n", True)]),
        ("```py", [Block(2, "py", "", True)]),
        ("use ```x``` inline", []),
        ("```py\nx\n```py\ny\n```", [Block(2, "py", "x\n```py\ny\n")]),
        ("```\n```", [Block(2, "", "")]),
        ("", []),
    ],
)  # fmt: skip
def test_blocks(text: str, expected: list[Block]) -> None:
    assert list(blocks(text)) == expected


@given(st.text(alphabet="`~ \nap>", max_size=80))
def test_lines_are_right(text: str) -> None:
    for block in blocks(text):
        lines = text.split("\n")
        assert lines[block.line - 2].lstrip().startswith(("```", "~~~"))
        first = block.source.partition("\n")[0]
        assert not first or first in lines[block.line - 1]


@pytest.mark.parametrize(
    "hostile",
    [
        "`" * 10_000_000,
        "```" + " " * 10_000_000 + "`",
        "```" + "a" * 10_000_000 + "`",
        " " * 10_000_000,
        "\n" * 10_000_000,
        "```\n" * 100_000,
        "```a\n" * 100_000,
        "~`" * 1_000_000,
    ],
    ids=range(8),
)
def test_hostile_texts_end(hostile: str) -> None:
    started = time.process_time()
    for _ in blocks(hostile):
        pass
    assert time.process_time() - started < CPU_SECONDS
