"""Japanese words as janome finds them, some ten times faster.

janome builds a lattice of all dictionary words at every place of a text and takes the cheapest
path through it. Its dictionary is one automaton, its lattice one object per word. Here the words
of the dictionary are kept in a tree of characters once they were seen, and of the words that end at
a place only the cheapest of each grammatical class stays: the others cannot be on the cheapest
path. Dictionary, costs, rules for unknown words and the cuts of long texts are janome's own, so the
words are the same ones; a test compares them.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

LONGEST = 50
"""Characters of the longest dictionary word that janome looks for."""

CHUNK, CHUNK_AT_MOST = 500, 1024
"""A long text is cut at the first full stop or comma after so many characters, or at the most."""

_MARKS = frozenset("、。,.？?！!")
_KEPT = 500_000
"""Places of the tree at which it is planted anew, so that memory stays below some 300 MB."""

_State = tuple[int, int, bytes]
"""A state of one of janome's automata, and what it has put out on the way there."""

_Words = tuple[tuple[int, tuple[tuple[int, int, int], ...]], ...]
"""Words of one spelling by left class: right class, cost and number of each."""

_Place = tuple[_Words, "dict[str, Any]", tuple[_State, ...]]
"""A place in the tree: the words complete there, places by next character, and states."""

_Node = tuple[int, Any, int, int, Any]
"""Cost of the path to its end, costs of what may follow it by left class, number (-1: unknown
word, -2: the beginning), start, and the node before it."""

_Unknown = tuple[tuple[str, bool, int], ...]
"""Categories of a character: their names, whether runs of them are one word, and else how long."""


