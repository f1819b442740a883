"""What the demo shows: a workspace with people in each role and a sample data set to start from."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from services import onboarding
from services.accounts import service as accounts
from services.accounts import team
from services.accounts.scope import Member, Role, StaffRole
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.preview import DEFAULT_SEED, inspect
from services.datasets.samples import SUPPORT_MESSAGES
from services.db import transaction
from services.errors import NotFound

WORKSPACE = "Acme"


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as; the subject is what the identity provider's form asks for."""

    subject: str
    name: str
    email: str
    role: Role | StaffRole

    @property
    def claims(self) -> dict[str, Any]:
        """What the identity provider says about this person."""
        return {"sub": self.subject, "name": self.name, "email": self.email, "email_verified": True}


PEOPLE = (
    Person("anna", "Anna Owner", "anna@acme.example", Role.owner),
    Person("eli", "Eli Editor", "eli@acme.example", Role.editor),
    Person("bo", "Bo Billing", "bo@acme.example", Role.billing),
    Person("vera", "Vera Viewer", "vera@acme.example", Role.viewer),
    Person("ada", "Ada Admin", "ada@tuneport.example", StaffRole.admin),
    Person("sam", "Sam Sales", "sam@tuneport.example", StaffRole.sales),
)


def seed() -> None:
    """Fill a fresh database with the demo; one that was filled stays as it is."""
    with transaction() as session:
        try:
            accounts.tenant_by_name(session, WORKSPACE)
        except NotFound:
            owner = _open_workspace(session)
        else:
            return
    _add_sample(owner)


def _open_workspace(session: Session) -> Member:
    owner_email = PEOPLE[0].email
    tenant = onboarding.open_workspace(session, name=WORKSPACE, owner_email=owner_email)
    owner = Member(tenant_id=tenant.id, role=Role.owner)
    for person in PEOPLE[1:]:
        if isinstance(person.role, Role):
            team.invite(session, owner, email=person.email, role=person.role)
        else:
            accounts.grant_staff(session, email=person.email, role=person.role)
    return owner


def _add_sample(owner: Member) -> None:
    content = SUPPORT_MESSAGES.read()
    form, _ = inspect(content)
    store = files.store(owner, filename=SUPPORT_MESSAGES.filename, content=content)
    with store as stored, transaction() as session:
        upload = datasets.upload(session, owner, stored=stored)
    with files.freeze(owner, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as session:
        datasets.create(session, owner, name=SUPPORT_MESSAGES.name, version=version)
