#!/usr/bin/env python3
"""The m2ST autoencoder in PyTorch: the peer that training is measured against.

`--edges torch` gathers by edge, takes the softmax by destination and adds by index, as
torch-geometric does inside, without needing it; `--edges pyg` is torch-geometric's own GATConv.
Start values and masks are the engine's (draws.py), so with `--dropout off` the losses must be the
engine's too. Prints one JSON line: seconds and loss of every epoch, peak resident memory.
`--check FOLDER` compares with golden values in float64 instead.
"""
import argparse
import json
import math
import os
import resource
import sys
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import draws

warnings.filterwarnings("ignore", message=".*scatter_reduce.*")

SLOPE = 0.2
FEATURE_DROPOUT, ATTENTION_DROPOUT = 0.2, 0.1


def edge_softmax(score, dst, nodes):
    """Softmax over the in-edges of each node, for every head."""
    index = dst.unsqueeze(-1).expand_as(score)
    lowest = score.new_full((nodes, score.shape[1]), -math.inf)
    top = lowest.scatter_reduce(0, index, score.detach(), "amax")
    weight = (score - top.index_select(0, dst)).exp()
    total = score.new_zeros((nodes, score.shape[1])).index_add(0, dst, weight)
    return weight / total.index_select(0, dst)


class GatLayer(nn.Module):
    """Dropout, projection, attention over in-edges, heads side by side, PReLU where asked for."""

    def __init__(self, inputs, width, heads, activation, dropout, edges):
        super().__init__()
        self.heads, self.width = heads, width
        self.feature_dropout = FEATURE_DROPOUT if dropout else 0.0
        self.attention_dropout = ATTENTION_DROPOUT if dropout else 0.0
        self.attn_src = nn.Parameter(torch.empty(1, heads, width))
        self.attn_dst = nn.Parameter(torch.empty(1, heads, width))
        self.bias = nn.Parameter(torch.zeros(heads * width))
        self.weight = nn.Parameter(torch.empty(heads * width, inputs))
        self.prelu = nn.Parameter(torch.full((1,), 0.25)) if activation else None
        self.convolution = self.geometric_layer(inputs) if edges == "pyg" else None

    def geometric_layer(self, inputs):
        """torch-geometric's GATConv on this layer's own parameters."""
        from torch_geometric.nn import GATConv
        layer = GATConv(inputs, self.width, self.heads, negative_slope=SLOPE,
                        dropout=self.attention_dropout, add_self_loops=False)
        linear = getattr(layer, "lin", None)  # lin_src before torch-geometric 2.5
        (layer.lin_src if linear is None else linear).weight = self.weight
        layer.att_src, layer.att_dst, layer.bias = self.attn_src, self.attn_dst, self.bias
        return layer

    def attend(self, x, src, dst):
        nodes = x.shape[0]
        y = F.linear(x, self.weight).view(nodes, self.heads, self.width)
        by_source, by_destination = (y * self.attn_src).sum(-1), (y * self.attn_dst).sum(-1)
        sum_of_ends = by_source.index_select(0, src) + by_destination.index_select(0, dst)
        alpha = edge_softmax(F.leaky_relu(sum_of_ends, SLOPE), dst, nodes)
        alpha = F.dropout(alpha, self.attention_dropout, self.training)
        message = alpha.unsqueeze(-1) * y.index_select(0, src)
        out = message.new_zeros(y.shape).index_add(0, dst, message)
        return out.reshape(nodes, -1) + self.bias

    def forward(self, x, src, dst):
        x = F.dropout(x, self.feature_dropout, self.training)
        if self.convolution is None:
            out = self.attend(x, src, dst)
        else:
            out = self.convolution(x, torch.stack((src, dst)))
        return out if self.prelu is None else F.prelu(out, self.prelu)


