"""The paper's vocabulary: 19 task categories, 5 text domains, and the facts of access.

Labels are those of MedS-Ins (arXiv 2408.12547); a member's value is what shards and cards show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What kind of work a task asks for (the 19 categories of the paper)."""

    CLINICAL_OUTCOME_PREDICTION = "Clinical Outcome Prediction"
    DIAGNOSIS = "Diagnosis"
    QUESTION_ANSWERING = "Question Answering"
    TEXT_SUMMARIZATION = "Text Summarization"
    TEXT_COMPLETION = "Text Completion"
    EXPLANATION = "Explanation"
    TEXT_CLASSIFICATION = "Text Classification"
    TEXT_RETRIEVAL = "Text Retrieval"
    INFORMATION_EXTRACTION = "Information Extraction"
    DIALOGUE = "Dialogue"
    NAMED_ENTITY_RECOGNITION = "Named Entity Recognition"
    TREATMENT_PLANNING = "Treatment Planning"
    SENTENCE_COMPOSITION_ANALYSIS = "Sentence Composition Analysis"
    NATURAL_LANGUAGE_INFERENCE = "Natural Language Inference"
    TRANSLATION = "Translation"
    WORD_RELATION_CLASSIFICATION = "Word Relation Classification"
    INTENT_IDENTIFICATION = "Intent Identification"
    FACT_VERIFICATION = "Fact Verification"
    WRONG_CANDIDATE_GENERATION = "Wrong Candidate Generation"


class Domain(StrEnum):
    """Where the text of a task comes from (the 5 text domains of the paper)."""

    MEDICAL_KNOWLEDGE_BASES = "Medical Knowledge Bases"
    CLINICAL_TEXTS = "Clinical Texts"
    ACADEMIC_PAPERS = "Academic Papers"
    EXAMINATIONS = "Examinations"
    DAILY_CONVERSATIONS = "Daily Conversations"


class Access(StrEnum):
    """How a user gets the raw files of a source."""

    OPEN = "open"
    REGISTRATION = "registration"
    CREDENTIALED = "credentialed"
    LICENSED = "licensed"


class Redistribution(StrEnum):
    """What may be redistributed: everything, instances but not raw files, or nothing."""

    YES = "yes"
    DERIVED_ONLY = "derived_only"
    NO = "no"


class LlmApi(StrEnum):
    """Whether text of a source may be sent to a model that the user does not run."""

    ALLOWED = "allowed"
    LOCAL_ONLY = "local_only"
    FORBIDDEN = "forbidden"


LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "ja": "Japanese",
    "ru": "Russian",
    "sv": "Swedish",
    "zh": "Chinese",
}
"""ISO 639-1 codes of the languages that occur in MedS-Ins, with their English names."""

SPLITS = ("train", "validation", "test")
"""Names of the splits, in the order in which they are listed everywhere."""


@dataclass(frozen=True)
class License:
    """The facts of a license that cards show.

    Attributes:
        title: Its full name.
        terms: What it asks for and allows, in our own words; only its text is binding.
        hub: The Hugging Face Hub's identifier (hub-docs, repositories-licenses), which is not that
            of SPDX; "other" for what the Hub does not list.
        url: Address of its text; "" if there is none.
        agreement: Whether a user has to enter into an agreement before seeing any of the data.
    """

    title: str
    terms: str
    hub: str = "other"
    url: str = ""
    agreement: bool = False


_CREDIT = "Name the owners and the license, link to it, and say what was changed. "
_ALIKE = "What is made from it may be passed on under the same license only. "
_SOFTWARE = "Written for software: "

