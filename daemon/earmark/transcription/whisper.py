"""The engine on faster-whisper: a model directory in, phrases out. Never asks a hub, never draws a random number."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Before the import: faster-whisper reaches for a hub when a file of the model is missing.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# onnxruntime, which runs the voice detector, reports to mobile.events.data.microsoft.com unless told not to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import ctranslate2
import faster_whisper
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from earmark.domain import WordTimes
from earmark.transcription.device import batch_for, choose_device, compute_type_of, free_on_card, opened
from earmark.transcription.engine import Answer, Phrase, Samples, Weight, Wish
from earmark.transcription.passes import DOUBTFUL, PASSES, Pass, as_often_as_said, text_of
from earmark.transcription.timestamps import STEP, split
from earmark.transcription.together import Together
from earmark.transcription.voice import VoiceDetector
from earmark.transcription.word_times import begins, word_times
from earmark.weights.card import read_json

MOST_FRAMES, LEAST_FRAMES, FRAMES_AFTER = 3_000, 1_500, 100
"""Hundredths of a second that the encoder is given: 30 s at most, 15 s at least, and one of nothing or more after speech.

Whisper was trained on 30 s; less costs less, and no word (docs/measurements.md).
"""

FRAMES_STEP = 500
"""The encoder is given a multiple of this. With any length at all, each window left holes of another size in the heap
(see limits.keep_freed_memory): 373 MB after ten minutes became 470 after an hour, and went on growing. With four lengths
it stays at 369, at the same speed.
"""

PER_STATE = 320
"""Samples per state of the encoder: 20 ms (openai/whisper)."""

ODDS_STEP = 500
"""The same where languages are asked for."""

ODDS_KEPT = 64
"""Pieces of speech whose languages are remembered: those of a minute or two."""

LEAST_SHARE = 1e-10
"""Probability of a token under which it is not told apart; its logarithm must be a number."""

MOST_PROMPT = 223
"""Tokens of vocabulary and prompt together: half of Whisper's context of 448, less one (openai/whisper)."""


