"""Coupons: staff makes them, workspaces take them up, invoices of some months have them."""

import json
import re
from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session, col, or_, select

from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import get_tenant, lock_tenant
from services.billing.agreement_errors import UnknownCoupon, UnusableCoupon
from services.billing.calendars import this_month, today
from services.billing.coupons import Coupon
from services.billing.money import Money
from services.billing.period import Month
from services.billing.rates import Percent
from services.billing.tables import CouponCode, Redemption

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,29}")


class Terms(BaseModel):
    """A percentage or an amount off each of the first `months` invoices (None: of all)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    percent: Percent | None = None
    amount: Money | None = None
    months: int | None = Field(default=None, ge=1)
    # The last day on which it can be taken up, and how many workspaces can.
    until: date | None = None
    most: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Terms":
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a coupon takes off either a percentage or an amount")
        return self


def make_coupon(session: Session, staff: Staff, *, code: str, terms: Terms) -> CouponCode:
    """Make a coupon that workspaces can take up; the same code and terms again change nothing.

    Raises:
        UnusableCoupon: its code is no word, or is that of a coupon with other terms.
    """
    staff.require(StaffRole.admin)
    code = code.strip().upper()
    if not _CODE.fullmatch(code):
        raise UnusableCoupon(code, "its code has 2 to 30 letters, digits and hyphens")
    if made := session.get(CouponCode, code):
        if made.terms != terms.model_dump(mode="json"):
            raise UnusableCoupon(code, "there is one with this code and other terms; choose another code")
        return made
    made = CouponCode(code=code, terms=terms.model_dump(mode="json"))
    session.add(made)
    session.flush()
    audit.record(session, staff, "coupon.made", code)
    return made


def coupons(session: Session, staff: Staff) -> list[CouponCode]:
    """Every coupon, newest first."""
    staff.require(StaffRole.admin)
    return list(session.exec(select(CouponCode).order_by(col(CouponCode.created_at).desc())))


def redeem(session: Session, member: Member, *, code: str) -> Redemption:
    """Take up a coupon, from this month's invoice on; once per workspace.

    Raises:
        UnknownCoupon: there is none, it has expired, is used up, or is in another currency.
    """
    member.require(Role.billing)
    lock_tenant(session, member)
    code = code.strip().upper()
    made = session.exec(select(CouponCode).where(CouponCode.code == code).with_for_update()).one_or_none()
    if made is None:
        raise UnknownCoupon(code)
    known = session.exec(owned(Redemption, member).where(Redemption.code == code)).one_or_none()
    if known is not None:
        return known
    terms = terms_of(made)
    is_over = terms.until is not None and today(session, member) > terms.until
    is_used_up = terms.most is not None and made.taken >= terms.most
    other = terms.amount is not None and terms.amount.currency != get_tenant(session, member).currency
    if is_over or is_used_up or other:
        raise UnknownCoupon(code)
    month = this_month(session, member)
    last = None if terms.months is None else month.plus(terms.months - 1).last
    redeemed = Redemption(tenant_id=member.tenant_id, code=code, first_day=month.first, last_day=last)
    made.taken += 1
    session.add_all([made, redeemed])
    session.flush()
    audit.record(session, member, "coupon.redeemed", code)
    return redeemed


def taken_up(session: Session, member: Member) -> list[tuple[Redemption, Terms]]:
    """The coupons that still come off invoices of this month or later ones, and what each takes off."""
    member.require(Role.billing)
    month = this_month(session, member)
    good = owned(Redemption, member).where(
        or_(col(Redemption.last_day).is_(None), col(Redemption.last_day) >= month.last)
    )
    found = []
    for row in session.exec(good.order_by(col(Redemption.created_at))):
        found.append((row, terms_of(session.get_one(CouponCode, row.code))))
    return found


def coupons_of(session: Session, member: Member, month: Month) -> list[Coupon]:
    """The coupons that come off a month's invoice."""
    return [as_coupon(made.code, terms_of(made)) for made in codes_in(session, member, month)]


def codes_in(session: Session, member: Member, month: Month) -> Sequence[CouponCode]:
    """The same, as they were made."""
    taken = owned(Redemption, member).where(
        col(Redemption.first_day) <= month.first,
        or_(col(Redemption.last_day).is_(None), col(Redemption.last_day) >= month.last),
    )
    codes = [row.code for row in session.exec(taken)]
    if not codes:
        return []
    return session.exec(select(CouponCode).where(col(CouponCode.code).in_(codes))).all()


def as_coupon(code: str, terms: Terms) -> Coupon:
    """What comes off an invoice."""
    return Coupon(code=code, title=terms.title, percent=terms.percent, amount=terms.amount)


def terms_of(made: CouponCode) -> Terms:
    """What a coupon takes off, as a value."""
    return Terms.model_validate_json(json.dumps(made.terms))
