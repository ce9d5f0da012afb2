"""What `osteon screen` costs: processor time, peak memory and time, over an export made of sample patients.

    python -m tests.bench.screening BUNDLES.ndjson.gz [...] --times 12 --memory 512MB --workers 2

Each line of the files is the Bundle of one patient. Every patient is written `--times` times, with ids of its own, as
one NDJSON file a kind. Peak memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NOT_EXPORTED = ("Bundle", "Medication")


def renamed(text: str, bundle: dict[str, Any], copy: int) -> dict[str, Any]:
    """The Bundle with other ids, the same in its references."""
    for entry in bundle["entry"]:
        name = entry["resource"].get("id")
        if name:
            text = text.replace(f'"{name}"', f'"{name}-{copy}"').replace(f"/{name}", f"/{name}-{copy}")
            text = text.replace(f"urn:uuid:{name}", f"Unknown/{name}-{copy}")
    found: dict[str, Any] = json.loads(text)
    return found


def write_export(folder: Path, files: list[Path], times: int) -> tuple[int, int]:
    """Write the export; how many patients and bytes it has."""
    opened: dict[str, Any] = {}
    patients = 0
    for path in files:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            bundle = json.loads(line)
            if "entry" not in bundle:
                continue
            own = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
            if len(own) != 1 or not own[0].get("id"):
                continue
            for copy in range(times):
                patients += 1
                owner = f"Patient/{own[0]['id']}-{copy}"
                for entry in renamed(line, bundle, copy)["entry"]:
                    record = entry["resource"]
                    kind = record["resourceType"]
                    if kind in NOT_EXPORTED:
                        continue
                    for holder in ("subject", "patient"):
                        if holder in record:
                            record[holder] = {"reference": owner}
                    if kind not in opened:
                        opened[kind] = (folder / f"{kind}.000.ndjson").open("w", encoding="utf-8")
                    opened[kind].write(json.dumps(record) + "\n")
    for file in opened.values():
        file.close()
    return patients, sum(path.stat().st_size for path in folder.glob("*.ndjson"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--memory", default="512MB")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        folder.mkdir()
        patients, size = write_export(folder, arguments.files, arguments.times)
        command = [sys.executable, "-m", "app", "screen", str(folder), "--out", f"{name}/out", "--profile", "se"]
        command += ["--complete", "--memory", arguments.memory, "--workers", str(arguments.workers)]
        started = time.monotonic()
        status = subprocess.run(command, check=False).returncode
        seconds, used = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime
    print(f"{patients} patients, {size / 1e6:.0f} MB, {arguments.workers} workers, exit status {status}")
    print(f"processor {processor:.1f} s, wall {seconds:.1f} s, largest process {used.ru_maxrss / 1024:.0f} MiB")
    print(f"per patient {1000 * processor / max(patients, 1):.1f} ms with the start of the processes")


if __name__ == "__main__":
    main()
