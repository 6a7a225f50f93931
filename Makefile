# Each target does its own set-up: a virtual environment from hashed locks, real servers where tests need them.

ARGS ?=
DATA ?= data
PYTHON := .venv/bin/python
HOST ?= http://localhost:5000
CHECKED := protocols edge_agent cloud firmware_sim deploy tests
# Where bytecode is not kept, each process that a test starts compiles all of it anew.
export PYTHONDONTWRITEBYTECODE :=
# Files in the order of their names: by number of tests, those with the fewest and longest would come last and alone.
IN_TURN := --dist loadfile --no-loadscope-reorder

.PHONY: help demo console test test-quick test-loop test-faults test-tf test-schemas test-console test-console-units check check-console format lock \
	load bench-edge bench-cloud bench-api bench-delivery bench-scaling bench-ml bench-console screenshots venv-demo venv-dev servers clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: console ## Run plant, broker, agent and cloud on loopback until Ctrl-C; ARGS="--for 60 --report r.json"
	@.venv/bin/lineside-demo $(ARGS)

console: venv-demo ## Build the operator console, where its sources changed
	@sh deploy/setup/console.sh

test: check test-console-units test-quick ## Check everything and run every test but the loops and the fault matrix
	$(PYTHON) -m pytest -m "slow and not loop" --numprocesses 2 $(IN_TURN) $$(grep -rl --include='test_*.py' mark.slow tests)

test-loop: venv-dev servers ## Run the stories that take minutes: kills and outages of the demo, learning to swap, a fleet of 200, scaling
	@sh deploy/setup/tflite.sh # here, not in the tests: they trust no authority but their own
	@sh deploy/setup/load.sh
	$(PYTHON) -m pytest -m loop

test-faults: venv-dev servers ## Play the fault matrix and count every value; ARGS="--random 200 --seed 7"
	$(PYTHON) -m tests.faults $(ARGS)

test-quick: venv-dev servers console ## Run the tests that take seconds, several files at a time, but those of shape: `make check` does
	$(PYTHON) -m pytest -m "not slow and not console" --numprocesses 3 $(IN_TURN) --ignore tests/shape

test-schemas: venv-dev servers ## Try every operation of the API with what its schema allows and forbids, 50 times each
	LINESIDE_SCHEMA_EXAMPLES=50 $(PYTHON) -m pytest tests/api/test_schemas.py -m slow $(ARGS)

test-tf: ## Test what TensorFlow trains, in an environment of its own
	@sh deploy/setup/tensorflow.sh
	.venv-tf/bin/python -m pytest tests/contracts/test_algorithm.py -k convolutional $(ARGS)

test-tflite: venv-dev ## Test models with the other runtime, tflite-runtime, in an environment of its own
	@sh deploy/setup/tflite.sh
	$(PYTHON) -m pytest tests/edge_agent/detectors/test_other_runtime.py

check-console: console ## Format, lint and types of the console's sources
	@sh deploy/setup/npm.sh run --silent check

test-console: console venv-dev servers ## Walk through the console with Chromium on real processes, in both themes; pictures in build/screenshots
	@sh deploy/setup/servers.sh chromium:chromium
	$(PYTHON) -m pytest -m console tests/console $(ARGS)

test-console-units: console ## Test the console's stores and rules without a browser
	@sh deploy/setup/npm.sh run --silent test

check: venv-dev check-console ## Format, lint, types, import contracts, dead dependencies, shape
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	$(PYTHON) -m pytest tests/shape

format: venv-dev console ## Format and mend what can be mended
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	@sh deploy/setup/npm.sh run --silent format

lock: ## Write requirements/*.txt anew; ARGS=--upgrade takes newer versions
	@sh deploy/setup/lock.sh $(ARGS)

bench-edge: venv-dev servers ## Measure the agent: throughput, CPU, latency, start, memory
	$(PYTHON) -m tests.bench.edge $(ARGS)

bench-delivery: venv-dev servers ## Measure delivery: acks, a backlog, a week of buffer and flash, 100 kills; ARGS="--only kills --seed 2"
	$(PYTHON) -m tests.bench.delivery $(ARGS)

bench-cloud: venv-dev servers ## Measure the cloud: ingest, store, queries
	$(PYTHON) -m tests.bench.cloud $(ARGS)

bench-api: venv-dev ## Measure the API under 100 requests/s while 20,000 readings/s come in; run it on a quiet machine
	$(PYTHON) -m tests.bench.api $(ARGS)

bench-scaling: venv-dev ## Play a fixed day with an outage and a flush: lag and instance-hours with and without forecasts
	OMP_NUM_THREADS=1 $(PYTHON) -m tests.bench.scaling $(ARGS)

bench-console: console venv-dev servers ## Measure the console in Chromium against its budgets; run it on a quiet machine
	@sh deploy/setup/servers.sh chromium:chromium
	$(PYTHON) -m tests.bench.console $(ARGS)

screenshots: console venv-dev servers ## Take the pictures of the documentation anew, of the running line with a fault
	@sh deploy/setup/servers.sh chromium:chromium
	$(PYTHON) -m tests.console.pictures

load: ## Let 5 users of Locust read the registry of a running cloud; HOST=http://localhost:5000
	@sh deploy/setup/load.sh
	cd deploy/load && ../../.venv-load/bin/locust -f locustfile.py --host $(HOST) \
		--users 5 --run-time 2m --headless --print-stats $(ARGS)

bench-ml: venv-dev ## Judge what was learned on recordings; DATA=folder, ARGS="--only skab"
	OMP_NUM_THREADS=2 $(PYTHON) -m tests.bench.ml $(DATA) $(ARGS)

venv-demo:
	@sh deploy/setup/venv.sh demo

venv-dev:
	@sh deploy/setup/venv.sh dev

servers:
	@sh deploy/setup/servers.sh redis-server:redis-server node:nodejs curl:curl faketime:faketime

clean: ## Remove what was built and installed here
	rm -rf .venv .venv-tf .venv-tflite .venv-uv .venv-node build dist \
		cloud/console/node_modules cloud/console/static cloud/console/src/api/schema.d.ts \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
