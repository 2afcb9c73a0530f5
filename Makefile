# Two commands do everything: `make play` and `make test`. The same steps for Windows: README.md.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: play test check clean
.DEFAULT_GOAL := play

play: $(VENV)/ready gl
	$(BIN)/installation play $(ARGS)

# Two processes with one thread each. Tests of one file share what is costly (a window, a server); in
# the order of tests/conftest.py, since those with the most tests are not the slowest.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/ready-dev gl
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

# Mesa's EGL and OpenGL, for machines without a graphics driver; only where apt is and may.
.PHONY: gl
gl:
	@if ! ldconfig -p 2>/dev/null | grep -q libEGL.so.1 && command -v apt-get >/dev/null \
	&& [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && apt-get install -y -qq libegl1 libgl1 libgl1-mesa-dri; fi

clean:
	rm -rf $(VENV) build dist
