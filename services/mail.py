"""Letters by e-mail, through the SMTP server of the settings."""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage

from services.config import settings
from services.errors import Unavailable

_SECONDS = 15


class NoMail(Unavailable):
    """No letter can be sent."""

    code = "no_mail"

    def __init__(self, why: str) -> None:
        super().__init__(f"The e-mail was not sent: {why} Check the TUNEPORT_SMTP_ settings and try again.")


def is_set_up() -> bool:
    """Do the settings name a server?"""
    return bool(settings().smtp_host)


def send(
    *,
    to: list[str],
    subject: str,
    text: str,
    attachments: Sequence[tuple[str, str, bytes]] = (),
    message_id: str | None = None,
) -> None:
    """Hand a letter to the server.

    `attachments` are file names, media types and contents. Under the same `message_id` it is the same letter
    for whoever receives it twice.

    Raises:
        NoMail: no server is set, or it does not take the letter.
    """
    said = settings()
    if not said.smtp_host:
        raise NoMail("no server is set.")
    letter = EmailMessage()
    # A line break in a name would begin another header.
    letter["Subject"] = " ".join(subject.split())
    letter["From"] = said.smtp_from or said.seller_email
    letter["To"] = ", ".join(to)
    if message_id is not None:
        letter["Message-ID"] = f"<{message_id}@{letter['From'].addresses[0].domain or 'tuneport'}>"
    letter.set_content(text)
    for name, media_type, content in attachments:
        kind, _, subtype = media_type.partition("/")
        letter.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    try:
        with _connected() as server:
            if said.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if said.smtp_user:
                server.login(said.smtp_user, said.smtp_password.get_secret_value())
            server.send_message(letter)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NoMail(f"the server says “{error}”.") from error


def _connected() -> smtplib.SMTP:
    said = settings()
    if said.smtp_security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(said.smtp_host, said.smtp_port, timeout=_SECONDS, context=context)
    return smtplib.SMTP(said.smtp_host, said.smtp_port, timeout=_SECONDS)
