# Two commands; each makes .venv by itself and renews it when the dependencies change.
#   make demo   a transformer written in the language learns English      (ARGS="--text FILE" …)
#   make test   everything that CI runs
# With another Python than python3: make PYTHON=python3.13 test
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
OLD := build/ipython-7.34

.PHONY: demo test

demo: $(READY)
	$(BIN)/chalkgrad demo $(ARGS)

test: export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
test: $(READY) $(OLD)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -rs

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed")'
	@echo "Installing into .venv (once; a minute or two, mostly torch)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

# An old IPython beside the new one; without it the tests that need it are skipped.
$(OLD)/.ready: tests/ipython-7.34.txt | $(READY)
	-$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(OLD) -r $< && touch $@
