import pytest

from services.datasets.findings.catalogue import Code
from services.datasets.findings.languages import language
from tests.services.datasets.findings.examined import found, of_texts


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Where is the card that you sent to me?", "English"),
        ("Wo ist die Karte, ich habe sie nicht bekommen und warte auf eine", "German"),
        ("Je ne trouve pas ma carte dans la boîte", "French"),
        ("¿Por qué no llega mi tarjeta? Estoy esperando y hay prisa", "Spanish"),
        ("Perché non è arrivato il mio pacco? Ho perso anche questo", "Italian"),
        ("Eu não recebi meu cartão ao pagar", "Portuguese"),
        ("Ik heb mijn pakket nog niet", "Dutch"),
        ("Dlaczego nie dostałem jeszcze paczki? Czy jest już w drodze", "Polish"),
        ("カードはどこですか", "Japanese"),
        ("我的卡在哪里", "Chinese"),
        ("Где моя карта?", "Cyrillic script"),
        ("ok", ""),
        ("Paris, London, Rome", ""),
    ],
)
def test_a_language_is_told_by_its_script_and_its_commonest_words(text: str, name: str) -> None:
    assert language(text) == name


def test_rows_in_other_languages_than_most_are_found() -> None:
    english = [f"Where is the parcel number {number} that you sent?" for number in range(50)]
    german = [f"Ich habe das Paket {number} nicht bekommen" for number in range(6)]

    finding = found(of_texts(*english, *german), Code.mixed_languages)

    assert finding is not None
    assert list(finding.rows) == list(range(52, 58))
    assert finding.detail == "Rows by what they look like: English 50; German 6."


def test_a_few_quotes_do_not_make_a_second_language() -> None:
    english = [f"Where is the parcel number {number} that you sent?" for number in range(50)]

    assert found(of_texts(*english, "Wo ist das Paket, ich warte auf es"), Code.mixed_languages) is None
