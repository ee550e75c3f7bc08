"""Rewrites of a definition, good ones and ones with a fault, for the test server's brain.

A rewrite is composed from the definition and its place in the plan alone: its sentences in another
order and other words, with sentences round them that ask for nothing.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from llm_server_phrases import PHRASES, Phrases

_PLACEHOLDER = re.compile(r"⟦[^⟧]*⟧")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_SLOT = re.compile(r"\{([^{}]+)\}")
_STOP = re.compile(r"(?<=[.!?])[\"'”’»)]*\s+(?=[A-ZÀ-ÞА-ЯЁ⟦«¿¡\"'“(])|(?<=[。！？])[」』”]*|\n")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:\w|e\.g|i\.e|vs|Dr|cf)\.$")
_CONDITION = re.compile(r"(If|Where|When) ([^,:;?⟦]+), ([a-z](?:(?! if )[^:?])+)\.")
_CASES = re.compile(r"(⟦[^⟧]*⟧)[^⟦⟧.]* if [^⟦⟧.]*(⟦[^⟧]*⟧)[^⟦⟧.]* if ")
_DIRECTION = re.compile(r"from (⟦[^⟧]*⟧)[^⟦⟧.]* (?:to|into) (⟦[^⟧]*⟧)")
_WIDE = ("zh", "ja")

_LONGEST = 1.9
"""Longest good rewrite, as a share of the definition's words."""

_SHORTEST = {1: 1.75, 2: 1.7, 3: 1.6, 4: 1.45}
"""Shortest by the number of blocks that can change places: the fewer, the more is said besides."""

_NEAR = 0.62
"""Likeness to the definition and the examples above which a rewrite is composed anew."""


@dataclass(frozen=True)
class Data:
    """What stands between the fences of a prompt."""

    definition: str
    placeholders: Mapping[str, int]
    examples: tuple[str, ...] = ()
    language: str = "en"
    style: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    index: int = 0

    @property
    def phrases(self) -> Phrases:
        return PHRASES.get(self.language, PHRASES["en"])

    @property
    def glue(self) -> str:
        return "" if self.language in _WIDE else " "


def compose(
    data: Data, ordinal: int, shortest: float | None = None, longest: float = _LONGEST
) -> str:
    """Return the rewrite of a definition that has a place in the plan.

    Args:
        data: The definition and what is wanted.
        ordinal: The place.
        shortest: Least number of words, as a share of the definition's; default: what sets the
            rewrites of this definition apart.
        longest: Largest, likewise.
    """
    if shortest is None:
        blocks = len(_blocks(data.definition, data.phrases.leaning))
        shortest = 1.7 if data.language in _WIDE else _SHORTEST.get(blocks, 1.3)
    length = str(data.style.get("length", "")).lower()
    if re.search("short|brief|terse|concise", length):
        longest = (shortest + 2 * longest) / 3
    elif re.search("longer|detail", length):
        shortest = (shortest + longest) / 2
    compared = [_bare(text) for text in (data.definition, *data.examples)]
    best, least = "", 2.0
    for attempt in range(5):
        rng = random.Random(f"{data.definition}/{ordinal}/{attempt}")
        text = _composed(data, ordinal, attempt, rng, rng.uniform(shortest, longest), longest)
        words = _bare(text)
        likeness = max(_rouge_l(words, other) for other in compared)
        likeness += any(text.lower().startswith(one) for one in _avoided(data))
        if likeness < least:
            best, least = text, likeness
        if likeness < _NEAR:
            break
    return best


def _composed(
    data: Data, ordinal: int, attempt: int, rng: random.Random, share: float, longest: float
) -> str:
    phrases = data.phrases
    blocks = _blocks(data.definition, phrases.leaning)
    order = _order(data.definition, len(blocks), ordinal + attempt)
    parts = [[_varied(sentence, data, rng) for sentence in blocks[place]] for place in order]
    # Placeholders may stand for nothing but punctuation: they leave no room.
    room = len(_bare(data.definition))
    most = int(longest * room) - sum(len(_bare(text)) for part in parts for text in part)
    wanted = most - int((longest - share) * room)

    opening = ""
    question = re.search("question|interrog", str(data.style.get("mood", "")), re.IGNORECASE)
    role = re.search("role|persona|expert|second|you", str(data.style.get("voice", "")), re.I)
    chance = rng.random()
    pool: tuple[str, ...] = ()
    if question or chance < 0.12:
        pool = phrases.questions
    elif role or chance < 0.45:
        pool = phrases.openings
    if pool:
        opening = _filled(pool[(ordinal + rng.randrange(2)) % len(pool)], rng)
        if len(_words(opening)) > most:
            opening = ""
    used = len(_words(opening))
    for filler in _fillers(data, ordinal, attempt, rng):
        if used >= wanted:
            break
        size = len(_words(filler))
        if used + size <= most:
            parts.insert(rng.randint(0, len(parts)), [filler])
            used += size
    sentences = [sentence for part in parts for sentence in part]
    if re.search("list|bullet|rule|point", str(data.style.get("layout", "")), re.IGNORECASE):
        lead = [opening] if opening else []
        return "\n".join([*lead, *(f"- {sentence}" for sentence in sentences)])
    return data.glue.join([opening, *sentences] if opening else sentences)


