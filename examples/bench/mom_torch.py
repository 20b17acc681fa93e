"""The Mixture-of-Memories model in PyTorch, to compare momc with: float32, eager, two threads unless told otherwise.

    mom_torch.py bench MODEL.toml [--prompt-tokens 512] [--max-tokens 32] [--rounds 5]
    mom_torch.py check FOLDER REFERENCE.safetensors
    mom_torch.py limits

`bench` runs the model that a momc description describes, with random weights, and prints one JSON object. `check` loads
a Hugging Face folder and compares the logits with reference data, so that what is measured is known to be the model.
`limits` measures what the machine gives to a matrix product and to reading memory.

What is done for speed: projections of one input are one matrix; only the chosen memories are computed; tokens are
grouped by memory with one stable sort; the update rule runs in chunks, batched over the chunks and heads of all memories
at once; decoding updates the chosen states in place. The mathematics is that of section 3 of arXiv:2502.13685 with the
gated delta rule; only the options that the benchmarked models use are here.
"""

import argparse
import json
import resource
import statistics
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

CHUNK = 64


@dataclass
class Config:
    vocab: int
    width: int
    layers: int
    heads: int
    key: int
    value: int
    memories: int
    top_k: int
    taps: int
    mlp: int
    eps: float

    @staticmethod
    def from_toml(path):
        """Reads a momc model description; keys that were left out have momc's defaults."""
        text = tomllib.loads(Path(path).read_text())
        model, memory, mlp = text["model"], text.get("memory", {}), text.get("mlp", {})
        assert memory.get("shared_state", True) and memory.get("output_gate", True), "not an option of this script"
        assert not memory.get("single_kv_proj", False) and "attention" not in text, "not an option of this script"
        assert not model.get("tie_embeddings", False), "not an option of this script"
        key = memory.get("head_dim", 256)
        return Config(
            vocab=model["vocab_size"], width=model["hidden_size"], layers=model["layers"],
            heads=memory.get("heads", 4), key=key,
            value=memory.get("value_dim", int(key * memory.get("expand_v", 1.0))),
            memories=memory.get("memories", 4), top_k=memory.get("top_k", 2), taps=memory.get("conv_size", 4),
            mlp=mlp.get("size") or default_mlp(model["hidden_size"], mlp.get("ratio", 4.0)),
            eps=model.get("norm_eps", 1e-6),
        )

    @staticmethod
    def from_folder(path):
        text = json.loads((Path(path) / "config.json").read_text())
        assert text["model_type"] == "mom" and text["shared_mem"] and text["use_output_gate"] and text["attn"] is None
        assert not text["single_kv_proj"] and not text["tie_word_embeddings"], "not an option of this script"
        return Config(
            vocab=text["vocab_size"], width=text["hidden_size"], layers=text["num_hidden_layers"],
            heads=text["num_heads"], key=text["head_dim"], value=int(text["head_dim"] * text["expand_v"]),
            memories=text["num_memories"], top_k=text["topk"], taps=text["conv_size"],
            mlp=text["intermediate_size"] or default_mlp(text["hidden_size"], text["hidden_ratio"]),
            eps=text["norm_eps"],
        )


