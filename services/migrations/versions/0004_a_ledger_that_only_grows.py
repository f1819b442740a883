"""A ledger that only grows: events in the order of their serials, hours added up, and seals"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PLACES = ("job_id", "model_version_id", "key_id", "user_id")
_EVENT = ("tenant_id", "id", "meter", "quantity", "at", "recorded_at", *_PLACES, "properties")
_ONLY_GROW = ("usage_event", "sealed_block")


def upgrade() -> None:
    op.add_column("dataset_version", sa.Column("bytes", sa.BigInteger(), nullable=False, server_default="0"))
    _number_events()
    op.create_table(
        "usage_hour",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("hour", services.db.UtcDateTime(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in (*_PLACES, "device_class")),
        sa.Column("quantity", services.db.Quantity(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_usage_hour_tenant_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "hour", "meter", *_PLACES, "device_class", name=op.f("pk_usage_hour")
        ),
    )
    op.create_table(
        "usage_mark",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("rolled_up", sa.BigInteger(), nullable=False),
        sa.Column("compared", services.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_usage_mark_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_usage_mark")),
    )
    op.create_table(
        "sealed_block",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("last_serial", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sealed_block_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_sealed_block")),
    )
    for table in _ONLY_GROW:
        for statement in _guards(op.get_bind().dialect.name, table):
            op.execute(statement)


def _number_events() -> None:
    """Give events the order in which they were written down, in a table with another primary key."""
    op.rename_table("usage_event", "usage_event_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE usage_event_before DROP CONSTRAINT pk_usage_event")
        op.execute("ALTER TABLE usage_event_before DROP CONSTRAINT fk_usage_event_tenant_id")
    for index in ("ix_usage_event_tenant_at", "ix_usage_event_tenant_meter_at"):
        op.drop_index(index, "usage_event_before")
    op.create_table(
        "usage_event",
        sa.Column("serial", _SERIAL, nullable=False),
        *_columns(),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_usage_event_tenant_id")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_usage_event")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_usage_event_tenant_id_id")),
        sqlite_autoincrement=True,
    )
    columns = ", ".join(f'"{name}"' for name in _EVENT)
    op.execute(
        f"INSERT INTO usage_event ({columns}) SELECT {columns} FROM usage_event_before "  # noqa: S608
        "ORDER BY recorded_at, tenant_id, id"
    )
    op.drop_table("usage_event_before")
    op.create_index("ix_usage_event_tenant_serial", "usage_event", ["tenant_id", "serial"])
    op.create_index("ix_usage_event_tenant_at", "usage_event", ["tenant_id", "at"])


def _columns() -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("quantity", services.db.Quantity(), nullable=False),
        sa.Column("at", services.db.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", services.db.UtcDateTime(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in _PLACES),
        sa.Column("properties", services.db.Json, nullable=False),
    ]


def _guards(dialect: str, table: str) -> tuple[str, ...]:
    sentence = f"{table} only grows"
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for change in ("UPDATE", "DELETE")
        )
    return (
        f"""
        CREATE FUNCTION {table}_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END $$
        """,
        f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_only_grows()",
        f"CREATE TRIGGER {table}_never_empties BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_grows()",
    )


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in _ONLY_GROW:
        if dialect == "sqlite":
            op.execute(f"DROP TRIGGER {table}_no_update")
            op.execute(f"DROP TRIGGER {table}_no_delete")
        else:
            op.execute(f"DROP FUNCTION {table}_only_grows() CASCADE")
    for table in ("sealed_block", "usage_mark", "usage_hour"):
        op.drop_table(table)
    op.drop_index("ix_usage_event_tenant_at", "usage_event")
    op.drop_index("ix_usage_event_tenant_serial", "usage_event")
    with op.batch_alter_table("usage_event") as batch:
        batch.drop_constraint(op.f("uq_usage_event_tenant_id_id"), type_="unique")
        batch.drop_constraint(op.f("pk_usage_event"), type_="primary")
        batch.drop_column("serial")
        batch.create_primary_key(op.f("pk_usage_event"), ["tenant_id", "id"])
    op.create_index("ix_usage_event_tenant_at", "usage_event", ["tenant_id", "at"])
    op.create_index("ix_usage_event_tenant_meter_at", "usage_event", ["tenant_id", "meter", "at"])
    op.drop_column("dataset_version", "bytes")
