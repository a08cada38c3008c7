"""The base of convolutional autoencoders of pictures."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from encoders.base import State
from encoders.codes import Codes, Items
from encoders.errors import NotInvertibleError, OptionError
from encoders.neural.autoencoder import Autoencoder
from encoders.neural.torch_encoding import in_pieces, load_state, state_of
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.training_rows import Rows


@dataclass(kw_only=True)
class PictureAutoencoder(Autoencoder):
    """An autoencoder of pictures with a `ConvEncoderDecoder`; a subclass selects unpooling and skip connections."""

    reads_sparse: ClassVar[bool] = False
    answers_without_torch: ClassVar[bool] = False
    channels: tuple[int, ...] = option(
        (32, 64), "Channels of each level: a convolution, then pooling by 2.", ge=1, le=4096
    )

    @property
    def _up(self) -> str:
        """The unpooling: ``deconv``, ``repeat`` or ``index``."""
        return "repeat"

    @property
    def _paths(self) -> str:
        """The skip connections: ``none``, ``concat``, ``pyramid`` or ``cut pyramid``."""
        return "none"

    def _network(self, rows: Rows) -> nn.Module:
        import torch

        network: Any = self._new_conv_network()
        start = torch.from_numpy(self._reconstruction_loss.start(rows)).view(-1, network.shape[2]).mean(dim=0)
        with torch.no_grad():
            network.paint.bias.copy_(start)
        return typing.cast("nn.Module", network)

    def _new_conv_network(self) -> Any:
        import torch

        from encoders.neural.conv_encoder_decoder import ConvEncoderDecoder

        shape = self._picture_shape("it convolves pictures")
        least = 2 ** len(self.channels)
        if min(shape[:2]) < least:
            raise OptionError(
                f"{self.name}: {len(self.channels)} levels, as channels={'-'.join(map(str, self.channels))} asks, need "
                f"pictures of at least {least}x{least}, these are {shape[1]}x{shape[0]}: "
                "take fewer channels, or scale with pixels:size="
            )
        network = ConvEncoderDecoder(shape, self.channels, self._code_size(), self._up, self._paths)
        # channels last, as the rows are stored: halves the time of a step in bf16
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _reconstructed(self, network: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        code, output = network(seen)
        return code, output

    def _store(self, network: Any) -> None:
        self._trained = network

    def _encode(self, items: Any) -> Codes:
        return self._answered(items, lambda rows: self._code_of(self._trained, rows))

    def _answered(self, rows: Any, answer: Callable[[Tensor], Tensor]) -> Any:
        return in_pieces(self._trained, rows, answer, self.device)

    def _code_of(self, network: Any, rows: Tensor) -> Tensor:
        """Return the codes of a batch."""
        code: Tensor = network.descend(rows)[2]
        return code

    def _decode(self, codes: Codes) -> Items:
        if self._paths in ("concat", "pyramid") or self._up == "index":
            raise NotInvertibleError(
                f"'{self.name}' cannot decode a code alone, its decoder also reads features of the item: "
                "reconstruct the item instead"
            )
        return self._answered(
            codes, lambda part: self._reconstruction_loss.output_of(self._trained.ascend(part, [], []))
        )

    def _reconstruct(self, items: Any) -> Items:
        return self._answered(items, lambda rows: self._reconstruction_loss.output_of(self._trained(rows)[1]))

    def state(self) -> State:
        """Return the arrays of the network and the reconstruction loss."""
        return {**self._reconstruction_loss_state(), **state_of(self._trained)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._restore_reconstruction_loss(state)
        self._trained = self._new_conv_network()
        load_state(self._trained, state)
        self._trained.eval()
