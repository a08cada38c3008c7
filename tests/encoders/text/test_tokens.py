"""Which words a text has: Unicode's rules, the tailorings for search, and the quick way for ASCII."""

from __future__ import annotations

import json
import random
import unicodedata

import pytest
import regex

from encoders.text.bm25 import BM25
from encoders.text.folding import fold
from encoders.text.tokens import (
    _PLAIN,
    ENGLISH_STOP_WORDS,
    LONGEST,
    _ascii_words,
    _chunk_words,
    _general_words,
    _word,
    words,
)

SAMPLES = {
    "hindi": "हिन्दी भाषा की किताब",
    "bengali": "বাংলা ভাষার বই",
    "tamil": "தமிழ் மொழி",
    "telugu": "తెలుగు భాష",
    "thai": "น้ำตกที่สวยงาม",
    "lao": "ພາສາລາວ",
    "khmer": "ភាសាខ្មែរ",
    "burmese": "မြန်မာဘာသာ",
    "hebrew": "בְּרֵאשִׁית בָּרָא אֱלֹהִים",
    "arabic": "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ",
    "turkish": "İstanbul boğazı",
    "german": "Überschall-Flügel",
    "vietnamese": "Tiếng Việt",
    "greek": "Ὀδυσσεύς ὁ πολύτροπος",
    "korean": "서울특별시",
    "japanese": "ガギグゲゴは東京都の天気",
    "yoruba": "ọ̀rọ̀ Yorùbá",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी भाषा की किताब", "हिन्दी भाषा की किताब"),
        ("தமிழ் மொழி", "தமிழ் மொழி"),
        ("ọ̀rọ̀ ó̩", "ọ̀rọ̀ ó̩"),
        ("Ge\u00adsamt\u00adkon\u00adzept der Stadt", "gesamtkonzept der stadt"),
        ("Straße, CAFÉ naïve Ελλάδα", "strasse café naïve ελλάδα"),
        ("don't DON’T donʼt", "don't don't don't"),
        ("l'objectif d’été dell'arte", "l objectif d été dell arte"),
        ("rock'n'roll 'quoted' dogs'", "rock'n'roll quoted dogs"),
        ("3.14 1,000.50 1'000 10:30 2.", "3.14 1,000.50 1'000 10 30 2"),
        ("user@example.com http://www.example.com/a?b=c", "user example com http www example com a b c"),
        ("numpy.linalg.svd end.Start snake_case __init__ _ __", "numpy linalg svd end start snake_case __init__"),
        ("vitamin C, T-cells, 2 x", "vitamin c t cells 2 x"),
        ("ＡＢＣ １２ ﬁne ²", "abc 12 fine 2"),
        ('col·lecció צה״ל צה"ל', 'col·lecció צה"ל צה"ל'),
        ("👍🏽 ❤️ 🇩🇪🇫🇷 ☎", "👍🏽 ❤ 🇩🇪 🇫🇷 ☎"),
        ("...—!? \u0301 © '", ""),
        ("2024年 LG전자", "2024 年 lg 전자"),
        ("東京都の天気", "東京 京都 都の の天 天気 東 京 都 天 気"),
        ("서울 雨", "서울 雨"),
        ("コンピュータ", "コン ンピ ピュ ュー ータ"),
        ("ภาษาไทย", "ภา าษ ษา าไ ไท ทย"),
        ("ខ្មែ\u200bរ", "ខ្មែ រ"),  # a space of no width parts words
        ("မြန်မာ", "မြန် န်မာ"),
    ],
)
def test_words(text, expected):
    assert sorted(words(text, "none")) == sorted(expected.split())


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
def test_words_are_the_same_in_every_normal_form_and_in_capitals(text):
    for marks in ("none", "points", "accents"):
        expected = words(text, marks)
        assert expected
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            assert words(unicodedata.normalize(form, text), marks) == expected
        assert words(text.upper(), marks) == words(text.lower(), marks) == expected


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
def test_nothing_but_separators_parts_words(text):
    """Marks stay with their letters; soft hyphens and joiners between any two characters change nothing."""
    for word in words(text, "none"):
        assert not unicodedata.category(word[0]).startswith("M"), ascii(word)
    for unseen in ("\u00ad", "\u2060", "\ufeff", "\ufe0f"):
        assert words(unseen.join(text)) == words(text)


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
def test_a_document_is_found_by_each_of_its_words_in_either_form(text):
    encoder = BM25().fit([text, "heat flow"])
    codes = encoder.encode([text, "heat flow"])
    for word in text.split():
        for query in (unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word), word.upper()):
            scores = (encoder.encode_queries([query]) @ codes.T).toarray()[0]
            assert scores[0] > 0 == scores[1], query


