"""Harm on purpose while a collection is loaded and searched: what a benchmark and a test of it share."""
