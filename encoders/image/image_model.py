"""Embeddings of pictures by a pretrained network: DINOv2, ViT, ResNet and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Modality, Space
from encoders.errors import OptionError
from encoders.image.image_models import ImageModel, load, prepared
from encoders.options import option
from encoders.pretrained import PretrainedEncoder
from encoders.torch_device import DEVICE_HELP, DEVICES, device_or_cpu


@dataclass
class ImageEmbedding(PretrainedEncoder[ImageModel]):
    """Embeddings of pictures by a pretrained network (transformers: DINOv2, ViT, ResNet and others).

    Use it when pictures of the same things differ in pixels, and a model of pictures is on your machine.

    The model's own processor resizes and normalises pictures. ``pool`` says how the network's last layer becomes one
    code: ``first``, its first token (the class token of ViT and DINOv2); ``mean``, the mean over all tokens or places;
    ``auto``, the first token of a network of tokens, and the mean over places of a network of convolutions (ResNet).
    Nothing is learnt from the corpus; a saved encoder contains a fingerprint of the model, not its weights.

    References
    ----------
    Oquab et al., DINOv2: learning robust visual features without supervision, 2023; Dosovitskiy et al., An image is
    worth 16x16 words, ICLR 2021.
    """

    name: ClassVar[str] = "image-model"
    reads: ClassVar[Modality] = Modality.IMAGE
    model: str = option("facebook/dinov2-small", "Model name on the Hugging Face hub, or a local folder.")
    pool: str = option("auto", "How tokens or places become one code.", choices=("auto", "first", "mean"))
    batch_size: int = option(32, "Pictures per batch.", ge=1)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def _load(self) -> ImageModel:
        return load(self.name, self.model, self.revision, "AutoImageProcessor")

    def _space_of(self, model: ImageModel, first: Any) -> Space:
        return Space(int(self._embedded(model, [first]).shape[1]), Kind.DENSE, Metric.COSINE)

    def _encode(self, items: Any) -> Codes:
        if not len(items):
            return np.empty((0, self.space.dim), np.float32)
        return self._embedded(self._known_model(), items)

    def _embedded(self, model: ImageModel, items: Any) -> NDArray[np.float32]:
        import torch

        device = device_or_cpu(self.device)
        network = model.network.to(device)
        with torch.inference_mode():
            codes = [
                self._pooled(network(**batch).last_hidden_state).float().cpu().numpy()
                for batch in prepared(model, items, self.batch_size, device)
            ]
        return np.concatenate(codes)

    def _pooled(self, states: Any) -> Any:
        """Pool the last layer, (n, tokens, dim) or (n, dim, height, width)."""
        if states.ndim == 4:
            if self.pool == "first":
                raise OptionError(f"image-model: '{self.model}' has no tokens: use pool=mean")
            return states.mean(dim=(2, 3))
        return states.mean(dim=1) if self.pool == "mean" else states[:, 0]