class Autoencoder(nn.Module):
    """Parameters have the engine's names (model/autoencoder.h)."""

    def __init__(self, inputs, hidden, scales, heads=4, layers=3, gamma=2.0, dropout=True,
                 edges="torch"):
        super().__init__()
        self.scales, self.layers, self.gamma = scales, layers, gamma
        how = dict(dropout=dropout, edges=edges)
        self.mask_token = nn.Parameter(torch.zeros(1, inputs))
        self.shared = GatLayer(inputs, inputs, heads, False, **how)
        for scale in range(scales):
            width = hidden >> scale
            self.add_module(f"encoder{scale}", nn.ModuleDict({
                f"layer{layer}": GatLayer(width if layer else heads * inputs, width // heads, heads,
                                          True, **how) for layer in range(layers)}))
            self.add_module(f"enc_to_dec{scale}", nn.Linear(width, width, bias=False))
            self.add_module(f"decoder{scale}", GatLayer(width, inputs, 1, False, **how))

    def part(self, name, scale):
        return getattr(self, f"{name}{scale}")

    def parameter_names(self):
        """In the order of the engine's layout, whose places key the start values."""
        def layer(name, activation):
            ends = ["attn_src", "attn_dst", "bias", "weight"] + ["prelu"] * activation
            return [f"{name}.{end}" for end in ends]

        names = ["mask_token"] + layer("shared", False)
        for scale in range(self.scales):
            for number in range(self.layers):
                names += layer(f"encoder{scale}.layer{number}", True)
        names += [f"enc_to_dec{scale}.weight" for scale in range(self.scales)]
        for scale in range(self.scales):
            names += layer(f"decoder{scale}", False)
        return names

    @torch.no_grad()
    def start(self, seed):
        """The engine's start values: Xavier normal with gain √2, torch.nn.Linear's uniform."""
        parameters = dict(self.named_parameters())
        for place, name in enumerate(self.parameter_names()):
            value = parameters[name]
            stream, ids = draws.stream_of(draws.INITIALISE, place), np.arange(value.numel())
            if name.startswith("enc_to_dec"):
                numbers = (2 * draws.uniform(seed, stream, ids) - 1) / math.sqrt(value.shape[1])
            elif name.endswith("weight") or ".attn_" in name:
                fans = sum(value.shape) if name.endswith("weight") else (
                    value.numel() + value.shape[-1])
                numbers = 2 / math.sqrt(fans) * draws.normal(seed, stream, ids)
            else:
                continue
            value.copy_(torch.from_numpy(numbers).reshape(value.shape))

    def encode(self, x, src, dst):
        shared = self.shared(x, src, dst)
        codes = []
        for scale in range(self.scales):
            code = shared
            for layer in self.part("encoder", scale).values():
                code = layer(code, src, dst)
            codes.append(code)
        return codes

    def forward(self, x, src, dst, masked):
        keep = x.new_ones(x.shape[0], 1)
        keep[masked] = 0
        codes = self.encode(x * keep + self.mask_token * (1 - keep), src, dst)
        losses, decoded = [], []
        for scale, code in enumerate(codes):
            z = self.part("decoder", scale)(self.part("enc_to_dec", scale)(code) * keep, src, dst)
            cosine = F.cosine_similarity(x[masked], z[masked], dim=-1)
            losses.append(((1 - cosine) ** self.gamma).mean())
            decoded.append(z)
        return sum(losses) / len(losses), codes, decoded


def edges_with_loops(indptr, indices):
    """Edges src → dst sorted by destination, one self loop for every node."""
    nodes = len(indptr) - 1
    dst = np.repeat(np.arange(nodes), np.diff(indptr))
    src = np.asarray(indices, dtype=np.int64)
    other = src != dst
    src = np.concatenate([src[other], np.arange(nodes)])
    dst = np.concatenate([dst[other], np.arange(nodes)])
    order = np.lexsort((src, dst))
    return torch.from_numpy(src[order]), torch.from_numpy(dst[order])


def adam(model, learning_rate=0.005):
    return torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=5e-4)


