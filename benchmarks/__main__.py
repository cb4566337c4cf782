"""`python -m benchmarks [--quick] [--only PIECE ...]`: every measurement, into `docs/performance.md`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from benchmarks import answers, first_read, load, widgets
from benchmarks.report import say
from benchmarks.tidy import end_tidily

PIECES: dict[str, Callable[[Sequence[str]], None]] = {
    "first_read": first_read.main,
    "answers": answers.main,
    "widgets": widgets.main,
    "load": load.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, printed only: do all pieces work?")
    parser.add_argument("--only", nargs="+", choices=sorted(PIECES), default=list(PIECES))
    options = parser.parse_args()
    end_tidily()
    started = time.monotonic()
    for name in options.only:
        say(f"=== {name}")
        PIECES[name](["--quick"] if options.quick else [])
    say(f"=== done in {(time.monotonic() - started) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
