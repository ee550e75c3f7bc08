"""Words of Chinese and Japanese texts, as jieba and janome find them.

Both load a dictionary, which takes a second; each is loaded once a process.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from threading import Lock

from medsins.bench.scoring.libraries import library


@cache
def chinese() -> Callable[[str], list[str]]:
    """Return jieba's default mode: white space and marks are words too.

    Raises:
        MissingExtraError: jieba is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jieba = library("jieba", "jieba")
    jieba.setLogLevel("ERROR")
    # An object of its own: words that a caller adds to the shared one must not move scores.
    cut: Callable[[str], list[str]] = jieba.Tokenizer().lcut
    return cut


@cache
def japanese() -> Callable[[str], list[str]]:
    """Return janome's words, without parts of speech; white space around a text is dropped.

    Raises:
        MissingExtraError: janome is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer = library("janome.tokenizer", "janome").Tokenizer(wakati=True)
    turns = Lock()

    def cut(text: str) -> list[str]:
        # Threads that share janome's tokenizer get each other's words.
        with turns:
            return list(tokenizer.tokenize(text, wakati=True))

    return cut
