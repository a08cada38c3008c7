# make demo | test | check | docs | bench | fuzz | elasticsearch | help: each sets up .venv by itself, again only when the requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests run in so many processes, each with one thread: threads of two processes on the same cores wait for each other.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: help demo test check format docs pages bench fuzz elasticsearch elasticsearch-stop clean
help:            ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "nearby needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

$(STAMP)-bench: $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,bench]'
	@touch $@

demo: $(STAMP)   ## index and compare the built-in corpora, write a report
	$(BIN)/nearby demo

test: $(STAMP)   ## run the tests and doctests
	$(PYTEST)

format: $(STAMP) ## format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

check: $(STAMP)  ## everything CI runs: format, lint, types, layers, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST)

docs: $(STAMP)   ## build the documentation as a site, site/index.html; a dead link stops it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "site/index.html; with its search: $(BIN)/mkdocs serve"

pages: $(STAMP)  ## write what the pages take from the code, and what their commands print
	$(BIN)/python docs/generate --sessions

bench: $(STAMP)-bench ## run every benchmark (about ten hours; the data in NEARBY_DATA) and write docs/results.md
	for name in family_wise_error explorer items_as_queries statistics_cost demo_cost health tie_orders attribution byte_budgets label_ladder fusion mnist newsgroups text_retrieval hybrid arxiv speed fit_shapes startup equivalence factorization recommendation clustering selection patches classical autoencoders pretraining faces image_hashing text_hashing denoising likelihood compression lossless throughput infomax criterion sound disentangling generation anomalies contamination anomaly_stream tsdae model_speed conv_cifar10 engines bulk_loading scale fault_trial alias_swap segments kill_trial exactness tuning million_texts service_speed service_peers service_load api_fuzz map_frames report; do $(BIN)/python benchmarks/$$name.py || exit 1; done

fuzz: $(STAMP)   ## read 20,000 damaged and hostile inputs, count what comes of them (half an hour)
	$(BIN)/python benchmarks/fuzz.py

elasticsearch: $(STAMP) ## start an Elasticsearch to play with (data in out/elasticsearch) and say where it answers
	@PYTHONPATH=tests/servers $(BIN)/python -m elasticsearch_server start

elasticsearch-stop: $(STAMP) ## end it; its data stay
	@PYTHONPATH=tests/servers $(BIN)/python -m elasticsearch_server stop

clean:           ## remove the environment and caches
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache
