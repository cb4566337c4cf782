"""`python -m demo [--data FOLDER]`: the emulated portal with the app installed, until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import json
import secrets
import shutil
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import IO

from demo import figures, program
from demo.children import ROOT, Children, free_port
from demo.frames import Visitor, install, read_portal

CLIENT_ID, CLIENT_SECRET = "local.demo", "demo-secret"
ADMIN_ID = 1


def main() -> int:
    arguments = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    folder = _folder(arguments)
    try:
        with (folder / "lock").open("w") as lock, Children(folder) as children:
            _claim(lock, folder)
            _run(children, arguments.data)
    except KeyboardInterrupt:
        _say("stopped\n")
    except RuntimeError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _run(children: Children, data: Path | None) -> None:
    folder = children.log_dir
    state = _state(folder, is_fixed=data is not None)
    ports = {name: free_port(port) for name, port in (("app", 8024), ("auth", 9100), ("portal", 9101))}
    app_url, auth_url, portal_url = (f"http://127.0.0.1:{ports[name]}" for name in ("app", "auth", "portal"))
    content = ["--data", str(data)] if data else ["--company", "--now", state["now"]]
    _say("starting the portal")
    children.start(
        "emulator",
        *("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET, "--app-url", app_url),
        *("--auth-port", str(ports["auth"]), "--portal-port", str(ports["portal"])),
        *("--member-id", state["member_id"], "--limits", *content),
    )
    children.wait_for(portal_url)
    _say("starting the app")
    environ = {
        "B24APP_BIND": f"127.0.0.1:{ports['app']}",
        "B24APP_PUBLIC_URL": app_url,
        "B24APP_CLIENT_ID": CLIENT_ID,
        "B24APP_CLIENT_SECRET": CLIENT_SECRET,
        "B24APP_OAUTH_URL": auth_url,
        "B24APP_ALLOW_PRIVATE_PORTALS": "1",
        "B24APP_VAR_DIR": str(folder),
        "B24APP_DATABASE_URL": "",
        "B24APP_REDIS_URL": "",
    }
    children.start("b24app", "serve", environ=environ)
    children.wait_for(f"{app_url}/healthz")
    admin = Visitor(portal_url, app_url, CLIENT_ID, ADMIN_ID)
    read_portal(admin, install(admin, _say), _say)
    if not data:
        _say("entering costs, campaigns and targets")
        figures.enter(program.let_in(admin, admin.open_app()), datetime.fromisoformat(state["now"]).date())
    _say("ready\n")
    print(f"\n  Open  {portal_url}/login/  and choose whom to be.\n")
    if data:
        print("  The records are of 2016 and 2017: choose such a period on the app's page.\n")
    print(f"  Logs: {folder}    Ctrl-C stops everything.", flush=True)
    ended = threading.Event()
    while not ended.wait(1):
        children.check()


def _folder(arguments: argparse.Namespace) -> Path:
    name = "company" if arguments.data is None else arguments.data.name
    folder: Path = ROOT / "var" / "demo" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _claim(lock: IO[str], folder: Path) -> None:
    """One demo at a time has the folder's portal and database. Raises: RuntimeError."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RuntimeError(f"a demo with {folder.name} is already running: stop it first") from None


def _state(folder: Path, *, is_fixed: bool) -> dict[str, str]:
    """Which portal the folder holds, and up to which moment its year goes; a new one each day.

    The invented company is built anew at each start, the same to the letter for the same moment, so the
    app's database of an earlier start today still fits it.
    """
    path = folder / "portal.json"
    now = datetime.now().astimezone()
    if path.exists():
        state: dict[str, str] = json.loads(path.read_text("utf-8"))
        if is_fixed or datetime.fromisoformat(state["now"]).date() == now.date():
            return state
        _say("a new day: making the company's year up to today")
        for old in folder.iterdir():
            if old.name != "lock":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
    state = {"member_id": secrets.token_hex(16), "now": now.isoformat(timespec="seconds")}
    path.write_text(json.dumps(state), "utf-8")
    return state


def _say(text: str) -> None:
    """Progress: one line that is written over on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)
    else:
        print(text.rstrip(), flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the CRM sales opportunities data set")
    return parser


if __name__ == "__main__":
    sys.exit(main())
