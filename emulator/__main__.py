"""`python -m emulator`: an authorization server and a portal on loopback until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from emulator import company, large, opportunities
from emulator.server import Emulator
from emulator.world import Portal


def main() -> None:
    arguments = _parser().parse_args()
    emulator = Emulator(
        arguments.client_id, arguments.client_secret, arguments.app_url, auth_port=arguments.auth_port
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with emulator:
        portal = add_portal(emulator, arguments)
        emulator.limits(
            portal,
            bucket=arguments.limits,
            operating=arguments.limits,
            request_time=arguments.limits,
            cost_model=arguments.cost,
            time_scale=arguments.time_scale,
        )
        print(f"authorization server  {emulator.auth_url}")
        print(f"control surface       {emulator.auth_url}/_control/portals")
        print(f"portal                http://{portal.domain}/  (member_id {portal.member_id})", flush=True)
        stopped.wait()


def add_portal(emulator: Emulator, arguments: argparse.Namespace) -> Portal:
    """The portal that the arguments ask for, with its people and records."""
    has_content = arguments.company or arguments.data is not None
    portal = emulator.add_portal(
        title=arguments.title or _title(arguments),
        lang=arguments.lang,
        timezone=arguments.timezone,
        is_box=arguments.box,
        uses_leads=not arguments.no_leads,
        port=arguments.portal_port,
        member_id=arguments.member_id,
        is_empty=has_content,
    )
    if arguments.data is not None:
        opportunities.load(portal, arguments.data)
    elif arguments.company:
        now = arguments.now or emulator.clock.now()
        today = now.astimezone(ZoneInfo(portal.timezone)).date()
        company.build(portal, today, seed=arguments.seed, now=now)
    elif arguments.large:
        large.fill(portal, arguments.large, arguments.now or emulator.clock.now())
    emulator.app(portal).title = arguments.app_title
    return portal


def _title(arguments: argparse.Namespace) -> str:
    if arguments.data is not None:
        return opportunities.TITLE
    return company.TITLE if arguments.company else "Portal"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    parser.add_argument("--client-id", default="local.demo")
    parser.add_argument("--client-secret", default="secret")
    parser.add_argument("--app-url", default="http://127.0.0.1:8024", help="where the app listens")
    parser.add_argument("--auth-port", type=int, default=9100)
    parser.add_argument("--portal-port", type=int, default=9101)
    parser.add_argument("--member-id", help="32 hex digits, else made up")
    parser.add_argument("--title", help="of the portal, else the company's name")
    parser.add_argument("--app-title", default="KPI", help="of the app in the portal's menu")
    parser.add_argument("--lang", default="ru")
    parser.add_argument("--timezone", default="Europe/Moscow")
    parser.add_argument("--box", action="store_true", help="on-premise: no limits, older frame POST")
    parser.add_argument("--no-leads", action="store_true", help="CRM in simple mode")
    content = parser.add_mutually_exclusive_group()
    content.add_argument("--company", action="store_true", help="the invented company with a year of history")
    content.add_argument("--data", type=Path, help="folder of the CRM sales opportunities data set")
    content.add_argument("--large", type=int, metavar="DEALS", help="a portal with this many deals")
    parser.add_argument("--now", type=_moment, help="the last moment of the records, else the present one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limits", action="store_true", help="leaky bucket, operating time, 60 s a request")
    parser.add_argument("--cost", action="store_true", help="calls take as long as on a real portal")
    parser.add_argument("--time-scale", type=float, default=1.0, help="real seconds for a portal's second")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("the moment needs an offset, as in 2026-11-23T12:00:00+03:00")
    return moment


if __name__ == "__main__":
    main()
