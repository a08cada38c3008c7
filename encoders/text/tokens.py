"""Text to words: unicode-aware, with character pairs where a script writes no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

#: Han, Hiragana, Katakana and Hangul: runs of these become overlapping pairs, as in Lucene's CJKAnalyzer.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0002fa1f"
#: Lower case, and spaces for what is in no word: with `str.split` faster than a regular expression.
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() or chr(code) == "_" else " " for code in range(128))
_UNICODE_WORD = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]{{2,}}")
_IS_CJK = re.compile(rf"[{_CJK}]")

#: English function words: articles, pronouns, prepositions, conjunctions, auxiliaries.
ENGLISH_STOP_WORDS = frozenset(
    """
    a about above after again against all also although am among an and any are as at be because been before being
    below between both but by can could did do does doing down during each either else ever few for from further had
    has have having he her here hers herself him himself his how however i if in into is it its itself just may me
    might more most must my myself neither no nor not of off on once only onto or other ought our ours ourselves out
    over own per rather same shall she should since so some such than that the their theirs them themselves then
    there therefore these they this those though through thus to too toward towards under until up upon us very via
    was we were what when where whether which while who whom whose why will with within without would yet you your
    yours yourself yourselves
    """.split()
)


def words(text: str) -> list[str]:
    """Split a text into lower-case words of two characters or more; CJK runs into character pairs.

    Examples
    --------
    >>> words("The Café's 2 menus")
    ['the', 'café', 'menus']
    >>> words("東京都 Tower")
    ['東京', '京都', 'tower']
    """
    if text.isascii():
        return [word for word in text.translate(_ASCII).split() if len(word) > 1]
    found = _UNICODE_WORD.findall(unicodedata.normalize("NFKC", text).lower())
    if not _IS_CJK.search(text):
        return found
    return [part for word in found for part in _pairs(word)]


def _pairs(word: str) -> list[str]:
    if not _IS_CJK.match(word) or len(word) == 1:
        return [word]
    return [word[place : place + 2] for place in range(len(word) - 1)]


def stop_words(name: str) -> frozenset[str]:
    """Return a stop list by name: ``english`` or ``none``."""
    return ENGLISH_STOP_WORDS if name == "english" else frozenset()


@lru_cache(maxsize=8)
def stemmer(language: str) -> Callable[[list[str]], list[str]] | None:
    """Return a function that stems many words (Snowball, Porter 2001), or None for ``none``."""
    if language == "none":
        return None
    import Stemmer

    return Stemmer.Stemmer(language).stemWords  # type: ignore[no-any-return]
