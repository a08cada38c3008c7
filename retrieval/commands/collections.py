"""Verbs that make, change and describe a collection."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from encoders.errors import OptionError
from encoders.numbers import counted
from retrieval.commands.parameters import (
    AsJson,
    ChosenSpaces,
    CollectionFolder,
    SkipBad,
    Verbose,
    argument,
    default_spaces_of,
    option,
)
from retrieval.commands.printing import emit, print_text, reported, say
from retrieval.report.terminal.printable import shell_line
from retrieval.report.terminal.view import Output


def index(
    corpus: Annotated[
        str | None,
        argument(
            "[CORPUS]",
            "Name or path of a corpus, e.g. digits or 'articles.csv?text=body'; required, except with --finish.",
        ),
    ] = None,
    space: ChosenSpaces = None,
    out: Annotated[
        Path | None,
        option("-o", "--out", help="Folder of the collection; required, except with --shard.", metavar="FOLDER"),
    ] = None,
    kind: Annotated[
        str,
        option("--index", help="Index of every space, e.g. faiss:HNSW32 or elasticsearch:URL/NAME.", metavar="INDEX"),
    ] = "auto",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild the served index, then swap it in.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume an interrupted load; fail if there is none.")
    ] = False,
    shard: Annotated[
        str | None, option("--shard", help="Load one shard into Elasticsearch, e.g. 3/16.", metavar="K/N")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="After all shards are loaded: check them and serve the index.")
    ] = False,
    skip_bad: SkipBad = False,
) -> None:
    """Store a corpus and index it in one or more spaces.

    Run the same command again to continue after an interruption, or with other spaces to add them.
    """
    from retrieval.collection.indexing import IndexRequest, index_by_request, remains
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries

    request = IndexRequest(tuple(space or ()), out, kind, rebuild, resume, shard, finish)
    request.require_possible(corpus is not None)
    try:
        with reported(BadEntries(skip_bad)) as bad:
            opened = None if corpus is None else open_data(corpus, on_bad=bad)
            if opened is not None and not space:
                request = replace(request, specs=default_spaces_of(opened))
            collection = index_by_request(request, opened, bad, say)
    except KeyboardInterrupt:
        say(f"nearby: stopped; {remains(request)}")
        sys.exit(1)
    if collection is None:
        say("next: when all shards are loaded,  nearby index CORPUS --finish -o FOLDER  with the same -s and --index")
        return
    items, spaces = counted(collection.items.size, "item"), counted(len(collection.spaces), "space")
    say(f"{collection.folder}: {items} in {spaces}")
    say(f"next: {shell_line(['nearby', 'search', str(out), f'@{next(iter(collection.items)).id}'])}")


def add(
    folder: CollectionFolder,
    corpus: Annotated[str, argument("CORPUS", "Name or path of the corpus whose items are added.")],
    skip_bad: SkipBad = False,
) -> None:
    """Add the items of a corpus to a collection; an item whose id is there is replaced.

    Run the same command again after an interruption: what a pretrained model has encoded is kept.
    """
    from retrieval.collection.open import open_addition, open_collection
    from retrieval.collection.unknown_words import unknown_words_line
    from retrieval.corpora.base import BadEntries, unique_ids

    collection = open_collection(folder)
    with reported(BadEntries(skip_bad)) as bad:
        made, change = collection.put(unique_ids(open_addition(collection, corpus, bad), bad), say)
    if change.added or change.changed:
        print_text(f"{len(change.added):,} added, {len(change.changed):,} changed, {change.unchanged:,} unchanged")
        if line := unknown_words_line(made, [*change.added, *change.changed]):
            say(line)
    else:
        print_text(f"nothing to do: {counted(change.unchanged, 'item')} already there and unchanged")


def delete(folder: CollectionFolder, ids: Annotated[list[str], argument("ID...", "Ids of items.")]) -> None:
    """Remove items from a collection, in every space."""
    from retrieval.collection.open import open_collection

    removed = list(dict.fromkeys(ids))
    left = open_collection(folder).delete(removed, say)
    print_text(f"{len(removed):,} removed, {left.items.size:,} left")


def compact(folder: CollectionFolder) -> None:
    """Merge the segments of a collection into one and drop removed items; answers stay the same."""
    from retrieval.collection.open import open_collection

    before = open_collection(folder)
    present = before.info()
    after = before.compact(say)
    if after is before and not present.server:
        print_text(f"nothing to do: {folder} is one segment, without removed items")
        return
    size = f"{present.bytes:,} bytes before, {after.info().bytes:,} now"
    dropped = (
        f"{counted(present.segments, 'segment')} merged into one, {counted(present.removed, 'removed item')} dropped"
    )
    print_text(f"{folder}: {'merged on its server' if present.server else dropped}; {size}")


def info(
    folder: Annotated[str, argument("FOLDER", "Folder of a collection, or elasticsearch:URL/NAME.")],
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove stale indexes of this collection, including unfinished loads.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --clean: also stale indexes that other nearby collections made.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every byte of a collection with its checksums.")
    ] = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Show what a collection holds: items, spaces, sizes, fields for --filter; in Elasticsearch also stale indexes."""
    from retrieval.collection.elasticsearch.cleanup import indexes_at, is_address, remove_stale
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.elasticsearch import everything_json, everything_lines, indexes_json, indexes_lines

    if yes and not clean:
        raise OptionError("--yes goes with --clean: add --clean, or leave --yes out")
    if verify and (clean or is_address(folder)):
        raise OptionError("--verify reads the folder of a collection: give one, without --clean")
    if verify:
        from retrieval.collection.verification import verify as verify_collection

        verified = verify_collection(Path(folder))
        emit(verified, as_json)
        verified.require_whole()
    elif clean or is_address(folder):
        server_indexes = indexes_at(folder) if is_address(folder) else open_collection(folder).server_indexes()
        if server_indexes is None:
            raise OptionError(f"{folder} is on disk and has no stale indexes: leave --clean out")
        indexes = remove_stale(server_indexes, yes) if clean else server_indexes
        emit(Output(lambda: indexes_lines(indexes, clean), lambda: indexes_json(indexes)), as_json)
    else:
        collection = open_collection(folder)
        emit(Output(lambda: everything_lines(collection, verbose), lambda: everything_json(collection)), as_json)