@pytest.mark.parametrize("name", ["thai", "lao", "khmer", "burmese", "korean", "japanese"])
def test_a_part_of_what_is_written_without_spaces_finds_its_document(name):
    text = SAMPLES[name]
    clusters = regex.findall(r"\P{M}\p{M}*", text)
    encoder = BM25().fit([text, "heat flow"])
    for start in range(len(clusters) - 1):
        for stop in range(start + 2, len(clusters) + 1):
            assert encoder.encode_queries(["".join(clusters[start:stop])]).nnz


def test_a_han_character_finds_the_words_that_hold_it():
    encoder = BM25().fit(["東京都の天気", "大阪"])
    assert all(encoder.encode_queries([character]).nnz for character in "東京都天気大阪")


def test_ascii_is_split_as_everything_else():
    rng = random.Random(0)
    signs = "abehxyz019 ',.;:_-" + "'.,_ " * 3 + 'AB\n\t\x00\x1f"/@#~'
    for _ in range(8000):
        text = "".join(rng.choice(signs) for _ in range(rng.randint(1, 12)))
        chunks = text.lower().split()
        general = [match.group() for chunk in chunks for match in _word().finditer(chunk)]
        assert _ascii_words(text) == general, ascii(text)
        assert words(text + " é") == [*general, "é"]


def test_words_are_those_between_the_boundaries_that_regex_finds():
    """Where no tailoring speaks: no runs without spaces, no apostrophes, no full stop or colon between letters."""
    rng = random.Random(1)
    alphabet = [
        "a",
        "é",
        "ñ",
        "д",
        "β",
        "ß",
        "ח",
        "ن",
        "य",
        "தி",
        "क्ष",
        "1",
        "٣",
        "१",
        "_",
        ",",
        ";",
        "-",
        "/",
        " ",
        "«",
    ]
    alphabet += ["x\u0301\u0323", "כ\u05b0"]  # marks on letters only: regex joins others to what follows
    boundary = regex.compile(r"(?w)\b", regex.V1)
    wordlike = regex.compile(r"[\p{L}\p{N}]")
    for _ in range(4000):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 10)))
        between = [part for part in boundary.split(text) if wordlike.search(part)]
        assert [match.group() for match in _word().finditer(text)] == between, ascii(text)


def test_letters_of_alphabets_are_split_as_everything_else():
    rng = random.Random(4)
    signs = "éñœßłдяώήنمếÉΣşabh019’'''.,;:_-_'.,"
    for _ in range(8000):
        chunk = "".join(rng.choice(signs) for _ in range(rng.randint(1, 12)))
        assert _chunk_words(chunk, "points") == _general_words(fold(chunk)), ascii(chunk)
    plain = [one for one in map(chr, range(0x80, 0x3000)) if _PLAIN.fullmatch(one.casefold())]
    assert len(plain) > 900
    letter = regex.compile(r"\p{WB=ALetter}+")
    for one in plain:
        assert fold(one) == one.casefold()
        assert letter.fullmatch(fold(one)), ascii(one)


def test_han_kana_and_hangul_are_split_as_everything_else():
    rng = random.Random(3)
    signs = "東京都の天気々〇コンピュータ서울がゞー・、。「」a1.' é\u0301\u3099ถ\uf900\U00020000"
    for _ in range(6000):
        chunk = "".join(rng.choice(signs) for _ in range(rng.randint(1, 9)))
        folded = fold(chunk)
        assert sorted(_chunk_words(chunk, "points")) == sorted(_general_words(folded)), ascii(chunk)


def test_long_stretches_without_a_space_are_split_like_short_ones():
    stretch = "東京" * LONGEST
    assert words(stretch).count("東京") == LONGEST
    assert words("é" * 1000) == ["é" * 1000]
    assert words("é-" * LONGEST) == ["é"] * LONGEST


def test_contractions_are_stop_words_however_they_are_typed():
    for word in ("don't", "don’t", "It's", "WE’RE"):
        assert set(words(word)) <= ENGLISH_STOP_WORDS
    assert all(words(word) == [word] for word in ENGLISH_STOP_WORDS)


def test_words_hold_no_space():
    """Elasticsearch splits what it is sent at spaces and nowhere else."""
    rng = random.Random(2)
    for _ in range(3000):
        text = "".join(
            chr(rng.choice((rng.randrange(0x250), rng.randrange(0x3100), 0xA8, 0xB4, 0x2017))) for _ in range(6)
        )
        for word in words(text):
            assert word.split() == [word], ascii(text)
            assert json.loads(json.dumps(word)) == word
