"""Runs Nova and Prometheus, each for the duration of a `with` block."""

import contextlib
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request


class Nova:
    def __init__(self, process):
        self.process = process
        line = self.wait_for("/metrics")
        self.metrics = re.search(r"http://(\S+)/metrics", line)[1]

    def wait_for(self, text):
        for line in self.process.stdout:
            if text in line:
                return line
        raise SystemExit(f"nova ended before it said {text!r}")


@contextlib.contextmanager
def nova(path, arguments):
    command = [path, "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", *arguments]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        yield Nova(process)


@contextlib.contextmanager
def prometheus(directory, target, scrape_seconds):
    """Yields the URL once the target has been scraped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = "127.0.0.1:%d" % free.getsockname()[1]
    config = pathlib.Path(directory, "prometheus.yml")
    config.write_text(
        f"global: {{scrape_interval: {scrape_seconds}s, scrape_timeout: {scrape_seconds}s}}\n"
        f"scrape_configs: [{{job_name: nova, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address={address}",
    ]
    with ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)) as process:
        url = f"http://{address}"
        while not is_up(url):
            if process.poll() is not None:
                raise SystemExit("prometheus ended")
            time.sleep(0.1)
        yield url


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?query=up") as answer:
            return b'"1"' in answer.read()
    except urllib.error.URLError:
        return False


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
