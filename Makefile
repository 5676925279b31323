# Two commands matter: `make demo` and `make test`. Each makes its environment (.venv) on a machine that has Python 3.10 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench clean

demo: ## Segment a real CT from a sentence and say where the report is.
	$(PYTHON) -m SEERSegmentLib demo

test: $(VENV)/.ready-dev ## Run all tests.
	$(BIN)/python -m pytest -n auto --dist loadscope

lint: $(VENV)/.ready-dev ## Format, lint and type checks.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev ## Accuracy against reference labels, and speed as ratios to named peers or floors.
	$(BIN)/python -m bench

$(VENV)/.ready-dev: pyproject.toml
	$(PYTHON) -m SEERSegmentLib.cli.bootstrap dev

clean: ## Remove the environment and what the demo wrote.
	rm -rf $(VENV) demo-output
