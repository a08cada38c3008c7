"""Words of a text: Unicode's word boundaries, and pairs of characters for scripts without spaces."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from operator import add
from typing import Any

from encoders.text.folding import fold

#: Size of the cache of chunks between spaces, and its longest chunk: sentences in scripts without spaces rarely recur.
REMEMBERED, LONGEST = 1 << 16, 32

# ASCII is split by `str.translate` and `str.split`, which is faster than any regular expression: letters become
# lower case, a mark inside a word becomes a capital, which is unused then, and all other marks become spaces.
_JOINERS = {"'": "A", ",": "B", ".": "C", ";": "D"}
_SIGNS = {sign: mark for mark, sign in _JOINERS.items()}
_LOWER = "".join(chr(code).lower() if chr(code).isalnum() or chr(code) in "_',.;" else " " for code in range(128))
_JOINED = re.compile(r"[',.;](?:(?=[0-9])(?<=[0-9].)|(?=[b-df-gj-np-tv-xz])(?<=[a-z]'))")
_RESTORE = "".join(" " if chr(code) in _JOINERS else _SIGNS.get(chr(code), chr(code)) for code in range(128))
_BARE_LINES = re.compile(r"(?<![0-9a-z_])_+(?![0-9a-z_])")

# The same method works for ASCII and lower-case Latin, Greek, Cyrillic and Arabic letters that `fold` does not change.
_LETTERS = (
    "a-z\u00e0-\u00f6\u00f8-\u012f\u0135-\u013e\u0142-\u01c3\u01ce-\u01f0\u01f5-\u024f\u1e01-\u1eff"
    "\u03ac-\u03ce\u0430-\u0481\u048b-\u052f\u0620-\u063f\u0641-\u064a\u0679-\u06d3"
)
_VOWELS = "aeiouhyàáâãäåæèéêëìíîïòóôõöøœùúûüý"
_PLAIN = re.compile(f"[\u0000-\u007f{_LETTERS}]+")
_PLAIN_JOINED = re.compile(rf"[',.;](?:(?=[0-9])(?<=[0-9].)|(?![{_VOWELS}])(?=[{_LETTERS}])(?<=[{_LETTERS}]'))")
_PLAIN_BARE_LINES = re.compile(rf"(?<![0-9_{_LETTERS}])_+(?![0-9_{_LETTERS}])")

# Han, Kana and Hangul without marks, and the punctuation between them, are split without Unicode properties.
_CJK = re.compile(
    "([\u3005\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+)"
)
_CJK_PUNCTUATION = re.compile("[\u3001-\u3003\u3008-\u3011\u3014-\u301f\u30fb\u2018-\u201f]+")
_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")

#: Marks on a letter never separate words (WB4).
_EXTENDED = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+"
#: A letter of a script without spaces. Korean has spaces, but between phrases: particles are attached to words.
_UNSPACED = r"[[\p{LB=SA}\p{Han}\p{Hiragana}\p{Hangul}\p{WB=Katakana}]&&[\p{Alphabetic}\p{WB=Katakana}]--\p{WB=Extend}]"

#: English function words: articles, pronouns, prepositions, conjunctions, auxiliaries, and their contractions.
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
    aren't can't couldn't didn't doesn't don't hadn't hasn't haven't he'd he'll he's here's how's i'd i'll i'm i've
    isn't it'd it'll it's let's mightn't mustn't shan't she'd she'll she's shouldn't that's there's they'd they'll
    they're they've wasn't we'd we'll we're we've weren't what's when's where's who's why's won't wouldn't you'd you'll
    you're you've
    """.split()
)


def words(text: str, marks: str = "points") -> list[str]:
    """Return the words of a text in normal form (`fold`), in no particular order.

    Words are those of Unicode Standard Annex 29 that hold a letter, a digit or an emoji, with three changes for
    search: full stops and colons between letters separate words (``example.com``, ``numpy.linalg``); apostrophes before
    a vowel or h do too (``l'objectif``, ``dell'arte``); a run of a script without spaces (Han, Kana, Hangul, Thai, Lao,
    Khmer, Burmese, ...) becomes overlapping pairs of characters with their marks, as in Lucene's CJKAnalyzer, and every
    Han character is also a word.

    Parameters
    ----------
    text : str
    marks : {"none", "points", "accents"}
        Marks that `fold` removes.

    Examples
    --------
    >>> words("The Café's 2 menus: 3.50 each, not 1,000!")
    ['the', '2', 'menus', '3.50', 'each', 'not', '1,000', "café's"]
    >>> words("東京都 Tower")
    ['tower', '東京', '京都', '東', '京', '都']

    References
    ----------
    Unicode Standard Annex 29, Unicode text segmentation, section 4.
    """
    if text.isascii():
        return _ascii_words(text)
    # A space is a boundary in every normal form, so each chunk between spaces can be split separately.
    chunks = text.split()
    result = _ascii_words(" ".join([chunk for chunk in chunks if chunk.isascii()]))
    remembered = _remembered(marks)
    for chunk in chunks:
        if not chunk.isascii():
            result += remembered(chunk) if len(chunk) <= LONGEST else _chunk_words(chunk, marks)
    return result


