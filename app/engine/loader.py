"""Reads the YAML files under guidelines/ and says, with file and line, what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.data_files import data_path
from app.engine.drug_file import DrugClassFile, DrugFile
from app.engine.schema import File, SourceFile
from app.yaml_files import FilesError, Place, Problem, Table, line_of, read_yaml

Model = TypeVar("Model", bound=BaseModel)

GUIDELINE_FOLDERS = ("uppsala", "msd", "dk-metastases", "dk-back-pain", "cn-elderly")
"""Folders of the sources; guidelines/advice and guidelines/*.yaml belong to none."""
DRUGS = "drugs"
DRUG_CLASSES = "concepts/drug-classes.yaml"


class GuidelineError(FilesError):
    """The guideline files cannot be used; `problems` lists everything that is wrong."""


Content = TypeVar("Content", bound=BaseModel, covariant=True)


@dataclass
class CheckedFile(Generic[Content]):
    """One file: its checked content, and the values as written, which know their lines."""

    name: str  # path below guidelines/
    folder: str  # "uppsala", "advice", ... or ""
    content: Content
    raw: Table

    def line_of(self, *path: str | int) -> int:
        """The line (1-based) of a place in the file; of its nearest parent where the place has no line."""
        return line_of(self.raw, path)


LoadedFile = CheckedFile[File]
LoadedDrug = CheckedFile[DrugFile]


@dataclass
class Loaded:
    """All files of a guidelines folder."""

    root: Path
    sources: dict[str, SourceFile] = field(default_factory=dict)
    files: list[LoadedFile] = field(default_factory=list)
    drugs: list[LoadedDrug] = field(default_factory=list)
    classes: CheckedFile[DrugClassFile] | None = None


def default_folder() -> Path:
    """The guideline files that ship with the service."""
    return data_path("guidelines")


def _suggestion(key: str, location: Place, model: type[BaseModel]) -> str:
    """A hint for an unknown key, from the fields of the block that it stands in."""
    fields: dict[str, Any] = dict(model.model_fields)
    for step in location[:-1]:
        if isinstance(step, int) or step not in fields:
            continue
        inner = _model_in(fields[step].annotation)
        fields = dict(inner.model_fields) if inner else {}
    close = get_close_matches(key, list(fields), n=1)
    return f", did you mean {close[0]}?" if close else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def problems_of(error: ValidationError, raw: object, name: str, model: type[BaseModel]) -> Iterator[Problem]:
    """The violations of a model, each with its line."""
    for item in error.errors():
        location = tuple(step for step in item["loc"])
        where = ".".join(str(step) for step in location)
        message = item["msg"]
        if item["type"] == "extra_forbidden":
            message = f"unknown key {location[-1]!r}{_suggestion(str(location[-1]), location, model)}"
        yield Problem(name, line_of(raw, location), f"{where}: {message}")


def _validated(model: type[Model], raw: Table, name: str) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise GuidelineError(list(problems_of(error, raw, name, model))) from error


def load(root: Path) -> Loaded:
    """All guideline files below `root`. Raises GuidelineError with everything that is wrong, not only the first."""
    loaded, problems = Loaded(root), list[Problem]()
    paths = [*root.glob("*.yaml"), *root.glob("advice/*.yaml")]
    paths += [*root.glob(f"{DRUGS}/*.yaml"), *root.glob(DRUG_CLASSES)]
    for folder in GUIDELINE_FOLDERS:
        paths += (root / folder).glob("*.yaml")
    for path in sorted(paths):
        name = path.relative_to(root.parent).as_posix()
        folder = path.parent.name if path.parent != root else ""
        try:
            raw = read_yaml(path, name)
            if path.name == "source.yaml":
                source = _validated(SourceFile, raw, name)
                loaded.sources[source.id] = source
            elif folder == DRUGS:
                loaded.drugs.append(LoadedDrug(name, folder, _validated(DrugFile, raw, name), raw))
            elif path == root / DRUG_CLASSES:
                loaded.classes = CheckedFile(name, folder, _validated(DrugClassFile, raw, name), raw)
            else:
                loaded.files.append(LoadedFile(name, folder, _validated(File, raw, name), raw))
        except FilesError as error:
            problems += error.problems
    if problems:
        raise GuidelineError(problems)
    return loaded
