"""The app as an operator runs it: processes with settings in the environment, and what they take."""

from __future__ import annotations

from pathlib import Path

from benchmarks.portal import CLIENT_ID, CLIENT_SECRET


def environment(folder: Path, url: str, auth_url: str, **more: str) -> dict[str, str]:
    """Settings of the app, with SQLite in the folder unless `more` names a database."""
    return {
        "B24APP_BIND": url.removeprefix("http://"),
        "B24APP_PUBLIC_URL": url,
        "B24APP_CLIENT_ID": CLIENT_ID,
        "B24APP_CLIENT_SECRET": CLIENT_SECRET,
        "B24APP_OAUTH_URL": auth_url,
        "B24APP_ALLOW_PRIVATE_PORTALS": "1",
        "B24APP_VAR_DIR": str(folder),
        "B24APP_DATABASE_URL": "",
        "B24APP_REDIS_URL": "",
        **more,
    }


def peak_mb(pid: int) -> float:
    """The most resident memory that one process of this tree has had so far, in MB; 0 where it is gone."""
    return max(
        (_status_kb(one, "VmHWM") / 1000 for one in [pid, *children_of(pid)]),
        default=0.0,
    )


def cpu_s(pid: int) -> float:
    """Processor seconds that the tree has used so far."""
    return sum(_ticks(one) for one in [pid, *children_of(pid)])


def children_of(pid: int) -> list[int]:
    """Every process below this one."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(rest[1]), []).append(int(path.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _status_kb(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _ticks(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100
