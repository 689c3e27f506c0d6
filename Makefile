# Every habit of the house. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help verify run test lint format gates findings bench docs clause setup setup-dev lock infra dast dast-long image client painter sabotage clean
SHELL := /bin/sh
VENV := .venv/bin

verify: setup ## Look whether every sentence of the policy holds, here and now
	@exec $(VENV)/headshotly policy verify

help: ## List every habit
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Set up and start everything; prints the address
	@exec $(VENV)/headshotly serve

setup: ## Make .venv and unpack the face models
	@sh setup/environment.sh

setup-dev:
	@sh setup/environment.sh --dev

test: setup-dev ## Set up and run every test, browser journeys included
	@$(VENV)/python -m pytest -n auto --maxprocesses=4 --dist loadfile

lint: setup-dev ## Style, types, doors between rooms
	@$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/mypy && $(VENV)/lint-imports

format: setup-dev ## Format the code
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .

gates: setup-dev ## Every gate of CI but the tests
	@bash setup/gates.sh

findings: setup-dev ## Run the gates and take what they found into the register of findings
	@sh -c 'bash setup/gates.sh; $(VENV)/headshotly findings import $$(find build/findings -name "*.sarif" -o -name "*.cdx.json" | sort)'

infra: setup-dev ## Make the templates of the infrastructure and check what they say
	@sh setup/infra.sh

dast: setup-dev ## Scan the running service: TLS, pages and forms, API
	@sh setup/dast.sh

dast-long: setup-dev ## The same, with time for every attack to come to its end
	@HEADSHOTLY_DAST=long sh setup/dast.sh

image: setup-dev ## Make our layer of the container image twice, and compare
	@sh setup/image.sh

client: setup-dev ## Generate the Python client out of the OpenAPI document
	@HEADSHOTLY_WRITE_TABLES=1 $(VENV)/python -m pytest -q tests/integrations/test_client.py -k regenerating

painter: ## Run the generative pipelines, tiny, in their own environment (1.3 GB)
	@sh setup/painter.sh

sabotage: setup-dev ## Break each promise in a scratch system and print which check noticed
	@$(VENV)/python -m pytest tests/sabotage

bench: setup-dev ## Measure against the rivals; a table each
	@for each in $$(ls bench/*.py 2>/dev/null | grep -v __init__); do $(VENV)/python -m bench.$$(basename $$each .py) || exit 1; done

docs: ## Where to read
	@ls docs docs/adr docs/formats

clause: setup ## Show a promise by its number: make clause ID=3.2.a
	@$(VENV)/headshotly policy show $(ID)

lock: setup-dev ## Resolve requirements/*.in anew into locks with hashes
	@for each in runtime dev build infra semgrep dast; do .uv/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --upgrade requirements/$$each.in -o requirements/$$each.lock; done
	@.uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --overrides requirements/diffusion-without.txt requirements/diffusion.in -o requirements/diffusion.lock
	@.uv/bin/uv pip compile --quiet --universal --python-version 3.12 --no-deps --generate-hashes --no-header requirements/models.in -o requirements/models.lock
	@.uv/bin/uv pip compile --quiet --universal --python-version 3.8 --generate-hashes --no-header --upgrade requirements/uv.in -o requirements/uv.lock

clean: ## Remove what set-up made; your data stays
	rm -rf .venv .uv .models build
