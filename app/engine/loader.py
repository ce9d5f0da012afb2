"""Reads the YAML files under guidelines/ and says, with file and line, what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from app.data_files import data_path
from app.engine.schema import File, SourceFile

Model = TypeVar("Model", bound=BaseModel)

GUIDELINE_FOLDERS = ("uppsala", "msd", "dk-metastases", "dk-back-pain", "cn-elderly")
"""Folders of the sources; guidelines/advice and guidelines/*.yaml belong to none."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a guideline file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class GuidelineError(Exception):
    """The guideline files cannot be used; `problems` lists everything that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass
class LoadedFile:
    """One file: its checked content and the raw tree, which knows the lines."""

    name: str  # path below guidelines/
    folder: str  # "uppsala", "advice", ... or ""
    content: File
    raw: CommentedMap

    def line_of(self, *path: str | int) -> int:
        """The line (1-based) of a place in the file; of its nearest parent where the place has no line."""
        return line_of(self.raw, path)


@dataclass
class Loaded:
    """All files of a guidelines folder."""

    root: Path
    sources: dict[str, SourceFile] = field(default_factory=dict)
    files: list[LoadedFile] = field(default_factory=list)


def default_folder() -> Path:
    """The guideline files that ship with the service."""
    return data_path("guidelines")


def line_of(raw: object, path: tuple[str | int, ...]) -> int:
    """The line of `path` in a ruamel tree."""
    line, node = 1, raw
    for step in path:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    return line


def _plain(node: Any) -> Any:
    """The tree without ruamel's types. Numbers stay as they were written."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, float):
        return float(node)
    if isinstance(node, bool) or node is None:
        return node
    return int(node) if isinstance(node, int) else str(node)


def _parse(path: Path, name: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise GuidelineError([Problem(name, mark.line + 1 if mark else 1, str(what))]) from error
    if not isinstance(tree, CommentedMap):
        raise GuidelineError([Problem(name, 1, "a mapping is expected (recommendations:, criteria:, ...)")])
    return tree


def _suggestion(key: str, location: tuple[str | int, ...], model: type[BaseModel]) -> str:
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


def _validated(model: type[Model], raw: CommentedMap, name: str) -> Model:
    try:
        return model.model_validate(_plain(raw))
    except ValidationError as error:
        raise GuidelineError(list(problems_of(error, raw, name, model))) from error


@lru_cache(maxsize=4)
def load(root: Path) -> Loaded:
    """All guideline files below `root`. Raises GuidelineError with everything that is wrong, not only the first."""
    loaded, problems = Loaded(root), list[Problem]()
    paths = [*root.glob("*.yaml"), *root.glob("advice/*.yaml")]
    for folder in GUIDELINE_FOLDERS:
        paths += (root / folder).glob("*.yaml")
    for path in sorted(paths):
        name = path.relative_to(root.parent).as_posix()
        folder = path.parent.name if path.parent != root else ""
        try:
            raw = _parse(path, name)
            if path.name == "source.yaml":
                source = _validated(SourceFile, raw, name)
                loaded.sources[source.id] = source
            else:
                loaded.files.append(LoadedFile(name, folder, _validated(File, raw, name), raw))
        except GuidelineError as error:
            problems += error.problems
    if problems:
        raise GuidelineError(problems)
    return loaded
