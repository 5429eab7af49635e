#!/usr/bin/env python3
"""Runs the scoring tools beside the corpora and holds each score against its floor.

usage: score.py BINARY

The corpora are found through VIGIE_CORPORA, the tools in `tools` beside them; without the variable nothing is scored.
"""
import os
import re
import subprocess
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = {"suricata_conformance.py": ("--cases", "suricata"), "ndpi_agreement.py": ("--corpus", "ndpi")}


def score(tools, corpora, binary, entry):
    """Runs one tool; answers its closing line and the percentage in it."""
    flag, folder = CORPUS[entry["tool"]]
    command = [sys.executable, os.path.join(tools, entry["tool"]), "--bin", binary, flag, os.path.join(corpora, folder)]
    done = subprocess.run(command + entry["args"], stdout=subprocess.PIPE, text=True)
    closing = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
    found = re.search(r"\(([0-9.]+)%\)", closing)
    return closing, float(found.group(1)) if found else -1.0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    corpora = os.environ.get("VIGIE_CORPORA")
    if not corpora:
        print("score: left out, VIGIE_CORPORA is not set")
        return
    corpora = os.path.abspath(corpora)
    tools = os.path.join(os.path.dirname(corpora), "tools")
    if not os.path.isdir(tools):
        print(f"score: left out, no scoring tools at {tools}")
        return
    with open(os.path.join(HERE, "floors.toml"), "rb") as file:
        floors = tomllib.load(file)
    failed = False
    for entry in floors.values():
        closing, percent = score(tools, corpora, os.path.abspath(sys.argv[1]), entry)
        print(closing)
        good = percent >= entry["floor"]
        print(f"score: {entry['text']}: {percent:g} %, floor {entry['floor']:g} %{'' if good else ', FAILED'}")
        failed |= not good
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
