"""Human Disease Ontology: what diseases are called, what they are, and how they are related.

Raw layout (github.com/DiseaseOntology/HumanDiseaseOntology): OBO flat files. `doid.obo` is the
whole ontology, `HumanDO.obo` the same terms without inferred parents (owners' README_DO_Files);
the first of them that is there is read. Where neither is, the `DO_*_slim.obo` subsets are read
together: a term stands in several of them, each time with those parents only that are in the
same subset, so its parents are put together.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

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

ROOT = "DOID:4"
"""The term "disease", which everything is a kind of."""

GITHUB = (
    "https://raw.githubusercontent.com/DiseaseOntology/HumanDiseaseOntology/"
    "9fbefd6651b79526165453395d06c8fd4bfe4247/"
)
SUBSETS = "src/ontology/subsets/"
SHA256 = {
    "DO_cancer_slim.obo": "031af4f526edbb60978ed1d817e620f4ecbee57378e5e68819c6c95b64878a2a",
    "DO_infectious_disease_slim.obo": (
        "7118594e9d8e89ae1b7834218fa0dcedd247f4b20ce7b32a2bc5be82e7dee820"
    ),
    "DO_rare_slim.obo": "7307b7d0df45aa765660caf3cea29f65d2ad91263b66ba9da4d77d4ebd8cd05a",
}


class DiseaseOntology(Recipe):
    title = "Human Disease Ontology"
    homepage = "https://disease-ontology.org/"
    license = "CC0-1.0"
    citation = "Schriml et al., 2022, Nucleic Acids Research 50(D1):D1255-D1261"
    figure_label = "DO"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "What is fetched are three subsets with a third of the terms. For all of them, take "
        "doid.obo from the folder src/ontology/ of github.com/DiseaseOntology/HumanDiseaseOntology "
        "and put it in src/ontology; HumanDO.obo and the subsets are then not needed."
    )
    files = raw.obo(
        "src/ontology/doid.obo",
        "src/ontology/HumanDO.obo",
        "src/ontology/subsets/DO_*_slim.obo",
    )
    downloads = tuple(
        raw.Download(f"{GITHUB}{SUBSETS}{name}", f"{SUBSETS}{name}", sha256)
        for name, sha256 in SHA256.items()
    )
    deviations = (
        "The release behind the published tasks is unknown, so the counts differ.",
        (
            "Synonyms are one a line, because commas and semicolons occur inside them, and only "
            "exact ones count, because the others name something broader, narrower or merely "
            "near. How the published task writes them is unknown."
        ),
        (
            "In which direction the published relations run is unknown; here the label says what "
            "the first word is to the second, and the definition says so."
        ),
        (
            "Each parent of a term gives one pair, whose direction a hash decides, because the "
            "same pair in both directions would give the answer away across splits. Each term "
            "also gives a pair with one synonym and one with an unrelated term that a hash picks "
            "among those that share no ancestor but the root and no name with it; how the "
            "published task picks them is unknown."
        ),
    )

    synonym_generation = Task(
        legacy_id="task45",
        category=Category.TEXT_COMPLETION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given the name of a disease. List other names that mean exactly the same "
            "disease: synonyms, spelling variants, eponyms and abbreviations, but nothing "
            "broader or narrower. Write one name on each line, without numbers or bullets, and "
            "do not repeat the given name."
        ),
        must_include=(
            "line",
            "number",
            "bullet",
            "broader",
            "narrower",
            "repeat|repetition|itself|own name|leave out|skip|exclud",
        ),
    )
    entity_explanation = Task(
        legacy_id="task46",
        benchmark_id="task46",
        category=Category.EXPLANATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=10028,
        metric="bleu_rouge",
        definition=(
            "You are given the name of a disease. Define it as a disease ontology does, in one to "
            "a few sentences: begin with the broader disease it is a kind of, then say what sets "
            "it apart, such as its site, cause, inheritance, mechanism or main symptoms. Write "
            "only the definition."
        ),
        must_include=("broader|parent|superordinate|more general", "sentence"),
    )
    relation_classification = Task(
        legacy_id="task47",
        category=Category.WORD_RELATION_CLASSIFICATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        labels=("synonym", "parent", "child", "unrelated"),
        definition=(
            "You are given two disease terms as 'Word1: ...' and, on the next line, "
            "'Word2: ...'. Say what the first is to the second in a disease ontology. Answer with "
            "one word: 'synonym' if both name the same disease, 'parent' if the first is the next "
            "broader class of which the second is a kind, 'child' if the first is a kind of the "
            "second, which is its next broader class, or 'unrelated' if none of these holds."
        ),
        must_include=("one word|single word", "next|direct|immediate"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[tuple[raw.Term, str]]:
        """Yield each term once, with the name of an unrelated one, or "" if none is known."""
        del split
        whole = [file for file in files if "/subsets/" not in file.name]
        terms: dict[str, raw.Term] = {}
        for term in self.read(whole[:1] or files):
            # A release with imports holds terms of other ontologies, such as body parts.
            if term.id.startswith("DOID:"):
                known = terms.setdefault(term.id, term)
                known.parents.extend(p for p in term.parents if p not in known.parents)
        kin: dict[str, set[str]] = {}
        # Of a term without a parent in the files nothing can be said to be unrelated.
        placed = [term for term in terms.values() if term.parents and not term.obsolete]
        for term in terms.values():
            yield term, _stranger(term, placed, terms, kin)

    def instances(self, record: tuple[raw.Term, str]) -> Examples:
        term, stranger = record
        if term.obsolete:
            yield self.skip("obsolete term")
            return
        same = term.name.casefold()
        exact = (name.strip() for name, scope in term.synonyms if scope == "EXACT")
        synonyms = text.distinct(name for name in exact if name.casefold() != same)
        whence = {"key": term.id, "group": term.id}
        if synonyms:
            yield self.synonym_generation(input=term.name, output="\n".join(synonyms), **whence)
        else:
            yield self.skip("no exact synonym")
        if term.definition:
            yield self.entity_explanation(input=term.name, output=term.definition, **whence)
        else:
            yield self.skip("no definition")
        if not stranger:
            yield self.skip("no unrelated term known")
        for first, second, relation in _pairs(term, synonyms, stranger):
            yield self.relation_classification(
                input=f"Word1: {first}\nWord2: {second}", output=relation, **whence
            )


def _pairs(
    term: raw.Term, synonyms: Sequence[str], stranger: str
) -> Iterator[tuple[str, str, str]]:
    if synonyms:
        yield term.name, synonyms[_number(term.id) % len(synonyms)], "synonym"
    for identifier, parent in term.parents:
        if _number(term.id, identifier) % 2:
            yield parent, term.name, "parent"
        else:
            yield term.name, parent, "child"
    if stranger:
        yield term.name, stranger, "unrelated"


def _stranger(
    term: raw.Term,
    placed: Sequence[raw.Term],
    terms: Mapping[str, raw.Term],
    kin: dict[str, set[str]],
) -> str:
    """Return the name of the first unrelated term after a place that a hash decides, or ""."""
    if not term.parents or term.obsolete:
        return ""
    relatives = _kin(term.id, terms, kin)
    start = _number(term.id)
    for step in range(len(placed)):
        other = placed[(start + step) % len(placed)]
        if relatives.isdisjoint(_kin(other.id, terms, kin)):
            return other.name
    return ""


def _kin(identifier: str, terms: Mapping[str, raw.Term], kin: dict[str, set[str]]) -> set[str]:
    """Return identifiers and names of a term and its ancestors, but for the root's."""
    if identifier not in kin:
        own = kin[identifier] = {identifier}
        if (term := terms.get(identifier)) is not None:
            own.update(name.casefold() for name in (term.name, *dict(term.synonyms)))
            for parent, _ in term.parents:
                if parent != ROOT:
                    own |= _kin(parent, terms, kin)
    return kin[identifier]


def _number(*parts: str) -> int:
    """Return a number that depends on the parts alone, on any machine and in any run."""
    return int.from_bytes(blake2b(" ".join(parts).encode(), digest_size=8).digest(), "big")