def default_mlp(width, ratio):
    return 256 * -(-int(width * ratio * 2 / 3) // 256)


def checkpoint_shapes(config):
    """Names and shapes of the checkpoint's tensors."""
    c, keys, values = config, config.heads * config.key, config.heads * config.value
    yield "model.embeddings.weight", (c.vocab, c.width)
    yield "model.norm.weight", (c.width,)
    yield "lm_head.weight", (c.vocab, c.width)
    for layer in range(c.layers):
        prefix = f"model.layers.{layer}."
        yield prefix + "attn_norm.weight", (c.width,)
        yield prefix + "mlp_norm.weight", (c.width,)
        yield prefix + "mlp.gate_proj.weight", (c.mlp, c.width)
        yield prefix + "mlp.up_proj.weight", (c.mlp, c.width)
        yield prefix + "mlp.down_proj.weight", (c.width, c.mlp)
        prefix += "attn."
        yield prefix + "q_proj.weight", (keys, c.width)
        yield prefix + "g_proj.weight", (values, c.width)
        yield prefix + "o_proj.weight", (c.width, values)
        yield prefix + "gate.weight", (c.memories, c.width)
        for kind, rows in (("k", keys), ("v", values), ("b", c.heads), ("a", c.heads)):
            for memory in range(c.memories):
                yield f"{prefix}{kind}_proj.{memory}.weight", (rows, c.width)
            yield f"{prefix}shared_{kind}.weight", (rows, c.width)
        yield prefix + "A_log", (c.heads,)
        yield prefix + "dt_bias", (c.heads,)
        for kind, rows in (("q", keys), ("k", keys), ("v", values)):
            yield f"{prefix}{kind}_conv1d.weight", (rows, 1, c.taps)
        yield prefix + "o_norm.weight", (c.value,)


def random_weight(name, shape):
    """Distributed as momc's random weights are."""
    if len(shape) == 1:
        return torch.randn(shape) * 0.02 + 1 if name.endswith(".weight") else torch.randn(shape) * 0.25 - 1
    return torch.randn(shape) * torch.Size(shape[1:]).numel() ** -0.5


class Layer:
    """The weights of one layer, with those that share an input stacked. Memory number `memories` is the shared one."""

    def __init__(self, config, weight):
        self.config = config
        memories = range(config.memories)

        def stacked(*names):
            return torch.cat([weight(name + ".weight") for name in names])

        self.mixer_norm, self.mlp_norm = weight("attn_norm.weight"), weight("mlp_norm.weight")
        self.router = weight("attn.gate.weight")
        self.query_gate = stacked("attn.q_proj", "attn.g_proj")
        self.memory = [stacked(*(f"attn.{kind}_proj.{memory}" for kind in "kvba")) for memory in memories]
        self.memory.append(stacked(*(f"attn.shared_{kind}" for kind in "kvba")))
        self.taps = stacked("attn.q_conv1d", "attn.k_conv1d", "attn.v_conv1d").squeeze(1).t().contiguous()
        self.decay, self.decay_bias = weight("attn.A_log").exp(), weight("attn.dt_bias")
        self.read_norm, self.output = weight("attn.o_norm.weight"), weight("attn.o_proj.weight")
        self.gate_up = stacked("mlp.gate_proj", "mlp.up_proj")
        self.down = weight("mlp.down_proj.weight")

    def route(self, x):
        probability = F.linear(x, self.router).softmax(-1)
        weight, chosen = probability.topk(self.config.top_k, -1)
        return weight / weight.sum(-1, keepdim=True), chosen

    def gates(self, projected):
        """Write strength and natural logarithm of the decay, `[rows, heads]`, from the last columns of `projected`."""
        write, decay = projected.split(self.config.heads, -1)
        return write.sigmoid(), -self.decay * F.softplus(decay + self.decay_bias)

    def heads(self, stream):
        """Queries, keys and values of the heads from the convolved channels."""
        c = self.config
        q, k, v = stream.split([c.heads * c.key, c.heads * c.key, c.heads * c.value], -1)
        q, k, v = (x.unflatten(-1, (c.heads, -1)) for x in (q, k, v))
        return unit(q) * c.key**-0.5, unit(k), v

    def finish(self, x, read, gate):
        """Norm and gate of what was read, then the MLP."""
        c = self.config
        read = F.rms_norm(read, (c.value,), self.read_norm, c.eps) * F.silu(gate).view_as(read)
        x = x + F.linear(read.flatten(-2), self.output)
        gate, up = F.linear(F.rms_norm(x, (c.width,), self.mlp_norm, c.eps), self.gate_up).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, self.down)

    def prefill(self, x, state):
        """A whole prompt `[tokens, width]`; `state` is zero and becomes that after the last token."""
        c, tokens = self.config, len(x)
        h = F.rms_norm(x, (c.width,), self.mixer_norm, c.eps)
        weight, chosen = self.route(h)
        query, gate = F.linear(h, self.query_gate).split([c.heads * c.key, c.heads * c.value], -1)

        order = chosen.flatten().argsort(stable=True)
        lengths = chosen.flatten().bincount(minlength=c.memories).tolist() + [tokens]
        rows = list((order // c.top_k).split(lengths[:-1])) + [slice(None)]
        # One stream after the other, each with enough zeros behind it for whole chunks and for the next one's taps.
        counts = [-(-(length + c.taps - 1) // CHUNK) for length in lengths]
        raw = h.new_zeros(c.taps - 1 + sum(counts) * CHUNK, self.taps.shape[1])
        gates = h.new_zeros(sum(counts) * CHUNK, 2 * c.heads)
        starts, chunk = [], 0
        for memory, (length, row, count) in enumerate(zip(lengths, rows, counts)):
            here = slice(chunk * CHUNK, chunk * CHUNK + length)
            stream = raw[c.taps - 1 :][here]
            projected = F.linear(h[row], self.memory[memory])
            stream[:, : c.heads * c.key] = query[row]
            stream[:, c.heads * c.key :] = projected[:, : -2 * c.heads]
            write, decay = self.gates(projected[:, -2 * c.heads :])
            gates[here, : c.heads], gates[here, c.heads :] = write, decay
            state.window[memory, max(0, c.taps - length) :] = stream[-c.taps :]
            starts.append(chunk)
            chunk += count
        stream = raw[: len(gates)] * self.taps[0]
        for tap in range(1, c.taps):
            stream.addcmul_(raw[tap : tap + len(gates)], self.taps[tap])
        q, k, v = (chunks(x) for x in self.heads(F.silu(stream, inplace=True)))
        read = chunk_scan(q, k, v, *(chunks(x) for x in gates.chunk(2, -1)), zip(starts, counts, state.memory))

        reads = [read[start * CHUNK :][:length] for start, length in zip(starts, lengths)]
        routed = torch.cat(reads[:-1]) * weight.flatten()[order][:, None, None]
        mix = reads[-1].index_add(0, order // c.top_k, routed)
        return self.finish(x, mix, gate)

    def decode(self, x, state):
        """One token `[1, width]`; the chosen states are updated in place."""
        c = self.config
        h = F.rms_norm(x, (c.width,), self.mixer_norm, c.eps)
        weight, chosen = self.route(h)
        query, gate = F.linear(h, self.query_gate).split([c.heads * c.key, c.heads * c.value], -1)

        memories = chosen[0].tolist() + [c.memories]
        projected = torch.cat([F.linear(h, self.memory[memory]) for memory in memories])
        projected, gates = projected.split([c.heads * (c.key + c.value), 2 * c.heads], -1)
        raw = torch.cat([query.expand(len(memories), -1), projected], -1)
        window = torch.cat([state.window[memories, 1:], raw[:, None]], 1)
        state.window[memories] = window
        q, k, v = self.heads(F.silu((window * self.taps).sum(1)))
        write, decay = self.gates(gates)
        kept, weights = decay.exp()[:, :, None, None], weight[0].tolist() + [1.0]
        mix = torch.zeros(c.heads, 1, c.value)
        for i, memory in enumerate(memories):
            cells = state.memory[memory].mul_(kept[i])
            error = (v[i, :, None] - k[i, :, None] @ cells) * write[i, :, None, None]
            cells.baddbmm_(k[i, :, :, None], error)
            mix = torch.baddbmm(mix, q[i, :, None], cells, alpha=weights[i])
        return self.finish(x, mix.transpose(0, 1), gate)


def unit(x):
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)


def chunks(x):
    """`[rows, heads, ...]` as `[chunks, heads, CHUNK, ...]`."""
    return x.unflatten(0, (-1, CHUNK)).transpose(1, 2).contiguous()


def chunk_scan(q, k, v, write, decay, streams):
    """The gated delta rule over streams of chunks; returns what each row read.

    A stream is its first chunk, its number of chunks and its state, which is updated. Rows that neither write nor decay
    are padding. With S the state before a chunk and G the running sum of log decays in it, the tokens write
    u = T (beta v) - T (beta exp(G) k) S, where T is the inverse of 1 + the strictly lower part of
    beta k k^T exp(G_i - G_j). All but the last product is the same work for every chunk of every head and stream, so it
    is done for all of them together.
    """
    write, total = write[..., None], decay.cumsum(-1)[..., None]
    grown = total.exp()
    between = (total - total.transpose(-1, -2)).tril_().exp_().tril_()
    keys = k * write
    system = (keys @ k.transpose(-1, -2)).mul_(between)
    right = torch.cat([v * write, keys.mul_(grown)], -1)
    solved = torch.linalg.solve_triangular(system, right, upper=False, unitriangular=True)
    new, erased = solved.split([v.shape[-1], k.shape[-1]], -1)
    inside = (q @ k.transpose(-1, -2)).mul_(between)
    last = total[..., -1:, :]
    q, k, last = q * grown, (k * (last - total).exp()).transpose(-1, -2), last.exp()

    read = torch.empty_like(v)
    for first, count, state in streams:
        for i in range(first, first + count):
            written = torch.baddbmm(new[i], erased[i], state, alpha=-1)
            torch.baddbmm(q[i] @ state, inside[i], written, out=read[i])
            state.mul_(last[i]).baddbmm_(k[i], written)
    return read.transpose(1, 2).flatten(0, 1)


class State:
    """All memories of one layer for one sequence, and the last inputs of each memory's convolution."""

    def __init__(self, config):
        c, streams = config, config.memories + 1
        self.memory = torch.zeros(streams, c.heads, c.key, c.value)
        self.window = torch.zeros(streams, c.taps, c.heads * (2 * c.key + c.value))


class Model:
    def __init__(self, config, weight):
        """`weight` maps a tensor's name to the tensor."""
        self.config = config
        self.embeddings, self.head = weight("model.embeddings.weight"), weight("lm_head.weight")
        self.norm = weight("model.norm.weight")
        self.layers = [Layer(config, lambda name, i=i: weight(f"model.layers.{i}.{name}")) for i in range(config.layers)]

    def start(self):
        return [State(self.config) for _ in self.layers]

    def prefill(self, tokens, states, rows=slice(-1, None)):
        """The logits of the given rows, by default of the last token."""
        x = F.embedding(tokens, self.embeddings)
        for layer, state in zip(self.layers, states):
            x = layer.prefill(x, state)
        return self.logits(x[rows])

    def decode(self, token, states):
        x = F.embedding(token, self.embeddings)
        for layer, state in zip(self.layers, states):
            x = layer.decode(x, state)
        return self.logits(x)

    def logits(self, x):
        return F.linear(F.rms_norm(x, (self.config.width,), self.norm, self.config.eps), self.head)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def bench(arguments):
    imported = peak_bytes()
    config = Config.from_toml(arguments.model)
    shapes = dict(checkpoint_shapes(config))
    torch.manual_seed(1)
    model = Model(config, lambda name: random_weight(name, shapes[name]))
    prompt = torch.randint(config.vocab, (arguments.prompt_tokens,))

    prefill, decode = [], []
    for _ in range(arguments.rounds + 1):
        states = model.start()
        start = time.perf_counter()
        token = model.prefill(prompt, states).argmax(-1)
        middle = time.perf_counter()
        for _ in range(arguments.max_tokens):
            token = model.decode(token, states).argmax(-1)
        end = time.perf_counter()
        prefill.append(arguments.prompt_tokens / (middle - start))
        decode.append(arguments.max_tokens / (end - middle))
    # The first round also touches every weight for the first time.
    print(json.dumps({
        "prefill_tokens_per_second": round(statistics.median(prefill[1:]), 2),
        "decode_tokens_per_second": round(statistics.median(decode[1:]), 2),
        "peak_bytes": peak_bytes(),
        "peak_bytes_after_import": imported,
        **used_parameters(config, shapes),
    }))


def used_parameters(config, shapes):
    """How many weights of the layers, and of the output matrix, one token is multiplied with."""
    sizes = {name: torch.Size(shape).numel() for name, shape in shapes.items()}
    layers = sum(size for name, size in sizes.items() if ".layers." in name)
    routed = sum(size for name, size in sizes.items() if name.split(".")[-2].isdigit())
    idle = routed * (config.memories - config.top_k) // config.memories
    return {"layer_parameters_per_token": layers - idle, "head_parameters": sizes["lm_head.weight"]}


def check(arguments):
    from safetensors.torch import load_file

    tensors = load_file(Path(arguments.folder) / "model.safetensors")
    reference = load_file(arguments.reference)
    model = Model(Config.from_folder(arguments.folder), lambda name: tensors[name].float())
    worst = 0.0
    for row, tokens in enumerate(reference["in.input_ids"]):
        expected = reference["out.logits"][row].float()
        whole = model.prefill(tokens, model.start(), slice(None))
        states, cut = model.start(), len(tokens) // 2
        pieces = [model.prefill(tokens[:cut], states, slice(None))]
        pieces += [model.decode(token[None], states) for token in tokens[cut:]]
        for found in (whole, torch.cat(pieces)):
            worst = max(worst, ((found - expected).norm() / expected.norm()).item())
    print(json.dumps({"relative_error": worst, "tokens": reference["in.input_ids"].numel()}))
    assert worst < 2e-5, "this is not the reference model"


def limits(arguments):
    """Best of several, since anything else that runs only takes away."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    out = torch.empty(1024, 1024)
    product = best(lambda: torch.mm(a, b, out=out), 50)
    matrix, vector = torch.randn(16384, 16384), torch.randn(16384)
    reading = best(lambda: matrix @ vector, 10)
    print(json.dumps({
        "matrix_product_gflops": round(2 * 1024**3 / product / 1e9, 1),
        "read_gb_per_second": round(matrix.nbytes / reading / 1e9, 2),
    }))


def best(work, times):
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("bench")
    command.add_argument("model")
    command.add_argument("--prompt-tokens", type=int, default=512)
    command.add_argument("--max-tokens", type=int, default=32)
    command.add_argument("--rounds", type=int, default=5)
    command.set_defaults(run=bench)
    command = commands.add_parser("check")
    command.add_argument("folder")
    command.add_argument("reference")
    command.set_defaults(run=check)
    commands.add_parser("limits").set_defaults(run=limits)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    # A chunk's decay can underflow, and arithmetic on denormal numbers is tens of times slower.
    torch.set_flush_denormal(True)
    with torch.inference_mode():
        arguments.run(arguments)


main()
