"""What an operator decides: read once from TUNEPORT_* variables."""

import re
import secrets
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# The name becomes part of addresses and of Streamlit's own settings, which take no underscore.
_PROVIDER_NAME = re.compile(r"[a-z0-9-]{1,40}")


class Provider(BaseModel, frozen=True):
    """One OpenID Connect provider that people may sign in with."""

    title: str
    metadata_url: AnyHttpUrl
    client_id: str
    client_secret: SecretStr


class Settings(BaseSettings):
    """All settings, with the defaults of a laptop: SQLite, local files, no provider."""

    model_config = SettingsConfigDict(
        env_prefix="TUNEPORT_", env_nested_delimiter="__", env_ignore_empty=True, extra="ignore", frozen=True
    )

    mode: Literal["development", "production"] = "development"
    home: Path = Path.home() / ".tuneport"
    database_url: str = ""
    storage_url: str = ""
    # Signs cookies, links and keys. A laptop makes its own once and keeps it in its home.
    secret_key: SecretStr = SecretStr("")
    portal_url: str = "http://localhost:8501"
    api_url: str = "http://localhost:8000"

    # One provider by four plain variables, or several as JSON in TUNEPORT_OIDC_PROVIDERS by short name.
    oidc_title: str = "single sign-on"
    oidc_metadata_url: AnyHttpUrl | None = None
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_providers: dict[str, Provider] = Field(default_factory=dict)

    # May somebody without an invitation open a workspace of their own?
    self_service: bool = True
    session_hours: int = Field(12, ge=1)
    session_idle_minutes: int = Field(60, ge=1)
    # What a training run may take of its host, and of its GPU's memory, before it is ended.
    run_memory_mb: int = Field(16_384, ge=512)
    # What base models have read of a workspace's data sets, kept for later runs on them; 0 keeps nothing.
    remembered_mb: int = Field(1_024, ge=0)
    run_disk_mb: int = Field(20_480, ge=512)
    run_processes: int = Field(64, ge=1)
    run_gpu_percent: int = Field(100, ge=1, le=100)
    # Memory that loaded models may hold in the api process.
    model_cache_mb: int = Field(2048, ge=64)
    # How long a worker that is told to stop waits for its run to reach a checkpoint.
    shutdown_seconds: int = Field(60, ge=0)
    # Bearer token of /metrics on api and worker; without one only this machine may read them.
    metrics_token: SecretStr = SecretStr("")
    # Where a worker tells its metrics; 0 is nowhere.
    worker_metrics_port: int = Field(0, ge=0, le=65535)

    # The file of the operator's own base models, as `tuneport base-models pin` writes it.
    base_models: Path | None = None
    # What an hour of a device costs us, in the seller's currency; only margins on our own pages use it.
    cost_cpu_hour: Decimal = Field(Decimal("0.05"), ge=0)
    cost_cuda_hour: Decimal = Field(Decimal("2.50"), ge=0)

    seller_name: str = "Tuneport"
    seller_address: str = ""
    seller_tax_id: str = ""
    # ISO 3166 code of the country whose VAT is charged, such as DE; empty: everybody pays the same.
    seller_country: str = Field("", pattern="^([A-Z]{2})?$")
    seller_city: str = ""
    seller_postcode: str = ""
    seller_email: str = ""
    # How to pay, as printed on invoices: bank, account, reference.
    seller_payment: str = ""
    # An account of Stripe's on which open invoices can be paid; without a key they are paid by bank transfer.
    stripe_secret_key: SecretStr = SecretStr("")
    # Of the endpoint that tells us what was paid: https://…/v1/stripe/webhook on the api.
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_api_url: str = "https://api.stripe.com"
    # Letters go out through this server; without one nobody is told by e-mail.
    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""

    tax_rate_percent: Decimal = Field(Decimal(0), ge=0, le=100)
    # Of what is sold at a reduced rate.
    tax_reduced_percent: Decimal = Field(Decimal(0), ge=0, le=100)
    # Printed beside the rate; a rate of zero needs its reason.
    tax_note: str = ""

    @model_validator(mode="after")
    def _fill_and_check(self) -> "Settings":
        home = self.home.expanduser().resolve()
        object.__setattr__(self, "home", home)
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{home / 'tuneport.db'}")
        if not self.storage_url:
            object.__setattr__(self, "storage_url", f"file://{home / 'objects'}")
        if unusable := [name for name in self.oidc_providers if not _PROVIDER_NAME.fullmatch(name)]:
            raise ValueError(
                f"TUNEPORT_OIDC_PROVIDERS names {', '.join(unusable)}; "
                "use lower-case letters, digits and hyphens."
            )
        if self.mode == "production":
            if len(self.secret_key.get_secret_value()) < 32:
                raise ValueError(
                    "TUNEPORT_SECRET_KEY must be a random secret of at least 32 characters in production; "
                    "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
                )
            if not self.portal_url.startswith("https://"):
                raise ValueError("TUNEPORT_PORTAL_URL must begin with https:// in production.")
            if not self.providers:
                raise ValueError(
                    "Production needs an identity provider: set TUNEPORT_OIDC_METADATA_URL and its fellows."
                )
        elif not self.secret_key.get_secret_value():
            object.__setattr__(self, "secret_key", SecretStr(_kept_secret(home)))
        return self

    @property
    def providers(self) -> dict[str, Provider]:
        """Every configured provider by its short name."""
        found = dict(self.oidc_providers)
        if self.oidc_metadata_url:
            found["sso"] = Provider(
                title=self.oidc_title,
                metadata_url=self.oidc_metadata_url,
                client_id=self.oidc_client_id,
                client_secret=self.oidc_client_secret,
            )
        return found

    @property
    def cache_folder(self) -> Path:
        """Where this machine keeps what it can fetch again: base models, unpacked versions."""
        return self.home / "cache"


def _kept_secret(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    file = home / "secret.key"
    if not file.exists():
        # Of several processes that start together one wins, and nobody reads half a secret.
        with NamedTemporaryFile("w", dir=home, prefix="secret.") as new:
            new.write(secrets.token_urlsafe(48))
            new.flush()
            with suppress(FileExistsError):
                file.hardlink_to(new.name)
    return file.read_text()


@cache
def settings() -> Settings:
    """The settings of this process; `settings.cache_clear()` makes it read them again."""
    return Settings()
