"""The card's section on sources: terms, what was read, how to get it."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Sequence

from medsins.builds.manifest import RawFileFacts
from medsins.cards.contents import BuiltSource, Contents
from medsins.cards.terms import LICENSE_FILE
from medsins.markup.markdown import anchor, bullets, details, plain, table
from medsins.text import counted


def about_sources(contents: Contents) -> list[str]:
    """Return the section on sources."""
    terms = [
        (
            _named(source),
            f"[{source.license}]({LICENSE_FILE}#{anchor(source.license)})",
            *(
                plain(source.rule(fact).replace("_", " "))
                for fact in ("access", "redistribution", "llm_api")
            ),
            f"{source.rows:,}",
            plain(source.recipe.citation) if source.recipe else "",
        )
        for source in contents.sources
    ]
    head = ("source", "license", "access", "may be passed on", "remote models", "instances", "cite")
    return [
        (
            f"[{LICENSE_FILE}]({LICENSE_FILE}) says what each license asks for. *Access* is how a "
            "user gets the raw files. *May be passed on* is about these instances: `yes` and "
            "`derived only` may, in the latter case without the raw files. *Remote models* is "
            "about sending the text to a model that somebody else runs."
        ),
        table(head, terms, [5]),
        details("What was read of each source, and what became of it", _accounts(contents)),
        *_absent(contents),
        details("How to get the raw files", _instructions(contents)),
    ]


def _accounts(contents: Contents) -> str:
    rows = []
    for source in contents.sources:
        facts = source.facts
        files = facts.files
        rows.append(
            (
                source.name,
                f"{len(files):,}",
                f"{sum(file.bytes for file in files):,}",
                f"`{_digest(files)[:16]}`",
                f"{facts.records:,}",
                f"{sum(facts.skipped.values()):,}",
                f"{sum(facts.rejected.values()):,}",
                f"{facts.instances:,}",
                f"{facts.duplicates:,}",
                f"{facts.written:,}",
            )
        )
    head = (
        "recipe",
        "files",
        "bytes",
        "SHA-256",
        "records",
        "skipped",
        "rejected",
        "instances",
        "duplicates",
        "written",
    )
    accounts = table(head, rows, [1, 2, *range(4, 10)])
    return (
        f"{accounts}\n\nThe checksum, of which 16 digits are shown, is that of the file. Of "
        "several files it is the checksum of what `sha256sum` prints of them, in the order of "
        "their paths below the folder of all raw files. `manifest.json` has the checksums of "
        "single files, and the reasons of what was skipped and rejected."
    )


def _absent(contents: Contents) -> list[str]:
    """Return what recipes would read too, if it were there."""
    if contents.options.split:
        # Files of other splits were not looked at.
        return []
    listed = [
        f"{plain(source.title)}: {', '.join(f'`{pattern}`' for pattern in missing)}"
        for source in contents.sources
        if (missing := _unmatched(source))
    ]
    if not listed:
        return []
    said = (
        "Nothing was found for these files and patterns. Some stand for what the rows here were "
        "read from as well; the others would give more."
    )
    title = f"What was not there, of {counted(len(listed), 'source')}"
    return [details(title, f"{said}\n\n{bullets(listed)}")]


def _unmatched(source: BuiltSource) -> list[str]:
    """Return the patterns of a recipe's files that none of the files read fits."""
    if source.recipe is None:
        return []
    read = [file.path for file in source.facts.files]
    found = []
    for files in source.recipe.file_sets().values():
        folder = files.folder or source.name
        for pattern in (one for patterns in files.patterns.values() for one in patterns):
            # What stands behind "!" is inside an archive, and "**/" may stand for nothing.
            outer = f"{folder}/{pattern.partition('!')[0]}".replace("**/", "*")
            if not any(fnmatch.fnmatchcase(path, outer) for path in read):
                found.append(pattern)
    return found


def _digest(files: Sequence[RawFileFacts]) -> str:
    if len(files) == 1:
        return files[0].sha256
    listing = "".join(f"{file.sha256}  {file.path}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def _instructions(contents: Contents) -> str:
    said = []
    for source in contents.sources:
        recipe = source.recipe
        if recipe is None:
            continue
        ways = (
            [plain(recipe.manual_download_instructions)]
            if recipe.manual_download_instructions
            else []
        )
        if recipe.downloads:
            files = counted(len(recipe.downloads), "file")
            ways.insert(0, f"`medsins fetch {recipe.name}` downloads {files}.")
        how = " ".join(ways) or f"See <{recipe.homepage}>."
        said.append(f"**{plain(recipe.title)}** (`{recipe.name}`): {how}")
    return (
        "*Here* is the folder of the source, which bears the name of its recipe and lies in the "
        f"folder of all raw files.\n\n{bullets(said)}"
    )


def _named(source: BuiltSource) -> str:
    name = plain(source.title)
    return f"[{name}]({source.homepage})" if source.homepage else name
