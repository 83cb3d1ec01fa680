# Each target sets up all it needs: the virtual environment is made when it is missing, or when the lock has changed.

VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
READY := $(VENV)/ready
OUT ?= build

# Recordings of real systems, where they are at hand: a directory that holds clock_angles.csv and others.
PHYSLEARN_DATA ?= $(wildcard $(abspath ../shared/data))
export PHYSLEARN_DATA
export MPLBACKEND := Agg

.PHONY: demo test test-slow test-lowest fuzz mutants coverage lint bench notebooks docs wheel clean

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)
	$(BIN)/physlearn forecast henon-heiles --out $(OUT)/demo/henon-heiles
ifneq ($(wildcard $(PHYSLEARN_DATA)/clock_angles.csv),)
	$(BIN)/physlearn forecast pendulum-clock --data $(PHYSLEARN_DATA)/clock_angles.csv --out $(OUT)/demo/pendulum-clock
else
	@echo "no recording of the pendulum clock is at hand: set PHYSLEARN_DATA to the directory of clock_angles.csv"
endif
	$(BIN)/physlearn learn pendulum-four-neurons --out $(OUT)/demo/pendulum-four-neurons.safetensors
	$(BIN)/physlearn compare pendulum-four-neurons --activations $(OUT)/demo/pendulum-four-neurons.safetensors --replicates 50 \
		--tuned-by geometric-mean --tuning-replicates 96 --out $(OUT)/demo/pendulum-four-neurons

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-slow: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

# The fast tests with the lowest version of each dependency. Old versions warn of their own dependencies, which are new.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest -n 2 -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning

$(LOWEST)/ready: .ci/lowest.txt pyproject.toml
	python3 -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/lowest.txt editables
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Changed files for every reader, each read in a process with limits of time and memory. A seed is drawn and printed; a finding
# is kept in build/fuzz with the command that reads it again. `make fuzz MINUTES=1 SEED=3` repeats the cases of seed 3.
MINUTES ?= 10
fuzz: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/fuzz.py --minutes $(MINUTES) --keep $(OUT)/fuzz $(if $(SEED),--seed $(SEED))

mutants: $(READY)
	$(BIN)/python .ci/mutants.py $(ONLY)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/docstrings.py

# Which lines the fast tests reach; numba's loops are compiled and count as missed.
coverage: $(READY)
	$(BIN)/python -m pytest -n 2 --cov=systems --cov=physlearn --cov-report=term:skip-covered --cov-report=html:$(OUT)/coverage

bench: $(READY)
	mkdir -p $(OUT)
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only --benchmark-columns=median,iqr,ops --benchmark-group-by=group \
		--benchmark-sort=mean --benchmark-json=$(OUT)/benchmark.json -p no:xdist

notebooks: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --nbmake notebooks --nbmake-timeout=300 -n 2 --dist worksteal

docs: $(READY)
	$(BIN)/python -m sphinx --fail-on-warning --jobs 2 --builder html docs $(OUT)/docs
	$(BIN)/python docs/check_links.py $(OUT)/docs

wheel: $(READY)
	.ci/wheel $(BIN)/python

clean:
	rm -rf $(VENV) $(LOWEST) $(OUT) mutants
