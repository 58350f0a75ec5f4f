"""The charts, by matplotlib."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.report.tables import CLIENTS, SUMMARY, seconds

mpl.use("Agg")
from matplotlib import pyplot as plt

COLORS = dict(zip(CLIENTS, ("#1b7f5c", "#4a6fa5", "#c98a1b", "#b3402f"), strict=True))
Results = dict[str, Any]


def requests(results: Results) -> Any:
    """Draw the requests of all jobs, and how many of them were 429s."""
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    height = 0.2
    for place, (key, _) in enumerate(SUMMARY):
        by_client = {line["client"]: line for line in results[key]}
        for turn, client in enumerate(CLIENTS):
            line = by_client[client]
            y = place + (turn - 1.5) * height
            axes.barh(y, max(line["requests"], 0.8), height * 0.92, color=COLORS[client],
                      label=client if place == 0 else None)  # fmt: skip
            note = f" {line['requests']:,}"
            if line.get("throttled"):
                note += f", {line['throttled']:,} 429s"
            if line.get("bans"):
                note += ", banned"
            if line.get("found") != line.get("of"):
                note += ", changes missed"
            axes.text(max(line["requests"], 0.8), y, note, va="center", fontsize=7)
    axes.set_yticks(range(len(SUMMARY)), [title for _, title in SUMMARY])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(0.7, 6000)
    axes.set_xlabel("requests, 429s among them")
    figure.legend(loc="outside upper center", ncols=len(CLIENTS), fontsize=9)
    return figure


def waits(results: Results) -> Any:
    """Draw how long people wait."""
    titles = {"interactive": "beside a bulk job", "typeahead": "typeahead", "chat": "chat"}
    figure, all_axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", sharey=True)
    for axes, (key, title) in zip(all_axes, titles.items(), strict=True):
        for place, line in enumerate(results[key]):
            color = COLORS[line["client"]]
            axes.barh(place, line["p95"], color=color, alpha=0.35)
            axes.barh(place, line["p50"], color=color)
            note = f" {seconds(line['p50'])} / {seconds(line['p95'])}"
            axes.text(line["p95"], place, note, va="center", fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(0.05, 50_000)
        axes.set_title(title)
        axes.set_yticks(range(len(CLIENTS)), CLIENTS)
    all_axes[0].invert_yaxis()
    all_axes[1].set_xlabel("seconds until an answer: median / 95th percentile")
    return figure


def costs(results: Results) -> Any:
    """Draw what a call costs this side."""
    titles = {"call": "a call that is sent, us of CPU", "hit": "a hit, us of CPU",
              "first": "first answer, ms"}  # fmt: skip
    figure, all_axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained", sharey=True)
    for axes, (key, title) in zip(all_axes, titles.items(), strict=True):
        for place, client in enumerate(CLIENTS):
            value = results[key].get(client)
            if value is not None:
                axes.barh(place, value, color=COLORS[client])
                axes.text(value, place, f" {value:,.0f}", va="center")
        axes.margins(x=0.25)
        axes.set_title(title, fontsize=10)
        axes.set_yticks(range(len(CLIENTS)), CLIENTS)
    all_axes[0].invert_yaxis()
    return figure


def draw(results: Results, folder: Path, assets: Path) -> None:
    """Write the charts, and one of them for the documentation."""
    folder.mkdir(exist_ok=True)
    for make in (requests, waits, costs):
        figure = make(results)
        figure.savefig(folder / f"{make.__name__}.png", dpi=110)
        if make is requests:
            figure.savefig(assets / "benchmarks.png", dpi=110)
        plt.close(figure)
