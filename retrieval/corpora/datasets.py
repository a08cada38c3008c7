"""The named data sets: what they hold, under which licence, their files, and where those come from."""

from __future__ import annotations

from typing import NamedTuple

from encoders.codes import Modality


class Remote(NamedTuple):
    """A file that can be fetched: its name, address and checksum (``md5:`` where only that was published)."""

    file: str
    url: str
    checksum: str


class DataSet(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    folder : str
        Under NEARBY_DATA and in the cache.
    forms : tuple of tuple of str
        The files that make the set; any one form will do, each file may also be there gzipped.
    remotes : tuple of Remote
        What a download fetches; empty if no stable address with a checksum is known.
    unpack : str
        ``module:function`` that turns the downloaded archive into the folder; empty if none is needed.
    bytes : int
        Size of the files, compressed as they are distributed.
    """

    folder: str
    modality: Modality
    items: int
    queries: int
    bytes: int
    licence: str
    source: str
    forms: tuple[tuple[str, ...], ...]
    remotes: tuple[Remote, ...] = ()
    unpack: str = ""


_MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_BEIR_FILES = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
_GLASGOW = "https://ir.dcs.gla.ac.uk/resources/test_collections"
_MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
_FASHION_URL = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"


def _idx_remotes(base: str, checksums: tuple[str, ...]) -> tuple[Remote, ...]:
    names = [f"{name}.gz" for name in _MNIST_FILES]
    return tuple(Remote(name, f"{base}/{name}", checksum) for name, checksum in zip(names, checksums, strict=True))


DATASETS: dict[str, DataSet] = {
    "mnist": DataSet(
        "mnist",
        Modality.IMAGE,
        60_000,
        10_000,
        11_594_722,
        "CC BY-SA 3.0",
        "LeCun, Cortes, Burges: http://yann.lecun.com/exdb/mnist/",
        (_MNIST_FILES,),
        _idx_remotes(
            _MNIST_URL,
            (
                "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
    "fashion-mnist": DataSet(
        "fashion-mnist",
        Modality.IMAGE,
        60_000,
        10_000,
        30_878_645,
        "MIT",
        "Zalando Research: https://github.com/zalandoresearch/fashion-mnist",
        (_MNIST_FILES,),
        _idx_remotes(
            _FASHION_URL,
            (
                "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "md5:25c81989df183df01b3e8a0aad5dffbe",
                "md5:bef4ecab320f06d8554ea6380940ec79",
                "md5:bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
    "cifar10": DataSet(
        "cifar10",
        Modality.IMAGE,
        50_000,
        10_000,
        170_052_171,
        "not stated",
        "Krizhevsky: https://www.cs.toronto.edu/~kriz/cifar.html",
        (("CIFAR-10-images-jpg.tar.gz",), ("cifar-10-binary.tar.gz",)),
        (
            Remote(
                "cifar-10-binary.tar.gz",
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
    ),
    "20newsgroups": DataSet(
        "20newsgroups",
        Modality.TEXT,
        11_314,
        7_532,
        14_464_277,
        "not stated",
        "Rennie: http://qwone.com/~jason/20Newsgroups/",
        (("20news-bydate.tar.xz",), ("20news-bydate.tar.gz",)),
        (
            Remote(  # the copy that scikit-learn fetches
                "20news-bydate.tar.gz",
                "https://ndownloader.figshare.com/files/5975967",
                "sha256:8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
            ),
        ),
    ),
    "cranfield": DataSet(
        "beir/cranfield",
        Modality.TEXT,
        1_400,
        225,
        506_960,
        "not stated",
        f"Glasgow IR group: {_GLASGOW}/cran/",
        (_BEIR_FILES,),
        (
            Remote(
                "cran.tar.gz",
                f"{_GLASGOW}/cran/cran.tar.gz",
                "sha256:8c48a8412e4a7e6e0dd5af99c959f8d75fdf88135602adc1a56aa22770652d64",
            ),
        ),
        "retrieval.corpora.cranfield:convert",
    ),
    "scifact": DataSet(
        "beir/scifact",
        Modality.TEXT,
        5_183,
        300,
        2_816_079,
        "CC BY",
        "Wadden et al. in BEIR: https://github.com/beir-cellar/beir",
        (_BEIR_FILES,),
        (
            Remote(
                "scifact.zip",
                "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets/scifact.zip",
                "sha256:536e14446a0ba56ed1398ab1055f39fe852686ecad24a6306c80c490fa8e0165",
            ),
        ),
        "retrieval.corpora.download:unpack_beir",
    ),
    "cisi": DataSet(
        "beir/cisi",
        Modality.TEXT,
        1_460,
        76,
        463_183,
        "not stated",
        f"Glasgow IR group: {_GLASGOW}/cisi/",
        (_BEIR_FILES,),
    ),
    "npl": DataSet(
        "beir/npl",
        Modality.TEXT,
        11_429,
        93,
        1_014_104,
        "not stated",
        f"Glasgow IR group: {_GLASGOW}/npl/",
        (_BEIR_FILES,),
    ),
    "arxiv-80k": DataSet(
        "arxiv-80k",
        Modality.TEXT,
        80_000,
        0,
        27_237_177,
        "CC0",
        "arXiv titles and abstracts: https://info.arxiv.org/help/bulk_data.html",
        (("corpus.jsonl",),),
    ),
    "ml-100k": DataSet(
        "ml-100k",
        Modality.VECTOR,
        1_682,
        0,
        4_924_029,
        "GroupLens: research, no redistribution",
        "GroupLens, University of Minnesota: https://grouplens.org/datasets/movielens/100k/",
        (("u.data", "u.item"),),
        (
            Remote(
                "ml-100k.zip",
                "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
                "md5:0e33842e24a9c977be4e0107933c0723",
            ),
        ),
        "retrieval.corpora.movielens:unpack",
    ),
    "orl-faces": DataSet(
        "orl-faces",
        Modality.IMAGE,
        400,
        0,
        2_984_596,
        "not stated",
        "AT&T Laboratories Cambridge, 1994",
        (("orl_faces.tar.xz",),),
    ),
    "kddcup99": DataSet(
        "kddcup99",
        Modality.ROW,
        494_021,
        0,
        2_144_903,
        "CC BY 4.0",
        "UCI: https://archive.ics.uci.edu/dataset/130/kdd+cup+1999+data",
        (("kddcup.data_10_percent",),),
        (
            Remote(  # the copy that scikit-learn fetches
                "kddcup.data_10_percent.gz",
                "https://ndownloader.figshare.com/files/5976042",
                "sha256:8045aca0d84e70e622d1148d7df782496f6333bf6eb979a1b0837c42a9fd9561",
            ),
        ),
    ),
    "paysim": DataSet(
        "paysim",
        Modality.ROW,
        508_961,
        0,
        14_782_735,
        "CC BY-SA 4.0",
        "Lopez-Rojas, Elmir, Axelsson, PaySim, EMSS 2016: https://www.kaggle.com/datasets/ealaxi/paysim1",
        (("paysim.csv",), ("PS_20174392719_1491204439457_log.csv",)),
    ),
    "speech-digits": DataSet(
        "speech-digits",
        Modality.SOUND,
        2_700,
        300,
        13_564_704,
        "CC BY-SA 4.0",
        "Jackson: https://github.com/Jakobovski/free-spoken-digit-dataset",
        (("recordings.tar.xz",), ("recordings.tar.gz",), ("recordings.tar",)),
    ),
}
