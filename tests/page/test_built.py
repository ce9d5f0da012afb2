"""The built page is that of its source, and is served with nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from app.api.page.files import FOLDER
from app.api.page.samples import SAMPLES, sample_request
from app.terminology.codes import meaning_of
from tests.conftest import Client, ClientMaker
from tests.support import calls

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
SINGLE = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def digest(folder: Path, paths: Iterable[Path]) -> str:
    """As web/vite.config.ts makes it."""
    lines = [
        f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(paths, key=str)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_built_page_is_in_step_with_its_source() -> None:
    made = json.loads((FOLDER / "build.json").read_text(encoding="utf-8"))
    sources = [*(WEB / name for name in SINGLE), *files(WEB / "src"), *files(WEB / "public")]
    assert made["sources"] == digest(WEB, sources), "web/ has changed: make web"
    built = [path for path in files(FOLDER) if path.name != "build.json"]
    assert made["built"] == digest(FOLDER, built), "app/_static was changed by hand: make web"


def test_each_bundled_package_is_listed_with_its_licence() -> None:
    texts = (FOLDER / "assets" / "licences.txt").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "licences-page.md").read_text(encoding="utf-8")
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    rows = re.findall(r"^\| \[([^]]+)\]\S+ \| (\S+) \| (.+) \|$", page, re.MULTILINE)
    assert {"preact", "@observablehq/plot", "marked", "dompurify", "jsonc-parser"} <= {name for name, _, _ in rows}
    for name, version, licence in rows:
        assert lock[f"node_modules/{name}"]["version"] == version, "make web"
        assert f"{name} {version} ({licence})" in texts
        assert re.search(r"MIT|BSD|Apache|ISC", licence), licence
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d[\w.]*", version) for version in wanted["dependencies"].values()), "exact versions"


def test_the_page_allows_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    """DISC-14: own files alone; no inline script or style, no eval, no other host."""
    response = client.get("/")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", response.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", response.text)
    assert response.headers["referrer-policy"] == "no-referrer"


def test_the_page_tells_without_script_what_it_is(client: Client) -> None:
    text = client.get("/").text
    assert "not a medical device" in text
    assert "<!--" not in text
    for service in client.get("/cds-services").json()["services"]:
        assert service["id"] in text


def test_the_files_of_the_page_are_served_with_a_tag(client: Client) -> None:
    page = client.get("/").text
    named = re.findall(r"(?:src|href)=\"\./(assets/[^\"]+)\"", page)
    assert {"assets/page.js", "assets/osteon.css"} <= set(named)
    for name in named:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = client.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["build.json", "../index.html", "..%2Findex.html", "nothing.js", "index.html"])
def test_no_other_file_is_served(client: Client, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_the_shipped_code_loads_nothing_and_keeps_nothing() -> None:
    """No request to another host, no storage, no eval: what is pasted stays in the page and goes to the service."""
    own = "".join(path.read_text(encoding="utf-8") for path in files(WEB / "src") if path.suffix in {".ts", ".tsx"})
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|sendBeacon|XMLHttpRequest", own)
    assert set(re.findall(r"fetch\(([^,)]+)", own)) == {"address", "`./cds-services/${encodeURIComponent(service"}
    built = (FOLDER / "assets" / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"localStorage|sessionStorage|indexedDB|\beval\(|new Function\(|sendBeacon", built)


def test_every_example_request_is_offered() -> None:
    requests = {path.name.removesuffix(".request.json") for path in calls.EXAMPLES.glob("*.request.json")}
    assert {sample.name for sample in SAMPLES} == requests - {"feedback"}


def test_a_sample_moves_with_the_day(client: Client) -> None:
    moved = sample_request("patient-view", date(2030, 11, 22))
    assert moved["prefetch"]["patient"]["birthDate"] == "1959-03-14"
    assert client.get("/page/samples/patient-view").headers["cache-control"] == "no-store"
    assert client.get("/page/samples/feedback").status_code == 404


def test_the_options_are_those_of_the_service(make_client: ClientMaker) -> None:
    told = make_client(profile="se", language="sv").get("/page/options").json()
    assert told["default"] == {"profile": "se", "language": "sv"}
    assert told["trust"] in {"loopback", "required", "off"}
    assert [sample["name"] for sample in told["samples"]] == [sample.name for sample in SAMPLES]


def test_what_if_uses_codes_that_the_service_knows() -> None:
    codes = json.loads((WEB / "src" / "whatif-codes.json").read_text(encoding="utf-8"))
    for entries in codes.values():
        for entry in entries:
            assert meaning_of(entry["system"], entry["code"]) is not None, entry
