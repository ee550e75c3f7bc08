"""Finding names in answers: whole words, the longest name first, and not where they are denied.

Texts are compared folded: NFKC, case and accents gone, every mark a space but those that end a
clause, which stay as a comma, so that a "no" before one denies nothing behind it. Chinese and
Japanese characters are words of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_MARKS = re.compile("[\u0300-\u036f]")
_NOT = re.compile(r"n['’]t\b")
_NUMBER = re.compile(r"(?<=\d)[.,](?=\d)")
_PIECE = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:\x00[^\W_{_CJK}]+)*|[,.;:!?。、，；：！？\n]")
_CLAUSE = frozenset(",.;:!?。、，；：！？\n")

_DENYING = """
    not no non never neither nor without cannot isnt wasnt arent werent doesnt dont didnt cant wont
    couldnt exclude excludes excluded excluding against unlikely
    pas ni sans aucun aucune
    sin nunca tampoco descarta descartar
    не нет ни без исключить исключает
    不 非 没 無 无 未
"""
_DENIALS = frozenset(_DENYING.split())
_PAIRS = {("ruled", "out"), ("rule", "out"), ("rules", "out"), ("rather", "than")} | {
    ("instead", "of"),
    ("plutot", "que"),
    ("en", "lugar"),
}
_FILLING = """
    a an the be is of any really likely clearly necessarily possible probable definitely evidence
    signs sign label as for
    la le les l un une d de est el los una es это является 是 为 の は
"""
_FILLERS = frozenset(_FILLING.split())
_DENIED_AFTER = re.compile(
    r"^(?:is|are|was|can be|has been|seems|est|es|esta|является)? ?"
    r"(?:not|isnt|wasnt|excluded|ruled out|unlikely|wrong|incorrect|exclu\w*|descartad\w*|"
    r"n est pas|no es|не|исключен\w*|で は な い|で は あ り ま せ ん|じ ゃ な い|で は な く|"
    r"は 否 定|不 对|错 误|不 正 确)(?: |$)"
)


def plain(text: str) -> str:
    """Return a text in NFKC without characters that cannot be seen."""
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", text))


def folded(text: str) -> str:
    """Return a text for comparison: words, and "," for each end of a clause, with spaces between.

    "E. coli, 0.05" becomes "e , coli , 0.05"; ends of clauses at the very end are dropped.
    """
    low = _MARKS.sub("", unicodedata.normalize("NFKD", plain(text).casefold()))
    low = unicodedata.normalize("NFC", low)
    low = _NUMBER.sub("\x00", _NOT.sub("nt", low))
    pieces: list[str] = []
    for piece in _PIECE.findall(low):
        if piece not in _CLAUSE:
            pieces.append(piece.replace("\x00", "."))
        elif pieces and pieces[-1] != ",":
            pieces.append(",")
    if pieces and pieces[-1] == ",":
        pieces.pop()
    return " ".join(pieces)


class Names:
    """Names that are looked for in answers.

    Args:
        names: What each folded or unfolded spelling stands for.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {folded(spelling): name for spelling, name in names.items()}
        self._names.pop("", None)
        self._longest = sorted(self._names, key=len, reverse=True)

    def exact(self, text: str) -> str | None:
        """Return the name that a folded text is, if it is one."""
        return self._names.get(text)

    def mentioned(self, text: str) -> set[str]:
        """Return the names that a folded text has as whole words and are not denied there.

        A name inside a longer name that is found there does not count.
        """
        left = f" {text} "
        found = set()
        for spelling in self._longest:
            wanted = f" {spelling} "
            start = left.find(wanted)
            if start < 0:
                continue
            while start >= 0:
                if not _denied(left[max(0, start - 80) : start], left[start + len(wanted) :][:40]):
                    found.add(self._names[spelling])
                    break
                start = left.find(wanted, start + 1)
            left = left.replace(wanted, " \x00 ")
        return found


def _denied(before: str, after: str) -> bool:
    last = before.split()[-5:]
    while last and last[-1] in _FILLERS and tuple(last[-2:]) not in _PAIRS:
        last.pop()
    if last and (last[-1] in _DENIALS or tuple(last[-2:]) in _PAIRS):
        return True
    return _DENIED_AFTER.match(after.lstrip()) is not None


_POLAR = {
    **dict.fromkeys(("yes", "oui", "si", "да", "是", "は い"), "yes"),
    **dict.fromkeys(("no", "non", "нет", "否", "不 是", "い い え"), "no"),
    "maybe": "maybe",
}
_SHORT = {"y": "yes", "n": "no", "may be": "maybe"}
_BETWEEN = frozenset(("and", "or", ",", "but", "et", "ou", "y", "o", "и", "или"))
_REASONS = "because since as but car porque parce puisque pues ya потому так поскольку"
_REASON = frozenset(_REASONS.split())
_STATED = re.compile(
    r"(?:answer|conclusion|decision|verdict|label|reponse|respuesta|ответ|答 案|答 え) "
    r"(?:, |is |would be |should be |est |es |это |是 |は )*(?P<word>\w+)(?= ,| because| since|$)"
)


class YesOrNo:
    """Reads answers whose labels are yes, no and maybe in one of six languages.

    "no" is also a common word ("no evidence", "нет данных"), so it has to stand where an answer
    stands: alone, first with a clause behind it, after "the answer is", or at the end.

    Args:
        labels: What each word stands for, such as {"да": "A", "нет": "B"}.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        words = {folded(word): label for word, label in labels.items()}
        meant = {_POLAR[word]: label for word, label in words.items()}
        short = {word: meant[meaning] for word, meaning in _SHORT.items() if meaning in meant}
        self._words = frozenset(words)
        self._labels = words | short

    @staticmethod
    def reads(labels: Mapping[str, str]) -> bool:
        """Return whether all labels are words that this class is for."""
        return bool(labels) and all(folded(word) in _POLAR for word in labels)

    def read(self, text: str) -> str | None:
        """Return the label that a text settles on; None if none or several."""
        low = folded(text)
        if low in self._labels:
            return self._labels[low]
        tokens = low.split()
        if tokens[:2] == ["may", "be"]:
            tokens[:2] = ["maybe"]
        named = {token for token in tokens if token in self._words}
        if named and all(token in self._words or token in _BETWEEN for token in tokens):
            return self._labels[named.pop()] if len(named) == 1 else None
        stated = [match["word"] for match in _STATED.finditer(low) if match["word"] in self._words]
        if stated:
            return self._labels[stated[-1]]
        if self._leads(tokens):
            return self._labels[tokens[0]]
        told = {token for place, token in enumerate(tokens) if self._tells(tokens, place)}
        return self._labels[told.pop()] if len(told) == 1 else None

    def _leads(self, tokens: list[str]) -> bool:
        if len(tokens) < 2 or tokens[0] not in self._words:
            return False
        return tokens[1] in _REASON or (tokens[1] == "," and tokens[2] not in self._words)

    def _tells(self, tokens: list[str], place: int) -> bool:
        token = tokens[place]
        if token not in self._words or (place and tokens[place - 1] in _DENIALS):
            return False
        return _POLAR[token] != "no" or place + 1 == len(tokens) or tokens[place + 1] == ","