def _ascii_words(text: str) -> list[str]:
    text = text.translate(_LOWER)
    if "_" in text:
        text = _BARE_LINES.sub(" ", text)
    return _JOINED.sub(_joiner, text).translate(_RESTORE).split()


def _plain_words(text: str) -> list[str]:
    text = _PLAIN_BARE_LINES.sub(" ", text.translate(_LOWER))
    return _PLAIN_JOINED.sub(_joiner, text).translate(_RESTORE).split()


def _joiner(mark: re.Match[str]) -> str:
    return _JOINERS[mark[0]]


@cache
def _remembered(marks: str) -> Callable[[str], list[str]]:
    return lru_cache(maxsize=REMEMBERED)(lambda chunk: _chunk_words(chunk, marks))


def _chunk_words(chunk: str, marks: str) -> list[str]:
    lower = chunk.casefold().replace("\u2019", "'")
    if _PLAIN.fullmatch(lower) and marks != "accents":
        return _plain_words(lower)
    chunk = fold(chunk, marks)
    others, *parts = _CJK.split(chunk)  # other, run, other, run, ..., other
    rest = _CJK_PUNCTUATION.sub(" ", " ".join([others, *parts[1::2]]))
    if rest.isascii():
        return _ascii_words(rest) + [word for run in parts[::2] for word in _pairs(run)]
    return _general_words(chunk)


def _general_words(chunk: str) -> list[str]:
    result: list[str] = []
    for match in _word().finditer(chunk):
        result += _pairs(_cluster().findall(match[1])) if match[1] else [match[0]]
    return result


def _pairs(clusters: Sequence[str]) -> list[str]:
    """Return the pairs of adjacent characters of a run without spaces, and its Han characters."""
    if len(clusters) == 1:
        return list(clusters)
    return [*map(add, clusters, clusters[1:]), *_HAN.findall("".join(clusters))]


@cache
def _word() -> Any:
    """Return the pattern of a word; its first group is a run of a script without spaces.

    It expresses rules WB4 to WB13b of the annex as the content of a word, not as boundaries: this is faster than a
    search for boundaries, and correct where ``\\b`` of `regex` joins an apostrophe to the vowel after it.
    """
    import regex

    letter = rf"[[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]--{_UNSPACED}]{_EXTENDED}"
    digit = rf"\p{{WB=Numeric}}{_EXTENDED}"
    line = rf"\p{{WB=ExtendNumLet}}{_EXTENDED}"
    between = rf"(?:[\p{{WB=MidLetter}}--[:]]{_EXTENDED}|'{_EXTENDED}(?![{_VOWELS}]))"
    letters = rf"{letter}(?:{between}{letter})*"
    digits = rf"{digit}(?:[\p{{WB=MidNum}}\p{{WB=MidNumLet}}']{_EXTENDED}{digit})*"
    hebrew = rf"(?<=\p{{WB=Hebrew_Letter}}{_EXTENDED})\"{_EXTENDED}(?=\p{{WB=Hebrew_Letter}})"
    word = rf"(?:{line})*+(?:{letters}|{digits})(?:{letters}|{digits}|{line}|{hebrew})*+"
    emoji = rf"[\p{{Extended_Pictographic}}--[©®]]{_EXTENDED}|\p{{Regional_Indicator}}{{2}}{_EXTENDED}"
    return regex.compile(rf"((?:{_UNSPACED}{_EXTENDED})+)|{word}|{emoji}", regex.V1)


@cache
def _cluster() -> Any:
    import regex

    return regex.compile(rf"{_UNSPACED}{_EXTENDED}", regex.V1)


def stop_words(name: str) -> frozenset[str]:
    """Return a stop list by name: ``english`` or ``none``."""
    return ENGLISH_STOP_WORDS if name == "english" else frozenset()


@lru_cache(maxsize=8)
def stemmer(language: str) -> Callable[[list[str]], list[str]] | None:
    """Return a function that stems a list of words (Snowball, Porter 2001), or None for ``none``."""
    if language == "none":
        return None
    import Stemmer

    return Stemmer.Stemmer(language).stemWords  # type: ignore[no-any-return]
