"""Reads the classic text and OpenMetrics of one registry with the parsers of Prometheus's Python client.

Names each series of the first that the second has not, or has with another value, and the other way round.
Exits with 1 if there is one. Bounds may be spelled in two ways.
"""

import math
import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_classic


def series(parse, path):
    """The value of each series, by name and labels."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if parse is parse_classic:
        # It gives every counter's name its `_total`, which Prometheus does not.
        text = re.sub(r"^(# TYPE \S+) counter$", r"\1 untyped", text, flags=re.MULTILINE)
    values = {}
    for family in parse(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            if "le" in labels:
                labels["le"] = repr(float(labels["le"]))
            value = float(sample.value)
            name = (sample.name, tuple(sorted(labels.items())))
            values[name] = "NaN" if math.isnan(value) else value
    return values


def main():
    classic = series(parse_classic, sys.argv[1])
    openmetrics = series(parse_openmetrics, sys.argv[2])
    found = [
        f"{name}: {classic.get(name)} and {openmetrics.get(name)}"
        for name in sorted(classic.keys() | openmetrics.keys(), key=str)
        if classic.get(name) != openmetrics.get(name)
    ]
    print("\n".join(found) if found else f"{len(classic)} series agree")
    sys.exit(1 if found else 0)


main()
