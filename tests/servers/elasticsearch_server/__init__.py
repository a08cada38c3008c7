"""A real Elasticsearch for tests, benchmarks and play: found or fetched, started, harmed on purpose, and stopped.

No part of nearby imports this; ``pythonpath`` in pyproject.toml lets tests do so, ``PYTHONPATH=tests/servers`` others.
Not ``tests`` itself: its folders are named as nearby's packages are, and would stand before them.
"""
