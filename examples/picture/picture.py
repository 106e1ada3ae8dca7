#!/usr/bin/env python3
"""Draws docs/dashboard.png: the dashboard over a run of Nova with an outage in it.

Runs Nova and a Prometheus that scrapes it, and draws each panel from Prometheus's answers to the panel's
queries. Needs cargo, Debian's `prometheus`, and the packages in requirements.txt:

    python3 -m venv target/picture
    target/picture/bin/pip install -r examples/picture/requirements.txt
    target/picture/bin/python examples/picture/picture.py
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import answers
import drawing
import programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "grpc-metrics-runtime/src/monitoring/dashboard.json"
SCRAPE_SECONDS = 2


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    # Five minutes after the outage, the shorter burn-rate window no longer contains it.
    options.add_argument("--seconds", type=int, default=660, help="of the run [660]")
    options.add_argument("--outage", type=int, default=20, help="seconds of outage in its middle [20]")
    options.add_argument(
        "--data", type=pathlib.Path, help="keep Prometheus's answers in this file; draw them if it is there"
    )
    options.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/dashboard.png")
    options = options.parse_args()

    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    if options.data and options.data.exists():
        data = json.loads(options.data.read_text(encoding="utf-8"))
    else:
        data = record(dashboard, options.seconds, options.outage)
        if options.data:
            options.data.write_text(json.dumps(data), encoding="utf-8")
    drawing.draw(dashboard, data, options.out)
    print(f"{options.out}: {options.out.stat().st_size // 1024} KB")


def record(dashboard, seconds, outage):
    """Prometheus's answers to all queries at the end of the run."""
    build = ["cargo", "build", "--release", "-p", "examples", "--bin", "nova", "--message-format=json"]
    built = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    paths = [json.loads(line).get("executable") for line in built.splitlines()]
    # Some operations always fail; that is what a budget is for.
    arguments = [
        "--seconds",
        str(seconds),
        "--outage",
        str(outage),
        "--fault-rate",
        "0.0002",
        "--linger",
        "60",
    ]
    with tempfile.TemporaryDirectory() as directory:
        with programs.nova([path for path in paths if path][-1], arguments) as nova:
            with programs.prometheus(directory, nova.metrics, SCRAPE_SECONDS) as url:
                start = answers.now(url)
                nova.wait_for("traffic done")
                return answers.of_all(dashboard, url, start, SCRAPE_SECONDS)


main()
