"""The benchmark of summaries, through a server: what a model proposes can be read and judged line by line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.stub_server import LMStudio, lines_in, running

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "summaries.py"
SAID = (
    "The warehouse is too small for the winter stock.",
    "We decided to rent the second hall in Bremen from October.",
    "I will send the contract for the second hall to the landlord.",
    "The forklift broke down twice in the warehouse last week.",
    "The forklift comes from a warehouse in Hamburg.",
)


def talkative(messages: list[dict[str, str]]) -> str:
    """A model that quotes rightly, and takes everything for a task."""
    lines = [(at, words.partition(": ")[2] or words) for at, words in lines_in(messages)]
    tasks = [{"quote": words, "at": at, "text": words, "owner": "", "due": ""} for at, words in lines]
    made_up = {"quote": "the roof is on fire tonight", "at": 0, "text": "Call the fire brigade.", "owner": ""}
    return json.dumps(
        {
            "title": "Warehouse",
            "overview": lines[0][1] if lines else "",
            "key_points": [],
            "decisions": [],
            "tasks": [*tasks, made_up],
            "open_questions": [],
        }
    )


def test_each_line_that_a_model_proposes_is_printed_with_what_it_cites_and_what_becomes_of_it(
    tmp_path: Path,
) -> None:
    meeting = {
        "meeting_transcripts": [
            {"speaker": f"S{n % 2}", "content": words} for n, words in enumerate(SAID * 2)
        ],
        "general_query_list": [{"answer": "They rent a hall."}],
        "topic_list": [{"relevant_text_span": ["0", "1"]}],
    }
    file = tmp_path / "meetings.jsonl"
    file.write_text(json.dumps(meeting) + "\n", encoding="utf-8")
    with running(LMStudio(talkative)) as server:
        command = [sys.executable, str(SCRIPT), "--qmsum", str(file), "--endpoint", server.url, "--items"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    rows = [line.split("\t") for line in told.splitlines() if line.count("\t") == 5]
    fates = {text: (kind, fate) for _, kind, fate, text, _, _ in rows}
    assert fates[SAID[2]] == ("tasks", "shown: said outright")
    assert fates[SAID[3]] == ("tasks", "dropped: nobody says so outright")
    assert fates["Call the fire brigade."] == ("tasks", "dropped: not borne out")
    cited, heard = next((row[4], row[5]) for row in rows if row[3] == SAID[2])
    assert cited == SAID[2]
    assert heard.endswith(SAID[2])
