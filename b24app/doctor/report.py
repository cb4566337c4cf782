"""What the doctor says, as text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from b24app.doctor.facts import Installation, Patient
from b24app.doctor.rules import Finding


def of_installation(seen: Installation, found: Sequence[Finding]) -> Iterator[str]:
    """Lines: what is well, then every finding with what to do."""
    broken = {finding.code for finding in found}
    yield f"ok    settings: public address {seen.public_url}"
    if not broken & {"database_away", "not_migrated"}:
        yield f"ok    database: {seen.database}"
    if "queue_away" not in broken:
        waiting = ", ".join(f"{name} {entries}" for name, (entries, _age) in seen.queues.items())
        yield f"ok    queue: waiting {waiting}"
    for url, error in seen.auth_servers.items():
        if error is None:
            yield f"ok    authorization server {url}: answers"
    yield from _findings(found)


def of_portal(seen: Patient, found: Sequence[Finding]) -> Iterator[str]:
    """Lines: who it is, then every finding with what to do."""
    yield f"portal {seen.member_id}, number {seen.number} in the logs, at {seen.domain}, {seen.state}"
    if seen.answer is not None and seen.answer.outcome == "ok":
        yield f"ok    the portal answers, in {seen.answer.seconds:.1f} s"
    if not any(not finding.is_note for finding in found):
        yield "ok    nothing is wrong"
    yield from _findings(found)


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    for finding in sorted(found, key=lambda one: one.is_note):
        yield f"{'note' if finding.is_note else 'FAIL'}  {finding.what}"
        yield f"      → {finding.do}"
