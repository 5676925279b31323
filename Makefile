# Two commands matter: `make demo` and `make test`. Each makes its environment (.venv) on a machine that has Python 3.10 or newer.
# The tests of the Slicer module, and `make slicer-panel`, need Python 3.10 to 3.13: there are no wheels of Slicer's core for others.
# The tests of the local model install torch; where pip finds one for the processor alone, that is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-vllm slicer-panel lint bench lists clean

demo: ## Segment a real CT from a sentence and say where the report is.
	$(PYTHON) -m SEERSegmentLib demo

test: $(VENV)/.ready-dev-model-test-slicer-test ## Run all tests.
	$(BIN)/python -m pytest -n auto --dist loadscope

test-vllm: $(VENV)/.ready-dev-model-test-slicer-test ## Ask vLLM's build for processors, in an environment of its own (3 GB).
	$(BIN)/python Utilities/vllm_environment.py
	$(BIN)/python -m pytest -n 0 Testing/vllm

slicer-panel: $(VENV)/.ready-dev-slicer-test ## Open the Slicer module's panel with a real CT, without Slicer.
	$(BIN)/python -m Testing.standin.run_panel

lint: $(VENV)/.ready-dev ## Format, lint and type checks.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev-model-test-slicer-test ## Accuracy against reference labels, and speed as ratios to named peers or floors.
	$(BIN)/python -m bench

lists: ## Rewrite the lists of files that CMake installs.
	$(PYTHON) Utilities/list_files.py

$(VENV)/.ready-dev: pyproject.toml
	$(PYTHON) -m SEERSegmentLib.cli.bootstrap dev

$(VENV)/.ready-dev-slicer-test: pyproject.toml
	$(PYTHON) -m SEERSegmentLib.cli.bootstrap dev slicer-test

$(VENV)/.ready-dev-model-test-slicer-test: pyproject.toml
	$(PYTHON) -m SEERSegmentLib.cli.bootstrap dev model-test slicer-test

clean: ## Remove the environment and what the demo and the panel wrote.
	rm -rf $(VENV) .venv-vllm demo-output build
