# Every target is one script in scripts/ or bench/; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test demo bench bench-peers bench-large merge-bench merge-proof chaos fuzz format coverage

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## installs what is missing, builds, serves a demo organisation on 127.0.0.1:8080
	@scripts/run.sh $(ARGS)

test: ## runs every test on SQLite and on a PostgreSQL of its own
	@scripts/test.sh

demo: ## loads 1,000 persons through the official client, merges 500 duplicate pairs, checks that nothing is lost
	@scripts/demo.sh

bench: ## prints speed as ratios to hand-written code on the same machine
	@bench/run.sh

bench-peers: ## sets the same work beside PocketBase
	@bench/peers.sh

bench-large: ## asks a million contacts, uploads files, and starts with 50 custom modules, beside hand-written SQL
	@bench/large.sh

merge-bench: ## times merges, dry runs, undos and many merges at once
	@bench/merge.sh

merge-proof: ## a minute of 32 clients merging a few records, and merges in 40 random organisations, on both engines
	@scripts/merge_proof.sh

chaos: ## kills the server 50 times under load on each engine, and in the middle of every kind of job, and checks that nothing is lost
	@scripts/chaos.sh

fuzz: ## feeds a live server with broken requests for a minute
	@scripts/fuzz.sh

format: ## formats the Swift sources
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

coverage: ## regenerates docs/COVERAGE.md from the endpoint declarations
	@scripts/coverage.sh