class Words:
    """janome's analysis, as far as the spelling of the words goes. Not for several threads."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from janome.tokenizer import Tokenizer

            tokenizer = Tokenizer(wakati=True)
        self._matcher = tokenizer.matcher
        self._dictionary = tokenizer.sys_dic
        self._costs: list[Any] = tokenizer.sys_dic.connections
        self._unknown_words = {
            category: tuple((left, right, cost) for left, right, cost, _ in entries)
            for category, entries in self._dictionary.unknowns.items()
        }
        self._unknown: dict[str, tuple[_Unknown, _Unknown]] = {}
        self._belongs = lru_cache(maxsize=100_000)(self._is_of)
        self.forget()

    def forget(self) -> None:
        """Drop the words that were seen; they are looked up again where they come back."""
        self._arcs: dict[tuple[int, int], tuple[dict[int, tuple[bytes, int]], list[bytes]]] = {}
        start = tuple((part, 0, b"") for part in range(len(self._matcher.dict_data)))
        self._root: _Place = ((), {}, start)
        self._places = 0

    def split(self, text: str) -> list[str]:
        """Return the words of a text, in order; white space around it is dropped."""
        text = text.strip()
        words: list[str] = []
        done = 0
        while done < len(text):
            if self._places > _KEPT:
                self.forget()
            piece = text[done : done + CHUNK_AT_MOST]
            start = 0
            for end in self._path(piece):
                words.append(piece[start:end])
                start = end
            done += start
        return words

    def _path(self, text: str) -> list[int]:
        """Return where each word of the cheapest path ends, up to the end of the chunk."""
        size = len(text)
        costs = self._costs
        learn = self._learn
        root = self._root
        # What ends at a place, by right class: in the order in which janome would meet it.
        ending: list[dict[int, _Node] | None] = [None] * (size + 1)
        ending[0] = {0: (0, costs[0], -2, 0, None)}
        runs: dict[str, int] = {}
        start = 0
        while True:
            before = ending[start]
            if before is None:
                start += 1
                continue
            if start >= size or (start >= CHUNK and _cuts(text, start)):
                break
            nodes = list(before.values())
            best: dict[int, tuple[int, _Node]] = {}
            found = False
            place: _Place | None = root
            for end in range(start, min(start + LONGEST, size)):
                letter = text[end]
                branches = place[1]  # type: ignore[index]
                try:
                    place = branches[letter]
                except KeyError:
                    place = branches[letter] = learn(text, start, end, place)
                if place is None:
                    break
                if place[0]:
                    found = True
                    target = ending[end + 1]
                    if target is None:
                        target = ending[end + 1] = {}
                    for left, words in place[0]:
                        if left in best:
                            least, previous = best[left]
                        else:
                            best[left] = least, previous = _cheapest(nodes, left)
                        for right, cost, number in words:
                            total = least + cost
                            rival = target.get(right)
                            if rival is None:
                                target[right] = (total, costs[right], number, start, previous)
                            elif total <= rival[0]:
                                _offer(
                                    target, right, (total, costs[right], number, start, previous)
                                )
            self._add_unknown(text, start, found, nodes, ending, runs)
            start += 1
        last = _cheapest(list(before.values()), 0)[1]
        ends: list[int] = []
        end = start
        while last[4] is not None:
            ends.append(end)
            end = last[3]
            last = last[4]
        ends.reverse()
        return ends

    def _add_unknown(
        self,
        text: str,
        start: int,
        found: bool,
        nodes: list[_Node],
        ending: list[dict[int, _Node] | None],
        runs: dict[str, int],
    ) -> None:
        """Add the words that no dictionary has: runs of characters of one category."""
        letter = text[start]
        size = len(text)
        for category, grouped, length in (self._unknown.get(letter) or self._categories(letter))[
            found
        ]:
            if grouped:
                end = runs.get(category, 0)
                if end <= start:
                    end = start + 1
                    while end < size and self._belongs(category, text[end]):
                        end += 1
                    runs[category] = end
            else:
                end = start + 1
                stop = min(size, start + length + 1)
                while end < stop and self._belongs(category, text[end]):
                    end += 1
            target = ending[end]
            if target is None:
                target = ending[end] = {}
            for left, right, cost in self._unknown_words[category]:
                least, previous = _cheapest(nodes, left)
                _offer(target, right, (least + cost, self._costs[right], -1, start, previous))

    def _categories(self, letter: str) -> tuple[_Unknown, _Unknown]:
        """Return the categories of a character: all, and those beside a dictionary word."""
        dictionary = self._dictionary
        everything = [
            (
                category,
                bool(dictionary.unknown_grouping(category)),
                int(dictionary.unknown_length(category)),
            )
            for category in dictionary.get_char_categories(letter)
        ]
        always = [entry for entry in everything if dictionary.unknown_invoked_always(entry[0])]
        answer = self._unknown[letter] = tuple(everything), tuple(always)
        return answer

    def _is_of(self, category: str, letter: str) -> bool:
        categories = self._dictionary.get_char_categories(letter)
        return category in categories or any(
            category in compatible for compatible in categories.values()
        )

    def _learn(self, text: str, start: int, end: int, place: Any) -> _Place | None:
        """Return the place in the tree one character on; None: no dictionary word goes on so."""
        states: list[_State] = []
        outputs: set[bytes] = set()
        code = text[end].encode("utf-8", "surrogatepass")
        for part, state, output in place[2]:
            for byte in code:
                arc = self._state(part, state)[0].get(byte)
                if arc is None:
                    break
                output += arc[0]
                state = arc[1]
            else:
                states.append((part, state, output))
                outputs.update(output + final for final in self._state(part, state)[1])
        if not states:
            return None
        self._places += 1
        entries: Any = ()
        if outputs:
            entries = self._dictionary.lookup(text[start : end + 1], _Exactly(outputs))
        # Of the words of one spelling and one pair of classes only the cheapest can matter.
        by_class: dict[int, dict[int, tuple[int, int]]] = {}
        for number, _, left, right, cost in entries:
            rights = by_class.setdefault(left, {})
            rights[right] = min(rights.get(right, (cost, number)), (cost, number))
        words = tuple(
            (left, tuple((right, cost, number) for right, (cost, number) in rights.items()))
            for left, rights in by_class.items()
        )
        return words, {}, tuple(states)

    def _state(self, part: int, state: int) -> tuple[dict[int, tuple[bytes, int]], list[bytes]]:
        """Decode a state of an automaton: its arcs by byte, and what is complete there."""
        known = self._arcs.get((part, state))
        if known is None:
            data = self._matcher.dict_data[part]
            arcs: dict[int, tuple[bytes, int]] = {}
            finals: list[bytes] = []
            at = state
            while at < len(data):
                flags, label, output, final, target, size = self._matcher.next_arc(data, at)
                if flags & 1:
                    finals = final
                else:
                    arcs[label] = (output, at + target)
                if flags & 2:
                    break
                at += size
            known = self._arcs[part, state] = arcs, finals
        return known


class _Exactly:
    """Hands given outputs of the automaton to janome's dictionary, which looks them up."""

    def __init__(self, outputs: set[bytes]) -> None:
        self._outputs = outputs

    def run(self, _: str) -> tuple[bool, set[bytes]]:
        return True, self._outputs


def _cuts(text: str, end: int) -> bool:
    return text[end - 1] in _MARKS or text[:end].endswith(("\n\n", "\r\n\r\n"))


def _cheapest(nodes: list[_Node], left: int) -> tuple[int, _Node]:
    """Choose what a word of a left class follows: the cheapest; of equal ones as janome does."""
    chosen = nodes[0]
    least = chosen[0] + chosen[1][left]
    for node in nodes:
        cost = node[0] + node[1][left]
        if cost <= least and (cost < least or -1 < node[2] < chosen[2]):
            least = cost
            chosen = node
    return least, chosen


def _offer(target: dict[int, _Node], right: int, node: _Node) -> None:
    """Keep a word if it is the cheapest of its right class that ends here."""
    rival = target.get(right)
    if rival is None:
        target[right] = node
    elif node[0] < rival[0]:
        # To the end: a dearer word of the class met earlier must not lend it its place.
        del target[right]
        target[right] = node
    elif node[0] == rival[0] and -1 < node[2] < rival[2]:
        target[right] = node


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the analysis of this process."""
    return Words()
