"""What documents say, in each of their languages, and how they write numbers and days."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.billing.money import MINOR_DIGITS, Money
from services.billing.snapshot import Language
from services.ledger.block import Head

_GERMAN_MONTHS = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
_MINUS = "−"


@dataclass(frozen=True, slots=True)
class Words:
    """One language: its phrases, and its separators between thousands and before decimals."""

    language: Language
    phrases: Mapping[str, str]
    thousands: str = ","
    point: str = "."

    def of(self, phrase: str) -> str:
        """A phrase of ours in this language; one that is not ours, such as a name, as it is."""
        return self.phrases.get(phrase, phrase)

    def title(self, title: str) -> str:
        """What is charged: its own name, and behind a colon what of it, such as `Team: instalment 2 of 4`."""
        name, colon, part = title.rpartition(": ")
        return f"{self.of(name)}{colon}{self._part(part)}"

    def _part(self, part: str) -> str:
        for pattern, phrase in _WITH_FACTS:
            if found := pattern.fullmatch(part):
                facts = found.groupdict()
                if "month" in facts:
                    facts["month"] = self._month(facts["month"])
                return self.say(phrase, **facts)
        return self.of(part)

    def _month(self, written: str) -> str:
        name, _, year = written.partition(" ")
        number = _ENGLISH_MONTHS.index(name) + 1
        match self.language:
            case Language.german:
                return f"{_GERMAN_MONTHS[number - 1]} {year}"
            case Language.chinese:
                return f"{year}年{number}月"
            case _:
                return written

    def number(self, number: Decimal, *, at_least: int = 0) -> str:
        """All its digits and none that say nothing, thousands apart, with so many decimals at least."""
        whole, _, fraction = f"{number:,f}".partition(".")
        fraction = fraction.rstrip("0").ljust(at_least, "0")
        written = whole.replace(",", self.thousands).replace("-", _MINUS)
        return f"{written}{self.point}{fraction}" if fraction else written

    def amount(self, money: Money) -> str:
        """An amount to the last digit of its currency."""
        return self.number(money.amount, at_least=MINOR_DIGITS[money.currency])

    def day(self, day: date) -> str:
        """A day, written out."""
        match self.language:
            case Language.german:
                return f"{day.day}. {_GERMAN_MONTHS[day.month - 1]} {day.year}"
            case Language.chinese:
                return f"{day.year}年{day.month}月{day.day}日"
            case _:
                return f"{day.day} {day:%B %Y}"

    def days(self, first: date, last: date) -> str:
        """Days from one to another, without saying a month twice."""
        if first == last:
            return self.day(first)
        if (first.year, first.month) != (last.year, last.month):
            return f"{self.day(first)} – {self.day(last)}"
        match self.language:
            case Language.german:
                return f"{first.day}.–{self.day(last)}"
            case Language.chinese:
                return f"{last.year}年{last.month}月{first.day}–{last.day}日"
            case _:
                return f"{first.day}–{self.day(last)}"

    def short_days(self, first: date, last: date) -> str:
        """The same without the year, for a column."""
        match self.language:
            case Language.german:
                one, other = f"{first:%d.%m.}", f"{last:%d.%m.}"
            case Language.chinese:
                one, other = f"{first.month}月{first.day}日", f"{last.month}月{last.day}日"
            case _:
                one, other = f"{first.day} {first:%b}", f"{last.day} {last:%b}"
        if first == last:
            return one
        same_month = (first.year, first.month) == (last.year, last.month)
        if same_month and self.language is Language.chinese:
            return f"{first.month}月{first.day}–{last.day}日"
        return (
            f"{first.day}–{other}" if same_month and self.language is Language.english else f"{one}–{other}"
        )

    def say(self, phrase: str, **facts: Any) -> str:
        """A sentence with its facts filled in."""
        return self.of(phrase).format(**facts)

    def payable_within(self, days: int) -> str:
        """The terms of payment."""
        return self.say(PAYABLE, days=days)

    def anchor(self, head: Head) -> str:
        """Where the ledger ended, for whoever checks it later."""
        return self.say(
            ANCHOR,
            events=self.number(Decimal(head.events)),
            blocks=self.number(Decimal(head.blocks)),
            hash=head.hash,
        )


INSTALMENT = "instalment {part} of {parts}"
LATE_USE = "late use of {month}"
CARRIED_OVER = "Carried over from {number}"
_ENGLISH_MONTHS = [f"{date(2000, month, 1):%B}" for month in range(1, 13)]
# What the figures say with facts in it.
_WITH_FACTS = (
    (re.compile(r"instalment (?P<part>\d+) of (?P<parts>\d+)"), INSTALMENT),
    (re.compile(rf"late use of (?P<month>(?:{'|'.join(_ENGLISH_MONTHS)}) \d{{4}})"), LATE_USE),
    (re.compile(r"Carried over from (?P<number>\S+)"), CARRIED_OVER),
)
PAYABLE = "Payable within {days} days of the date of issue."
CREDITED = "Nothing is to be paid: the amount comes off this invoice, off later ones, or is sent back."
ANCHOR = "Ledger: {events} events sealed in {blocks} blocks, head {hash}."
COUNTED = "Computed from {events} usage events. Every line opens the events it counts in your workspace."
CHECKED = "To check this invoice without us: tuneport invoice verify, with the bundle from its page."
SO_FAR = "So far. A draft changes as use arrives, and asks for no payment."

_GERMAN = {
    PAYABLE: "Zahlbar innerhalb von {days} Tagen ab Rechnungsdatum.",
    CREDITED: (
        "Es ist nichts zu zahlen: Der Betrag mindert diese oder spätere Rechnungen oder wird zurückgezahlt."
    ),
    ANCHOR: "Verbrauchsbuch: {events} Ereignisse, versiegelt in {blocks} Blöcken, Endwert {hash}.",
    COUNTED: (
        "Berechnet aus {events} Verbrauchsereignissen. In Ihrem Arbeitsbereich öffnet jede Zeile die "
        "Ereignisse, die sie zählt."
    ),
    CHECKED: "Diese Rechnung ohne uns prüfen: tuneport invoice verify mit dem Paket von ihrer Seite.",
    SO_FAR: "Stand bisher. Ein Entwurf ändert sich mit dem Verbrauch und ist nicht zu bezahlen.",
    "The invoice {number} for {period} is attached.": "Die Rechnung {number} für {period} liegt bei.",
    "{amount} {currency} is to be paid by {due}.": "Zu zahlen sind {amount} {currency} bis {due}.",
    "The credit note {number} on the invoice {invoice} is attached: {amount} {currency} with tax.": (
        "Die Rechnungskorrektur {number} zur Rechnung {invoice} liegt bei: {amount} {currency} mit Steuer."
    ),
    "Line by line, down to single events: {link}": "Zeile für Zeile, bis zu einzelnen Ereignissen: {link}",
    INSTALMENT: "Rate {part} von {parts}",
    LATE_USE: "später gemeldeter Verbrauch von {month}",
    CARRIED_OVER: "Übertrag aus {number}",
    "Carried over to the next invoice": "Übertrag auf die nächste Rechnung",
    "fee": "Grundgebühr",
    "unused part of the fee": "nicht genutzter Teil der Grundgebühr",
    "base amount": "Grundbetrag",
    "up to the minimum": "bis zum Mindestbetrag",
    "beyond the maximum": "über dem Höchstbetrag",
    "up to the commitment": "bis zur Zusage",
    "beyond the commitment": "über die Zusage hinaus",
    "Up to the commitment": "Bis zur Zusage",
    "Beyond the commitment": "Über die Zusage hinaus",
    "Taken back": "Zurückgenommen",
    "Refund": "Rückzahlung",
    "Invoice": "Rechnung",
    # “Gutschrift” is in German law an invoice that the customer writes.
    "Credit note": "Rechnungskorrektur",
    "Draft invoice": "Rechnungsentwurf",
    "DRAFT": "ENTWURF",
    "Billed to": "Rechnung an",
    "Invoice number": "Rechnungsnummer",
    "Number": "Nummer",
    "Credits invoice": "Zu Rechnung",
    "Date of issue": "Rechnungsdatum",
    "Due": "Fällig",
    "Figures as of": "Stand vom",
    "Billing period": "Leistungszeitraum",
    "Time zone": "Zeitzone",
    "Plan": "Tarif",
    "Your reference": "Ihr Zeichen",
    "VAT ID": "USt-IdNr.",
    "Amount due by": "Zu zahlen bis",
    "Amount credited": "Gutgeschrieben",
    "Nothing is due.": "Es ist nichts zu zahlen.",
    "Description": "Leistung",
    "Day": "Tag",
    "Quantity": "Menge",
    "Unit price": "Einzelpreis",
    "Amount in": "Betrag in",
    "Other charges": "Weitere Posten",
    "Subtotal": "Zwischensumme",
    "VAT": "USt.",
    "of": "auf",
    "Total in": "Gesamtbetrag in",
    "To pay in": "Zu zahlen in",
    "Credited in": "Gutgeschrieben in",
    "Nothing was used in this period.": "In diesem Zeitraum wurde nichts verbraucht.",
    "Page {page} of {pages}": "Seite {page} von {pages}",
    "free": "frei",
    "Predictions": "Vorhersagen",
    "Training on CPU": "Training auf CPU",
    "Training on GPU": "Training auf GPU",
    "Generated tokens": "Erzeugte Token",
    "Storage": "Speicher",
    "Trial credit": "Testguthaben",
    "Prepaid credit": "Vorausbezahltes Guthaben",
    "Pay as you go": "Nach Verbrauch",
    "prediction": "Vorhersage",
    "token": "Token",
    "device-second": "Gerätesekunde",
    "GB-hour": "GB-Stunde",
    "No VAT is charged.": "Es wird keine Umsatzsteuer berechnet.",
}
_CHINESE = {
    PAYABLE: "请于开票之日起 {days} 天内付款。",
    CREDITED: "无需付款：该金额将冲减本账单或后续账单，或退还给您。",
    ANCHOR: "用量账本：共 {events} 条记录，封存于 {blocks} 个区块，末端哈希 {hash}。",
    COUNTED: "本账单由 {events} 条用量记录计算得出。在您的工作区中，每一行都可以展开查看其所计的记录。",
    CHECKED: "无需依赖我们即可核对本账单：请用账单页面下载的数据包运行 tuneport invoice verify。",
    SO_FAR: "截至目前。草稿会随用量变化，无需付款。",
    "The invoice {number} for {period} is attached.": "附件为 {period} 的账单 {number}。",
    "{amount} {currency} is to be paid by {due}.": "应付金额 {amount} {currency}，付款期限 {due}。",
    "The credit note {number} on the invoice {invoice} is attached: {amount} {currency} with tax.": (
        "附件为账单 {invoice} 的贷记单 {number}：{amount} {currency}（含税）。"
    ),
    "Line by line, down to single events: {link}": "逐行查看，直至每条用量记录：{link}",
    INSTALMENT: "第 {part} 期，共 {parts} 期",
    LATE_USE: "{month}的补报用量",
    CARRIED_OVER: "自 {number} 结转",
    "Carried over to the next invoice": "结转至下一账单",
    "fee": "月费",
    "unused part of the fee": "月费未使用部分",
    "base amount": "基本金额",
    "up to the minimum": "补足最低金额",
    "beyond the maximum": "超出最高金额",
    "up to the commitment": "补足承诺用量",
    "beyond the commitment": "超出承诺用量",
    "Up to the commitment": "补足承诺用量",
    "Beyond the commitment": "超出承诺用量",
    "Taken back": "退回项目",
    "Refund": "退款",
    "Invoice": "账单",
    "Credit note": "贷记单",
    "Draft invoice": "账单草稿",
    "DRAFT": "草稿",
    "Billed to": "客户",
    "Invoice number": "账单编号",
    "Number": "编号",
    "Credits invoice": "所冲账单",
    "Date of issue": "开具日期",
    "Due": "付款期限",
    "Figures as of": "数据截至",
    "Billing period": "计费周期",
    "Time zone": "时区",
    "Plan": "套餐",
    "Your reference": "贵方编号",
    "VAT ID": "增值税号",
    "Amount due by": "应付款，期限",
    "Amount credited": "贷记金额",
    "Nothing is due.": "无需付款。",
    "Description": "项目",
    "Day": "日期",
    "Quantity": "数量",
    "Unit price": "单价",
    "Amount in": "金额",
    "Other charges": "其他费用",
    "Subtotal": "小计",
    "VAT": "增值税",
    "of": "基数",
    "Total in": "合计",
    "To pay in": "应付",
    "Credited in": "贷记",
    "Nothing was used in this period.": "本周期内没有用量。",
    "Page {page} of {pages}": "第 {page} 页，共 {pages} 页",
    "free": "免费",
    "Predictions": "预测",
    "Training on CPU": "CPU 训练",
    "Training on GPU": "GPU 训练",
    "Generated tokens": "生成的词元",
    "Storage": "存储",
    "Trial credit": "试用额度",
    "Prepaid credit": "预付额度",
    "Pay as you go": "按量付费",
    "prediction": "次预测",
    "token": "个词元",
    "device-second": "设备秒",
    "GB-hour": "GB·小时",
    "No VAT is charged.": "不收取增值税。",
}
_ALL = {
    Language.english: Words(Language.english, {}),
    Language.german: Words(Language.german, _GERMAN, thousands=".", point=","),
    Language.chinese: Words(Language.chinese, _CHINESE),
}


def words_of(language: Language) -> Words:
    """The words of a language."""
    return _ALL[language]
