"""What an operator decides, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.config import Settings, settings

PRODUCTION = {
    "TUNEPORT_MODE": "production",
    "TUNEPORT_SECRET_KEY": "x" * 48,
    "TUNEPORT_PORTAL_URL": "https://portal.example",
    "TUNEPORT_OIDC_METADATA_URL": "https://id.example/.well-known/openid-configuration",
    "TUNEPORT_OIDC_CLIENT_ID": "tuneport",
    "TUNEPORT_OIDC_CLIENT_SECRET": "secret",
}


def use(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_laptop_needs_no_setting(home: Path) -> None:
    assert settings().database_url == f"sqlite:///{home / 'tuneport.db'}"
    assert settings().storage_url == f"file://{home / 'objects'}"


def test_a_laptop_keeps_its_own_secret(home: Path) -> None:
    first = Settings().secret_key.get_secret_value()

    assert len(first) > 40
    assert Settings().secret_key.get_secret_value() == first
    assert (home / "secret.key").stat().st_mode & 0o077 == 0


def test_production_with_everything_set_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert use(monkeypatch, **PRODUCTION).providers["sso"].client_id == "tuneport"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TUNEPORT_SECRET_KEY", ""),
        ("TUNEPORT_SECRET_KEY", "too-short"),
        ("TUNEPORT_PORTAL_URL", "http://portal.example"),
        ("TUNEPORT_OIDC_METADATA_URL", ""),
    ],
)
def test_production_refuses_what_is_unsafe(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    variables = PRODUCTION | {name: value}
    if not value:
        variables.pop(name)

    with pytest.raises(ValidationError, match="TUNEPORT_"):
        use(monkeypatch, **variables)


def test_several_providers_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = '{"title": "A", "metadata_url": "https://a.example", "client_id": "a", "client_secret": "b"}'

    found = use(
        monkeypatch, TUNEPORT_OIDC_PROVIDERS=f'{{"acme": {provider}, "globex": {provider}}}'
    ).providers

    assert sorted(found) == ["acme", "globex"]


def test_a_provider_has_a_name_that_fits_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = '{"title": "A", "metadata_url": "https://a.example", "client_id": "a", "client_secret": "b"}'

    with pytest.raises(ValidationError, match="my_company"):
        use(monkeypatch, TUNEPORT_OIDC_PROVIDERS=f'{{"my_company": {provider}}}')


def test_no_secret_shows_when_settings_are_printed() -> None:
    assert settings().secret_key.get_secret_value() not in repr(settings())
