"""The electronic invoice in OASIS' syntax UBL 2.1, as Peppol and public buyers exchange it.

Source: EN 16931-3-2 and the UBL 2.1 schemas. Elements stand in the order of the schema.
"""

from datetime import date

from services.billing.snapshot import Party
from services.documents.semantic import CREDIT_NOTE, ElectronicInvoice, Item, Rate
from services.documents.xml import Element, amount, decimal

GUIDELINE = "urn:cen.eu:en16931:2017"
_BASE = "urn:oasis:names:specification:ubl:schema:xsd"


def xml(invoice: ElectronicInvoice) -> bytes:
    """The document; the same invoice gives the same bytes."""
    is_credit = invoice.kind == CREDIT_NOTE
    noun = "CreditNote" if is_credit else "Invoice"
    root = Element(
        f"u:{noun}",
        {
            "u": f"{_BASE}:{noun}-2",
            "cac": f"{_BASE}:CommonAggregateComponents-2",
            "cbc": f"{_BASE}:CommonBasicComponents-2",
        },
    )
    root.text("cbc:CustomizationID", GUIDELINE)
    root.text("cbc:ID", invoice.number)
    root.text("cbc:IssueDate", str(invoice.issued_on))
    if invoice.due_on and not is_credit:
        root.text("cbc:DueDate", str(invoice.due_on))
    root.text(f"cbc:{noun}TypeCode", invoice.kind)
    # One note in UBL, however many there are in the standard.
    root.text("cbc:Note", " ".join(invoice.notes))
    root.text("cbc:DocumentCurrencyCode", invoice.currency)
    root.text("cbc:BuyerReference", invoice.buyer_reference)
    _period(root, invoice.first_day, invoice.last_day)
    if invoice.corrects:
        root.add("cac:BillingReference").add("cac:InvoiceDocumentReference").text("cbc:ID", invoice.corrects)
    _party(
        root.add("cac:AccountingSupplierParty").add("cac:Party"), invoice.seller, invoice, invoice.seller_id
    )
    _party(root.add("cac:AccountingCustomerParty").add("cac:Party"), invoice.buyer, invoice)
    means = root.add("cac:PaymentMeans")
    means.text("cbc:PaymentMeansCode", invoice.payment_means)
    means.text("cbc:PaymentID", invoice.number)
    if invoice.iban:
        means.add("cac:PayeeFinancialAccount").text("cbc:ID", invoice.iban)
    root.add("cac:PaymentTerms").text("cbc:Note", invoice.payment_terms)
    for allowance in invoice.allowances:
        taken_off = root.add("cac:AllowanceCharge")
        taken_off.text("cbc:ChargeIndicator", "false")
        taken_off.text("cbc:AllowanceChargeReason", allowance.reason)
        taken_off.text("cbc:Amount", amount(allowance.amount), currencyID=invoice.currency)
        _rate(taken_off.add("cac:TaxCategory"), allowance.rate)
    _taxes(root, invoice)
    _sums(root, invoice)
    for item in invoice.items:
        _item(root.add(f"cac:{noun}Line"), item, noun, invoice.currency)
    return root.written()


def _period(element: Element, first: date, last: date) -> None:
    period = element.add("cac:InvoicePeriod")
    period.text("cbc:StartDate", str(first))
    period.text("cbc:EndDate", str(last))


def _party(element: Element, party: Party, invoice: ElectronicInvoice, known_as: str = "") -> None:
    element.text("cbc:EndpointID", party.email, schemeID="EM")
    if known_as:
        element.add("cac:PartyIdentification").text("cbc:ID", known_as)
    address = element.add("cac:PostalAddress")
    street, *more = [*party.address[:3], ""]
    address.text("cbc:StreetName", street)
    address.text("cbc:AdditionalStreetName", more[0] if more else "")
    address.text("cbc:CityName", party.city)
    address.text("cbc:PostalZone", party.postcode)
    if len(more) > 1 and more[1]:
        address.add("cac:AddressLine").text("cbc:Line", more[1])
    address.add("cac:Country").text("cbc:IdentificationCode", party.country)
    if party.tax_id and any(taxed.rate.percent is not None for taxed in invoice.taxes):
        scheme = element.add("cac:PartyTaxScheme")
        scheme.text("cbc:CompanyID", party.tax_id)
        scheme.add("cac:TaxScheme").text("cbc:ID", "VAT")
    element.add("cac:PartyLegalEntity").text("cbc:RegistrationName", party.name)


def _rate(element: Element, rate: Rate, reason: str = "") -> None:
    element.text("cbc:ID", rate.category)
    if rate.percent is not None:
        element.text("cbc:Percent", decimal(rate.percent))
    if not rate.percent:
        element.text("cbc:TaxExemptionReason", reason)
    element.add("cac:TaxScheme").text("cbc:ID", "VAT")


def _taxes(root: Element, invoice: ElectronicInvoice) -> None:
    total = root.add("cac:TaxTotal")
    total.text("cbc:TaxAmount", amount(invoice.tax), currencyID=invoice.currency)
    for taxed in invoice.taxes:
        group = total.add("cac:TaxSubtotal")
        group.text("cbc:TaxableAmount", amount(taxed.net), currencyID=invoice.currency)
        group.text("cbc:TaxAmount", amount(taxed.tax), currencyID=invoice.currency)
        _rate(group.add("cac:TaxCategory"), taxed.rate, taxed.reason)


def _sums(root: Element, invoice: ElectronicInvoice) -> None:
    sums = root.add("cac:LegalMonetaryTotal")
    for name, money in (
        ("LineExtensionAmount", invoice.lines_total),
        ("TaxExclusiveAmount", invoice.net),
        ("TaxInclusiveAmount", invoice.total),
        ("AllowanceTotalAmount", invoice.allowance),
        ("PrepaidAmount", invoice.paid),
        ("PayableAmount", invoice.payable),
    ):
        sums.text(f"cbc:{name}", amount(money), currencyID=invoice.currency)


def _item(element: Element, item: Item, noun: str, currency: str) -> None:
    element.text("cbc:ID", str(item.number))
    quantity = "CreditedQuantity" if noun == "CreditNote" else "InvoicedQuantity"
    element.text(f"cbc:{quantity}", decimal(item.quantity), unitCode=item.unit)
    element.text("cbc:LineExtensionAmount", amount(item.amount), currencyID=currency)
    _period(element, item.first_day, item.last_day)
    product = element.add("cac:Item")
    product.text("cbc:Description", item.description)
    product.text("cbc:Name", item.name)
    _rate(product.add("cac:ClassifiedTaxCategory"), item.rate)
    price = element.add("cac:Price")
    price.text("cbc:PriceAmount", decimal(item.price), currencyID=currency)
    if item.per != 1:
        price.text("cbc:BaseQuantity", decimal(item.per), unitCode=item.unit)
