"""From what was seen to what is wrong and what to do about it. Pure; moments are epoch seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from b24app import i18n
from b24app.doctor.answers import BY_OUTCOME, OTHER, SEE_LOG, WAIT
from b24app.doctor.facts import Answer, Installation, Load, Patient, Source, Token

SKEW_S = 30.0
"""A clock that is off by more lets tokens and sessions seem to end early or late."""

QUEUE_S = 60.0
LITTLE_SPACE = 1_000_000_000
LOOKED_AT_S, LATE_WATCHED_S = 15.0, 30.0
LATE_S = 3600.0
"""Portals that nobody looks at are asked every half hour."""

STUCK_S = 900.0
"""A first read stores a batch every few seconds, also under the portal's limits."""

TOKEN_LIFE_S = 180 * 86_400.0
UNUSED_S = 86_400.0
NEARLY = 0.8
FULL = 0.94
SLOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is wrong, in a sentence, and what to `do`. A note is worth knowing and no trouble."""

    code: str
    what: str
    do: str
    is_note: bool = False


def of_installation(found: Installation) -> list[Finding]:
    """What is wrong with the installation, worst first."""
    return list(_installation(found))


def _installation(found: Installation) -> Iterator[Finding]:
    if found.database_error:
        yield Finding(
            "database_away",
            f"The database does not answer: {found.database_error}.",
            "Start it, or correct B24APP_DATABASE_URL.",
        )
    if found.missing_migrations:
        yield Finding(
            "not_migrated",
            f"The database is not migrated, it lacks {', '.join(found.missing_migrations)}.",
            "Run `python -m b24app migrate`.",
        )
    if found.queue_error:
        yield Finding(
            "queue_away",
            f"The queue does not answer: {found.queue_error}.",
            "Start Redis, or correct B24APP_REDIS_URL."
            if found.is_scaled_out
            else "Let the app's user write into B24APP_VAR_DIR.",
        )
    for name, (entries, age_s) in found.queues.items():
        if entries and age_s > QUEUE_S:
            runs = "`python -m b24app worker`" if found.is_scaled_out else "`python -m b24app serve`"
            yield Finding(
                "queue_stands",
                f"Work waits: {entries} entries in the queue `{name}`, the oldest for {ago(age_s)}.",
                f"See that {runs} runs, and that it has not too many portals (docs/scaling.md).",
            )
    for url, error in found.auth_servers.items():
        if error:
            yield Finding(
                "auth_server_away",
                f"The authorization server {url} does not answer: {error}.",
                "Let this machine reach it by https; tokens cannot be refreshed without it.",
            )
    if abs(found.database_skew_s) > SKEW_S:
        yield _skew("the database", found.database_skew_s)
    if found.var_free_bytes < LITTLE_SPACE:
        yield Finding(
            "little_space",
            f"The disk of B24APP_VAR_DIR has {found.var_free_bytes // 1_000_000} MB left.",
            "Make room: logs, the queue and a SQLite database are there.",
        )
    if found.unwell_count:
        some = ", ".join(found.unwell)
        yield Finding(
            "portals_unwell",
            f"{found.unwell_count} portals are late or cannot be read, among them {some}.",
            "Run `python -m b24app doctor --portal PORTAL` for each.",
        )
    if urlsplit(found.public_url).scheme != "https":
        yield Finding(
            "not_https",
            "B24APP_PUBLIC_URL is not https: cloud portals will not open the app.",
            "Put a proxy that ends TLS in front and set its https address.",
            is_note=True,
        )
    if found.database == "sqlite" and found.is_scaled_out:
        yield Finding(
            "sqlite_shared",
            "Redis is set, but the database is a SQLite file, which only one machine can use.",
            "Use PostgreSQL for more than one machine.",
            is_note=True,
        )


def of_portal(one: Patient, now: float) -> list[Finding]:
    """What is wrong with a portal, causes before what follows from them."""
    closed = _CLOSED.get(one.state)
    if closed is not None:
        return [closed]
    found = list(_rights(one, now))
    if one.answer is not None:
        found += _answered(one.answer)
    if one.load is not None:
        found += _limits(one.load, now)
    return _without_doubles([*found, *_reading(one, now)])


_CLOSED = {
    "uninstalled": Finding(
        "uninstalled",
        "The app was removed from this portal.",
        "Nothing, or install it again on the portal.",
    ),
    "purging": Finding(
        "purging", "The app was removed and the portal's data are being deleted.", "Nothing; wait."
    ),
    "gone": Finding(
        "gone",
        "The portal says that it was deleted or that it no longer has the app.",
        "If it lives, let an admin open the app there once.",
    ),
}


def _rights(one: Patient, now: float) -> Iterator[Finding]:
    if one.state == "unpaid":
        yield _unpaid()
    if not one.has_reader or one.token is None:
        yield Finding(
            "no_token", "No token is stored that could read this portal.", "Let an admin open the app there."
        )
    else:
        yield from _token(one.token, now)
    if one.is_admin is False:
        yield _no_admin()
    yield from _scopes(one.missing_scopes)
    if one.unbound:
        yield Finding(
            "unbound",
            f"The portal refused to take in {', '.join(one.unbound)}.",
            "Let an admin repeat the setup on the app's page there; the portal's plan may lack the place.",
            is_note=True,
        )


def _token(token: Token, now: float) -> Iterator[Finding]:
    if not token.is_readable:
        yield Finding(
            "token_unreadable",
            "The stored token was sealed with a key that is not set any more.",
            "Add the old key to B24APP_SECRET_KEY behind the new one, or let an admin open the app there.",
        )
    elif token.dead_reason:
        yield Finding(
            "token_dead",
            f"The authorization server refused to refresh the token ({token.dead_reason}): the person was "
            "dismissed, lost access, the app was removed, or a restored database has an old token.",
            "Let an admin open the app on the portal: that stores a new one.",
        )
    elif now - token.expires_at > TOKEN_LIFE_S:
        yield Finding(
            "token_too_old",
            f"The token has not been refreshed for {ago(now - token.expires_at)}: it lives for 180 days.",
            "Let an admin open the app on the portal.",
        )
    elif now - token.expires_at > UNUSED_S:
        yield Finding(
            "token_unused",
            f"The token was not refreshed for {ago(now - token.expires_at)}, so nobody reads this portal.",
            "See that background work runs; the log says why a refresh fails.",
        )


def _answered(answer: Answer) -> Iterator[Finding]:
    if answer.outcome != "ok":
        what, do = BY_OUTCOME.get(answer.outcome, OTHER)
        yield Finding(f"portal_{answer.outcome}", f"{what} ({answer.code}).", do)
        return
    if answer.seconds > SLOW_S:
        yield Finding(
            "portal_slow",
            f"The portal took {answer.seconds:.0f} seconds for five short questions.",
            "Nothing here: the portal or the way to it is slow. On-premise: look at its server.",
        )
    if abs(answer.skew_s) > SKEW_S:
        yield _skew("the portal", answer.skew_s)
    if answer.is_admin is False:
        yield _no_admin()
    yield from _scopes(answer.missing_scopes)
    for method, outcome in answer.refused.items():
        if outcome == "method_blocked":
            yield _blocked(method)
        elif outcome not in ("scope_missing", "ok"):
            what, do = BY_OUTCOME.get(outcome, OTHER)
            yield Finding(f"method_{outcome}", f"{method}: {what[:1].lower()}{what[1:]}.", do)
    yield from _operating(answer.operating)


def _limits(load: Load, now: float) -> Iterator[Finding]:
    for method, until in load.blocked.items():
        if until > now:
            yield _blocked(method, until - now)
    if load.bucket >= FULL:
        yield Finding(
            "bucket_full",
            f"The portal's bucket of requests is full to {load.bucket:.0%}.",
            "Nothing: it drains by two a second. If it stays, another program uses the portal too.",
            is_note=True,
        )
    yield from _operating(load.operating)


def _operating(shares: Mapping[str, float]) -> Iterator[Finding]:
    for method, share in shares.items():
        if share >= NEARLY:
            yield Finding(
                f"operating:{method}",
                f"{method} has used {share:.0%} of its operating time; background reading waits.",
                "Nothing: it is released within ten minutes.",
                is_note=True,
            )


def _reading(one: Patient, now: float) -> Iterator[Finding]:
    for work, failing in one.works.items():
        again = max(0.0, failing.retry_at - now)
        yield Finding(
            f"failing:{work}",
            f"{_WORKS.get(work, work)} failed {failing.failures} times in a row: {failing.error}.",
            f"Nothing if the cause is above or passes: it is tried again in {ago(again)}.",
        )
    unread = [source for source in one.sources if source.state in ("pending", "reading")]
    if unread:
        yield from _first_read(one, unread, now)
    yield from _lag(one, now)
    for source in one.sources:
        if source.state == "off" and source.reason != "missing_scope":
            yield Finding(
                f"off:{source.name}",
                f"The portal does not open {source.name} ({source.reason or 'no reason'}): its KPIs say so.",
                "Nothing if the portal has no such tool; else let an admin give the right and open the app.",
                is_note=True,
            )
        elif source.error:
            yield Finding(
                f"failing:{source.name}", f"Reading {source.name} failed last: {source.error}.", SEE_LOG
            )
    if one.reconciled_day_age is not None and one.reconciled_day_age > 2:
        yield Finding(
            "not_compared",
            f"Counts were last compared with the portal {one.reconciled_day_age} days ago, not last night.",
            "See that background work runs at night, and the log for what it says of this portal.",
        )


_WORKS = {
    "first_read": "The first read",
    "changes": "Asking for changes",
    "reconcile": "The nightly comparison",
}


def _first_read(one: Patient, unread: list[Source], now: float) -> Iterator[Finding]:
    last = max((source.read_at for source in one.sources if source.read_at), default=one.installed_at)
    names = ", ".join(f"{source.name} {source.progress:.0%}" for source in unread[:5])
    if now - last > STUCK_S and "first_read" not in one.works:
        yield Finding(
            "first_read_stuck",
            f"The first read has stored nothing for {ago(now - last)}; to be read are {names}.",
            "See that background work runs and the queue moves; a restart continues where it stands.",
        )
    else:
        yield Finding("first_read", f"The first read is going on: {names}.", "Nothing; wait.", is_note=True)


def _lag(one: Patient, now: float) -> Iterator[Finding]:
    if "changes" in one.works or one.state != "active":
        return
    if one.checked_at is None:
        if now - one.installed_at > STUCK_S:
            yield Finding(
                "never_asked",
                f"The portal was installed {ago(now - one.installed_at)} ago and never asked for changes.",
                "See that background work runs.",
            )
        return
    is_watched = one.watched_at is not None and one.watched_at > now - LOOKED_AT_S
    late = now - one.checked_at
    if late > (LATE_WATCHED_S if is_watched else LATE_S):
        whose = "while people look at it" if is_watched else "though half an hour is usual"
        yield Finding(
            "late",
            f"The portal was last asked for changes {ago(late)} ago, {whose}.",
            "See that background work runs, and how long the queue is (`b24app doctor` without --portal).",
        )


def _scopes(missing: tuple[str, ...]) -> Iterator[Finding]:
    for key in missing:
        yield Finding(
            f"scope:{key}",
            f"The scope `{key}` is not granted. {i18n.text('en', f'install.scope.{key}.lost')}",
            "Tick it on the portal's card of the app and let an admin open the app, or live without.",
            is_note=key != "crm",
        )


def _no_admin() -> Finding:
    return Finding(
        "reader_no_admin",
        "The account that reads is no admin of the portal: records that it cannot see are missing.",
        "Let an admin open the app on the portal; that account reads from then on.",
    )


def _unpaid() -> Finding:
    what, do = BY_OUTCOME["unpaid"]
    return Finding("unpaid", f"{what}.", do)


def _blocked(method: str, for_s: float | None = None) -> Finding:
    who = "every method" if method == "*" else method
    left = f" for another {ago(for_s)}" if for_s is not None else ""
    return Finding(f"blocked:{method}", f"The portal blocks {who}{left}: its limit was hit.", WAIT)


def _skew(whose: str, seconds: float) -> Finding:
    where = "ahead of" if seconds > 0 else "behind"
    return Finding(
        f"clock:{whose}",
        f"The clock of {whose} is {ago(abs(seconds))} {where} this machine's.",
        "Set this machine's clock by NTP; if it is right, the other one is wrong.",
    )


def _without_doubles(found: list[Finding]) -> list[Finding]:
    """The first of each code: the store and the portal itself may say the same."""
    return list({finding.code: finding for finding in reversed(found)}.values())[::-1]


def ago(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
