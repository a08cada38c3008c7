"""A real Elasticsearch for tests, benchmarks and play: found or fetched, started, harmed on purpose, and stopped.

No part of nearby imports this; ``pythonpath`` in pyproject.toml lets tests do so, ``PYTHONPATH=tests`` others.
"""
