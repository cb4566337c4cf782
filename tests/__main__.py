"""The whole suite, on SQLite and on a real PostgreSQL, with coverage: `python -m tests [arguments]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.databases import SERVER_URL, postgresql

COVERAGE = ("--cov=b24app", "--cov-branch", "--cov-report=term:skip-covered", "--cov-fail-under=85")

WORKERS = 3
"""More than the two cores that it must do with: tests of timeouts and of stops wait more than they work."""

MEMORY = Path("/dev/shm")  # noqa: S108
ROOM = 4 * 2**30


def main(arguments: list[str]) -> int:
    """The exit code. What fails in company is run again by itself, one test at a time: only a test that
    fails alone, too, makes the suite red. Both runs are printed."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q"]
    parallel = [*command, "-n", str(WORKERS), "--dist", "loadscope", *(arguments or COVERAGE)]
    again = [*command, "--last-failed", "--last-failed-no-failures=none"]
    with tempfile.TemporaryDirectory(prefix="b24app-", dir=_in_memory()) as name:
        folder = Path(name)
        files = f"--basetemp={folder / 'files'}"
        with postgresql(folder / "postgresql") as url:
            env = {**os.environ, SERVER_URL: url}
            env.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process would compile everything again
            code = subprocess.run([*parallel, files], env=env, check=False).returncode
            if code == 1:
                print("=== failed beside others, once more by themselves ===", flush=True)
                code = subprocess.run([*again, files], env=env, check=False).returncode
    print(f"=== the suite: {time.monotonic() - started:.0f} s, exit {code} ===", flush=True)
    return code


def _in_memory() -> Path | None:
    """Where files cost no disk; None, the usual place, where there is no room for that."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