@lru_cache(maxsize=512)
def _blocks(definition: str, leaning: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the sentences of a definition, each with those that lean on it."""
    blocks: list[list[str]] = []
    start = 0
    for stop in [*(match.end() for match in _STOP.finditer(definition)), len(definition)]:
        sentence = definition[start:stop].strip()
        if not sentence or _ABBREVIATION.search(sentence):
            continue
        if blocks and sentence.startswith((*leaning, "-", "•", "*")):
            blocks[-1].append(sentence)
        else:
            blocks.append([sentence])
        start = stop
    return tuple(tuple(block) for block in blocks)


@lru_cache(maxsize=512)
def _orders(definition: str, count: int) -> list[tuple[int, ...]]:
    orders = list(itertools.permutations(range(count)))
    random.Random(definition).shuffle(orders)
    return orders


def _order(definition: str, count: int, ordinal: int) -> Sequence[int]:
    """Return in which order the blocks come; neighbours in the plan have different ones."""
    if count <= 5:
        orders = _orders(definition, count)
        return orders[ordinal % len(orders)]
    order = list(range(count))
    random.Random(f"{definition}/{ordinal}").shuffle(order)
    return order


def _fillers(data: Data, ordinal: int, attempt: int, rng: random.Random) -> Iterator[str]:
    """Yield fillers in the order of use: all are used once before any is used again."""
    pool = data.phrases.fillers
    stride = 5
    turn, place = divmod(ordinal * stride, len(pool))
    order = list(pool)
    random.Random(f"{data.definition}/{turn}/{attempt}").shuffle(order)
    order = order[place:] + order[:place]
    for one in (*order, *rng.sample(data.phrases.short, 3)):
        yield _filled(one, rng)


def _filled(template: str, rng: random.Random) -> str:
    """Choose in each slot of a template."""
    return _SLOT.sub(lambda slot: rng.choice(slot[1].split("|")), template)


def _varied(sentence: str, data: Data, rng: random.Random) -> str:
    """Say a sentence of the definition in other words, where that is safe."""
    for ways in data.phrases.swaps:
        if ways[0] in sentence and rng.random() < 0.8:
            sentence = sentence.replace(ways[0], rng.choice(ways), 1)
    if not data.phrases.frames:
        return sentence
    turned = _CONDITION.fullmatch(sentence)
    if turned and rng.random() < 0.6:
        condition, what, then = turned[1].lower(), turned[2], turned[3]
        comma = "," if "," in then else ""
        sentence = f"{then[0].upper()}{then[1:]}{comma} {condition} {what}."
    verb = sentence.partition(" ")[0]
    if verb in data.phrases.imperatives and rng.random() < 0.6:
        frame = rng.choice(data.phrases.frames)
        sentence = frame.format(sentence[0].lower() + sentence[1:])
    return sentence


def _avoided(data: Data) -> list[str]:
    """Return how a rewrite must not begin: as the prompt says, and as a chat model's answer."""
    asked = [str(one).lower() for one in data.style.get("avoid_openings", ())]
    return [*filter(str.strip, asked), "here is", "here are", "here's"]


# --- likeness --------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _bare(text: str) -> list[str]:
    """Return the words of a text without what has to be the same in all."""
    return _words(_PLACEHOLDER.sub(" ", text))


def _rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """Return ROUGE-L, with the longest common subsequence in bits (Hyyrö 2004)."""
    if not one or not other:
        return 0.0
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    full = state = (1 << len(one)) - 1
    for word in other:
        matched = state & places.get(word, 0)
        state = ((state + matched) | (state - matched)) & full
    return 2 * (len(one) - state.bit_count()) / (len(one) + len(other))


# --- bad rewrites: each has one fault ------------------------------------------------------------


def _room(data: Data, ordinal: int, said: str) -> str:
    """Return a good rewrite short enough that something can be said beside it."""
    share = len(_words(said)) / max(1, len(_words(data.definition)))
    longest = max(1.0, _LONGEST - share)
    return compose(data, ordinal, min(1.2, longest), longest)


def _before(data: Data, ordinal: int, said: str) -> str:
    return f"{said}{data.glue}{_room(data, ordinal, said)}"


def _pick(data: Data, rng: random.Random) -> str:
    return rng.choice([*data.placeholders])


def _dropped_literal(data: Data, ordinal: int, rng: random.Random) -> str:
    text = compose(data, ordinal).replace(_pick(data, rng), "")
    return re.sub(r" +(?=[ .,;])", "", text)


def _repeated_literal(data: Data, ordinal: int, rng: random.Random) -> str:
    one = _pick(data, rng)
    return compose(data, ordinal).replace(one, f"{one} ({one})", 1)


def _corrected_typo(data: Data, ordinal: int, rng: random.Random) -> str:
    plain = {"zh": "没有", "ja": "なし", "ru": "нет данных", "fr": "aucune", "es": "ninguna"}
    word = plain.get(data.language, "no entity")
    return compose(data, ordinal).replace(_pick(data, rng), word)


def _changed_label(data: Data, ordinal: int, rng: random.Random) -> str:
    one = _pick(data, rng)
    return compose(data, ordinal).replace(one, f"[{one[1:-1]}]")


def _swapped_label(data: Data, ordinal: int, rng: random.Random) -> str:
    one, other = rng.sample([*data.placeholders], 2)
    return compose(data, ordinal).replace(one, other)


def _exchangeable(definition: str) -> tuple[str, str] | None:
    """Return two placeholders that mean something else if they change places."""
    for pattern in (_CASES, _DIRECTION):
        for match in pattern.finditer(definition):
            one, other = match.groups()
            if definition.count(one) == definition.count(other) == 1:
                return one, other
    return None


def _exchanged_labels(data: Data, ordinal: int, rng: random.Random) -> str:
    pair = _exchangeable(data.definition)
    assert pair is not None
    others = dict(zip(pair, reversed(pair), strict=True))
    return _PLACEHOLDER.sub(lambda one: others.get(one[0], one[0]), compose(data, ordinal))


def _meta_leak(data: Data, ordinal: int, rng: random.Random) -> str:
    return _before(data, ordinal, rng.choice(data.phrases.metas))


def _chat_reply(data: Data, ordinal: int, rng: random.Random) -> str:
    return _before(data, ordinal, rng.choice(data.phrases.chats))


def _role_reversal(data: Data, ordinal: int, rng: random.Random) -> str:
    said = rng.choice(data.phrases.reversals)
    return _before(data, ordinal, said) if rng.random() < 0.5 else _with_all(said, data)


def _executes(data: Data, ordinal: int, rng: random.Random) -> str:
    answers = rng.sample(data.phrases.answers, len(data.phrases.answers))
    return _with_all(_up_to(answers, len(_words(data.definition)), data.glue), data)


def _wrong_language(data: Data, ordinal: int, rng: random.Random) -> str:
    language = rng.choice([code for code in PHRASES if code != data.language])
    other = PHRASES[language]
    said = [_filled(one, rng) for one in (rng.choice(other.openings), *other.fillers)]
    glue = "" if language in _WIDE else " "
    return _with_all(_up_to(said, len(_words(data.definition)), glue), data)


def _up_to(sentences: Sequence[str], words: int, glue: str) -> str:
    """Join as many sentences as have so many words, at least one."""
    sizes = itertools.accumulate(len(_words(one)) for one in sentences)
    return (
        glue.join(one for one, size in zip(sentences, sizes, strict=True) if size <= words)
        or (sentences[0])
    )


def _with_all(text: str, data: Data) -> str:
    """Put every placeholder behind a text, so that none is missing."""
    every = [one for one, count in data.placeholders.items() for _ in range(count)]
    return f"{text} ({', '.join(every)})" if every else text


def _interleaved(data: Data, ordinal: int, rng: random.Random) -> str:
    one = compose(data, ordinal, 1.0, 1.2)
    pieces = [_filled(text, rng) for text in data.phrases.fillers]
    rng.shuffle(pieces)
    pieces.sort(key=lambda text: not text[:2].isalpha())
    other = _up_to(pieces, max(12, int(0.65 * len(_words(data.definition)))), data.glue)
    tokens = r"⟦[^⟧]*⟧|." if data.language in _WIDE else r"\s*\S+"
    first, second = re.findall(tokens, one), re.findall(tokens, other)
    # The second stream begins a few words later, without a blank, as in the published ones.
    joints = [
        place
        for place, token in enumerate(first, 1)
        if re.fullmatch(r"[^\W\d_]{2}", token[-2:]) and token[-2:].islower()
    ]
    late = rng.choice(joints[:3] or [1])
    merged = first[:late]
    for ours, theirs in itertools.zip_longest(first[late:], second, fillvalue=""):
        merged += [theirs, ours]
    return "".join(merged)


def _demo_contamination(data: Data, ordinal: int, rng: random.Random) -> str:
    said = rng.choice(data.phrases.demands)
    return f"{_room(data, ordinal, said)}{data.glue}{said}"


def _longer(data: Data, ordinal: int, rng: random.Random, share: float) -> str:
    """Return a rewrite of so many times the definition's words."""
    text = compose(data, ordinal)
    parts = [text]
    missing = int(share * len(_words(data.definition))) - len(_words(text))
    while missing > 0:
        for filler in rng.sample(data.phrases.fillers, len(data.phrases.fillers)):
            parts.append(_filled(filler, rng))
            missing -= len(_words(parts[-1]))
            if missing <= 0:
                break
    return data.glue.join(parts)


def _long_2x(data: Data, ordinal: int, rng: random.Random) -> str:
    return _longer(data, ordinal, rng, rng.uniform(2.3, 2.8))


def _long_9x(data: Data, ordinal: int, rng: random.Random) -> str:
    return _longer(data, ordinal, rng, 9.0)


def _exact_duplicate(data: Data, ordinal: int, rng: random.Random) -> str:
    return rng.choice(data.examples or (data.definition,))


def _near_duplicate(data: Data, ordinal: int, rng: random.Random) -> str:
    text = rng.choice(data.examples or (data.definition,))
    return f"{data.phrases.please}{data.glue}{text}"


def _bold(data: Data, ordinal: int, rng: random.Random) -> str:
    text = compose(data, ordinal)
    pattern = r"[^\W\d_]{2,4}" if data.language in _WIDE else r"(?<!\S)[^\W\d_]+ [^\W\d_]+(?!\S)"
    spans = [match.span() for match in re.finditer(pattern, text)]
    start, stop = rng.choice(spans)
    return f"{text[:start]}**{text[start:stop]}**{text[stop:]}"


def _good(data: Data, ordinal: int, rng: random.Random) -> str:
    return compose(data, ordinal)


KINDS: dict[str, Callable[[Data, int, random.Random], str]] = {
    "good": _good,
    "dropped-literal": _dropped_literal,
    "repeated-literal": _repeated_literal,
    "corrected-typo": _corrected_typo,
    "changed-label": _changed_label,
    "swapped-label": _swapped_label,
    "exchanged-labels": _exchanged_labels,
    "meta-leak": _meta_leak,
    "chat-reply": _chat_reply,
    "role-reversal": _role_reversal,
    "executes": _executes,
    "wrong-language": _wrong_language,
    "interleaved": _interleaved,
    "demo-contamination": _demo_contamination,
    "long-2x": _long_2x,
    "long-9x": _long_9x,
    "exact-duplicate": _exact_duplicate,
    "near-duplicate": _near_duplicate,
    "bold": _bold,
}
"""What a single rewrite can be."""


def possible(kind: str, data: Data) -> bool:
    """Return whether a definition leaves room for a kind of fault."""
    if kind == "demo-contamination":
        return not re.search(data.phrases.excuses, data.definition, re.IGNORECASE)
    if kind == "exchanged-labels":
        return _exchangeable(data.definition) is not None
    return len(data.placeholders) >= _NEEDS.get(kind, 0)


_NEEDS = {
    "dropped-literal": 1, "repeated-literal": 1, "corrected-typo": 1, "changed-label": 1,
    "swapped-label": 2,
}  # fmt: skip
"""How many placeholders a definition needs for a kind to be possible."""
