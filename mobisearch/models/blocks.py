"""The block that MobileNets are made of, on its own: for networks of one's own, and to count."""

from __future__ import annotations

from torch import Tensor, nn


class DepthwiseSeparable(nn.Module):
    """A convolution in two cheap steps: each channel for itself, then the channels with each other.

    Depthwise 3x3, pointwise 1x1, batch norm, ReLU6. Maps (n, in_ch, h, w) to (n, out_ch, h', w')
    with h' and w' those of h and w divided by the stride, rounded up. It takes 1/out_ch + 1/9 of
    the multiply-adds of a full 3x3 convolution.

    Source: arXiv:1704.04861 (equation 5). There a batch norm and a ReLU follow the depthwise step
    too; here there is one of each, at the end.
    """

    def __init__(self, in_ch: int, out_ch: int, stride: int = 1) -> None:
        """Make the block with random weights.

        Args:
            in_ch, out_ch: channels, at least 1.
            stride: of the depthwise step, at least 1.

        Raises:
            ValueError: one of them is below 1.
        """
        super().__init__()
        if min(in_ch, out_ch, stride) < 1:
            raise ValueError(
                "channels and stride must be at least 1, got "
                f"in_ch={in_ch}, out_ch={out_ch}, stride={stride}"
            )
        self.depthwise = nn.Conv2d(
            in_ch, in_ch, 3, stride=stride, padding=1, groups=in_ch, bias=False
        )
        self.pointwise = nn.Conv2d(in_ch, out_ch, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_ch)
        self.activation = nn.ReLU6(inplace=True)

    def forward(self, values: Tensor) -> Tensor:
        """Return the output for float values of shape (n, in_ch, h, w)."""
        mixed: Tensor = self.pointwise(self.depthwise(values))
        activated: Tensor = self.activation(self.norm(mixed))
        return activated


def full_convolution(in_ch: int, out_ch: int, stride: int = 1) -> nn.Sequential:
    """Return what a :class:`DepthwiseSeparable` stands in for: a full 3x3 convolution."""
    return nn.Sequential(
        nn.Conv2d(in_ch, out_ch, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_ch),
        nn.ReLU6(inplace=True),
    )
