"""Reads the YAML files under guidelines/ and reports errors with file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.data_files import data_path
from app.engine.drug_file import DrugClassFile, DrugFile
from app.engine.locale import Locale
from app.engine.locales import LocaleFile
from app.engine.own_texts import OwnTextFile, OwnTexts, with_own_texts
from app.engine.review_file import ReviewFile
from app.engine.schema import File, SourceFile
from app.profiles import FILE as PROFILES
from app.terminology.code_sets import concept_file
from app.vocabulary import Language
from app.yaml_files import FilesError, Place, Problem, Table, line_of, read_yaml

Model = TypeVar("Model", bound=BaseModel)

SOURCE = "source.yaml"
"""The file that makes a folder of guidelines/ the folder of a source."""
ADVICE, CONCEPTS, DRUGS = "advice", "concepts", "drugs"
DRUG_CLASSES = "drug-classes"
LOCALES = "locales"
REVIEWS = "reviews"
_OTHER_FOLDERS = (ADVICE, CONCEPTS, DRUGS, REVIEWS)
_WORDS = "concepts/words"
"""The word lists, which app/terminology/word_lists.py reads."""


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
    source_files: dict[str, CheckedFile[SourceFile]] = field(default_factory=dict)  # by folder
    files: list[LoadedFile] = field(default_factory=list)
    drugs: list[LoadedDrug] = field(default_factory=list)
    classes: CheckedFile[DrugClassFile] | None = None
    reviews: list[CheckedFile[ReviewFile]] = field(default_factory=list)
    locales: dict[Language, LocaleFile] = field(default_factory=dict)
    concepts: dict[str, Table] = field(default_factory=dict)  # the files of guidelines/concepts by their stem

    @property
    def sources(self) -> dict[str, SourceFile]:
        """The sources by id."""
        return {file.content.id: file.content for file in self.source_files.values()}

    def concept_name(self, stem: str) -> str:
        """How messages name a file of guidelines/concepts."""
        return f"{self.root.name}/{CONCEPTS}/{stem}.yaml"


def default_folder() -> Path:
    """The guideline files that ship with the service."""
    return data_path("guidelines")


def _suggestion(key: str, location: Place, model: type[BaseModel]) -> str:
    """A hint for an unknown key, from the fields of its block."""
    fields: dict[str, Any] = _keys(model)
    for step in location[:-1]:
        if isinstance(step, int) or step not in fields:
            continue
        inner = _model_in(fields[step].annotation)
        fields = _keys(inner) if inner else {}
    close = get_close_matches(key, list(fields), n=1)
    return f", did you mean {close[0]}?" if close else ""


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a block by the keys that files have for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


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


def validated(model: type[Model], raw: Table, name: str) -> Model:
    """The content of a file as its model. Raises GuidelineError with the line of each violation."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise GuidelineError(list(problems_of(error, raw, name, model))) from error


def load(root: Path, local: Path | None = None) -> Loaded:
    """All guideline files below `root`, and the sources and profiles of a hospital below `local`.

    Raises GuidelineError with everything that is wrong, not only the first.
    """
    loaded = Loaded(root)
    folders = source_folders(root)
    problems = [*_unread(root, folders)]
    problems += _load_files(loaded, root, sorted([*root.glob("*.yaml"), *_below(root, {*_OTHER_FOLDERS, *folders})]))
    problems += _load_locales(root, loaded)
    own = list(_own_texts(root, folders, problems))
    if local is not None:
        own += _load_local(loaded, local, problems)
    loaded.locales, wrong = with_own_texts(loaded.locales, own)
    problems += wrong
    if problems:
        raise GuidelineError(problems)
    return loaded


def source_folders(root: Path) -> set[str]:
    """The folders of sources: those with a source.yaml."""
    return {path.parent.name for path in root.glob(f"*/{SOURCE}")}


def _below(root: Path, folders: Collection[str]) -> list[Path]:
    return [path for folder in folders for path in root.glob(f"{folder}/*.yaml")]


def _load_local(loaded: Loaded, local: Path, problems: list[Problem]) -> list[OwnTextFile]:
    """Read the sources and profiles of a hospital into `loaded`; gives their texts."""
    folders = source_folders(local)
    for folder in sorted(folders):
        if folder in loaded.source_files or folder in {*_OTHER_FOLDERS, LOCALES}:
            problems.append(
                Problem(f"{local.name}/{folder}/{SOURCE}", 1, f"{folder} ships with the service: rename it")
            )
        elif not any((local / folder / LOCALES).glob("*.yaml")):
            message = f"the source has no texts: {folder}/{LOCALES}/en.yaml, or another language"
            problems.append(Problem(f"{local.name}/{folder}/{SOURCE}", 1, message))
    paths = [*local.glob(PROFILES), *_below(local, folders)]
    problems += _load_files(loaded, local, sorted(paths))
    return list(_own_texts(local, folders, problems))


