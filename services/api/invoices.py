"""Invoices: this month's draft and the closed ones, line by line and as PDF."""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from services.api.deps import BillingCaller
from services.api.shapes import Exact
from services.billing import service as billing
from services.billing.calendars import this_month
from services.billing.invoicing import Charge, Line
from services.billing.snapshot import Snapshot
from services.db import reading

router = APIRouter(prefix="/v1/invoices", tags=["invoices"])


class InvoiceFigures(BaseModel):
    """An invoice's head; amounts are integer micro-units of `currency` (1 EUR = 1,000,000).

    `id` is what the other routes take: the number, or the month of a draft, such as 2026-11.
    """

    id: str
    object: Literal["invoice"] = "invoice"
    number: str | None
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    first_day: date
    last_day: date
    issued_on: date
    due_on: date | None
    currency: str
    subtotal: int
    discount: int
    credit: int
    tax: int
    total: int
    prepaid: int
    payable: int


class InvoiceLine(BaseModel):
    """So much of a meter by one job, or by one day of a model version; `subject` is the id of either."""

    key: str
    title: str
    name: str
    meter: str
    subject: str
    first_day: date
    last_day: date
    quantity: Exact
    events: int
    amount: int


class InvoiceCharge(BaseModel):
    """What is charged beside use: fees, minimums, corrections; below zero where it comes back."""

    key: str
    kind: str
    title: str
    first_day: date
    last_day: date
    amount: int


class InvoiceTax(BaseModel):
    """What is taxed at one rate; `category` is that of EN 16931 (S, Z, E, AE, O)."""

    category: str
    percent: Exact
    note: str
    net: int
    tax: int


class Invoice(InvoiceFigures):
    """An invoice with its lines."""

    seller: str
    customer: str
    taxes: list[InvoiceTax]
    lines: list[InvoiceLine]
    charges: list[InvoiceCharge]


class Invoices(BaseModel):
    """The draft of this month, then the closed invoices, newest first."""

    object: Literal["list"] = "list"
    data: list[InvoiceFigures]
    has_more: Literal[False] = False


@router.get("", summary="List the invoices")
def list_invoices(caller: BillingCaller) -> Invoices:
    """What is owed, was owed, and will be."""
    with reading() as db:
        month = str(this_month(db, caller))
        draft = _figures(billing.statement(db, caller, reference=month), month, "draft")
        closed = [
            _figures(Snapshot.from_json(invoice.snapshot), invoice.number, invoice.state.value)
            for invoice in billing.invoices(db, caller)
        ]
    return Invoices(data=[draft, *closed])


@router.get("/{reference}", summary="One invoice")
def retrieve(reference: str, caller: BillingCaller) -> Invoice:
    """An invoice by its number or id, or a month such as 2026-11, closed or not."""
    with reading() as db:
        shown = billing.statement(db, caller, reference=reference)
        if shown.number is None:
            head = _figures(shown, f"{shown.first_day:%Y-%m}", "draft")
        else:
            issued = billing.invoice(db, caller, number_or_id=shown.number)
            head = _figures(shown, issued.number, issued.state.value)
    return Invoice(
        **dict(head),
        seller=shown.seller.name,
        customer=shown.customer.name,
        taxes=[
            InvoiceTax(
                category=group.category,
                percent=group.percent,
                note=group.note,
                net=group.net.micros,
                tax=group.tax.micros,
            )
            for group in shown.draft.tax_groups
        ],
        lines=[_line(line) for line in shown.draft.lines],
        charges=[_charge(charge) for charge in shown.draft.charges],
    )


def _figures(
    shown: Snapshot, reference: str, status: Literal["draft", "open", "paid", "void", "uncollectible"]
) -> InvoiceFigures:
    draft = shown.draft
    return InvoiceFigures(
        id=reference,
        number=shown.number,
        status=status,
        first_day=shown.first_day,
        last_day=shown.last_day,
        issued_on=shown.issued_on,
        due_on=shown.due_on,
        currency=draft.currency,
        subtotal=draft.subtotal.micros,
        discount=draft.discount.micros,
        credit=draft.credit.micros,
        tax=draft.tax.micros,
        total=draft.total.micros,
        prepaid=draft.prepaid.micros,
        payable=draft.payable.micros,
    )


def _line(line: Line) -> InvoiceLine:
    return InvoiceLine(
        key=line.key,
        title=line.title,
        name=line.name,
        meter=line.meter,
        subject=line.subject,
        first_day=line.first_day,
        last_day=line.last_day,
        quantity=line.quantity,
        events=line.events,
        amount=line.amount.micros,
    )


def _charge(charge: Charge) -> InvoiceCharge:
    return InvoiceCharge(
        key=charge.key,
        kind=charge.kind,
        title=charge.title,
        first_day=charge.first_day,
        last_day=charge.last_day,
        amount=charge.amount.micros,
    )