class WhisperEngine:
    """faster-whisper on one device. Loading raises ModelError if the directory cannot be used."""

    def __init__(
        self,
        model_dir: Path,
        device: str,
        compute_type: str,
        cpu_threads: int,
        at_once: int = 1,
        batch: int | None = None,
    ) -> None:
        """`at_once`: windows that a processor hears side by side; `batch`: those of which a card hears all in one call, None
        for as many as its memory holds.
        """
        self.device = choose_device(device)
        self.compute_type = compute_type_of(self.device, compute_type)
        self.name = f"faster-whisper {faster_whisper.__version__}"
        self._model = opened(
            lambda: faster_whisper.WhisperModel(
                str(model_dir),
                device=self.device,
                compute_type=self.compute_type,
                # One thread per worker and several workers is faster than the reverse (74x against 29x real time).
                cpu_threads=cpu_threads or 1,
                num_workers=at_once if self.device == "cpu" else 1,
                local_files_only=True,
            ),
            _hear_nothing,
            f"in {model_dir} as {self.compute_type}",
            self.device,
        )
        on_card = self.device != "cpu"
        if batch is None:
            batch = batch_for(free_on_card(), (model_dir / "model.bin").stat().st_size) if on_card else 1
        # On a card what comes together has one length, which costs it next to nothing.
        self._least_frames = MOST_FRAMES if on_card and batch > 1 else LEAST_FRAMES
        self._together = Together(batch) if batch > 1 else None
        # A model that an old CTranslate2 converted does not say which of its heads look at the sound.
        self._aligns = bool(read_json(model_dir / "config.json").get("alignment_heads"))
        self._voice = VoiceDetector()
        self._odds: dict[int, dict[str, float]] = {}
        self._heard = _Heard()

    @property
    def batch(self) -> int:
        """Windows that it hears in one call at most."""
        return self._together.most if self._together is not None else 1

    @property
    def multilingual(self) -> bool:
        return bool(self._model.model.is_multilingual)

    def languages(self) -> tuple[str, ...]:
        return tuple(self._model.supported_languages)

    def voice(self, samples: Samples) -> NDArray[np.float32]:
        return self._voice(samples)

    def language_odds(self, speech: Samples) -> dict[str, float]:
        if not self.multilingual:
            return {"en": 1.0}
        # The beginning of a recording is asked for twice: by what settles its main language, and when it is heard.
        key = hash(speech.tobytes())
        odds = self._odds.get(key)
        if odds is None:
            odds = self._listen_for_languages(speech)
            if len(self._odds) >= ODDS_KEPT:
                self._odds.clear()
            self._odds[key] = odds
        return odds

    def _listen_for_languages(self, speech: Samples) -> dict[str, float]:
        features = self._model.feature_extractor(speech)
        content = min(features.shape[-1] - 1, MOST_FRAMES)
        # No silence behind it: with a few seconds of speech in 15 s the language is told as well, at a third of the cost.
        length = max(ODDS_STEP, -(-content // ODDS_STEP) * ODDS_STEP)
        encoded = self._model.encode(pad_or_trim(features[:, :content], min(MOST_FRAMES, length)))
        return _shares(self._model.model.detect_language(encoded)[0])

    def language_odds_within(
        self, speech: Samples, pieces: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        if not self.multilingual or (self.device != "cpu" and self._together is None):
            return [self.language_odds(speech[first:last]) for first, last in pieces]
        whole = np.array(self._listen(speech)[0])
        found: list[Mapping[str, float]] = []
        for first, last in pieces:
            part = whole[:, first // PER_STATE : max(first // PER_STATE + 1, last // PER_STATE)]
            states = ctranslate2.StorageView.from_array(np.ascontiguousarray(part))
            found.append(_shares(self._model.model.detect_language(states)[0]))
        return found

    def _encode(self, speech: Samples) -> tuple[Any, int]:
        """What the encoder makes of a passage, and the hundredths of a second that are sound in it."""
        whisper = self._model
        features = whisper.feature_extractor(speech)
        content = min(features.shape[-1] - 1, MOST_FRAMES)
        wanted = -(-(content + FRAMES_AFTER) // FRAMES_STEP) * FRAMES_STEP
        length = min(MOST_FRAMES, max(self._least_frames, wanted))
        padded = pad_or_trim(features[:, :content], length)
        if self._together is None:
            return whisper.encode(padded), content
        states = self._together.do(("encode", padded.shape), padded, self._encode_all)
        return ctranslate2.StorageView.from_array(states), content

    def _encode_all(self, features: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """The encoder's states of each, in the memory of the machine: on a card nobody can take one out of several."""
        sound = ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features)))
        states = self._model.model.encode(sound, to_cpu=True).to(ctranslate2.DataType.float32)
        return [np.array(each)[None] for each in np.array(states)]

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        with self._together.inside() if self._together is not None else nullcontext():
            return self._hear(speech, wish)

    def _hear(self, speech: Samples, wish: Wish) -> Answer:
        whisper = self._model
        encoded, content = self._listen(speech)
        tokenizer = self._tokenizer(wish)
        best: Pass | None = None
        for extra in PASSES:
            found = self._search(encoded, tokenizer, wish, extra)
            if found.repeats and found.logprob >= DOUBTFUL:
                found = as_often_as_said(found, self.voice(speech), tokenizer)
            if best is None or found.better_than(best):
                best = found
            if not found.failed:
                break
        assert best is not None
        runs, reached = split(best.tokens, tokenizer.timestamp_begin, content / whisper.frames_per_second)
        timed = wish.words and self._aligns and best.text
        words = self._word_times(encoded, content, tokenizer, best.tokens) if timed else None
        phrases = []
        for start, end, tokens in runs:
            said = tokenizer.decode(tokens)
            times = words(tokens, said) if words else ()
            if text := said.strip():
                phrases.append(Phrase(start, end, text, best.logprob, best.no_speech, times))
        return Answer(tuple(phrases), reached)

    def _word_times(
        self, encoded: Any, content: int, tokenizer: Tokenizer, answer: list[int]
    ) -> Callable[[list[int], str], WordTimes]:
        """When the words of each run of an answer are said; the runs are asked for in their order, each once."""
        tokens = [token for token in answer if token < tokenizer.eot]
        found = self._model.model.align(encoded, tokenizer.sot_sequence, [tokens], content)[0]
        times = begins(found.alignments, len(tokens))
        # Each character of a token's name is one byte of its text (GPT-2's byte-level pairs).
        sizes = [len(self._model.hf_tokenizer.id_to_token(token)) for token in tokens]
        at = 0

        def of(run: list[int], said: str) -> WordTimes:
            nonlocal at
            at = next(n for n in range(at, len(answer)) if answer[n : n + len(run)] == run)
            first = sum(token < tokenizer.eot for token in answer[:at])
            at += len(run)
            last = first + sum(token < tokenizer.eot for token in run)
            return word_times(said, sizes[first:last], times[first : last + 1]) if times else ()

        return of

    def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
        if not self._aligns:
            return [
                ((len(text), 0.0),) for text in texts
            ]  # all are sure, so that none is given up for another
        encoded, _ = self._listen(speech)
        start, most = self._tokenizer(wish).sot_sequence, self._model.max_length // 2
        found: list[Weight] = []
        for text in texts:
            # With the blank that Whisper begins with, which is no character of the text.
            tokens = self._model.hf_tokenizer.encode(" " + text, add_special_tokens=False)
            # One by one: together they would need the encoder's states once each. Two frames, as no times are wanted.
            answer = self._model.model.align(encoded, start, [tokens.ids[:most]], 2)[0]
            logs = np.log(np.maximum(answer.text_token_probs, LEAST_SHARE))
            found.append(
                tuple((end - 1, float(log)) for (_, end), log in zip(tokens.offsets, logs, strict=False))
            )
        return found

    def _listen(self, speech: Samples) -> tuple[Any, int]:
        """What the encoder makes of a passage; it is remembered for what is asked of the same passage next."""
        last = self._heard
        if last.encoded is None or not np.array_equal(last.encoded[0], speech):
            last.encoded = None  # not two of them at a time
            last.encoded = (speech, *self._encode(speech))
        return last.encoded[1:]

    def _tokenizer(self, wish: Wish) -> Tokenizer:
        task = "translate" if wish.english else "transcribe"
        return Tokenizer(self._model.hf_tokenizer, self.multilingual, task=task, language=wish.language)

    def _search(self, encoded: Any, tokenizer: Tokenizer, wish: Wish, extra: dict[str, Any]) -> Pass:
        prompt = _prompt(tokenizer, wish)

        def generate(asked: Sequence[tuple[Any, list[int]]]) -> Sequence[Any]:
            return self._generate(asked, tokenizer, wish.beam_size, extra)

        if self._together is None:
            result = generate([(encoded, prompt)])[0]
        else:
            # Prompts of one call have one length. What else an answer depends on is the same in all of a model's.
            key = ("generate", tuple(encoded.shape), len(prompt), wish.beam_size, tuple(extra))
            result = self._together.do(key, (encoded, prompt), generate)
        tokens = list(result.sequences_ids[0])
        text = text_of(tokens, tokenizer)
        # CTranslate2's score is the mean over the tokens without the end token, which counts as well.
        logprob = float(result.scores[0]) * len(tokens) / (len(tokens) + 1)
        return Pass(tokens, text, logprob, float(result.no_speech_prob))

    def _generate(
        self, asked: Sequence[tuple[Any, list[int]]], tokenizer: Tokenizer, beam: int, extra: dict[str, Any]
    ) -> Sequence[Any]:
        """The answers to passages as the encoder left them, each with its prompt."""
        states = asked[0][0]
        if len(asked) > 1:
            states = ctranslate2.StorageView.from_array(
                np.concatenate([np.array(encoded) for encoded, _ in asked])
            )
        answers: Sequence[Any] = self._model.model.generate(
            states,
            [prompt for _, prompt in asked],
            beam_size=beam,
            max_length=self._model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            max_initial_timestamp_index=round(1.0 / STEP),
            **extra,
        )
        return answers


class _Heard(threading.local):
    """The passage that a thread heard last, and what the encoder made of it."""

    def __init__(self) -> None:
        self.encoded: tuple[Samples, Any, int] | None = None


def _shares(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Probability by language, of CTranslate2's tokens ("<|de|>")."""
    return {token[2:-2]: min(1.0, max(0.0, float(share))) for token, share in found}


def _prompt(tokenizer: Tokenizer, wish: Wish) -> list[int]:
    """Vocabulary first, then the prompt, then what starts an answer. The end of the prompt counts most to Whisper."""
    prompt: list[int] = []
    words = tokenizer.encode(" " + wish.hotwords.strip())[:MOST_PROMPT] if wish.hotwords else []
    room = MOST_PROMPT - len(words)
    said = tokenizer.encode(" " + wish.initial_prompt.strip())[-room:] if wish.initial_prompt and room else []
    if words or said:
        prompt = [tokenizer.sot_prev, *words, *said]
    return [*prompt, *tokenizer.sot_sequence]


def _hear_nothing(model: faster_whisper.WhisperModel) -> None:
    features = model.feature_extractor(np.zeros(PER_STATE, np.float32))
    model.encode(pad_or_trim(features, FRAMES_STEP))
