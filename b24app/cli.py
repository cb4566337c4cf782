"""Commands for operators: serve, worker, migrate, rotate-keys, api-client, doctor."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from b24app import api_clients, clock, config, logs, migrations, serving
from b24app.bootstrap import Parts, build
from b24app.config import ConfigError, Settings
from b24app.crypto import Unreadable
from b24app.doctor import look, report, rules
from b24app.tables import portals, tokens


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed, 2 wrong settings or arguments."""
    options = _parser().parse_args(arguments)
    try:
        settings = config.load()
    except ConfigError as error:
        print(f"b24app: {error}", file=sys.stderr)
        return 2
    logs.configure(settings.var_dir, settings.log_format)
    command: Callable[[Settings, argparse.Namespace], int] = options.command
    return command(settings, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m b24app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[Settings, argparse.Namespace], int]) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        found.set_defaults(command=command)
        return found

    add("serve", _serve)
    add("worker", _worker)
    add("migrate", _migrate)
    add("rotate-keys", _rotate_keys)
    doctor = add("doctor", _doctor)
    doctor.add_argument("--portal", metavar="PORTAL", help="look at one portal, by its member_id or domain")
    doctor.add_argument("--quiet", action="store_true", help="do not ask the portal itself")
    client = commands.add_parser("api-client", help="Credentials of outside programs.")
    actions = client.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help=_create_client.__doc__)
    create.add_argument("--portal", required=True, metavar="MEMBER_ID")
    create.add_argument("--name", required=True, help="what the program is called in the settings")
    create.set_defaults(command=_create_client)
    return parser


def _serve(settings: Settings, _options: argparse.Namespace) -> int:
    """Migrate the database, then serve the web; background work included unless Redis is set."""
    migrations.upgrade_at(settings.database_url, table_parts=settings.database_partitions)
    serving.serve(settings)
    return 0


def _worker(settings: Settings, _options: argparse.Namespace) -> int:
    """Do background work only, next to web servers that share the database and Redis."""
    migrations.upgrade_at(settings.database_url, table_parts=settings.database_partitions)
    serving.work(settings)
    return 0


def _migrate(settings: Settings, _options: argparse.Namespace) -> int:
    """Bring the database to the layout of this version."""
    migrations.upgrade_at(settings.database_url, table_parts=settings.database_partitions)
    return 0


def _create_client(settings: Settings, options: argparse.Namespace) -> int:
    """Let a program read a portal's KPIs; its secret is printed once."""
    parts = build(settings)
    try:
        with parts.engine.begin() as conn:
            client = api_clients.create(conn, options.portal, options.name, clock.epoch())
    except LookupError as error:
        print(f"b24app: {error}", file=sys.stderr)
        return 1
    print(f"client_id={client.client_id}\nclient_secret={client.client_secret}")
    return 0


def _rotate_keys(settings: Settings, _options: argparse.Namespace) -> int:
    """Encrypt everything stored with the first key of B24APP_SECRET_KEY, so that older ones can go."""
    parts = build(settings)
    lost = _reseal_tokens(parts) + _reseal_secrets(parts)
    if lost:
        print(f"b24app: {lost} secrets were sealed with a key that is not set any more", file=sys.stderr)
    return 1 if lost else 0


def _reseal_tokens(parts: Parts) -> int:
    lost = 0
    with parts.engine.begin() as conn:
        for row in conn.execute(select(tokens)).all():
            try:
                pair = {"access": parts.vault.rotate(row.access), "refresh": parts.vault.rotate(row.refresh)}
            except Unreadable:
                lost += 1
                continue
            # A pair that was refreshed meanwhile is sealed with the first key already.
            conn.execute(
                tokens.update()
                .where(
                    tokens.c.portal_id == row.portal_id,
                    tokens.c.user_id == row.user_id,
                    tokens.c.version == row.version,
                )
                .values(pair)
            )
    return lost


def _reseal_secrets(parts: Parts) -> int:
    lost = 0
    with parts.engine.begin() as conn:
        for row in conn.execute(select(portals.c.portal_id, portals.c.application_token)).all():
            if row.application_token is None:
                continue
            try:
                sealed = parts.vault.rotate(row.application_token)
            except Unreadable:
                lost += 1
                continue
            conn.execute(
                portals.update()
                .where(
                    portals.c.portal_id == row.portal_id,
                    portals.c.application_token == row.application_token,
                )
                .values(application_token=sealed)
            )
    return lost


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    """Say what is wrong with the installation, or with one portal, and what to do."""
    parts = build(settings)
    now = time.time()
    try:
        if options.portal is None:
            seen = look.installation(parts, now)
            found = rules.of_installation(seen)
            lines = report.of_installation(seen, found)
        else:
            patient = look.portal(parts, options.portal, is_asking=not options.quiet)
            if patient is None:
                print(f"b24app: no portal {options.portal} is connected", file=sys.stderr)
                return 2
            found = rules.of_portal(patient, now)
            lines = report.of_portal(patient, found)
    except SQLAlchemyError as error:
        print(f"b24app: the database cannot be read: {type(error).__name__}; run `doctor` without --portal")
        return 1
    finally:
        parts.close()
    print("\n".join(lines))
    return 1 if any(not finding.is_note for finding in found) else 0
