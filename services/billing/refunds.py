"""Money that was sent back to a customer, and what explains it: a stray payment, or a credit note."""

from datetime import date

from sqlmodel import Session, col

from services.accounts.scope import Member, find, owned
from services.accounts.service import lock_tenant_to_bill
from services.billing import strays
from services.billing.crediting import credit_sent_back
from services.billing.money import Money
from services.billing.payment_errors import RefundUnexplained
from services.billing.strays import Settlement
from services.billing.tables import CreditNote, Invoice, Payment, StrayPayment

_REASON = "Refund"


def refunded(
    session: Session,
    member: Member,
    *,
    invoice_id: str,
    method: str,
    reference: str,
    in_all: Money,
    on: date,
) -> Money:
    """Record that of the payment `reference` so much was sent back `in_all`; gives what of it was new.

    As the provider tells sums, it may tell them twice, late and in any order. What was sent back explains
    first a stray payment under the same reference, then what credit notes left for later invoices, and the
    rest is a credit note of its own. More than that can explain is kept for an operator.

    Raises:
        NotFound: no such invoice in the workspace.
    """
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    new = in_all - known(session, member, method, reference, in_all.currency)
    if new.micros <= 0:
        return Money.zero(in_all.currency)
    told_as = f"{reference}:refund:{in_all.micros}"
    rest = _of_stray(session, member, invoice, method, reference, new, told_as)
    if rest.micros:
        back = Payment(
            tenant_id=member.tenant_id,
            invoice_id=invoice.id,
            amount=-rest.micros,
            method=method,
            reference=told_as,
            received_on=on,
            recorded_by=method,
        )
        session.add(back)
        session.flush()
        rest = _of_balances(session, member, invoice, rest)
    if rest.micros and (
        noted := credit_sent_back(session, member, invoice_id=invoice.id, amount=rest, reason=_REASON)
    ):
        rest -= Money(noted.total, noted.currency)
    if rest.micros:
        strays.note(
            session,
            invoice,
            RefundUnexplained(invoice.number, rest),
            amount=-rest,
            method=method,
            reference=f"{reference}:unexplained:{in_all.micros}",
        )
    return new


def known(
    session: Session,
    member: Member,
    method: str,
    reference: str,
    currency: str,
    *,
    invoice_id: str | None = None,
) -> Money:
    """What was sent back so far of what came in under a reference, for one invoice or for any."""
    told_as = f"{reference}:refund:"
    rows = [
        *session.exec(
            owned(Payment, member).where(
                Payment.method == method, col(Payment.reference).startswith(told_as, autoescape=True)
            )
        ),
        *session.exec(
            owned(StrayPayment, member).where(
                StrayPayment.method == method,
                col(StrayPayment.reference).startswith(told_as, autoescape=True),
            )
        ),
    ]
    of_it = [row for row in rows if invoice_id is None or row.invoice_id == invoice_id]
    return Money(-sum(row.amount for row in of_it), currency)


def _of_stray(
    session: Session,
    member: Member,
    invoice: Invoice,
    method: str,
    reference: str,
    amount: Money,
    told_as: str,
) -> Money:
    """What of an amount was no invoice's to begin with; gives the rest."""
    same = owned(StrayPayment, member).where(
        StrayPayment.method == method,
        StrayPayment.reference == reference,
        StrayPayment.currency == amount.currency,
        col(StrayPayment.left) > 0,
    )
    stray = session.exec(same).one_or_none()
    if stray is None:
        return amount
    part = min(amount, Money(stray.left, stray.currency))
    stray.left -= part.micros
    if not stray.left:
        strays.closed(stray, by=method, settlement=Settlement.sent_back)
    back = StrayPayment(
        tenant_id=member.tenant_id,
        invoice_id=invoice.id,
        method=method,
        reference=told_as,
        currency=part.currency,
        amount=-part.micros,
        left=0,
        code=stray.code,
        sentence=stray.sentence,
    )
    strays.closed(back, by=method, settlement=Settlement.sent_back)
    session.add_all([stray, back])
    session.flush()
    return amount - part


def _of_balances(session: Session, member: Member, invoice: Invoice, amount: Money) -> Money:
    """Pay out what credit notes on the invoice left for later ones; gives the rest."""
    waiting = owned(CreditNote, member).where(CreditNote.invoice_id == invoice.id, CreditNote.left > 0)
    for note in session.exec(waiting.order_by(col(CreditNote.number))):
        part = min(amount.micros, note.left)
        note.left -= part
        note.returned += part
        amount -= Money(part, amount.currency)
        session.add(note)
    session.flush()
    return amount