LICENSES = {
    "unknown": License(
        "No license stated",
        "The owners state no license, so nothing is granted beyond what the law allows anyway, "
        "such as uses in research in some countries. Ask the owners before you pass any of it on.",
        "unknown",
    ),
    "AFL-3.0": License(
        "Academic Free License 3.0",
        "Use, change and pass on, also commercially. Keep the notices of copyright and license, "
        "and say what was changed.",
        "afl-3.0",
        "https://spdx.org/licenses/AFL-3.0.html",
    ),
    "Apache-2.0": License(
        "Apache License 2.0",
        f"{_SOFTWARE}use, change and pass on, also commercially. Keep the notices, add the text of "
        "the license, and say what was changed.",
        "apache-2.0",
        "https://www.apache.org/licenses/LICENSE-2.0",
    ),
    "CC-BY-2.5": License(
        "Creative Commons Attribution 2.5",
        f"Share and adapt for any purpose. {_CREDIT}".strip(),
        "cc-by-2.5",
        "https://creativecommons.org/licenses/by/2.5/",
    ),
    "CC-BY-4.0": License(
        "Creative Commons Attribution 4.0 International",
        f"Share and adapt for any purpose. {_CREDIT}".strip(),
        "cc-by-4.0",
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC-BY-SA-3.0": License(
        "Creative Commons Attribution-ShareAlike 3.0",
        f"Share and adapt for any purpose. {_CREDIT}{_ALIKE}".strip(),
        "cc-by-sa-3.0",
        "https://creativecommons.org/licenses/by-sa/3.0/",
    ),
    "CC-BY-SA-4.0": License(
        "Creative Commons Attribution-ShareAlike 4.0 International",
        f"Share and adapt for any purpose. {_CREDIT}{_ALIKE}".strip(),
        "cc-by-sa-4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    "CC-BY-NC-4.0": License(
        "Creative Commons Attribution-NonCommercial 4.0 International",
        f"Share and adapt, but not for commercial purposes. {_CREDIT}".strip(),
        "cc-by-nc-4.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
    ),
    "CC-BY-NC-SA-4.0": License(
        "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International",
        f"Share and adapt, but not for commercial purposes. {_CREDIT}{_ALIKE}".strip(),
        "cc-by-nc-sa-4.0",
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    ),
    "CC0-1.0": License(
        "Creative Commons Zero 1.0 Universal",
        "The owners waive their rights as far as the law lets them: any use, no condition. Naming "
        "them is good practice.",
        "cc0-1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    "GPL-3.0": License(
        "GNU General Public License 3.0",
        f"{_SOFTWARE}use, change and pass on, also commercially. {_ALIKE}Keep the notices, and add "
        "the text of the license.",
        "gpl-3.0",
        "https://www.gnu.org/licenses/gpl-3.0.html",
    ),
    "GPL-3.0-only": License(
        "GNU General Public License 3.0, this version only",
        f"{_SOFTWARE}use, change and pass on, also commercially. {_ALIKE}Keep the notices, and add "
        "the text of the license. The owners may ask for more in a readme: look there, too.",
        "gpl-3.0",
        "https://www.gnu.org/licenses/gpl-3.0.html",
    ),
    "LicenseRef-CC": License(
        "Creative Commons, without saying which",
        "The owners name Creative Commons, but neither the variant nor the version. Keep to the "
        "strictest that fits until they say more: name them, no commercial use, share alike.",
        "cc",
        "https://creativecommons.org/share-your-work/cclicenses/",
    ),
    "LicenseRef-IHTSDO-and-NLM": License(
        "Licenses of SNOMED International (IHTSDO) and of the UMLS (NLM)",
        "Names and definitions come from SNOMED CT and from the UMLS Metathesaurus. Both ask for "
        "a license of one's own and for reports of use; neither may be passed on to people who "
        "have none.",
        "other",
        "https://www.nlm.nih.gov/research/umls/knowledge_sources/metathesaurus/release/license_agreement.html",
        agreement=True,
    ),
    "LicenseRef-MedlinePlus": License(
        "Terms of MedlinePlus",
        "What the National Library of Medicine wrote itself is in the public domain, and it asks "
        "to be named. The encyclopedia (A.D.A.M.) and the pages on drugs (ASHP) are under their "
        "owners' copyright and may not be passed on.",
        "other",
        "https://medlineplus.gov/about/using/usingcontent/",
    ),
    "MIT": License(
        "MIT License",
        f"{_SOFTWARE}use, change and pass on, also commercially. Keep the notice of copyright and "
        "license.",
        "mit",
        "https://opensource.org/license/mit",
    ),
    "PhysioNet-1.5.0": License(
        "PhysioNet Credentialed Health Data License 1.5.0",
        "For credentialed users who have finished the training and signed the data use agreement, "
        "each for themselves. No attempt to identify anyone, no sharing with anybody else, and "
        "that includes services that run models for others. What is derived from it counts as "
        "sensitive as well, and is shared on PhysioNet under the same agreement, if at all.",
        "other",
        "https://physionet.org/about/licenses/physionet-credentialed-health-data-license-150/",
        agreement=True,
    ),
    "SEER-DUA": License(
        "SEER Research Data Use Agreement",
        "For people who have signed the agreement with the National Cancer Institute, and for "
        "statistical research. No attempt to identify patients or to link records, nothing "
        "published about a single patient, and no record passed on to anybody else.",
        "other",
        "https://seer.cancer.gov/data/agreements.html",
        agreement=True,
    ),
    "public-domain": License(
        "Public domain, as a work of the United States government",
        "No copyright in the United States: any use there, no condition. Other countries may see "
        "that differently. Naming the owners is good practice.",
    ),
}
"""Licenses by SPDX identifier, or by the name that recipes use where there is none."""
