"""PortalClient: every call to a portal goes through here. Budget, retry, token refresh, moved domain, log."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from b24app import meters
from b24app.rest import log
from b24app.rest.addresses import check_endpoint, host_of
from b24app.rest.budget import Budget
from b24app.rest.calls import COUNTING, Call, Params, chunks, flatten, named, pack
from b24app.rest.decipher import Reply, decipher, decipher_batch, to_float
from b24app.rest.errors import (
    NO_BUDGET,
    GarbageAnswer,
    MethodBlocked,
    Moved,
    Overloaded,
    RateLimited,
    RestError,
    RetryLater,
    TokenDead,
    TokenExpired,
)
from b24app.rest.limits import ALL_METHODS, PARALLEL
from b24app.rest.token_source import TokenSource
from b24app.rest.transport import Transport

BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller waits: for one call with all its tries, between two tries, for one answer.

    Longer waits are the caller's own: he gets an error that says when to come back.
    """

    deadline_s: float
    longest_wait_s: float
    timeout_s: float


BACKGROUND = Patience(deadline_s=120.0, longest_wait_s=15.0, timeout_s=70.0)
"""A portal's own limit is 60 seconds a request: its answer shall still arrive."""

FOREGROUND = Patience(deadline_s=15.0, longest_wait_s=5.0, timeout_s=15.0)


def backoff_s(attempt: int, retry_after_s: float, chance: float) -> float:
    """Seconds before the next try after `attempt` failures (from 1): exponential, at least what the
    portal asks for, up to half as much again by `chance` (0..1), so that callers spread out."""
    grown = min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
    return max(retry_after_s, grown) * (1 + chance / 2)


def max_tries(error: RetryLater) -> int:
    """How often a call is tried when it ends like this. A portal that is away is left alone soon."""
    return 6 if isinstance(error, RateLimited) else 3


