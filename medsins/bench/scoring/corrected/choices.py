"""Multiple choice: which letters an answer settles on, in six languages.

What an answer may look like, strongest first:

1. it is the text of one option, or nothing but letters ("B", "(b)", "A, C")
2. it states its answer ("The right answer is B", "答案：C", "La respuesta correcta es: B", JSON,
   "Definitely C"); the last statement wins
3. it begins with a letter as lists do ("B: Aspirin", "B) ...", "B because ...")
4. it points to one option alone ("option B", "(B)", "B. Aspirin" somewhere in it)
5. it names the text of one option alone

A letter is one only where it stands as one: the "A" of "A patient", the "D" of "vitamin D" and the
"C" of "Cannot be determined" are none. What settles on nothing has no answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medsins.bench.scoring.corrected.reading import Names, YesOrNo, folded, plain
from medsins.bench.scoring.corrected.statistics import Measured, additive, row_means

LETTERS = "ABCDEFGHIJ"

_SPANS = 100
_LONGEST_OPTION = 1000

# Letters of Cyrillic that look like Latin ones, and the second letter of its alphabet.
_CYRILLIC = {"А": "A", "В": "B", "С": "C", "Е": "E", "Б": "B"}

_HEADING = re.compile(
    r"^\s*(?:options?|choices|选项|選択肢|オプション|варианты(?: ответов)?|opciones)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_OPTION = re.compile(r"(?:^|[\t\n])[ ]*\(?([A-J])[ ]*[:.)]")


def parse_options(text: str) -> dict[str, str]:
    r"""Return the options of a question by letter, in order; empty if it lists none.

    Both published layouts: "Options: A: x\tB: y\t" and a line for each, "A. x".

    Args:
        text: What the model reads.
    """
    text = plain(text)
    headings = list(_HEADING.finditer(text))
    if not headings:
        return {}
    rest = text[headings[-1].end() :].lstrip(" \t")
    marks: list[re.Match[str]] = []
    for mark in _OPTION.finditer(rest):
        if mark[1] == LETTERS[len(marks)]:
            marks.append(mark)
            if len(marks) == len(LETTERS):
                break
    ends = [mark.start() for mark in marks[1:]] + [len(rest)]
    return {
        mark[1]: " ".join(rest[mark.end() : end].split())
        for mark, end in zip(marks, ends, strict=False)
    }


_CUE = r"""
    \b(?:(?:final|right|correct|best|most\ likely)\ )?(?:answers?|ans)\b
  | \b(?:right|correct|best|appropriate)\ (?:options?|choices?|one|letter|statement)\b
  | \\boxed
  | r[ée]ponses?(?:\ (?:correctes?|exactes?|justes?|finale))?\b
  | \b(?:bonnes?|correctes?|exactes?|justes?|meilleure)\ (?:options?|propositions?|lettres?)\b
  | \bpropositions?\ (?:correctes?|exactes?|justes?)\b
  | \brespuestas?(?:\ (?:correctas?|final|adecuada))?\b
  | \b(?:opci[óo]n(?:es)?|alternativas?)\ (?:correctas?|adecuada)\b
  | \bla\ correcta\b
  | \bответ\w*
  | \b(?:правильн|верн)\w+\ (?:вариант|букв)\w*(?:\ ответа)?
  | (?:答案|正确选项|正確選項|正答|正解|答え|解答|回答|正しい(?:選択肢|もの))
