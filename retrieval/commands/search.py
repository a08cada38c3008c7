"""Verbs that search a collection: here, over HTTP and over MCP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from retrieval.commands.parameters import AsJson, CollectionFolder, Spaces, Verbose, argument, option, whole
from retrieval.commands.printing import emit, say
from retrieval.report.terminal.view import Output


def search(
    folder: CollectionFolder,
    query: Annotated[
        list[str] | None,
        argument("QUERY...", "Words, the path of a picture or sound, a row as JSON, or @id of an item."),
    ] = None,
    space: Spaces = None,
    k: Annotated[int, whole("-k", help="Number of answers in each space.", lowest=1)] = 10,
    filters: Annotated[
        list[str] | None,
        option(
            "--filter",
            help="Only items with this value, e.g. year=2004; also 'amount>100', >=, <, <=, !=. Repeat. "
            "See nearby info.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    fuse: Annotated[
        str | None,
        option(
            "--fuse",
            help="Fuse all spaces into one list: by reciprocal ranks, or by weights of compare --save-fusion.",
            metavar="rrf|saved",
        ),
    ] = None,
    depth: Annotated[
        int | None,
        whole("--depth", help="With --fuse: number of hits taken from each space.  [default: 100, or k]", lowest=1),
    ] = None,
    shortlist: Annotated[
        str | None,
        option("--shortlist", help="Space that finds candidates for --rerank, e.g. a space of bits.", metavar="SPACE"),
    ] = None,
    rerank: Annotated[
        str | None,
        option(
            "--rerank", help="Space, or cross-encoder:MODEL, that ranks the candidates of --shortlist.", metavar="SPACE"
        ),
    ] = None,
    candidates: Annotated[
        int | None, whole("--candidates", help="Number of candidates.  [default: 1000]", lowest=1)
    ] = None,
    radius: Annotated[
        int | None,
        whole(
            "--radius", help="Instead of --candidates: all items that differ in at most this number of bits.", lowest=0
        ),
    ] = None,
    query_vector: Annotated[
        Path | None,
        option(
            "--query-vector",
            help="File with the embedding of the query, for spaces of given embeddings (-s given:FILE).",
            metavar="FILE",
        ),
    ] = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Find the items nearest to a query: in each space, fused into one list, or re-ranked from a shortlist."""
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import search_json, search_lines
    from retrieval.search.read_query import asked_query
    from retrieval.search.request import SearchRequest

    request = SearchRequest.read(space or (), k, filters or (), fuse, depth, shortlist, rerank, candidates, radius)
    collection = open_collection(folder)
    answer = request.answer(collection, asked_query(collection, " ".join(query or ()), query_vector))
    emit(Output(lambda: search_lines(answer, verbose), lambda: search_json(answer)), as_json)


def serve(
    folders: Annotated[list[Path], argument("DIR...", "Folders of collections.")],
    host: Annotated[
        str,
        option(
            "--host",
            help="Address to listen on; one that other machines can reach needs --token-file.",
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, whole("--port", help="Port; 0 takes a free one.", lowest=0, highest=65_535)] = 8765,
    token_file: Annotated[
        Path | None, option("--token-file", help="File with the secret that clients must send.", metavar="FILE")
    ] = None,
    workers: Annotated[int, whole("--workers", help="Number of processes.", lowest=1, highest=64)] = 1,
    threads: Annotated[
        int, whole("--threads", help="Number of searches that each process runs at once.", lowest=1, highest=64)
    ] = 2,
    allow_host: Annotated[
        list[str] | None,
        option("--allow-host", help="Another host name of the service; repeat for several.", metavar="NAME"),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        option(
            "--allow-origin",
            help="Origin of a web page that may use the API, e.g. https://example.org; repeat for several.",
            metavar="URL",
        ),
    ] = None,
) -> None:
    """Serve collections over HTTP: an API, and a page for search and comparison. Stop with Ctrl-C."""
    from retrieval.service.open_collections import named_folders
    from retrieval.service.server import serve as run
    from retrieval.service.settings import Settings

    named = {name: str(folder.absolute()) for name, folder in named_folders(folders).items()}
    run(
        Settings(
            named,
            host,
            port,
            "" if token_file is None else str(token_file.absolute()),
            workers,
            threads,
            tuple(allow_host or ()),
            tuple(allow_origin or ()),
        ),
        lambda url: say(f"serving {', '.join(named)} at {url}  (Ctrl-C stops)"),
    )


def mcp(folder: CollectionFolder) -> None:
    """Let language models search a collection, over standard input and output (Model Context Protocol)."""
    from retrieval.collection.open import open_collection
    from retrieval.service.mcp import mcp_server

    open_collection(folder).close()  # fail now, not at the first call of a model
    mcp_server(folder.absolute()).run("stdio")
