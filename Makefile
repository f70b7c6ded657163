# The course, one command each. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LESSON ?=
TITLE ?=
OFFSETS ?=
PORT ?= 8000
SERVE ?=
NOTEBOOK ?=
LIMIT ?= 1800
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 300 \
	--dist loadscope --no-loadscope-reorder -p tools.longest_first
FORMS := $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
STORED := $(if $(LESSON),$(foreach n,$(LESSON),notebooks/$(n)_*.ipynb),notebooks)
SIDE_BY_SIDE := $(if $(filter 1,$(words $(LESSON))),,STUDY_WORKERS=1)
# JupyterLab refuses to run as root, as in a container, unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab lessons new test lint unit browser compare replicate canary studies slides site text-page attention-page links serve doctor capstone bench pages

help:
	@echo "make lab                        install and open JupyterLab on the course"
	@echo "make lessons [LESSON=01]        run the lessons in place, then a table of times and findings"
	@echo "make new LESSON=18 TITLE=Reservoirs  begin a lesson: every file it needs, with what is to be done"
	@echo "make test [LESSON=01]           everything CI runs: make lint unit browser compare"
	@echo "make replicate [LESSON=01] [OFFSETS=\"1000 2000\"]   do the findings hold with other seeds? draws five offsets"
	@echo "make canary [LESSON=01]         the same with the offset of this week"
	@echo "make studies LESSON=08          run the long studies of a lesson, whose tables it shows: notebooks/studies"
	@echo "make slides [LESSON=01]         one reveal.js deck per lesson, in build/slides"
	@echo "make site                       the website, in build/site"
	@echo "make text-page                  train the network of site/play/text.html and of the service, and write both"
	@echo "make attention-page             the same of the two networks of site/play/attention.html"
	@echo "make links                      are the links to other sites alive?"
	@echo "make serve [PORT=8000]          a network that writes, on this machine: http://127.0.0.1:8000"
	@echo "make capstone NOTEBOOK=mine.ipynb   run a capstone notebook again and report on it (lesson 17)"
	@echo "make doctor                     is this machine ready?"
	@echo "make bench                      speed and memory, written to BENCHMARKS.md"
	@echo "make pages                      FINDINGS.md, minutes, clocks of the guide and other tables, from the stored notebooks"

lab: $(VENV)/learn
	$(BIN)/jupyter lab $(AS_ROOT) --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks

lessons: $(VENV)/learn
	$(BIN)/python -m tools.lessons $(LESSON)

new: $(VENV)/learn
	$(BIN)/python -m tools.new "$(LESSON)" "$(TITLE)"

replicate: $(VENV)/learn
	$(BIN)/python -m tools.replicate --offsets "$(OFFSETS)" $(LESSON)

canary: $(VENV)/learn
	$(BIN)/python -m tools.replicate --week $(LESSON)

studies: $(VENV)/learn
	$(BIN)/python -m tools.studies $(LESSON)

slides: $(VENV)/site
	$(BIN)/python -m tools.slides $(LESSON)

site: $(VENV)/site
	$(BIN)/python -m tools.site

text-page: $(VENV)/learn
	$(BIN)/python -m tools.text_page

attention-page: $(VENV)/learn
	$(BIN)/python -m tools.attention_page

links: $(VENV)/site
	$(BIN)/python -m tools.site linkcheck

serve: $(VENV)/serve
	$(BIN)/python -m utils.serving --port $(PORT) --states build/conversations $(SERVE)

capstone: $(VENV)/learn
	@$(BIN)/python -m tools.capstone --limit $(LIMIT) "$(NOTEBOOK)"

doctor: $(VENV)/learn
	$(BIN)/python -m tools.doctor

test: lint unit browser compare

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms $(FORMS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/python -m tools.pages --check

unit: $(VENV)/test
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser

# By file, so that the site and the decks are built once.
browser: $(VENV)/test
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/browser

# Two lessons side by side, each with one worker: a fifth faster than one after the other with two.
compare: $(VENV)/test
	$(SIDE_BY_SIDE) $(BIN)/python -m pytest -n 2 $(NBVAL) $(STORED)

bench: $(VENV)/test
	$(BIN)/python -m tests.benchmarks.run

pages: $(VENV)/learn
	$(BIN)/python -m tools.pages

# Installed once; again when the list of libraries changes. Later runs need no internet.
$(VENV)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python %d.%d found; the course needs 3.11, 3.12 or 3.13. Say: make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/learn: $(VENV)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@# No pop-up that asks a newcomer about news.
	@$(BIN)/jupyter labextension disable --level=sys_prefix "@jupyterlab/apputils-extension:announcements" 2> /dev/null
	@touch $@

# The service needs few libraries, so it need not wait for TensorFlow.
$(VENV)/serve: $(VENV)/python requirements.txt
	@test -e $(VENV)/learn || grep -E "^(numpy|psutil|prometheus-client|scipy|starlette|threadpoolctl|uvicorn)>" requirements.txt \
		| $(BIN)/python -m pip install --quiet -r /dev/stdin
	@touch $@

$(VENV)/site: $(VENV)/python requirements-site.txt
	$(BIN)/python -m pip install --quiet -r requirements-site.txt
	@touch $@

$(VENV)/test: $(VENV)/learn requirements-site.txt requirements-test.txt
	$(BIN)/python -m pip install --quiet -r requirements-test.txt
	@# No history shared by the kernels of nbval: while one of them writes it, IPython says so in the output of another.
	@mkdir -p $(VENV)/etc/ipython && echo "c.HistoryManager.enabled = False" > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@
