"""Normal form of texts for comparison: Unicode normalisation, case folding, no invisible characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

#: Marks removed from words: none; vowel points and tatweel; these and the accents of alphabets.
MARKS = ("none", "points", "accents")

#: Default_Ignorable_Code_Point (soft hyphen, joiners, direction marks, variation selectors, ...) except the zero-width
#: space U+200B, which separates words in Khmer, Thai and Burmese texts.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
#: Hebrew points and cantillation; Arabic vowel signs, Koranic marks and tatweel: writers may omit them.
_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0652\u0656-\u0658\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u0897-\u089f\u08ca-\u08e1\u08e3-\u08ff]+"
)
#: Typographic apostrophes; Hebrew geresh and gershayim, which people type as quotation marks; the dotless i, because
#: only Turkic languages distinguish it from i, and I is the capital of both.
_ALIKE = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u05f3": "'", "\u05f4": '"', "\u0131": "i"}
)
_DOTTED_I = re.compile("i[\u0300-\u036f]*\u0307[\u0300-\u036f]*")


def fold(text: str, marks: str = "points") -> str:
    """Return the normal form of a text, in which its words are compared.

    It is Unicode's NFKC_Casefold (as in the ICU analysis of Lucene) and in addition: one apostrophe, one "i" also for
    the Turkic letters, and no optional marks. Canonically equivalent texts have the same normal form.

    Parameters
    ----------
    text : str
    marks : {"none", "points", "accents"}
        Marks to remove: none; Hebrew and Arabic vowel points and tatweel; these and all marks above and below
        Latin, Greek, Cyrillic, Hebrew and Arabic letters.

    Examples
    --------
    >>> fold("Ｓtraße"), fold("İstanbul"), fold("Ge\u00adsamt"), fold("don\u2019t")
    ('strasse', 'istanbul', 'gesamt', "don't")
    >>> fold("Café"), fold("Café", marks="accents")
    ('café', 'cafe')

    References
    ----------
    The Unicode Standard, section 3.13 (D146, R5); Unicode Standard Annex 15, Unicode normalization forms.
    """
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _INVISIBLE.sub("", text).translate(_ALIKE)
    if marks != "none":
        text = _POINTS.sub("", text)
    text = _DOTTED_I.sub(lambda match: match[0].replace("\u0307", ""), text)
    if marks == "accents":
        text = _accents().sub(r"\1", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1)
def _accents() -> Any:
    import regex

    return regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{Mn}+")
