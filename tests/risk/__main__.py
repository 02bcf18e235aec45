"""`python -m tests.risk`: how often the truth lies inside the forecast's intervals, as a table."""

import argparse

from tests.risk.worlds import Kind, backtest, shares

KINDS = (
    Kind(250, 8),
    Kind(250, 1),
    Kind(250, 40),
    Kind(120, 8),
    Kind(60, 8),
    Kind(60, 8, others=5),
    Kind(60, 1, others=5),
    Kind(120, 8, others=5),
    Kind(250, 8, lumps=True),
)
WHAT = ("money_in", "advanced", "exposure", "lost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corridors", type=int, default=40, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print("| history | " + " | ".join(f"{what} 50/80/95" for what in WHAT) + " |")
    print("|---" * (len(WHAT) + 1) + "|")
    for kind in KINDS:
        found = shares(backtest(kind, asked.corridors, asked.seed))
        cells = [
            " / ".join(f"{found.get((what, level), float('nan')):.0f}" for level in (50, 80, 95))
            for what in WHAT
        ]
        print(f"| {kind.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
