"""Who pays how, what was given, and what was charged. Amounts are integer micro-units of the currency."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, column
from sqlmodel import Field, SQLModel

from services import clock, ids
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, UtcDateTime, one_of


class PlanVersion(SQLModel, table=True):
    """A published version of a plan; triggers of the database refuse to change or to delete one."""

    __tablename__ = "plan_version"

    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    # The first day that it rates.
    valid_from: date
    terms: dict[str, Any] = Field(sa_type=Json)
    published_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    published_by: str


class Subscription(TenantOwned, table=True):
    """A tenant on a plan, from one instant to another; one at a time."""

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("starts_at"),
        Index(
            "ix_subscription_open",
            "tenant_id",
            unique=True,
            sqlite_where=column("ends_at").is_(None),
            postgresql_where=column("ends_at").is_(None),
        ),
    )

    id: str = Field(default_factory=lambda: ids.new("subscription"), primary_key=True)
    plan: str
    # On trial, use stops when the credit is spent; otherwise it is invoiced.
    trial: bool = True
    starts_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Contract(TenantOwned, table=True):
    """What a tenant has promised for a term of whole months, and what it pays beside use."""

    __table_args__ = (one_per_tenant("id"), one_per_tenant("starts_on"))

    id: str = Field(default_factory=lambda: ids.new("contract"), primary_key=True)
    title: str
    # The first day of a month, and the last of another.
    starts_on: date
    ends_on: date
    terms: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class BillingProfile(TenantOwned, table=True):
    """How a tenant is addressed on invoices; `vat_id` was checked when it was set."""

    __tablename__ = "billing_profile"

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    legal_name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    # ISO 3166.
    country: str = ""
    vat_id: str = ""
    email: str = ""
    # ISO 639-1.
    language: str = "en"
    # What the customer wants to read on its invoices, such as an order number.
    reference: str = ""
    payment_days: int = 14
    partner_id: str | None = Field(default=None, foreign_key="partner.id", index=True)


class Partner(SQLModel, table=True):
    """Who brings customers, and gets a share of what they pay."""

    id: str = Field(default_factory=lambda: ids.new("partner"), primary_key=True)
    name: str = Field(unique=True)
    # A decimal as text, such as 12.5.
    share_percent: str
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class CouponCode(SQLModel, table=True):
    """A coupon that staff has made; the terms are those of `coupons.Terms`."""

    __tablename__ = "coupon"

    code: str = Field(primary_key=True)
    terms: dict[str, Any] = Field(sa_type=Json)
    # How many workspaces have taken it up.
    taken: int = 0
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Redemption(TenantOwned, table=True):
    """A coupon that a tenant has taken up, for the invoices of the months between two days."""

    __tablename__ = "coupon_redemption"
    __table_args__ = (one_per_tenant("code"),)

    id: str = Field(default_factory=lambda: ids.new("redemption"), primary_key=True)
    code: str = Field(foreign_key="coupon.code", index=True)
    first_day: date
    # None: for ever.
    last_day: date | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class CreditGrant(TenantOwned, table=True):
    """Money given or paid ahead, used before anything is owed."""

    __tablename__ = "credit_grant"
    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("grant"), primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    currency: str = "EUR"
    reason: str
    # Lower is spent first.
    priority: int = 100
    # Paid for by the customer, so that it pays invoices; what is given is a discount.
    prepaid: bool = False
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CreditEntry(TenantOwned, table=True):
    """What a finalised invoice took from a grant; rows are only ever added."""

    __tablename__ = "credit_entry"
    __table_args__ = (
        one_per_tenant("invoice_id", "grant_id"),
        ForeignKeyConstraint(["tenant_id", "grant_id"], ["credit_grant.tenant_id", "credit_grant.id"]),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    grant_id: str
    invoice_id: str
    amount: int = Field(sa_type=BigInteger)


class InvoiceState(StrEnum):
    """The life of an invoice; a draft is computed from events and stands in no row."""

    open = "open"  # finalised and owed
    paid = "paid"
    void = "void"  # taken back as a whole by a credit note
    uncollectible = "uncollectible"  # nobody expects it to be paid any more


class Invoice(TenantOwned, table=True):
    """A finalised invoice, whose figures never change: seller, customer, prices and lines are a snapshot.

    Triggers of the database refuse to delete one, and to change anything but its state, along its life.
    """

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("period_start"),
        UniqueConstraint("year", "sequence"),
        UniqueConstraint("number"),
    )

    id: str = Field(default_factory=lambda: ids.new("invoice"), primary_key=True)
    year: int
    sequence: int
    number: str
    state: InvoiceState = Field(default=InvoiceState.open, sa_type=one_of(InvoiceState))
    period_start: datetime = Field(sa_type=UtcDateTime)
    period_end: datetime = Field(sa_type=UtcDateTime)
    currency: str
    # With tax, before and after what credit notes and prepaid credit pay of it.
    total: int = Field(sa_type=BigInteger)
    payable: int = Field(default=0, sa_type=BigInteger)
    due_on: date | None = None
    snapshot: dict[str, Any] = Field(sa_type=Json)
    finalised_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class CreditNote(TenantOwned, table=True):
    """What is taken back of an invoice, with its tax; `snapshot` is a `notes.Note`."""

    __tablename__ = "credit_note"
    __table_args__ = (
        one_per_tenant("id"),
        UniqueConstraint("year", "sequence"),
        UniqueConstraint("number"),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("credit_note"), primary_key=True)
    invoice_id: str = Field(index=True)
    year: int
    sequence: int
    number: str
    currency: str
    total: int = Field(sa_type=BigInteger)
    # The part that pays later invoices, because its own was paid already, and what is left of that.
    balance: int = Field(default=0, sa_type=BigInteger)
    left: int = Field(default=0, sa_type=BigInteger)
    # What of that part was sent back to the customer instead.
    returned: int = Field(default=0, sa_type=BigInteger)
    snapshot: dict[str, Any] = Field(sa_type=Json)
    issued_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Payment(TenantOwned, table=True):
    """Money that came in for an invoice, or went back (below zero); the same transfer is recorded once."""

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("invoice_id", "method", "reference"),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("payment"), primary_key=True)
    invoice_id: str = Field(index=True)
    amount: int = Field(sa_type=BigInteger)
    # bank_transfer, stripe, …
    method: str
    reference: str
    received_on: date
    recorded_by: str
    recorded_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Checkout(TenantOwned, table=True):
    """A payment provider's page on which so much of an invoice can be paid; its id is the provider's."""

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),)

    id: str = Field(primary_key=True)
    invoice_id: str = Field(index=True)
    amount: int = Field(sa_type=BigInteger)
    url: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class StrayPayment(TenantOwned, table=True):
    """Money that came in (or went back, below zero) and that no invoice takes: an operator decides.

    `code` and `sentence` say why; `left` is what nobody has decided about yet.
    """

    __tablename__ = "stray_payment"
    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("method", "reference"),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("stray_payment"), primary_key=True)
    # What it was meant for.
    invoice_id: str = Field(index=True)
    method: str
    reference: str
    currency: str
    amount: int = Field(sa_type=BigInteger)
    left: int = Field(sa_type=BigInteger)
    code: str
    sentence: str
    noted_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = None
    settlement: str | None = None


class Posted(TenantOwned):
    """An e-mail with a document: noted with the document, begun, and then sent or failed."""

    attempts: int = 0
    # Begun and neither sent nor failed: whoever sent it died, and nobody knows whether it went out.
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failure: str | None = None


class InvoiceLetter(Posted, table=True):
    """The e-mail with a finalised invoice."""

    __tablename__ = "invoice_letter"
    __table_args__ = (
        one_per_tenant("invoice_id"),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    invoice_id: str


class CreditNoteLetter(Posted, table=True):
    """The e-mail with a credit note."""

    __tablename__ = "credit_note_letter"
    __table_args__ = (
        one_per_tenant("credit_note_id"),
        ForeignKeyConstraint(["tenant_id", "credit_note_id"], ["credit_note.tenant_id", "credit_note.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    credit_note_id: str


class Reminder(TenantOwned, table=True):
    """A letter about an invoice that is overdue, each level once."""

    __table_args__ = (
        one_per_tenant("invoice_id", "level"),
        ForeignKeyConstraint(["tenant_id", "invoice_id"], ["invoice.tenant_id", "invoice.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    invoice_id: str
    level: int
    sent_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class BillingHold(TenantOwned, table=True):
    """A tenant whose figures do not agree with one another: not billed until a person has looked."""

    __tablename__ = "billing_hold"
    __table_args__ = (
        Index(
            "ix_billing_hold_open",
            "tenant_id",
            unique=True,
            sqlite_where=column("released_at").is_(None),
            postgresql_where=column("released_at").is_(None),
        ),
    )

    id: str = Field(default_factory=lambda: ids.new("hold"), primary_key=True)
    findings: list[str] = Field(sa_type=Json)
    since: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    released_by: str | None = None


class Budget(TenantOwned, table=True):
    """What a tenant wants to spend in a month at most, and who is told on the way."""

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    # Percentages of the amount, rising.
    thresholds: list[int] = Field(sa_type=Json)
    hard_stop: bool = False
    emails: list[str] = Field(default_factory=list, sa_type=Json)
    webhook_url: str = ""
    # Signs what is sent there; the customer keeps the same one.
    webhook_secret: str = ""
    updated_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class BudgetAlert(TenantOwned, table=True):
    """A threshold that a month's spend has reached, told once."""

    __tablename__ = "budget_alert"
    __table_args__ = (one_per_tenant("month", "threshold", "amount"),)

    id: int | None = Field(default=None, primary_key=True)
    # 2026-11
    month: str
    threshold: int
    # The budget and the spend of that moment.
    amount: int = Field(sa_type=BigInteger)
    spent: int = Field(sa_type=BigInteger)
    reached_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    # When all who are to know were told; None: not yet.
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NumberSeries(SQLModel, table=True):
    """The last number given in a series and year; its row is the lock that keeps numbers gap-free."""

    __tablename__ = "number_series"

    # The seller's invoices, and its credit notes.
    series: str = Field(primary_key=True)
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    last: int = 0
