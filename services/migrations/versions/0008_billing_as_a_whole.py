"""Billing as a whole: plans in versions, contracts, coupons, partners, credit notes, payments, budgets"""

import json
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The plan that stood in the code before, as its first version.
_FIRST_PLAN = """
{
 "name": "pay-as-you-go",
 "title": "Pay as you go",
 "version": 1,
 "valid_from": "2026-01-01",
 "currency": "EUR",
 "prices": [
  {
   "key": "training.cpu",
   "title": "Training on CPU",
   "meter": "training_seconds",
   "price": {
    "free": "0",
    "conversion": null,
    "discount_percent": "0",
    "minimum": null,
    "maximum": null,
    "commitment": null,
    "kind": "unit",
    "amount": "0.001"
   },
   "line_per": "subject",
   "where": {
    "device_class": "cpu"
   },
   "tax_code": "standard"
  },
  {
   "key": "training.cuda",
   "title": "Training on GPU",
   "meter": "training_seconds",
   "price": {
    "free": "0",
    "conversion": null,
    "discount_percent": "0",
    "minimum": null,
    "maximum": null,
    "commitment": null,
    "kind": "unit",
    "amount": "0.002"
   },
   "line_per": "subject",
   "where": {
    "device_class": "cuda"
   },
   "tax_code": "standard"
  },
  {
   "key": "predictions",
   "title": "Predictions",
   "meter": "predictions",
   "price": {
    "free": "0",
    "conversion": null,
    "discount_percent": "0",
    "minimum": null,
    "maximum": null,
    "commitment": null,
    "kind": "package",
    "amount": "0.20",
    "size": 1000,
    "begun": "in_proportion"
   },
   "line_per": "day_and_subject",
   "where": {},
   "tax_code": "standard"
  },
  {
   "key": "generated_tokens",
   "title": "Generated tokens",
   "meter": "generated_tokens",
   "price": {
    "free": "0",
    "conversion": null,
    "discount_percent": "0",
    "minimum": null,
    "maximum": null,
    "commitment": null,
    "kind": "package",
    "amount": "2.00",
    "size": 1000000,
    "begun": "in_proportion"
   },
   "line_per": "day_and_subject",
   "where": {},
   "tax_code": "standard"
  }
 ],
 "included": [
  "trained_tokens",
  "stored_gb_hours"
 ],
 "limits": {
  "running_jobs": 4,
  "open_jobs": 50,
  "runtime": "PT12H",
  "share_weight": 2
 },
 "trial": {
  "credit": {
   "micros": 10000000,
   "currency": "EUR"
  },
  "valid": "P30D",
  "limits": {
   "running_jobs": 2,
   "open_jobs": 20,
   "runtime": "PT6H",
   "share_weight": 1
  }
 },
 "fee": null
}
"""
_ONLY_GROW = ("plan_version", "credit_entry", "payment")
_FIXED = {
    "invoice": (
        "tenant_id", "id", "year", "sequence", "number", "period_start", "period_end", "currency", "total",
        "payable", "due_on", "snapshot", "finalised_at",
    ),
    "credit_note": (
        "tenant_id", "id", "invoice_id", "year", "sequence", "number", "currency", "total", "balance",
        "snapshot", "issued_at",
    ),
}  # fmt: skip
# Beside the fixed columns: how the others may change.
_MAY = {
    "invoice": """(OLD.state = NEW.state
        OR (OLD.state = 'open' AND NEW.state IN ('paid', 'void', 'uncollectible'))
        OR (OLD.state = 'uncollectible' AND NEW.state IN ('paid', 'void')))""",
    "credit_note": 'NEW."left" <= OLD."left" AND NEW."left" >= 0',
}


