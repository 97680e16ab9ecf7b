# Two commands; each makes .venv by itself and renews it when the dependencies change.
#   make demo   a transformer written in the language learns English      (ARGS="--text FILE" …)
#   make test   everything that CI runs
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test

demo: $(READY)
	$(BIN)/chalkgrad demo $(ARGS)

test: export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -rs

$(READY): pyproject.toml constraints.txt
	@echo "Installing into .venv (once; some minutes, mostly torch)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@
