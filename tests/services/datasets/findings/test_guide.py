import re

from services.datasets.findings.catalogue import ADVICE, FixName
from tests.refusals import ROOT

GUIDE = (ROOT / "docs/guide-customers.md").read_text("utf-8")
SECTION = GUIDE.partition("### What is found")[2].partition("\n### ")[0]


def test_the_customers_guide_explains_every_finding_in_the_products_words() -> None:
    for code, advice in ADVICE.items():
        row = f"| `{code}` | {advice.severity} | {advice.title} | {advice.why} {advice.what_to_do} |"
        assert row in SECTION


def test_the_customers_guide_names_every_fix_and_nothing_that_is_none() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)) == {*ADVICE, *FixName}
