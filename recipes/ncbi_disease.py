"""NCBI disease corpus: PubMed abstracts with every disease marked.

Raw layout (the owners' three zip archives, one text file in each, as unpacked): PubTator, that is
`pmid|t|title`, `pmid|a|abstract` and rows of six fields: pmid, start, end, mention, type, concept.
All four types (SpecificDisease, DiseaseClass, Modifier, CompositeMention) are diseases here. One
abstract of the train file stands in it twice. The texts were tokenised and joined again by the
owners, so numbers and full stops have spaces in odd places; they are left as they are.
"""

from medsins import (
    Access,
    Category,
    Domain,
    Examples,
    LlmApi,
    Recipe,
    Redistribution,
    Task,
    raw,
    text,
)

GITHUB = (
    "https://raw.githubusercontent.com/spyysalo/ncbi-disease/"
    "5a266c6fc76fb2b5184cfa397ff0a5ecdb133aec/"
)
TRAIN = "original-data/train/NCBItrainset_corpus.txt"
DEVELOP = "original-data/devel/NCBIdevelopset_corpus.txt"
SHA256 = {
    TRAIN: "f311381b28a6d0f641f57f4a963bb83619c2bdec5cd9caabb1381f894d5db817",
    DEVELOP: "02db559974624ae9cbe6cd95d64d953e6926bb63afb6b25b63e53bd8b41a4b55",
}


class NCBIDisease(Recipe):
    title = "NCBI disease corpus"
    homepage = "https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/"
    license = "public-domain"
    citation = "Doğan, Leaman and Lu, 2014, Journal of Biomedical Informatics 47:1-10"
    figure_label = "NCBI Disease Corpus"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download NCBItestset_corpus.zip from the homepage and unpack it: NCBItestset_corpus.txt "
        "may lie in the source's folder or in a folder below it."
    )
    files = raw.pubtator(
        train="**/NCBItrainset_corpus.txt",
        validation="**/NCBIdevelopset_corpus.txt",
        test="**/NCBItestset_corpus.txt",
    )
    downloads = tuple(raw.Download(GITHUB + path, path, sha256) for path, sha256 in SHA256.items())
    deviations = (
        (
            "Built from the owners' files, because task1448 of Super-NaturalInstructions, from "
            "which MedS-Ins took 134 sentences, has few of them and lost the official splits. "
            "Here are all sentences that name a disease, not tokenised, and each of their "
            "diseases is accepted."
        ),
    )

    extraction = Task(
        legacy_id="task27",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=134,
        definition=(
            "Read a sentence from the title or abstract of a paper, often one on genetics, and "
            "name one disease, disorder or class of diseases that it mentions. Names that "
            "describe something else count too, such as that of a cancer in front of the word "
            "'cells'. Copy the name exactly as the sentence writes it, abbreviations "
            "included, and add nothing. Where the sentence mentions several, one is enough."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one disease",
        ),
        ignored_constraints=("cells",),
    )

    def instances(self, record: raw.Document) -> Examples:
        # Some titles lack a full stop; the line break keeps them apart, and offsets as they are.
        cut = len(record.title)
        written = f"{record.title}\n{record.text[cut + 1 :]}"
        mentions = sorted(record.mentions, key=lambda mention: mention.start)
        for start, end in text.sentence_spans(written, [(m.start, m.end) for m in mentions]):
            diseases = text.distinct(m.text.strip() for m in mentions if start <= m.start < end)
            if not diseases:
                yield self.skip("no disease in the sentence")
                continue
            yield self.extraction(
                input=written[start:end],
                output=diseases[0],
                references=diseases,
                key=record.id,
            )
