"""Build a private corpus: a recipe in a folder of your own, outside the library.

python examples/private_recipe.py
"""

import json
import os
import tempfile
from pathlib import Path

RECIPE = '''"""Ward letters: JSON Lines with patient, letter and summary."""

from typing import Any

from medsins import Access, Category, Domain, Examples, LlmApi, Recipe, Redistribution, Task, raw


class WardLetters(Recipe):
    title = "Ward letters"
    homepage = "https://example.org/"
    license = "unknown"
    citation = "Our hospital, 2026"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = "Ask the data office."
    files = raw.jsonl("letters.jsonl")

    summary = Task(
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.CLINICAL_TEXTS,
        definition="Summarise the letter in one sentence.",
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        if not record["summary"]:
            yield self.skip("no summary")
            return
        yield self.summary(
            input=record["letter"], output=record["summary"], group=record["patient"]
        )
'''

with tempfile.TemporaryDirectory() as folder:
    home = Path(folder)
    (home / "recipes").mkdir()
    (home / "recipes" / "ward_letters.py").write_text(RECIPE)
    (home / "raw" / "ward_letters").mkdir(parents=True)
    letters = [
        {"patient": "p1", "letter": "Came with a cough. It went away.", "summary": "Cough, gone."},
        {"patient": "p2", "letter": "Came with a limp.", "summary": ""},
        {"patient": "p3", "letter": "Fell off a ladder; nothing broken.", "summary": "A fall."},
    ]
    text = "".join(json.dumps(letter) + "\n" for letter in letters)
    (home / "raw" / "ward_letters" / "letters.jsonl").write_text(text)

    os.environ["MEDSINS_RECIPES"] = str(home / "recipes")
    import medsins

    result = medsins.build("ward_letters", raw=home / "raw", out=home / "data", progress=False)
    print(result.counts, result.manifest.recipes["ward_letters"].skipped)