"""
_GLUE = r"""
    [\s"'«»“”‘’「『】{}\[(<>*:=—–-] | </?answer>
  | (?:is|are|was|would|should|must|be|most|likely|probably|definitely|clearly|therefore|thus)\b
  | (?:option|choice|letter|number|both|the|either)\b
  | (?:est|sont|serait|seraient|la|le|les|lettre|choix|proposition|donc)\b
  | (?:es|son|ser[íi]a|letra|opci[óo]n|tanto|las)\b
  | (?:это|является|буква|под|буквой|вариант)\b
  | 应该?|為|为|是|选项|选|選|项|選択肢|は|が
"""
_CLOSING = r"""
    (?:
      \b(?:so|thus|hence|therefore|definitely|certainly|probably|clearly|likely|but|obviously)
    | \b(?:think|believe|choose|chose|select|selected|pick|picked|guess|say|go(?:ing)?\ with)
    | \b(?:it|that|this)(?:['’]s|\ is|\ must\ be|\ should\ be|\ would\ be)
    | \b(?:donc|choisis|choisirais|pense|c['’]est|serait|mais|s[ée]lectionne)
    | \b(?:elijo|escojo|selecciono|elegir[íi]a|creo|sino|entonces|por\ (?:lo\ )?tanto)
    | \b(?:выбираю|выбрал\w*|выберу|думаю|считаю|следовательно|значит|поэтому|итак|но)
    )\b
  | (?<![不别没])[选選](?:择|擇|项)? | 而是 | 所以 | 因此 | 应为 | 應為
  | よって | したがって | つまり
"""
_JOINTS = (
    r"(?:[\s,、:\"'«“‘「(*-]|that\b|que\b|что\b|option\b|choice\b|the\b|la\b|it['’]s\b|"
    r"it\ is\b|es\b)"
)

_ALONE = r"(?<![A-Za-z0-9\u00c0-\u024f\u0400-\u04ff'’-])"
_FLAGS = re.IGNORECASE | re.VERBOSE
_STATED = re.compile(rf"(?:{_CUE})(?:{_GLUE}){{1,12}}|(?:{_CUE})(?=[A-J])", _FLAGS)
_CLOSED = re.compile(rf"(?:{_CLOSING}){_JOINTS}{{0,6}}", _FLAGS)

_LETTER = re.compile(
    r"[\[(\"'「『*]*(?:([A-J])(?![\w'’]|-[^\W\d_])|([A-J])(?=[\u3040-\u30ff\u4e00-\u9fff])|"
    r"([a-j])(?=[)\]:,;\"'}」』]|\s*$|\.?\s*\n|\.\s*$)|([АВСЕБ])(?=\s*(?:$|[\n.:,;)\]\"»])))"
    r"[)\]\"'」』]*"
)
_BEHIND = re.compile(r"\s*[.:)\]–—-]\s*|\s+")
_ALSO = re.compile(
    r"\s*(?:,\s*(?:and|et|y|и)\b|[,;、&+/]|(?:and|et|y|e|и)\b|和|及|与|と|以及)\s*"
    r"(?:(?:option|choice|la|les?|el)\s+)?",
    re.IGNORECASE,
)
_EITHER = re.compile(
    r"\s*,?\s*(?:\bor\b|\bou\b|\bo\b|\bили\b|或|または|もしくは)\s*", re.IGNORECASE
)
_MORE = re.compile(r"[^\n]*?[,;]\s*(?=[A-J]\s*[:)]\s)")
_SENTENCE = re.compile(r"\.\s|\n")
_STANDS = re.compile(
    r"\s*(?:$|[,;:!?)\]\"'»”」』\n]|\.(?!\s*[a-zа-я])|(?:is|are|and|or|because|since|as)\b|"
    r"est\b|es\b|y\b|et\b|porque\b|pues\b|car\b|parce\b|потому\b|так как|因为|。|です|だ|が|と|を)",
)
_REFUTED = re.compile(
    r"\s*(?:项|の選択肢)?\s*(?:(?:is|are|was|est|es|son|это)\s+)?(?:also\s+)?"
    r"(?:not\b|n['’]t|isn['’]t|wrong\b|incorrect|false\b|excluded\b|unlikely\b|n['’]est\b|ne\b|"
    r"no\s+es\b|inexact|faux\b|fausse\b|incorrec|errónea|не\b|неверн|неправильн|"
    r"不对|不正确|不正確|错|錯|不是|では(?:ない|ありません|なく)|じゃない|は誤り|は間違い|は不適切)",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    _ALONE + r"([A-J])(?:[)\]\"'」』*]|\s|项|選択肢)*(?:"
    r"(?:is|are|would\ be|must\ be|seems|as)\s+(?:(?:clearly|definitely|probably|indeed)\s+)?"
    r"(?:the\s+)?(?:(?:most|only)\s+)?(?:correct|right|best|likely|appropriate|answer)|"
    r"est\s+(?:la\s+)?(?:bonne|correcte?|exacte?|juste|meilleure|vraie?)|"
    r"es\s+(?:la\s+)?(?:respuesta|correcta|opción\ correcta|adecuada|verdadera)|"
    r"(?:—|-|–|это|является|:)*\s*(?:правильн|верн)|"
    r"(?:是|为|為)?正确|(?:是|为|為)答案|が正|を選|が適切|が最も)",
)
_ABBREVIATED = re.compile(r"\.\s?[a-z]{2}")
_GOES_ON = re.compile(r"\s+(?!(?:and|or|is|because|since|as|et|est|es|y|car|porque)\b)[^\W\d_A-Z]")
_LEADING = re.compile(r"[\s\[(\"'*]*([A-J]|[a-j](?=[)\]:]))[)\]\"']*")
_LINE_MARK = re.compile(r"^\s*\(?([A-J])\s*[).:]", re.MULTILINE)
_POINTED = re.compile(
    r"(?:\b(?:options?|choices?|answers?|lettre|letter|letra|opci[óo]n|alternativa|proposition|choix|"
    r"вариант\w*|букв\w+)\s+[\"'«(]*|选项|選択肢)\s*([A-J])(?![\w'’])|\(([A-J])\)",
    re.IGNORECASE,
)
_MARKED = re.compile(_ALONE + r"[A-J](?=\s*[:.)])")
_ONLY_LETTERS = re.compile(
    r"\W*(?:(?:both|options?|choices?|las?|les|tanto)\s+)*((?:[A-Ja-jАВСЕБ](?:\W+|\s*(?:和|与|と)\s*|"
    r"\s+(?:and|et|y|e|и|como)\s+|$))+)(?:です|项|選択肢|だ)?\W*",
    re.IGNORECASE,
)
_ONE_LETTER = re.compile(_ALONE + r"[A-Ja-jАВСЕБ](?![A-Za-z])")
_JOINED = re.compile(r"\W*([A-J]{2,10})\W*")
_BLANKS = re.compile(r"[^\S\n]+")
_BOLD = re.compile(r"\*\*\s*\(?([A-J])\)?[.:]?\s*\*\*")
_LATEX = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_BECAUSE = re.compile(
    r"\s+(?:because|since|is\s+(?:the\s+)?(?:correct|right|best)|car\b|parce|porque|"
    r"потому|так как)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Walk:
    letters: frozenset[str]
    end: int


class Choices:
    """Reads the answers to one question.

    Args:
        options: Texts of its options by letter; empty if they are not known.
        words: Where options have no letters, the words that are asked for (yes, no, maybe).
    """

    def __init__(self, options: Mapping[str, str], words: Sequence[str] = ()) -> None:
        self._options = dict(options)
        self._letters = frozenset(options) or frozenset(LETTERS)
        self._folded = {letter: folded(text) for letter, text in options.items()}
        by_word = dict.fromkeys(words, "") if words else {v: k for k, v in options.items()}
        polar = {word: letter or word for word, letter in by_word.items()}
        self._polar = YesOrNo(polar) if YesOrNo.reads(polar) else None
        self._lettered = not words

    def read(self, text: str) -> frozenset[str]:
        """Return the letters, or the word, that an answer settles on; empty if on nothing."""
        text = _LATEX.sub(r"\1", plain(text.rpartition("</think>")[2]))
        text = _BOLD.sub(r"(\1)", text).replace("*", "").replace("`", "")
        text = _BLANKS.sub(" ", text).strip()
        if not text:
            return frozenset()
        if self._lettered:
            for reading in (self._whole, self._stated, self._leading, self._pointed):
                found = reading(text)
                if found is not None:
                    return found
        if self._polar:
            said = self._polar.read(text)
            return frozenset((said,)) if said else frozenset()
        return self._named(text)

    def _whole(self, text: str) -> frozenset[str] | None:
        low = folded(text)
        if len(low) > 1:
            same = [letter for letter, option in self._folded.items() if option == low]
            if len(same) == 1:
                return frozenset(same)
        joined = _JOINED.fullmatch(text)
        if joined and list(joined[1]) == sorted(set(joined[1])):
            return self._known(joined[1])
        listed = _ONLY_LETTERS.fullmatch(text) if len(text) < 100 else None
        if listed:
            return self._known(_ONE_LETTER.findall(listed[1]))
        return None

    def _known(self, letters: Sequence[str]) -> frozenset[str]:
        found = frozenset(_CYRILLIC.get(letter, letter).upper() for letter in letters)
        return found if found <= self._letters else frozenset()

    def _stated(self, text: str) -> frozenset[str] | None:
        """Return what the last statement says; a statement of alternatives says nothing."""
        said: list[tuple[int, frozenset[str]]] = []
        read: list[tuple[int, int]] = []
        for pattern in (_STATED, _CLOSED, _CONFIRMED):
            place = 0
            while match := pattern.search(text, place):
                place = match.end()
                # What stands inside an option's text, as part of a statement, states nothing.
                if any(start <= match.start() < end for start, end in read[-_SPANS:]):
                    continue
                start = match.start(1) if pattern is _CONFIRMED else match.end()
                walk = self._walk(text, start, loose=pattern is not _CLOSED)
                if walk:
                    said.append((match.end(), walk.letters))
                    place = max(place, walk.end)
                    if pattern is _STATED:
                        read.append((match.start(), walk.end))
        return max(said, key=lambda one: one[0])[1] if said else None

    def _walk(self, text: str, start: int, *, loose: bool) -> _Walk | None:
        """Read letters from a place on, with the texts of their options between them."""
        whole = self._option_at(text, start) if loose else None
        if whole:
            return _Walk(frozenset((whole,)), start + len(self._options[whole]))
        letters: list[str] = []
        either = False
        place = start
        while match := _LETTER.match(text, place):
            letter = next(filter(None, match.groups()))
            letter = _CYRILLIC.get(letter, letter).upper()
            if letter not in self._letters:
                break
            end = self._past_option(text, letter, match.end())
            strict = letters or not loose
            if end is None:
                if strict and not _STANDS.match(text, match.end()):
                    break
                if _is_article(text, match.end(), letter):
                    break
                if not letters and _REFUTED.match(text, match.end()):
                    return None
            letters.append(letter)
            place = self._next(text, match.end(), end)
            joint = _ALSO.match(text, place)
            if joint is None:
                joint = _EITHER.match(text, place)
                either = either or bool(joint and _LETTER.match(text, joint.end()))
            if joint is None:
                break
            place = joint.end()
        if not letters:
            return None
        return _Walk(frozenset() if either else frozenset(letters), place)

    def _option_at(self, text: str, place: int) -> str | None:
        """Return the letter of the option whose whole text, of more than a letter, stands here."""
        here = [
            letter
            for letter, option in self._options.items()
            if len(option) > 1 and _stands_at(text, place, option)
        ]
        longest = max(here, key=lambda letter: len(self._options[letter]), default=None)
        if longest is None or not _LETTER.match(text, place):
            return longest
        # "A: x" may be the text of an option too; then the letter is what is meant.
        past = self._past_option(text, text[place].upper(), place + 1)
        return None if past is not None else longest

    def _past_option(self, text: str, letter: str, place: int) -> int | None:
        """Return the end of a letter's own option text behind it; None if it is not there."""
        option = self._options.get(letter, "")
        mark = _BEHIND.match(text, place)
        if option and mark and _stands_at(text, mark.end(), option):
            return mark.end() + len(option)
        return None

    @staticmethod
    def _next(text: str, behind: int, end: int | None) -> int:
        """Return where the next letter may follow: behind the option, or at the next "X:"."""
        if end is not None:
            return end
        mark = _BEHIND.match(text, behind)
        if mark and mark[0].strip() in (":", ")"):
            stop = _SENTENCE.search(text, mark.end(), mark.end() + _LONGEST_OPTION)
            last = stop.start() if stop else mark.end() + _LONGEST_OPTION
            more = _MORE.match(text, mark.end(), last)
            if more:
                return text.rindex(more[0].rstrip()[-1], mark.end(), more.end())
        return behind

    def _leading(self, text: str) -> frozenset[str] | None:
        match = _LEADING.match(text)
        if not match or len(set(_LINE_MARK.findall(text))) > 1:
            return None
        letter, end = match[1].upper(), match.end()
        own = self._past_option(text, letter, end) is not None
        mark = text[end : end + 3].lstrip(" ")[:1]
        listed = mark in set("):,\n–—-") or (mark == "." and not _ABBREVIATED.match(text, end))
        closed = text[match.start(1) - 1 : match.start(1)] in ("(", "[")
        if mark == "-" and not text[end : end + 1].isspace():
            listed = False
        if not (own or listed or closed or _BECAUSE.match(text, end)):
            return None
        if letter not in self._letters:
            return frozenset()
        if _REFUTED.match(text, end):
            return None
        walk = self._walk(text, match.start(1), loose=True)
        return walk.letters if walk else None

    def _pointed(self, text: str) -> frozenset[str] | None:
        found = set()
        for match in _POINTED.finditer(text):
            letter = (match[1] or match[2]).upper()
            if letter in self._letters and not _REFUTED.match(text, match.end()):
                found.add(letter)
        for match in _MARKED.finditer(text):
            if self._past_option(text, match[0], match.end()) is not None:
                found.add(match[0])
        return frozenset(found) if len(found) == 1 else None

    def _named(self, text: str) -> frozenset[str]:
        names = {option: letter for letter, option in self._options.items() if len(option) > 1}
        found = Names(names).mentioned(folded(text))
        return frozenset(found) if len(found) == 1 else frozenset()


def _stands_at(text: str, place: int, option: str) -> bool:
    end = place + len(option)
    if text[place:end].casefold() != option.casefold():
        return False
    return not (option[-1].isalnum() and text[end : end + 1].isalnum() and option[-1].isascii())


def _is_article(text: str, place: int, letter: str) -> bool:
    """Return whether a letter is a word of the sentence: "A patient", "I think", "E. coli"."""
    if _ABBREVIATED.match(text, place):
        return True
    return letter in "AIE" and _GOES_ON.match(text, place) is not None


class UnreadableReferenceError(ValueError):
    """No letter is found in a reference.

    Args:
        row: Its row, counted from 0.
    """

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row}: no option can be found in its reference")
        self.row = row


def measure(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    inputs: Sequence[str],
    words: Sequence[str] = (),
) -> Measured:
    """Measure multiple choice: accuracy over exact sets of letters, and F1 of the sets.

    Args:
        predictions: Answers.
        references: For each the acceptable answers; each may name several letters.
        inputs: For each the question with its options.
        words: The words that are asked for, where options have no letters.

    Raises:
        UnreadableReferenceError: No letter is found in a reference.
    """
    exact, shared, unparsed = [], [], 0
    for row, (text, targets, question) in enumerate(
        zip(predictions, references, inputs, strict=True)
    ):
        choices = Choices({} if words else parse_options(question), words)
        golds = [choices.read(target) for target in targets]
        if not all(golds):
            raise UnreadableReferenceError(row)
        found = choices.read(text)
        unparsed += bool(text.strip()) and not found
        exact.append(float(found in golds))
        shared.append(max(2 * len(found & gold) / (len(found) + len(gold)) for gold in golds))
    columns = {"accuracy": np.array(exact), "set_f1": np.array(shared)}
    codes, table = additive(columns)
    combine = row_means(columns)
    points = {name: float(value) for name, value in combine(table[codes].sum(axis=0)).items()}
    return Measured(
        primary="accuracy",
        points=points,
        rows=columns["accuracy"],
        codes=codes,
        table=table,
        combine=combine,
        unparsed=unparsed,
        signature={"choices": "letters|last statement|else the only option named"},
    )