def synchronise(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def train(x, src, dst, args):
    model = Autoencoder(x.shape[1], args.hidden, args.scales, dropout=args.dropout == "on",
                        edges=args.edges)
    model.start(args.seed)
    model, x, src, dst = (thing.to(args.device) for thing in (model, x, src, dst))
    optimiser = adam(model, args.lr)
    torch.manual_seed(args.seed)
    losses, seconds = [], []
    for epoch in range(1, args.epochs + 1):
        masked = draws.masked_cells(args.seed, epoch, args.mask_rate, len(x))
        masked = torch.from_numpy(masked).to(args.device)
        synchronise(args.device)
        start = time.perf_counter()  # without the draw, which PyTorch's own would do faster
        loss, _, _ = model(x, src, dst, masked)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
        synchronise(args.device)
        seconds.append(time.perf_counter() - start)
        print(f"epoch {epoch} loss {losses[-1]:.6f} {seconds[-1]:.3f} s", file=sys.stderr)
    model.eval()
    with torch.no_grad():
        codes = model.encode(x, src, dst)
    return [code.cpu().numpy() for code in codes], losses, seconds


def check(folder, edges):
    """Outputs, gradients and ten losses against golden values; exit 1 when they differ."""
    with open(os.path.join(folder, "golden.json"), encoding="utf-8") as file:
        golden = json.load(file)

    def load(name):
        return torch.from_numpy(np.load(os.path.join(folder, name + ".npy")))

    torch.set_default_dtype(torch.float64)
    x, masked = load("features"), load("masked_nodes").long()
    src, dst = edges_with_loops(load("graph_indptr").numpy(), load("graph_indices").numpy())
    model = Autoencoder(golden["d"], golden["hidden"], golden["scales"], golden["heads"],
                        golden["layers"], dropout=False, edges=edges)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(load("param." + name).reshape(parameter.shape))
    optimiser = adam(model)
    losses, worst = [], 0.0
    for step in range(len(golden["loss_history"])):
        loss, codes, decoded = model(x, src, dst, masked)
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            pairs = [(p.grad, load("grad." + name)) for name, p in model.named_parameters()]
            pairs += [(code, load(f"encoder{m}.output")) for m, code in enumerate(codes)]
            pairs += [(z, load(f"decoder{m}.output")) for m, z in enumerate(decoded)]
            worst = max(float((a.reshape(b.shape) - b).abs().max()) for a, b in pairs)
        optimiser.step()
        losses.append(float(loss))
    error = max(abs(a - b) for a, b in zip(losses, golden["loss_history"]))
    print(json.dumps(dict(worst_loss_error=error, worst_output_or_gradient_error=worst)))
    return 0 if max(error, worst) < 1e-10 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", help=".npy (cells × d)")
    parser.add_argument("--graph", help="folder with graph_indptr.npy and graph_indices.npy")
    parser.add_argument("--edges", choices=("torch", "pyg"), default="torch")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--scales", type=int, default=2)
    parser.add_argument("--mask-rate", type=float, default=0.5)
    parser.add_argument("--dropout", choices=("on", "off"), default="on")
    parser.add_argument("--threads", type=int, help="default: the processors allowed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="folder for embedding_scale1.npy, ...")
    parser.add_argument("--check", metavar="FOLDER", help="golden values to compare with")
    args = parser.parse_args()
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    if args.check:
        return check(args.check, args.edges)
    if not args.features or not args.graph:
        parser.error("--features and --graph are needed")
    x = torch.from_numpy(np.ascontiguousarray(np.load(args.features), dtype=np.float32))
    csr = [np.load(os.path.join(args.graph, f"graph_{part}.npy")) for part in ("indptr", "indices")]
    codes, losses, seconds = train(x, *edges_with_loops(*csr), args)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        for scale, code in enumerate(codes, 1):
            np.save(os.path.join(args.out, f"embedding_scale{scale}.npy"), code)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(dict(cells=len(x), epochs=args.epochs, seconds=seconds, losses=losses,
                          peak_resident_bytes=peak)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
