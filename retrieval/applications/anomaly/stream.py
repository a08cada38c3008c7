"""Scores of a stream: lines of JSON in, lines of JSON out; a bad line is answered, and does not stop it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson

from encoders.codes import Modality
from encoders.errors import BadItemError, NearbyError, OptionError, one_line
from encoders.json_text import fault_of, json_line
from retrieval.applications.anomaly.data import vector_of
from retrieval.applications.anomaly.detection import Rule
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.row_lines import PickedRow, RowReader

#: Bytes asked for at a time; what has arrived is answered at once.
CHUNK = 2**21
#: Bytes that a pipe should hold, where the system can be asked: the usual 64 KiB are a few dozen rows of a wide table.
PIPE = 2**20
#: The longest line in bytes; a longer one is a bad line.
LONGEST = 2**24
#: The most lines that are scored at a time.
ROWS = 2048
#: Fields of an object that hold its content; the object of a row is the content.
FIELDS = {Modality.TEXT: ("text",), Modality.VECTOR: ("vector", "values"), Modality.ROW: ()}


class ByteStream(Protocol):
    """Where lines come from, such as ``sys.stdin.buffer``."""

    def read1(self, size: int, /) -> bytes:
        """Return up to `size` bytes as soon as some have arrived; no bytes at the end."""


class _Line(NamedTuple):
    number: int
    id: Any
    content: Any
    lacking: Sequence[str] = ()


def answers(detector: AnomalyDetector, stream: ByteStream, rule: Rule) -> Iterator[bytes]:
    r"""Yield the answers to the lines of a stream, as soon as lines have arrived.

    A line is an array of numbers, a text, or an object with ``vector`` or ``text``, and ``id``. For a table it is an
    object whose keys are the columns, and perhaps ``id``; a column that it lacks is missing, as in a query of `search`,
    and the answer names it in ``missing``. A text in a column of numbers or dates that is neither counts as missing too
    (``unread``); a row with an infinite number is stranger than every other. Each answer is a line with ``line``,
    ``id`` if there is one, ``score``, ``p_value`` and ``flagged``, or with ``line`` and ``error``. Empty lines are not
    answered.

    Parameters
    ----------
    detector : AnomalyDetector
    stream : ByteStream
    rule : Rule
        By false alarms: the false discovery rate needs the whole batch.

    Yields
    ------
    bytes
        One or more lines.

    Raises
    ------
    OptionError
        For a rule that needs the whole batch, too few calibration scores, or a detector of pictures or sounds.
    """
    if rule.kind == "fdr":
        raise OptionError("--fdr needs the whole batch, which a stream does not have: use --false-alarms")
    if detector.record.modality not in FIELDS:
        raise OptionError(
            f"a stream of lines holds vectors, texts or rows, and this detector reads {detector.record.modality}s"
        )
    rule.require_calibration(detector)
    number, rows = 0, RowReader(detector.columns)
    for lines in _batches(stream):
        yield _answered(detector, rule, number, lines, rows)
        number += len(lines)


def widen_pipe(stream: Any) -> None:
    """Let a pipe hold more bytes while a batch is scored, so that the next batch is large; other streams stay."""
    try:
        import fcntl

        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
    except (ImportError, AttributeError, OSError, ValueError):  # no pipe, no descriptor, or a system that cannot
        return


def _batches(stream: ByteStream) -> Iterator[list[bytes]]:
    """Yield the complete lines that have arrived, at most `ROWS` at a time."""
    rest = b""
    while chunk := stream.read1(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), ROWS):
            yield lines[start : start + ROWS]
        rest = rest[: LONGEST + 1]  # a longer line is refused anyway
    if rest:
        yield [rest]


def _answered(detector: AnomalyDetector, rule: Rule, number: int, lines: Sequence[bytes], rows: RowReader) -> bytes:
    good: list[_Line] = []
    picked: list[tuple[int, bytes, PickedRow]] = []
    replies: dict[int, dict[str, Any]] = {}
    is_table = detector.record.modality is Modality.ROW
    for at, line in enumerate(lines, start=number + 1):
        if not line or line.isspace():
            continue
        try:
            row = _picked(line, rows) if is_table else None
            if row is None:
                good.append(_read(at, line, detector, rows))
            else:
                picked.append((at, line, row))
        except NearbyError as error:
            replies[at] = {"line": at, "error": one_line(error)}
    good = sorted([*good, *_whole_rows(picked, detector, rows, replies)], key=_number)
    if good:
        _score(detector, rule, good, replies)
    return b"".join(orjson.dumps(replies[at]) + b"\n" for at in sorted(replies))


def _number(line: _Line) -> int:
    return line.number


def _picked(line: bytes, rows: RowReader) -> PickedRow | None:
    """Return the values of a row with all columns and a good id; None: `_read` must look at the line."""
    if len(line) > LONGEST:
        return None
    try:
        row = rows.picked(json_line(line))
    except orjson.JSONDecodeError:
        return None
    try:
        return row if row is None or _checked_id(row.id) == row.id else None
    except BadItemError:
        return None


def _whole_rows(
    picked: Sequence[tuple[int, bytes, PickedRow]], detector: AnomalyDetector, rows: RowReader,
    replies: dict[int, dict[str, Any]],
) -> list[_Line]:  # fmt: skip
    """Return rows with all columns, converted together; if one of them cannot be, each by itself."""
    if not picked:
        return []
    try:
        made = rows.rows([row for _, _, row in picked])
        return [_Line(at, row.id, content) for (at, _, row), content in zip(picked, made, strict=True)]
    except NearbyError:
        good = []
        for at, line, _ in picked:
            try:
                good.append(_read(at, line, detector, rows))
            except NearbyError as error:
                replies[at] = {"line": at, "error": one_line(error)}
        return good


def _score(detector: AnomalyDetector, rule: Rule, good: Sequence[_Line], replies: dict[int, dict[str, Any]]) -> None:
    contents: Any = [line.content for line in good]
    try:
        scores = detector.score(np.stack(contents) if detector.record.modality is Modality.VECTOR else contents)
        unread = detector.unread_columns(contents)
    except NearbyError as error:
        if len(good) == 1:
            text = one_line(error).removeprefix("row 0: ")
            replies[good[0].number] = {"line": good[0].number, "error": text}
            return
        middle = len(good) // 2  # one of them is to blame: a few halvings find it among thousands
        for half in (good[:middle], good[middle:]):
            _score(detector, rule, half, replies)
        return
    p = detector.p_values_of(scores)
    rows = zip(good, scores.tolist(), p.tolist(), rule.flags(p).tolist(), strict=True)
    for at, (line, score, value, flagged) in enumerate(rows):
        named = {} if line.id is None else {"id": line.id}
        missing = {"missing": line.lacking} if line.lacking else {}
        odd = {"unread": unread[at]} if at in unread else {}
        replies[line.number] = {
            "line": line.number, **named, "score": score, "p_value": value, "flagged": flagged, **missing, **odd
        }  # fmt: skip


def _read(number: int, line: bytes, detector: AnomalyDetector, rows: RowReader) -> _Line:
    record = detector.record
    if len(line) > LONGEST:
        raise BadItemError(f"a line has more than {LONGEST:,} bytes")
    is_text = record.modality is Modality.TEXT
    if is_text and line.lstrip()[:1] not in (b"{", b'"'):
        return _Line(number, None, _decoded(line))
    try:
        value = json_line(line)
    except orjson.JSONDecodeError as error:
        if is_text and line.lstrip()[:1] == b'"':  # a text that begins with a quotation
            return _Line(number, None, _decoded(line))
        # "line 1" of the decoder is no line of the stream
        raise BadItemError(fault_of(error)) from None
    if record.modality is Modality.ROW:
        row = rows.read(value)
        return _Line(number, _checked_id(row.id), row.row, row.lacking)
    id = None
    if isinstance(value, dict):
        fields = FIELDS[record.modality]
        field = next((name for name in fields if name in value), None)
        if field is None:
            raise BadItemError(
                f"an object needs the field '{fields[0]}'; this one has: {', '.join(map(str, value)) or 'none'}"
            )
        id, value = _checked_id(value.get("id")), value[field]
    if not is_text:
        return _Line(number, id, vector_of(value, record))
    if not isinstance(value, str) or not value.strip():
        raise BadItemError("expected a text that is not empty")
    return _Line(number, id, value)


def _checked_id(id: Any) -> Any:
    """Return the id of a line, which its answer repeats."""
    if id is not None and not isinstance(id, str | int | float):
        raise BadItemError("the id is a text or a number")
    return str(id) if isinstance(id, int) and not -(2**63) <= id < 2**64 else id  # orjson writes no longer ones


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise BadItemError("not UTF-8") from None
