"""KDD Cup 1999, 10%: network connections, normal ones and attacks.

S. Hettich and S. D. Bay, The UCI KDD Archive, 1999; from the DARPA evaluation of 1998.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.numbers import shortened
from encoders.row import Row
from retrieval.corpora.base import Item
from retrieval.corpora.files import open_bytes
from retrieval.corpora.lines import numbered_lines
from retrieval.corpora.rows import CellValues
from retrieval.corpora.source import FileSource

#: The columns of a row, in the order of the file; the label follows.
NAMES = (
    "duration", "protocol_type", "service", "flag", "src_bytes", "dst_bytes", "land", "wrong_fragment", "urgent", "hot",
    "num_failed_logins", "logged_in", "num_compromised", "root_shell", "su_attempted", "num_root", "num_file_creations",
    "num_shells", "num_access_files", "num_outbound_cmds", "is_host_login", "is_guest_login", "count", "srv_count",
    "serror_rate", "srv_serror_rate", "rerror_rate", "srv_rerror_rate", "same_srv_rate", "diff_srv_rate",
    "srv_diff_host_rate", "dst_host_count", "dst_host_srv_count", "dst_host_same_srv_rate", "dst_host_diff_srv_rate",
    "dst_host_same_src_port_rate", "dst_host_srv_diff_host_rate", "dst_host_serror_rate", "dst_host_srv_serror_rate",
    "dst_host_rerror_rate", "dst_host_srv_rerror_rate",
)  # fmt: skip


@dataclass(eq=False)
class KddCup99(FileSource):
    """Network connections: 41 columns; the label is the kind of attack as it is written, or normal, without its dot."""

    modality = Modality.ROW

    def items(self) -> Iterator[Item]:
        """Read the connections from the beginning, in the order of the file, which is that of time."""
        cells = CellValues()
        with open_bytes(self.path, self.max_bytes) as stream:
            for number, raw in numbered_lines(stream, self.path, self.on_bad):
                if not raw.strip():
                    continue
                where = f"{self.path}:{number}"
                *values, label = raw.decode("utf-8", errors="replace").split(",")
                if len(values) != len(NAMES):
                    message = f"expected {len(NAMES) + 1} cells, found {len(values) + 1}: {shortened(values)}"
                    self.on_bad(CorpusError(f"{where}: {message}"))
                    continue
                row = Row(NAMES, tuple(map(cells.__getitem__, values)))
                yield Item(str(number), row, None, label.strip().removesuffix(".") or None, where=where)
