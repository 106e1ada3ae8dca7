"""Reads a dashboard with the types of Grafana's foundation SDK, writes it again, and names what is lost.

A key that the SDK does not keep is one that Grafana does not know: a slip of the pen, or of another version.
Exits with 1 if there is one.
"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def differences(before, after, path=""):
    """What `after` lacks of `before`, or has otherwise; more than that it may have."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            at = f"{path}.{key}" if path else key
            if key in after:
                yield from differences(value, after[key], at)
            else:
                yield f"lost: {at}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{path}[{i}]")
    elif before != after:
        yield f"changed: {path}: {before!r} became {after!r}"


def main():
    register_default_plugins()
    with open(sys.argv[1], encoding="utf-8") as file:
        before = json.load(file)
    after = json.loads(JSONEncoder().encode(Dashboard.from_json(before)))
    found = list(differences(before, after))
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