def upgrade() -> None:

    op.create_table(
        "coupon",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("terms", services.db.Json, nullable=False),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_coupon")),
    )
    op.create_table(
        "number_series",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "partner",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("share_percent", sa.String(), nullable=False),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
        sa.UniqueConstraint("name", name=op.f("uq_partner_name")),
    )
    op.create_table(
        "plan_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("terms", services.db.Json, nullable=False),
        sa.Column("published_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_plan_version")),
    )
    op.create_table(
        "billing_hold",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("findings", services.db.Json, nullable=False),
        sa.Column("since", services.db.UtcDateTime(), nullable=False),
        sa.Column("released_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_billing_hold_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_hold")),
    )
    op.create_index(
        "ix_billing_hold_open",
        "billing_hold",
        ["tenant_id"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index(op.f("ix_billing_hold_tenant_id"), "billing_hold", ["tenant_id"], unique=False)
    op.create_table(
        "billing_profile",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("legal_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("vat_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_billing_profile_partner_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_billing_profile_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_billing_profile")),
    )
    op.create_index(op.f("ix_billing_profile_partner_id"), "billing_profile", ["partner_id"], unique=False)
    op.create_table(
        "budget",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("thresholds", services.db.Json, nullable=False),
        sa.Column("hard_stop", sa.Boolean(), nullable=False),
        sa.Column("emails", services.db.Json, nullable=False),
        sa.Column("webhook_url", sa.String(), nullable=False),
        sa.Column("webhook_secret", sa.String(), nullable=False),
        sa.Column("updated_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_budget_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_budget")),
    )
    op.create_table(
        "budget_alert",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("sent_at", services.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_budget_alert_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_alert")),
        sa.UniqueConstraint(
            "tenant_id",
            "month",
            "threshold",
            "amount",
            name=op.f("uq_budget_alert_tenant_id_month_threshold_amount"),
        ),
    )
    op.create_index(op.f("ix_budget_alert_tenant_id"), "budget_alert", ["tenant_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("terms", services.db.Json, nullable=False),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_contract_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_contract_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "starts_on", name=op.f("uq_contract_tenant_id_starts_on")),
    )
    op.create_index(op.f("ix_contract_tenant_id"), "contract", ["tenant_id"], unique=False)
    op.create_table(
        "coupon_redemption",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["coupon.code"], name=op.f("fk_coupon_redemption_code")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_coupon_redemption_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_redemption")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_coupon_redemption_tenant_id_code")),
    )
    op.create_index(op.f("ix_coupon_redemption_code"), "coupon_redemption", ["code"], unique=False)
    op.create_index(op.f("ix_coupon_redemption_tenant_id"), "coupon_redemption", ["tenant_id"], unique=False)
    op.create_table(
        "credit_entry",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grant_id"],
            ["credit_grant.tenant_id", "credit_grant.id"],
            name=op.f("fk_credit_entry_tenant_id_grant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_credit_entry_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_credit_entry_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entry")),
        sa.UniqueConstraint(
            "tenant_id", "invoice_id", "grant_id", name=op.f("uq_credit_entry_tenant_id_invoice_id_grant_id")
        ),
    )
    op.create_index(op.f("ix_credit_entry_tenant_id"), "credit_entry", ["tenant_id"], unique=False)
    op.create_table(
        "credit_note",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", services.db.Json, nullable=False),
        sa.Column("issued_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_credit_note_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_credit_note_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_note_number")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_credit_note_tenant_id_id")),
        sa.UniqueConstraint("year", "sequence", name=op.f("uq_credit_note_year_sequence")),
    )
    op.create_index(op.f("ix_credit_note_invoice_id"), "credit_note", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_credit_note_tenant_id"), "credit_note", ["tenant_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_payment_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_payment_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_payment_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "invoice_id",
            "method",
            "reference",
            name=op.f("uq_payment_tenant_id_invoice_id_method_reference"),
        ),
    )
    op.create_index(op.f("ix_payment_invoice_id"), "payment", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_payment_tenant_id"), "payment", ["tenant_id"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("sent_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_reminder_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_reminder_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint(
            "tenant_id", "invoice_id", "level", name=op.f("uq_reminder_tenant_id_invoice_id_level")
        ),
    )
    op.create_index(op.f("ix_reminder_tenant_id"), "reminder", ["tenant_id"], unique=False)
    op.execute(
        "INSERT INTO number_series (series, year, last) SELECT 'invoice', year, last FROM invoice_counter"
    )
    op.drop_table("invoice_counter")
    op.add_column("credit_grant", sa.Column("currency", sa.String(), nullable=False, server_default="EUR"))
    op.add_column("credit_grant", sa.Column("priority", sa.Integer(), nullable=False, server_default="100"))
    op.add_column(
        "credit_grant", sa.Column("prepaid", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("invoice", sa.Column("payable", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("invoice", sa.Column("due_on", sa.Date(), nullable=True))
    op.create_index(
        "ix_subscription_open",
        "subscription",
        ["tenant_id"],
        unique=True,
        sqlite_where=sa.text("ends_at IS NULL"),
        postgresql_where=sa.text("ends_at IS NULL"),
    )
    op.execute("UPDATE invoice SET payable = total WHERE state = 'open'")
    _seed()
    dialect = op.get_bind().dialect.name
    for table in _ONLY_GROW:
        for statement in _guards(dialect, table, "FALSE"):
            op.execute(statement)
    for table, columns in _FIXED.items():
        for statement in _guards(dialect, table, f"{_same(dialect, columns)} AND {_MAY[table]}"):
            op.execute(statement)


def _seed() -> None:
    terms = json.loads(_FIRST_PLAN)
    plans = sa.table(
        "plan_version",
        sa.column("name"),
        sa.column("version"),
        sa.column("valid_from", sa.Date()),
        sa.column("terms", services.db.Json),
        sa.column("published_at", services.db.UtcDateTime()),
        sa.column("published_by"),
    )
    row = {
        "name": terms["name"],
        "version": terms["version"],
        "valid_from": date.fromisoformat(terms["valid_from"]),
        "terms": terms,
        "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "published_by": "system",
    }
    op.bulk_insert(plans, [row])


def _same(dialect: str, columns: tuple[str, ...]) -> str:
    new, old = (", ".join(f'{row}."{name}"' for name in columns) for row in ("NEW", "OLD"))
    return f"({new}) IS ({old})" if dialect == "sqlite" else f"({new}) IS NOT DISTINCT FROM ({old})"


def _guards(dialect: str, table: str, allowed: str) -> tuple[str, ...]:
    sentence = f"illegal change of {table}"
    if dialect == "sqlite":
        return (
            f"CREATE TRIGGER {table}_legal BEFORE UPDATE ON {table} WHEN NOT ({allowed}) "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END",
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END",
        )
    return (
        f"""
        CREATE FUNCTION {table}_legal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'UPDATE' THEN
                RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation';
            ELSIF NOT ({allowed}) THEN
                RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """,
        f"CREATE TRIGGER {table}_legal BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_legal()",
        f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_legal()",
    )


def downgrade() -> None:
    for table in (*_ONLY_GROW, *_FIXED):
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_legal")
            op.execute(f"DROP TRIGGER {table}_kept")
        else:
            op.execute(f"DROP FUNCTION {table}_legal() CASCADE")
    op.drop_index("ix_subscription_open", "subscription")
    for table, columns in {
        "invoice": ("payable", "due_on"),
        "credit_grant": ("currency", "priority", "prepaid"),
    }.items():
        for column in columns:
            op.drop_column(table, column)
    op.create_table(
        "invoice_counter",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_invoice_counter")),
    )
    op.execute(
        "INSERT INTO invoice_counter (year, last) SELECT year, last FROM number_series WHERE series = 'invoice'"
    )
    for table in [
        "reminder",
        "payment",
        "credit_note",
        "credit_entry",
        "coupon_redemption",
        "contract",
        "budget_alert",
        "budget",
        "billing_profile",
        "billing_hold",
        "plan_version",
        "partner",
        "number_series",
        "coupon",
    ]:
        op.drop_table(table)
