"""May this workspace predict? A trial stops with its credit, and whoever set a hard stop with its budget.

Adding up a month for every call is too dear, so a look at it is believed for a second.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.accounts import service as accounts
from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.money import Money
from services.db import transaction
from services.jobs import service as jobs

# How long a look at the ledger is believed. Other processes may spend the same credit meanwhile, so this much
# of their use can go beyond it.
BELIEVED_SECONDS = 1.0
# Texts whose price must be left for a look to be believed at all: near the end every call looks anew.
MARGIN_TEXTS = 1_000
MARGIN_TOKENS = 1_000_000


@dataclass
class _Known:
    # Micro-units that are free, after what was let through since; None where nothing limits them.
    free: int | None
    # Micro-units of MARGIN_TEXTS predictions, and of MARGIN_TOKENS generated tokens.
    margin: int
    tokens_margin: int
    until: float

    def cost(self, texts: int, tokens: int) -> int:
        """Micro-units, rounded up."""
        return -(-texts * self.margin // MARGIN_TEXTS) - (-tokens * self.tokens_margin // MARGIN_TOKENS)


class Allowances:
    """What each workspace may still spend on answers, as far as this process knows."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        # Texts and generated tokens that were let through and are not in the ledger yet, by workspace.
        self._under_way: Counter[str] = Counter()
        self._tokens_under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def spending(self, member: Member, *, texts: int = 0, tokens: int = 0) -> Iterator[None]:
        """Let so many predictions, or at most so many generated tokens, through; use is recorded within.

        Raises:
            CreditSpent, BudgetReached: what is free of a trial's credit or of the budget does not cover them.
            WorkspaceSuspended: nothing may be started in the workspace.
        """
        if not self._believed(member.tenant_id, texts, tokens):
            self._look(member, texts, tokens)
        try:
            yield
        finally:
            with self._lock:
                self._under_way[member.tenant_id] -= texts
                self._tokens_under_way[member.tenant_id] -= tokens

    def _believed(self, tenant_id: str, texts: int, tokens: int) -> bool:
        with self._lock:
            known = self._known.get(tenant_id)
            if known is None or known.until < time.monotonic():
                return False
            if known.free is not None:
                cost = known.cost(texts, tokens)
                if known.free - cost < known.margin:
                    return False
                known.free -= cost
            self._under_way[tenant_id] += texts
            self._tokens_under_way[tenant_id] += tokens
            return True

    def _look(self, member: Member, texts: int, tokens: int) -> None:
        with transaction() as db:
            # Whoever looks next waits until this one counts as under way.
            accounts.lock_tenant(db, member)
            with self._lock:
                under_way = self._under_way[member.tenant_id]
                tokens_under_way = self._tokens_under_way[member.tenant_id]

            def charge(texts: int, tokens: int) -> Money:
                return billing.predictions_charge(db, member, texts=texts) + billing.generation_charge(
                    db, member, tokens=tokens
                )

            needed = charge(texts, tokens)
            held = sum(job.quoted_high for job in jobs.open_jobs(db, member))
            reserved = Money(held, needed.currency) + charge(under_way, tokens_under_way)
            billing.require_funds(db, member, needed=needed, reserved=reserved)
            bound = billing.free_to_spend(db, member)
            known = _Known(
                None if bound is None else (bound - reserved - needed).micros,
                charge(MARGIN_TEXTS, 0).micros,
                charge(0, MARGIN_TOKENS).micros,
                time.monotonic() + BELIEVED_SECONDS,
            )
            with self._lock:
                self._under_way[member.tenant_id] += texts
                self._tokens_under_way[member.tenant_id] += tokens
                self._known[member.tenant_id] = known


# One for the process: whatever kind of answer is asked for, it is the same money.
allowances = Allowances()
