"""What is kept of voices, and for how long, as the page says it. Pure."""

from __future__ import annotations

from earmark.config import Config
from earmark.files import counted
from earmark.locality.policy.terms import term


def of_voices(config: Config, voiceprints: int, people: int, *, told_apart: bool) -> list[tuple[str, str]]:
    """What is kept, and how long. `voiceprints`: how many are stored, of so many `people` who were named; `told_apart`: what
    tells voices apart is here.
    """
    found = [_voiceprints(config, voiceprints, people)]
    if told_apart:
        what = "who speaks when, without a word; of a recording at work also the prints of its voices"
        found.insert(0, (what, "as the words; those prints until it is done"))
    return found


def _voiceprints(config: Config, voiceprints: int, people: int) -> tuple[str, str]:
    """Biometric data: whether it is kept, how much, and what deletes it."""
    use = "on" if config.remember_voices else "off"
    if not voiceprints:
        return f"voiceprints, which are biometric data: none is stored; `remember_voices` is {use}", "–"
    whose = counted(people, "person who was named", "people who were named")
    there = f"{voiceprints} stored, of {whose} (`earmark speakers list` says of whom)"
    if not config.remember_voices:
        use = "off: none is made, and these are not used"
    return (
        f"voiceprints, which are biometric data: {there}; `remember_voices` is {use}",
        f"{term(config.retention.voiceprints.keep_for)}, no longer than their recording; `earmark speakers forget NAME`, or"
        " `--all`, erases them",
    )
