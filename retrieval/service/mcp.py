"""A collection for language models, over the Model Context Protocol: four tools that only read.

The tools are operations of the HTTP API with fewer options. It is an extra: ``pip install '.[mcp]'``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from encoders.errors import MissingLibraryError, NearbyError, one_line
from encoders.progress import Watched, watching
from encoders.version import version
from retrieval.service.bodies import AnswerCount, CompareBody, ExplainBody, NeighboursQuery, SearchBody, Spec, Text
from retrieval.service.endpoints.compare import compare
from retrieval.service.endpoints.explain import explained
from retrieval.service.endpoints.search import neighbours, search
from retrieval.service.mcp_calls import Calls
from retrieval.service.open_collections import OpenCollections, named_folders
from retrieval.service.operations import OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.refusals import refusal
from retrieval.service.worker_threads import WorkerThread

if TYPE_CHECKING:
    from mcp.server import MCPServer

#: What a model must know of arguments that several tools have.
SPACES = "spaces: names of spaces, by default all; an answer names them."
#: Parts of a comparison that a model reads; the measures of every query would fill its context.
SUMMARY = ("answer", "corpus", "n_items", "n_queries", "judged_by", "chance", "above_chance", "notes")


def mcp_server(folder: Path) -> MCPServer:
    """Return the server of a collection.

    Raises
    ------
    MissingLibraryError
        When mcp is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
        from mcp_types import ToolAnnotations
    except ImportError:
        raise MissingLibraryError("nearby mcp needs the library mcp: pip install '.[mcp]'") from None
    name = next(iter(named_folders([folder])))
    thread = WorkerThread("mcp", lambda: OpenCollections({name: folder}))

    class Server(MCPServer):
        """A server that refuses in our own sentences: those of the library name its classes and web pages."""

        async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
            """Answer a call, or say in one sentence what is wrong with it."""
            try:
                given = calls.read(name, arguments)
            except Problem as problem:
                raise ToolError(one_line(problem)) from None
            try:
                return await super().call_tool(name, given, context)
            except UnexpectedToolError:
                raise
            except ToolError as error:  # the library puts words before ours
                raise ToolError(str(error.__cause__ or error)) from None

    made = Server(
        "nearby",
        version=version(),
        instructions="Find items of one collection that are similar to a query, in several representation spaces, and "
        "compare the spaces. Every tool only reads.",
        log_level="WARNING",
    )

    # so that a client does not ask the user before each call
    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)

    def answer(work: Callable[[Any, OperationRequest], Any], kind: type[Any], **given: Any) -> dict[str, Any]:
        def run(opened: OpenCollections) -> Any:
            with watching(Watched()):
                asked = msgspec.convert({name: value for name, value in given.items() if value is not None}, kind)
                try:
                    return work(opened.collection(name), OperationRequest(name, {}, asked, asked, opened.remembered))
                except NearbyError as error:
                    raise ToolError(one_line(opened.without_places(Problem.of(error).detail))) from None

        try:
            result: dict[str, Any] = msgspec.to_builtins(thread.submit(run).result())
        except msgspec.ValidationError as error:
            raise ToolError(refusal(error, kind, "the call")) from None
        except Problem as problem:
            raise ToolError(one_line(problem)) from None
        return result

    @made.tool(
        annotations=reads,
        name="search",
        description="Find the items nearest to a text in each space. query: the text. k: items of each space. filters: "
        f"conditions on fields, such as label=business or year=2004, all of which must hold. {SPACES}",
    )
    def search_tool(
        query: Text, k: AnswerCount = 10, spaces: list[Spec] | None = None, filters: list[Text] | None = None
    ) -> Any:
        return answer(search, SearchBody, query={"text": query}, k=k, spaces=spaces, filters=filters)

    @made.tool(
        annotations=reads,
        name="neighbours",
        description="Find the items nearest to an item of the collection in each space. id: of the item, as the "
        f"other tools return it. k: items of each space. {SPACES}",
    )
    def neighbours_tool(id: Text, k: AnswerCount = 10, spaces: list[Spec] | None = None) -> Any:
        return answer(neighbours, NeighboursQuery, id=id, k=k, space=spaces)

    @made.tool(
        annotations=reads,
        name="compare",
        description=f"Measure which spaces put relevant items near, with significance. {SPACES}",
    )
    def compare_tool(spaces: list[Spec] | None = None) -> Any:
        document = answer(compare, CompareBody, spaces=spaces)["document"]
        shown = [
            {name: value for name, value in one.items() if name not in ("per_query", "influence")}
            for one in document["spaces"]
        ]
        return {**{name: document[name] for name in SUMMARY if name in document}, "spaces": shown}

    @made.tool(
        annotations=reads,
        name="explain",
        description="Say why an item answers a text: rank, score and shared words in each space. query: the text. "
        f"id: of the item. {SPACES}",
    )
    def explain_tool(query: Text, id: Text, spaces: list[Spec] | None = None) -> Any:
        return answer(explained, ExplainBody, query={"text": query}, id=id, spaces=spaces)

    calls = Calls(
        {"search": search_tool, "neighbours": neighbours_tool, "compare": compare_tool, "explain": explain_tool}
    )
    return made
