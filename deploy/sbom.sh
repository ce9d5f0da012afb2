#!/usr/bin/env bash
# Writes the bill of materials (CycloneDX) and the list of licences of what the image holds.
#
#   make sbom        -> deploy/sbom/osteon.cdx.json, docs/licences.md
#
# Both are made from a fresh environment of requirements.lock, not from the one of development, which holds test tools.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$PWD/.venv-deploy/bin
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT

"$tools/python" -m venv --without-pip "$environment"
"$tools/python" -m pip --disable-pip-version-check --quiet --python "$environment/bin/python" \
  install --require-hashes --only-binary :all: -r requirements.lock

mkdir -p deploy/sbom
"$tools/cyclonedx-py" environment "$environment/bin/python" --pyproject pyproject.toml --mc-type application \
  --output-reproducible --spec-version 1.6 --output-format JSON --output-file deploy/sbom/osteon.cdx.json
"$tools/pip-licenses" --python "$environment/bin/python" --from mixed --with-urls --with-system --format json |
  "$tools/python" deploy/licences.py requirements.lock >"$environment/licences.md"
mv "$environment/licences.md" docs/licences.md
echo "deploy/sbom/osteon.cdx.json: $("$tools/python" -c 'import json; print(len(json.load(open("deploy/sbom/osteon.cdx.json"))["components"]))') components"
echo "docs/licences.md: $(grep -c '^| \[' docs/licences.md) packages"
