"""What is charged is named in the language of the document, whatever facts stand in its name."""

from datetime import date

import pytest

from services.billing.snapshot import Language
from services.documents.words import words_of


@pytest.mark.parametrize(
    ("title", "german", "chinese"),
    [
        ("Team: fee", "Team: Grundgebühr", "Team: 月费"),
        (
            "Team: unused part of the fee",
            "Team: nicht genutzter Teil der Grundgebühr",
            "Team: 月费未使用部分",
        ),
        ("Year: instalment 2 of 4", "Year: Rate 2 von 4", "Year: 第 2 期，共 4 期"),
        (
            "Predictions: late use of March 2026",
            "Vorhersagen: später gemeldeter Verbrauch von März 2026",
            "预测: 2026年3月的补报用量",
        ),
        ("Carried over from TP-2026-000007", "Übertrag aus TP-2026-000007", "自 TP-2026-000007 结转"),
        ("Up to the commitment", "Bis zur Zusage", "补足承诺用量"),
        ("Our own: words", "Our own: words", "Our own: words"),
    ],
)
def test_a_title_is_said_in_each_language(title: str, german: str, chinese: str) -> None:
    assert words_of(Language.english).title(title) == title
    assert words_of(Language.german).title(title) == german
    assert words_of(Language.chinese).title(title) == chinese


def test_days_of_a_month_fit_their_column() -> None:
    first, last = date(2026, 11, 1), date(2026, 11, 30)

    assert [words_of(language).short_days(first, last) for language in Language] == [
        "1–30 Nov",
        "01.11.–30.11.",
        "11月1–30日",
    ]
