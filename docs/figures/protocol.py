"""Draw docs/figures/protocol.svg: what a slice, a block and a round of the timing are.

python docs/figures/protocol.py
"""

from pathlib import Path

from svg import bar, document, line, text

HERE = Path(__file__).resolve().parent
KINDS = {"A": "first", "B": "second", "C": "third"}
BLOCKS = ("BAC", "ACB", "CBA")
WIDTH, LEFT, SLICE, GAP = 760, 28, 35, 16


def draw() -> str:
    """Return the figure: three blocks of one round, in each of which three workers take a slice."""
    top, height = 92, 30
    parts = [text(LEFT, 28, "One round: fresh processes of the variants A, B and C, alive at the same time", "title")]
    x = LEFT
    for number, order in enumerate(BLOCKS, start=1):
        begin = x
        for name in order:
            parts += [
                bar(x, top, SLICE - 3, height, "faint"),
                bar(x + SLICE - 2, top, SLICE - 3, height, KINDS[name]),
                text(x + 1.5 * SLICE - 3, top + 20, name, "inside", "middle"),
            ]
            x += 2 * SLICE
        parts += [
            line(begin, top - 10, x - 4, top - 10),
            text((begin + x) / 2, top - 18, f"block {number}", "", "middle"),
        ]
        x += GAP
    parts.append(text(x, top + 20, "..."))
    base = top + height
    parts += [
        line(LEFT, base + 14, x - GAP, base + 14),
        text(x - GAP, base + 30, "time", "small", "end"),
        bar(LEFT, base + 48, 22, 14, "faint"),
        text(LEFT + 30, base + 60, "warm-up slice: the same training steps once before, not timed"),
        bar(LEFT, base + 72, 22, 14, "first"),
        text(
            LEFT + 30,
            base + 84,
            "slice: about 10 ms of training steps of one variant; the others are stopped meanwhile",
        ),
        text(
            LEFT,
            base + 112,
            "In each block every variant takes one slice, in random order. A round has 40 blocks. The next round",
            "small",
        ),
        text(
            LEFT,
            base + 128,
            "starts fresh processes. Ratios are formed inside a block, so background load meets all variants alike.",
            "small",
        ),
    ]
    return document(WIDTH, base + 144, "Slices, blocks and rounds", parts)


if __name__ == "__main__":
    target = HERE / "protocol.svg"
    target.write_text(draw(), encoding="utf-8")
    print(target)
