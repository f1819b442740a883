"""What can go wrong with accounts, in a sentence each."""

from services.errors import Conflict, Forbidden, Invalid, Unauthenticated


class InvitationNeeded(Forbidden):
    """Signed in, but in no workspace, and self-service is off."""

    code = "invitation_needed"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"You are signed in as {email or 'a person without e-mail'}, but no workspace knows you. "
            "Ask an owner of your company's workspace to invite this address."
        )


class PersonDisabled(Forbidden):
    """Access was taken away from the person."""

    code = "person_disabled"

    def __init__(self) -> None:
        super().__init__("Your access was switched off. Ask an owner of your workspace.")


class WorkspaceSuspended(Forbidden):
    """Nothing may be started in this workspace."""

    code = "workspace_suspended"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The workspace {name} is suspended: nothing can be trained, predicted or uploaded in it. What "
            "is there stays, and its invoices can be read and paid. Write to us to have it opened again."
        )


class NoReason(Invalid):
    """The customer could not learn why."""

    code = "no_reason"

    def __init__(self) -> None:
        super().__init__("Say why: the customer reads it in the audit log.")


class UnusableLimits(Invalid):
    """Limits of the queue that no workspace could work with."""

    code = "unusable_limits"

    def __init__(self) -> None:
        super().__init__(
            "These limits cannot be set. Each is at least 1, and no more jobs run at once than may be open."
        )


class BadApiKey(Unauthenticated):
    """No live key is this one; whether it was revoked or never existed is not told."""

    code = "bad_api_key"

    def __init__(self) -> None:
        super().__init__(
            "This API key is not valid. Send `Authorization: Bearer tp_…` with a key from the API keys page; "
            "a revoked key cannot be used again."
        )


class KeyTellsNoUsage(Forbidden):
    """The ledger is not written to by every program."""

    code = "key_tells_no_usage"

    def __init__(self) -> None:
        super().__init__(
            "This caller may not tell of usage. Ask the operator for a key that may, which is made with "
            "tuneport key create --tells-usage."
        )


class BadEmail(Invalid):
    """Not an e-mail address."""

    code = "bad_email"

    def __init__(self, email: str) -> None:
        super().__init__(f"“{email}” is not an e-mail address. Write it like name@company.com.")


class BadName(Invalid):
    """A name that nobody could read in a list."""

    code = "bad_name"

    def __init__(self, noun: str) -> None:
        super().__init__(f"Give the {noun} a name of 1 to 80 characters.")


class AlreadyMember(Conflict):
    """The invited person is in the workspace already."""

    code = "already_member"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} is a member of this workspace already. Change the role in the list instead."
        )


class LastOwner(Conflict):
    """A workspace would be left without an owner."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("A workspace needs an owner. Make somebody else owner first.")
