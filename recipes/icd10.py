"""ICD-10-CM: the codes of the American clinical modification and what they stand for.

Raw layout: the order file of a yearly release by CMS and NCHS (`icd10cm_order_2024.txt`,
`icd10cm-order-Jan-2021.txt`), fixed width with CRLF. Counted from 1, as in the release's layout
note: order number 1-5, code without its dot 7-13, 0 for a heading or 1 for a billable code 15,
short description 17-76, long description from 78. The file holds every heading and every code,
so lists of categories made from it add nothing but the wording of older years; its addenda
(`icd10cm_order_addenda_….txt`) are changes, and not read.
"""

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw


class ICD10(Recipe):
    title = "ICD-10-CM"
    homepage = "https://www.cms.gov/medicare/coding-billing/icd-10-codes"
    license = "public-domain"
    citation = "National Center for Health Statistics and CMS, ICD-10-CM, in force since 2015"
    figure_label = "ICD-10-CM"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take the 'Code Descriptions in Tabular Order' of one year from the homepage and unpack "
        "it; only its order file is read (icd10cm_order_2024.txt, say, or "
        "icd10cm-order-Jan-2021.txt), at any depth. Keep to one year: descriptions change."
    )
    # Releases are named after a year (2…), January or April; the second letter keeps addenda out.
    files = raw.lines("**/icd10cm?order?[2AJ][0ap]*.txt")
    deviations = (
        (
            "The published task was made from a crawl of icd10data.com of unknown date, of which "
            "97,785 codes are in it; this one is made from the owners' release, because the "
            "site's terms do not cover a crawl and the release is complete and in the public "
            "domain."
        ),
    )

    code_explanation = Task(
        legacy_id="task115",
        category=Category.EXPLANATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given a code of ICD-10-CM, the American clinical modification of the "
            "International Classification of Diseases, written without its dot. It may be a "
            "billable code or the heading of a group of codes. Give its full official "
            "description in English, with nothing abbreviated, and write nothing else."
        ),
        must_include=("ICD-10-CM", "abbreviat"),
    )

    def instances(self, record: str) -> Examples:
        code, flag, description = record[6:13].strip(), record[14:15], record[77:].strip()
        if not code.isalnum() or flag not in ("0", "1") or not description:
            raise raw.RecordError("line is none of an order file")
        yield self.code_explanation(
            input=code,
            output=description,
            key=code,
            # Siblings differ by a word, so a category stays on one side.
            group=code[:3],
        )
