# Every common task. `make` alone lists them; a machine needs make and Python 3.11, no more.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
COMPOSE := docker compose

.PHONY: help setup demo test lint saga interfaces simulate world matching mutants bench bench-peers \
	growth chaos up down logs lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## what everything below needs, into .venv; quick the second time
	@deploy/setup.sh

demo: setup ## see it work: the main job on real-looking input, to the closing report
	@.venv/bin/jiexu demo

test: setup ## every test; starts its own PostgreSQL and Kafka
	@deploy/setup.sh test

lint: setup ## style, types, boundaries between packages, and whether the locks are current
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@deploy/setup.sh lock-check

saga: setup ## write the saga's matrix and diagram, derived from its code, into the documents
	@$(PYTHON) -m services.transfer.matrix

interfaces: setup ## write AsyncAPI and OpenAPI, derived from the code, into docs/interfaces
	@$(PYTHON) -m deploy.interfaces

simulate: setup ## SEEDS=10000 worlds in memory with faults by seed; SEED=7 tells the story of one
	@$(PYTHON) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000))

world: setup ## faults of the world: databases and brokers killed, stopped, full; overload
	@$(PYTHON) -m pytest tests/world -m 'world or not world' -s -q $(WORLD_ARGS)

matching: setup ## 10 statements of 10,000 lines with known truth: what is matched, and rightly
	@$(PYTHON) -m tests.matching --seeds $(or $(SEEDS),10)

mutants: setup ## small faults in saga, ledger and matching, one by one: does a test see each; ONLY=FILE
	@deploy/setup.sh mutants
	@nice -n 19 .venv/mutants/bin/python tests/mutants $(ONLY)

bench: setup ## 2,000 transfers through real Kafka and PostgreSQL, with figures
	@.venv/bin/jiexu bench --transfers 2000

PAIRS := 5
TRANSFERS := 2000
bench-peers: setup ## the same transfers on DBOS Transact beside ours, by turns: PAIRS=5 TRANSFERS=2000
	@deploy/setup.sh peers
	@$(PYTHON) -m tests.bench.peers --pairs $(PAIRS) --transfers $(TRANSFERS) $(PEERS_ARGS)

growth: setup ## the benchmark with CLOSED=300000 closed transfers in the database, and with none
	@$(PYTHON) -m tests.bench.growth --closed $(or $(CLOSED),300000) $(GROWTH_ARGS)

chaos: setup ## crash every service at every await of its delivery; POINTS= SERVICES= SAMPLE= SEED=
	@$(PYTHON) -m tests.chaos $(if $(SEED),--first $(SEED) --seeds 1,--seeds $(or $(SEEDS),2)) \
		$(if $(POINTS),--points '$(POINTS)') $(if $(SERVICES),--services $(SERVICES)) \
		$(if $(SAMPLE),--sample $(SAMPLE) --by '$(BY)') $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(TOGETHER),--together)

up: ## everything in containers, on loopback ports
	@deploy/setup.sh secrets
	@$(COMPOSE) up --build --detach --wait
	@$(COMPOSE) ps

down: ## stop the containers; their data stays
	@$(COMPOSE) down

logs: ## what the containers write, as they write it
	@$(COMPOSE) logs --follow --tail 50

lock: setup ## choose versions anew, with hashes: requirements*.txt and Kafka's jars
	@deploy/setup.sh lock

clean: ## remove what was made here: .venv, caches, and the embedded stack's data in .jiexu
	@if [ -x $(PYTHON) ] && [ -d .jiexu ]; then $(PYTHON) -m deploy.embedded.stack down .jiexu; fi
	@rm -rf .venv .jiexu .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		.coverage htmlcov build mutants *.egg-info