class PortalClient:
    """Calls one portal's REST with one user's token; safe to share between threads.

    `background` callers leave room for those who are looking; they may wait longer. `ahead`: one of them
    whose few calls need not: they go ahead of long reads. `deadline_s`: when to give up a call with all its
    tries. `budget_wait_s`: how long to wait at most for room within the portal's limits. `label` names the
    portal in the log.
    """

    def __init__(
        self,
        *,
        tokens: TokenSource,
        budget: Budget,
        transport: Transport,
        background: bool = True,
        ahead: bool = False,
        label: str = "",
        deadline_s: float | None = None,
        budget_wait_s: float | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.background = background
        self._leaves_room = background and not ahead
        self._who = "background" if background else "people"
        self._tokens = tokens
        self._budget = budget
        self._transport = transport
        self._label = label
        patience = BACKGROUND if background else FOREGROUND
        self._patience = replace(patience, deadline_s=deadline_s) if deadline_s else patience
        self._budget_wait_s = self._patience.longest_wait_s if budget_wait_s is None else budget_wait_s
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._under_way = threading.BoundedSemaphore(PARALLEL)

    def call(self, method: str, params: Params | None = None) -> Reply:
        """The portal's answer to one method.

        Raises:
            RestError: typed by what to do next; passing troubles only after retries until the deadline.
        """
        call = Call(method, {} if params is None else params)
        body = named(call.params)
        reply = self._send(method, body, wanted={call.kind: 1}, is_read=call.is_read, rows=log.size_of)
        self._learn({call.kind: [reply]})
        return reply

    def batch(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]:
        """What became of each command, in order: any number, 50 a request, one failing alone.

        A command may refer to an earlier one of the same 50 (`$result[name]…`). Reading commands that
        failed in passing are repeated, unless they refer to another.

        Raises:
            RestError: a request as a whole failed.
        """
        outcome: dict[str, Reply | RestError] = {}
        for chunk in chunks(calls):
            outcome.update(self._batch(chunk))
        return outcome

    def _batch(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]:
        deadline = self._clock() + self._patience.deadline_s
        access = self._tokens.access()
        outcome = self._batch_once(calls)
        expired = any(isinstance(answer, TokenExpired) for answer in outcome.values())
        if expired and all(call.is_read for call in calls.values()):
            self._tokens.renew(access)  # the token ran out in the middle of the batch
            outcome = self._batch_once(calls)
        attempt = 0
        while again := {name: call for name, call in calls.items() if _is_repeatable(call, outcome[name])}:
            attempt += 1
            failures = [error for name in again if isinstance(error := outcome[name], RetryLater)]
            wait = backoff_s(attempt, max(error.retry_after_s for error in failures), self._chance())
            if attempt >= max(map(max_tries, failures)) or not self._may_wait(wait, deadline):
                break
            self._sleep(wait)
            outcome.update(self._batch_once(again))
        return outcome

    def _batch_once(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]:
        reply = self._send(
            "batch",
            {"halt": 0, "cmd": pack(calls)},
            wanted=Counter(["batch", *(call.kind for call in calls.values())]),
            is_read=all(call.is_read for call in calls.values()),
            rows=lambda _result: len(calls),
        )
        outcome = decipher_batch(reply, calls, now=self._clock())
        seen: dict[str, list[Reply]] = {}
        for name, call in calls.items():
            answer = outcome[name]
            if isinstance(answer, Reply):
                seen.setdefault(call.kind, []).append(answer)
            elif isinstance(answer, MethodBlocked):
                self._budget.block(call.method, answer.until)
        self._learn({**seen, "batch": [reply]})
        log.commands(outcome.values())
        failed = Counter(
            f"{calls[name].method} {answer.code}"
            for name, answer in outcome.items()
            if isinstance(answer, RestError)
        )
        if failed:
            log.write("rest.batch_errors", {"portal": self._label, "errors": dict(failed)})
        return outcome

    def _send(
        self,
        method: str,
        body: Mapping[str, Any],
        *,
        wanted: Mapping[str, int],
        is_read: bool,
        rows: Callable[[Any], int | None],
    ) -> Reply:
        deadline = self._clock() + self._patience.deadline_s
        renewals = moves = attempt = 0
        while True:
            waited_s = self._wait_for_budget(wanted, deadline)
            access = self._tokens.access()
            endpoint = self._endpoint()
            told = {
                "portal": self._label or host_of(endpoint),
                "method": method,
                "commands": {name: count for name, count in wanted.items() if name != method} or None,
                "attempt": 1 + renewals + moves + attempt,
                "waited_ms": round(waited_s * 1000) or None,
            }
            try:
                return self._exchange(endpoint, method, body, access, told, rows, deadline)
            except TokenExpired as error:
                renewals += 1
                if renewals > 2:
                    raise TokenDead(
                        error.code, "refused right after a refresh", status=error.status, method=method
                    ) from error
                self._tokens.renew(access)
            except Moved as error:
                moves += 1
                self._follow(error, endpoint, moves)
            except MethodBlocked as error:
                self._budget.block(method, error.until)
                if not self._may_wait(error.until - self._clock(), deadline):
                    raise
            except Overloaded as error:
                self._budget.block(ALL_METHODS, self._clock() + error.retry_after_s)
                raise
            except RetryLater as error:
                attempt += 1
                if isinstance(error, RateLimited):
                    self._budget.refused()
                wait = backoff_s(attempt, error.retry_after_s, self._chance())
                is_last = attempt >= max_tries(error) or not self._may_wait(wait, deadline)
                if is_last or (error.was_run and not is_read):
                    raise
                self._sleep(wait)

    def _wait_for_budget(self, wanted: Mapping[str, int], deadline: float) -> float:
        """Books the request; returns the seconds that it had to wait."""
        began = self._clock()
        while wait := self._budget.take(wanted, background=self._leaves_room):
            if wait > self._budget_wait_s or not self._may_wait(wait, deadline):
                raise RateLimited(
                    NO_BUDGET, "the portal's limits are nearly used up", retry_after_s=wait, was_run=False
                )
            self._sleep(wait * (1 + self._chance() / 20))
        waited_s = max(0.0, self._clock() - began)
        meters.budget_wait(self._who, waited_s)
        return waited_s

    def _may_wait(self, wait: float, deadline: float) -> bool:
        return wait <= self._patience.longest_wait_s and self._clock() + wait <= deadline

    def _endpoint(self) -> str:
        return check_endpoint(self._tokens.endpoint(), allow_private=self._transport.allow_private)

    def _exchange(
        self,
        endpoint: str,
        method: str,
        body: Mapping[str, Any],
        access: str,
        told: dict[str, Any],
        rows: Callable[[Any], int | None],
        deadline: float,
    ) -> Reply:
        failure: RestError | None = None
        timeout_s = min(self._patience.timeout_s, max(1.0, deadline - self._clock()))
        started = time.monotonic()
        try:
            with self._under_way:
                answer = self._transport.post_json(
                    endpoint + method, {**body, "auth": access}, timeout_s=timeout_s
                )
            told["status"] = answer.status
            reply = decipher(answer.status, answer.headers, answer.body, method=method, now=self._clock())
            told["rows"] = rows(reply.result)
            told["operating"] = reply.operating_s
            return reply
        except RestError as error:
            failure = error
            error.method = method
            raise
        finally:
            log.call(told, self._who, failure, time.monotonic() - started)

    def _follow(self, error: Moved, endpoint: str, moves: int) -> None:
        if moves > 2 or "/rest/" not in error.location:
            # A page to log in or to be scolded, or a circle: not another home of the same REST.
            raise GarbageAnswer("redirect", "the portal redirects elsewhere", status=error.status)
        location = check_endpoint(error.location, allow_private=self._transport.allow_private)
        if location == endpoint:
            raise GarbageAnswer("redirect", "the portal redirects to itself", status=error.status)
        if location == self._endpoint():
            return  # another thread has followed already
        log.write("rest.moved", {"portal": self._label, "to": host_of(location)})
        self._tokens.moved(location)

    def _learn(self, replies: Mapping[str, list[Reply]]) -> None:
        """Of the answers by kind of call."""
        seen: dict[str, tuple[float, dict[str, float]]] = {}
        for kind, answers in replies.items():
            counted = [one.operating_s for one in answers if one.operating_s is not None]
            if counted:
                method = kind.removesuffix(COUNTING)
                most, known = seen.get(method, (0.0, {}))
                costs = [cost for one in answers if (cost := _cost_s(one)) is not None]
                if costs:
                    known[kind] = sum(costs) / len(costs)
                seen[method] = (max(most, *counted), known)
        self._budget.learn(seen)


def _cost_s(reply: Reply) -> float | None:
    return to_float(reply.time.get("processing", reply.time.get("duration")))


def _is_repeatable(call: Call, outcome: Reply | RestError) -> bool:
    if not isinstance(outcome, RetryLater) or (outcome.was_run and not call.is_read):
        return False
    return not any("$result[" in value for _key, value in flatten(call.params))
