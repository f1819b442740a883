"""The electronic invoice in UN/CEFACT's syntax CII (D22B), as Factur-X and ZUGFeRD embed it in a PDF.

Source: EN 16931-3-3 and the Factur-X specification, profile EN 16931. Elements stand in the schema's order.
"""

from datetime import date

from services.billing.snapshot import Party
from services.documents.semantic import CREDIT_NOTE, Allowance, ElectronicInvoice, Item, Rate, TaxedAt
from services.documents.xml import Element, amount, decimal

GUIDELINE = "urn:cen.eu:en16931:2017"
_SPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_DAY = "102"  # UNCL 2379: CCYYMMDD


def xml(invoice: ElectronicInvoice) -> bytes:
    """The document; the same invoice gives the same bytes."""
    root = Element("rsm:CrossIndustryInvoice", _SPACES)
    context = root.add("rsm:ExchangedDocumentContext")
    context.add("ram:GuidelineSpecifiedDocumentContextParameter").text("ram:ID", GUIDELINE)
    document = root.add("rsm:ExchangedDocument")
    document.text("ram:ID", invoice.number)
    document.text("ram:TypeCode", invoice.kind)
    _day(document.add("ram:IssueDateTime"), "udt:DateTimeString", invoice.issued_on)
    for note in invoice.notes:
        document.add("ram:IncludedNote").text("ram:Content", note)

    transaction = root.add("rsm:SupplyChainTradeTransaction")
    for item in invoice.items:
        _item(transaction.add("ram:IncludedSupplyChainTradeLineItem"), item)
    agreement = transaction.add("ram:ApplicableHeaderTradeAgreement")
    agreement.text("ram:BuyerReference", invoice.buyer_reference)
    seller = agreement.add("ram:SellerTradeParty")
    seller.text("ram:ID", invoice.seller_id)
    _party(seller, invoice.seller, invoice)
    _party(agreement.add("ram:BuyerTradeParty"), invoice.buyer, invoice)
    transaction.add("ram:ApplicableHeaderTradeDelivery")
    _settlement(transaction.add("ram:ApplicableHeaderTradeSettlement"), invoice)
    return root.written()


def _day(element: Element, name: str, day: date) -> None:
    element.text(name, f"{day:%Y%m%d}", format=_DAY)


def _party(element: Element, party: Party, invoice: ElectronicInvoice) -> None:
    element.text("ram:Name", party.name)
    address = element.add("ram:PostalTradeAddress")
    address.text("ram:PostcodeCode", party.postcode)
    for name, line in zip(("ram:LineOne", "ram:LineTwo", "ram:LineThree"), party.address, strict=False):
        address.text(name, line)
    address.text("ram:CityName", party.city)
    address.text("ram:CountryID", party.country)
    if party.email:
        element.add("ram:URIUniversalCommunication").text("ram:URIID", party.email, schemeID="EM")
    # What is outside the scope of VAT names no VAT id (BR-O-02).
    if party.tax_id and any(taxed.rate.percent is not None for taxed in invoice.taxes):
        element.add("ram:SpecifiedTaxRegistration").text("ram:ID", party.tax_id, schemeID="VA")


def _item(element: Element, item: Item) -> None:
    element.add("ram:AssociatedDocumentLineDocument").text("ram:LineID", str(item.number))
    product = element.add("ram:SpecifiedTradeProduct")
    product.text("ram:Name", item.name)
    product.text("ram:Description", item.description)
    price = element.add("ram:SpecifiedLineTradeAgreement").add("ram:NetPriceProductTradePrice")
    price.text("ram:ChargeAmount", decimal(item.price))
    if item.per != 1:
        price.text("ram:BasisQuantity", decimal(item.per), unitCode=item.unit)
    delivery = element.add("ram:SpecifiedLineTradeDelivery")
    delivery.text("ram:BilledQuantity", decimal(item.quantity), unitCode=item.unit)
    settlement = element.add("ram:SpecifiedLineTradeSettlement")
    _rate(settlement.add("ram:ApplicableTradeTax"), item.rate)
    _period(settlement.add("ram:BillingSpecifiedPeriod"), item.first_day, item.last_day)
    total = settlement.add("ram:SpecifiedTradeSettlementLineMonetarySummation")
    total.text("ram:LineTotalAmount", amount(item.amount))


def _rate(element: Element, rate: Rate) -> None:
    element.text("ram:TypeCode", "VAT")
    element.text("ram:CategoryCode", rate.category)
    if rate.percent is not None:
        element.text("ram:RateApplicablePercent", decimal(rate.percent))


def _period(element: Element, first: date, last: date) -> None:
    _day(element.add("ram:StartDateTime"), "udt:DateTimeString", first)
    _day(element.add("ram:EndDateTime"), "udt:DateTimeString", last)


def _settlement(element: Element, invoice: ElectronicInvoice) -> None:
    element.text("ram:PaymentReference", invoice.number)
    element.text("ram:InvoiceCurrencyCode", invoice.currency)
    means = element.add("ram:SpecifiedTradeSettlementPaymentMeans")
    means.text("ram:TypeCode", invoice.payment_means)
    if invoice.iban:
        means.add("ram:PayeePartyCreditorFinancialAccount").text("ram:IBANID", invoice.iban)
    for taxed in invoice.taxes:
        _taxed(element.add("ram:ApplicableTradeTax"), taxed)
    _period(element.add("ram:BillingSpecifiedPeriod"), invoice.first_day, invoice.last_day)
    for allowance in invoice.allowances:
        _allowance(element.add("ram:SpecifiedTradeAllowanceCharge"), allowance)
    terms = element.add("ram:SpecifiedTradePaymentTerms")
    terms.text("ram:Description", invoice.payment_terms)
    if invoice.due_on and invoice.kind != CREDIT_NOTE:
        _day(terms.add("ram:DueDateDateTime"), "udt:DateTimeString", invoice.due_on)
    sums = element.add("ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    sums.text("ram:LineTotalAmount", amount(invoice.lines_total))
    sums.text("ram:AllowanceTotalAmount", amount(invoice.allowance))
    sums.text("ram:TaxBasisTotalAmount", amount(invoice.net))
    sums.text("ram:TaxTotalAmount", amount(invoice.tax), currencyID=invoice.currency)
    sums.text("ram:GrandTotalAmount", amount(invoice.total))
    sums.text("ram:TotalPrepaidAmount", amount(invoice.paid))
    sums.text("ram:DuePayableAmount", amount(invoice.payable))
    if invoice.corrects:
        element.add("ram:InvoiceReferencedDocument").text("ram:IssuerAssignedID", invoice.corrects)


def _taxed(element: Element, taxed: TaxedAt) -> None:
    element.text("ram:CalculatedAmount", amount(taxed.tax))
    element.text("ram:TypeCode", "VAT")
    if not taxed.rate.percent:
        element.text("ram:ExemptionReason", taxed.reason)
    element.text("ram:BasisAmount", amount(taxed.net))
    element.text("ram:CategoryCode", taxed.rate.category)
    if taxed.rate.percent is not None:
        element.text("ram:RateApplicablePercent", decimal(taxed.rate.percent))


def _allowance(element: Element, allowance: Allowance) -> None:
    element.add("ram:ChargeIndicator").text("udt:Indicator", "false")
    element.text("ram:ActualAmount", amount(allowance.amount))
    element.text("ram:Reason", allowance.reason)
    _rate(element.add("ram:CategoryTradeTax"), allowance.rate)
