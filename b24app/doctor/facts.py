"""What the doctor looks at: the state of an installation and of a portal at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Installation:
    """What concerns every portal. Errors are words for people, None where all is well."""

    public_url: str
    is_scaled_out: bool  # Redis is set
    database: str  # its kind
    var_free_bytes: int
    database_error: str | None = None
    missing_migrations: tuple[str, ...] = ()
    database_skew_s: float = 0.0  # its clock minus ours
    queue_error: str | None = None
    queues: Mapping[str, tuple[int, float]] = field(default_factory=dict)  # entries, age of the oldest
    auth_servers: Mapping[str, str | None] = field(default_factory=dict)  # address to error
    unwell: tuple[str, ...] = ()  # portals that the figures of the database show in trouble, some of them
    unwell_count: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """The reader's tokens, without them."""

    expires_at: float
    dead_reason: str | None = None
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """One list that is read."""

    name: str
    state: str  # pending | reading | ready | off
    reason: str | None = None
    error: str | None = None
    progress: float = 0.0
    read_at: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A work of the background that failed last time: when it is tried again."""

    error: str
    failures: int
    retry_at: float


@dataclass(frozen=True, slots=True)
class Load:
    """What we know of a portal's limits: shares of what it allows, 1 is all; methods blocked until when."""

    bucket: float
    operating: Mapping[str, float] = field(default_factory=dict)
    blocked: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the portal said when the doctor asked it.

    `outcome`: a word of `rest.outcomes`; what follows is known for `ok` only. `refused`: outcomes of single
    commands by method.
    """

    outcome: str
    code: str = ""
    seconds: float = 0.0
    skew_s: float = 0.0  # the portal's clock minus ours
    is_admin: bool | None = None
    missing_scopes: tuple[str, ...] = ()
    operating: Mapping[str, float] = field(default_factory=dict)  # share of the limit by method
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patient:
    """One portal as the database has it, and its answer; `answer` None: it was not asked."""

    member_id: str
    number: int
    domain: str
    state: str
    installed_at: float
    has_reader: bool = True
    is_admin: bool | None = True
    token: Token | None = None
    missing_scopes: tuple[str, ...] = ()
    checked_at: float | None = None
    watched_at: float | None = None
    sources: tuple[Source, ...] = ()
    works: Mapping[str, Work] = field(default_factory=dict)  # first_read, changes, reconcile
    reconciled_day_age: int | None = None  # days since the last comparison of counts; None: none yet
    unbound: tuple[str, ...] = ()  # placements and events that the portal refused
    load: Load | None = None  # None: counted in the memory of the server process
    answer: Answer | None = None
