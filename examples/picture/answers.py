"""Prometheus's answers to the queries of a dashboard, with variables substituted as Grafana does."""

import json
import math
import urllib.parse
import urllib.request

# What Grafana would draw of a graph half a screen wide.
POINTS = 300


def ask(url, kind, **parameters):
    body = urllib.parse.urlencode(parameters).encode()
    with urllib.request.urlopen(f"{url}/api/v1/{kind}", body) as answer:
        return json.load(answer)["data"]["result"]


def now(url):
    return float(ask(url, "query", query="vector(time())")[0]["value"][1])


def of_all(dashboard, url, start, scrape_seconds):
    """Returns, by panel id and reference, a list of labels and values, each value with its time."""
    end = now(url)
    step = max(scrape_seconds, math.ceil((end - start) / POINTS))
    variables = {
        "$__rate_interval": f"{max(step + scrape_seconds, 4 * scrape_seconds)}s",
        "$__range": f"{round(end - start)}s",
    }
    lists = [variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    variables |= {f"${name}": ".+" for name in lists}

    def of(target):
        query = target["expr"]
        for name, value in variables.items():
            query = query.replace(name, value)
        if target["instant"]:
            return [(one["metric"], [one["value"]]) for one in ask(url, "query", query=query, time=end)]
        series = ask(url, "query_range", query=query, start=start, end=end, step=step)
        return [(one["metric"], one["values"]) for one in series]

    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    answered = {
        f"{panel['id']} {target['refId']}": of(target) for panel in panels for target in panel["targets"]
    }
    empty = [name for name, series in answered.items() if not series]
    if empty:
        raise SystemExit(f"no data for {empty}")
    return {"start": start, "end": end, "answers": answered}
