"""The command line with a witness: ``python noted.py LOG PAUSE nearby's own words``.

Each key that a server has acknowledged is appended to LOG, which outlives this process and the server. Requests are
small, with PAUSE seconds after each, so that what kills this process, or a node, falls into the load.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import indexers.elasticsearch.bulk as module

LOG = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND) if __name__ == "__main__" else -1
PAUSE = float(sys.argv[2]) if __name__ == "__main__" else 0.0
DOCUMENTS = 50
THEIRS: Any = module.Bulk._try


def noted(self: Any, lines: Any, delivered: Any) -> Any:
    """Send once, and write down what was acknowledged."""
    refused = len(delivered.rejected)
    left, trouble = THEIRS(self, lines, delivered)
    if trouble:
        print(f"{time.strftime('%H:%M:%S')} {len(left)} of {len(lines)} again: {trouble}", file=sys.stderr)
    if len(delivered.rejected) == refused:  # a refusal ends the load, none is expected here
        waiting = {line.key for line in left}
        keys = [line.key for line in lines if line.key not in waiting]
        os.write(LOG, "".join(json.dumps(key) + "\n" for key in keys).encode())
    time.sleep(PAUSE)
    return left, trouble


def main() -> None:
    module.Bulk._try = noted  # type: ignore[method-assign]
    module.BATCH_DOCUMENTS = DOCUMENTS
    import cli

    sys.argv = ["nearby", *sys.argv[3:]]
    cli.main()


if __name__ == "__main__":
    main()
