"""Pictures and texts in one space: CLIP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Modality, Space
from encoders.image.image_models import ImageModel, load, prepared
from encoders.items import as_texts
from encoders.options import option
from encoders.pretrained import PretrainedEncoder
from encoders.torch_device import DEVICE_HELP, DEVICES, device_or_cpu

#: Types of models that have a tower for pictures and one for texts.
_KINDS = ("clip", "siglip", "siglip2")


@dataclass
class Clip(PretrainedEncoder[ImageModel]):
    """Embeddings of pictures by a model that puts texts into the same space (CLIP).

    Use it when you want to find pictures by words, without labels: ``nearby search DIR a red car``.

    Items are pictures; queries are pictures or texts. The model's own processor resizes and normalises pictures, and
    cuts texts after the model's number of tokens (77 for CLIP). Nothing is learnt from the corpus; a saved encoder
    contains a fingerprint of the model, not its weights.

    References
    ----------
    Radford et al., Learning transferable visual models from natural language supervision, ICML 2021.
    """

    name: ClassVar[str] = "clip"
    reads: ClassVar[Modality] = Modality.IMAGE
    answers_texts: ClassVar[bool] = True
    model: str = option("openai/clip-vit-base-patch32", "Model name on the Hugging Face hub, or a local folder.")
    prompt: str = option("", "Text before every query of words, such as 'a photo of '.")
    batch_size: int = option(32, "Pictures or texts per batch.", ge=1)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def _load(self) -> ImageModel:
        return load(self.name, self.model, self.revision, "AutoProcessor", _KINDS)

    def _space_of(self, model: ImageModel, first: Any) -> Space:
        return Space(int(self._of_pictures(model, [first]).shape[1]), Kind.DENSE, Metric.COSINE)

    def _encode_queries(self, items: Any) -> Codes:
        """Encode queries, each of which is a picture or a text."""
        words = [isinstance(item, str) for item in items]
        if not any(words):
            return self.encode(items)
        codes = np.empty((len(items), self.space.dim), np.float32)
        texts = [row for row, is_text in enumerate(words) if is_text]
        others = [row for row, is_text in enumerate(words) if not is_text]
        codes[texts] = self._of_texts(self._known_model(), as_texts([items[row] for row in texts]))
        codes[others] = self.encode([items[row] for row in others])
        return codes

    def _encode(self, items: Any) -> Codes:
        if not len(items):
            return np.empty((0, self.space.dim), np.float32)
        return self._of_pictures(self._known_model(), items)

    def _of_pictures(self, model: ImageModel, items: Any) -> NDArray[np.float32]:
        import torch

        device = device_or_cpu(self.device)
        network = model.network.to(device)
        with torch.inference_mode():
            return np.concatenate(
                [
                    _numbers(network.get_image_features(**batch))
                    for batch in prepared(model, items, self.batch_size, device)
                ]
            )

    def _of_texts(self, model: ImageModel, texts: list[str]) -> NDArray[np.float32]:
        import torch

        device = device_or_cpu(self.device)
        network = model.network.to(device)
        # SigLIP was trained on texts that are filled up to one length
        filled = "max_length" if network.config.model_type.startswith("siglip") else True
        codes = []
        with torch.inference_mode():
            for start in range(0, len(texts), self.batch_size):
                some = [self.prompt + text for text in texts[start : start + self.batch_size]]
                batch = model.processor(text=some, padding=filled, truncation=True, return_tensors="pt").to(device)
                codes.append(_numbers(network.get_text_features(**batch)))
        return np.concatenate(codes)


def _numbers(features: Any) -> NDArray[np.float32]:
    """Return the projected features of a tower; newer transformers put them into an output."""
    tensor = getattr(features, "pooler_output", features)
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