def _load_files(loaded: Loaded, root: Path, paths: Iterable[Path]) -> list[Problem]:
    problems: list[Problem] = []
    for path in paths:
        try:
            _load_file(loaded, root, path)
        except FilesError as error:
            problems += error.problems
    return problems


def _own_texts(root: Path, folders: Collection[str], problems: list[Problem]) -> Iterator[OwnTextFile]:
    """The texts in the folders of sources; what is wrong goes to `problems`."""
    for folder in sorted(folders):
        for path in sorted((root / folder / LOCALES).glob("*.yaml")):
            name = path.relative_to(root.parent).as_posix()
            try:
                raw = read_yaml(path, name)
                content = validated(OwnTexts, raw, name)
            except FilesError as error:
                problems += error.problems
                continue
            if content.language != path.stem:
                problems.append(Problem(name, 1, f"language is {path.stem}, as the name of the file says"))
            yield OwnTextFile(name, content, raw)


def _load_file(loaded: Loaded, root: Path, path: Path) -> None:
    """Read and check one file. Raises FilesError."""
    name = path.relative_to(root.parent).as_posix()
    folder = path.parent.name if path.parent != root else ""
    raw = _read(root, path, name)
    if folder == CONCEPTS:
        loaded.concepts[path.stem] = raw
        if path.stem == DRUG_CLASSES:
            loaded.classes = CheckedFile(name, folder, validated(DrugClassFile, raw, name), raw)
    elif folder == DRUGS:
        loaded.drugs.append(LoadedDrug(name, folder, validated(DrugFile, raw, name), raw))
    elif folder == REVIEWS:
        loaded.reviews.append(CheckedFile(name, folder, validated(ReviewFile, raw, name), raw))
    elif path.name == SOURCE:
        loaded.source_files[folder] = CheckedFile(name, folder, validated(SourceFile, raw, name), raw)
    else:
        loaded.files.append(LoadedFile(name, folder, validated(File, raw, name), raw))


def _read(root: Path, path: Path, name: str) -> Table:
    """The content of a file. The terminology reads the concepts and drugs that ship too: they are parsed once."""
    if path.parent in {root / CONCEPTS, root / DRUGS} and root == default_folder():
        return concept_file(path.stem if path.parent.name == CONCEPTS else f"{DRUGS}/{path.stem}")
    return read_yaml(path, name)


def _unread(root: Path, sources: Collection[str]) -> Iterator[Problem]:
    """Files that the loader would ignore: in a folder that is none of a source, or not named *.yaml."""
    known = {*sources, *(f"{source}/{LOCALES}" for source in sources), *_OTHER_FOLDERS, LOCALES, _WORDS}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root.parent).as_posix()
        folder = path.parent.relative_to(root).as_posix()
        if path.suffix == ".yml":
            yield Problem(name, 1, f"nobody reads this file, did you mean {path.stem}.yaml?")
        elif path.suffix == ".yaml" and folder not in known and path.parent != root:
            hint = get_close_matches(folder, [*known], n=1) or get_close_matches(path.name, [SOURCE], n=1)
            meant = f", did you mean {hint[0]}?" if hint else f" (the folder of a source has a {SOURCE})"
            yield Problem(name, 1, f"nobody reads the folder {folder}{meant}")


def _load_locales(root: Path, loaded: Loaded) -> list[Problem]:
    """Read guidelines/locales into `loaded`; what is wrong with it."""
    problems: list[Problem] = []
    stems = {path.stem for path in (root / LOCALES).glob("*.yaml")}
    for stem in [*Language, *sorted(stems - set(Language))]:
        path = root / LOCALES / f"{stem}.yaml"
        name = path.relative_to(root.parent).as_posix()
        if stem not in set(Language):
            problems.append(Problem(name, 1, f"{stem} is no language of app/vocabulary.py: {', '.join(Language)}"))
            continue
        try:
            raw = read_yaml(path, name)
            loaded.locales[Language(stem)] = LocaleFile(name, validated(Locale, raw, name), raw)
        except FilesError as error:
            problems += error.problems
    return problems
