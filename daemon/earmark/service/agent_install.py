"""Installing and removing launchd's agent: its file, and launchd's knowledge of it, are changed together or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from earmark.errors import EarmarkError, EnvironmentFault
from earmark.files import make_private, remove_empty
from earmark.service.agent import AgentState, agent_state
from earmark.service.launchd import user_home
from earmark.service.loading import Patience, came_up, forget_the_switch, load, turn_off_again, unload
from earmark.service.protected import guard_of, guard_there, parts_of_program, passing
from earmark.service.systemctl import Run
from earmark.service.unit_files import refuse_if_foreign, set_aside, text_of, write


def require_lasting(executable: Path, environ: Mapping[str, str]) -> None:
    """Raises EnvironmentFault for a program that will not be there at the next login."""
    home = user_home(environ)
    temporary = Path(environ.get("TMPDIR") or tempfile.gettempdir())
    for place in parts_of_program(executable):
        if (why := passing(place, home, temporary)) is not None:
            raise EnvironmentFault(
                f"{place} {why}; launchd would not find it again. Install earmark with pipx or uv tool, and then the service"
            )


def permissions(executable: Path, folders: Sequence[Path], environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence for the program and each folder that lie where macOS asks its user first, or only refuses."""
    home = user_home(environ)
    for place in parts_of_program(executable):
        if (guard := guard_of(place, home)) is not None:
            yield f"{guard.of_a_program(place)}."
            break
    for folder in folders:
        if (guard := guard_there(folder, home)) is not None:
            yield f"{guard.of_a_folder(folder)}."


def install_agent(
    file: Path, text: str, state: Path, works: Callable[[], int], run: Run, patience: Patience
) -> list[str]:
    """Write the agent's file and start it now and at every login; returns what was done, as sentences. `state`: the folder
    that its log goes to. `works`: which process has the ledger there. Raises EarmarkError; then all is as it was.
    """
    refuse_if_foreign(file)
    before = agent_state(file, run)
    with set_aside(file, text) as kept, _undone_if_it_fails(file, before, state, run, patience):
        unload(file, run, patience)
        make_private(state)
        write(file, text)
        load(file, run, patience)
        up = came_up(file, works, run, patience)
    started = (
        "Started it" if up else "Handed it to launchd, and it does not work yet (earmark service status)"
    )
    done = [f"Wrote {file}.", *kept, f"{started}; it starts again at every login and after a crash."]
    if before.off:
        done.append(
            "It was turned off (System Settings, General, Login Items, or launchctl disable), and is on now."
        )
    done.append("It stops when you log out.")
    done.append("How it is: earmark service status. What it says: earmark service logs")
    return done


def uninstall_agent(file: Path, run: Run, patience: Patience) -> list[str]:
    """Stop the agent and take its file away, and that it was turned off; returns what was done, as sentences."""
    refuse_if_foreign(file)
    there, before = os.path.lexists(file), agent_state(file, run)
    if not there and not before.loaded:
        return [f"There is no {file}; nothing to do."]
    with set_aside(file, None) as kept:
        unload(file, run, patience)
        file.unlink(missing_ok=True)
    if before.off is not False:
        forget_the_switch(run)
    if not there:
        return [f"There was no {file} any more; stopped the service."]
    return [
        f"Stopped it and removed {file}.",
        *kept,
        "Recordings, notes, ledger and configuration are untouched.",
    ]


@contextmanager
def _undone_if_it_fails(
    file: Path, before: AgentState, state: Path, run: Run, patience: Patience
) -> Iterator[None]:
    """Put back the file that was there, or none, the folders that were not, and what launchd knew, if the block raises."""
    text = text_of(file) if file.exists() else None
    made = [folder for folder in (*file.parents, state, *state.parents) if not folder.exists()]
    try:
        yield
    except BaseException as problem:
        worse = _as_it_was(file, text, before, run, patience)
        for folder in made:
            remove_empty(folder)
        if worse and isinstance(problem, EarmarkError):
            raise EnvironmentFault(f"{str(problem).rstrip('.')}. {worse}") from problem
        raise


def _as_it_was(file: Path, text: str | None, before: AgentState, run: Run, patience: Patience) -> str:
    """Undo, as far as the disk and launchd let us; "", or what is not as it was."""
    try:
        if text is None:
            file.unlink(missing_ok=True)
            unload(file, run, patience)
        elif text_of(file) != text:
            write(file, text)
            unload(file, run, patience)
        if text is not None and before.loaded and not agent_state(file, run, switch=False).loaded:
            load(file, run, patience)
    except (EarmarkError, OSError) as problem:
        return f"And not all is as it was: {problem}"
    finally:
        if before.off:
            turn_off_again(run)
    return ""
