//! What a kernel costs, as a model: the longer of computing and moving, a part of the shorter, and a launch.
//!
//! Bytes are counted where they pass between kernels: a value that is stored is written once and read by each kernel
//! that takes it; what is computed within a kernel stays in the first-level cache. Of a kernel's bytes as many move at the
//! speed of a level of memory as it holds beside the levels below, but for weights and states, which other kernels have
//! driven from the caches since the step before. What a product's rows are made of is computed by each thread. Times are
//! for a prefill and for a decode step, and weighed as a server sees them: [`WORKLOAD`].

use mom_dialect::{
    graph::{Function, OpKind, UpdateRule},
    shape::{Axis, Extent, Type},
};
use mom_runtime::plan::WORTH_SHARING_NS;

/// What a machine can do; all rates are of the whole machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Nanoseconds from the end of one launch to the start of the next.
    pub launch_ns: f64,
    /// Floating-point operations a nanosecond of a dense product, and of other vector code.
    pub product_flops: f64,
    pub vector_flops: f64,
    /// Levels of memory from the nearest: capacity in bytes, and bytes a nanosecond.
    pub levels: Vec<(f64, f64)>,
    /// Threads that share the work of a launch.
    pub threads: f64,
}

impl Default for Machine {
    /// Two cores of a server with AVX-512.
    fn default() -> Machine {
        Machine {
            launch_ns: 500.0,
            product_flops: 200.0,
            vector_flops: 80.0,
            levels: vec![(2e6, 100.0), (32e6, 40.0), (f64::INFINITY, 20.0)],
            threads: 2.0,
        }
    }
}

/// The sizes of a step, and how often such a step runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub name: &'static str,
    pub tokens: usize,
    pub sequences: usize,
    pub context: usize,
    pub times: f64,
}

/// A prompt of 512 tokens, and 128 tokens after it.
pub const WORKLOAD: [Step; 2] = [
    Step { name: "prefill", tokens: 512, sequences: 1, context: 1024, times: 1.0 },
    Step { name: "decode", tokens: 1, sequences: 1, context: 1024, times: 128.0 },
];

/// What a kernel does in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Of dense products.
    pub product_flops: f64,
    /// Of everything else, shared by all threads.
    pub vector_flops: f64,
    /// Of what each thread computes for itself.
    pub repeated_flops: f64,
    pub read: f64,
    pub written: f64,
    /// Of what moves, weights and states: since the step before other kernels have driven them from the caches.
    pub cold: f64,
    /// Bytes that the dense products in it would move by themselves: their rows, weights and outputs.
    pub product_bytes: f64,
}

impl Work {
    pub fn bytes(&self) -> f64 {
        self.read + self.written
    }

    pub fn flops(&self) -> f64 {
        self.product_flops + self.vector_flops + self.repeated_flops
    }

    pub(crate) fn add(&mut self, other: Work) {
        self.product_flops += other.product_flops;
        self.vector_flops += other.vector_flops;
        self.repeated_flops += other.repeated_flops;
        self.read += other.read;
        self.written += other.written;
        self.cold += other.cold;
        self.product_bytes += other.product_bytes;
    }
}

/// What such a launch costs of one at which threads wait for each other.
const ALONE: f64 = 0.5;

/// Elements of a row, or columns of a product, that are computed together, whether all exist or not.
const LANES: f64 = 16.0;

/// Operations in the time that the sum of a row's squares keeps its norm waiting.
const NORM_WAIT: f64 = 250.0;

/// Computing and moving go on side by side, but for this part of the shorter one.
const EXPOSED: f64 = 0.25;

impl Machine {
    /// Nanoseconds of a kernel. One thread does alone what is too little to be shared, and need not meet the others.
    pub fn time(&self, work: &Work) -> f64 {
        let alone = self.limit(work) * self.threads;
        if alone < WORTH_SHARING_NS as f64 {
            alone + ALONE * self.launch_ns
        } else {
            alone / self.threads + self.launch_ns
        }
    }

    /// Nanoseconds that the whole machine needs for it at its limits.
    pub fn limit(&self, work: &Work) -> f64 {
        let vector = work.vector_flops + work.repeated_flops * self.threads;
        let compute = work.product_flops / self.product_flops + vector / self.vector_flops;
        let far = self.levels.last().map_or(0.0, |(_, rate)| work.cold / rate);
        let moved = far + self.moving(work.bytes() - work.cold);
        compute.max(moved) + EXPOSED * compute.min(moved)
    }

    /// Nanoseconds to move so many bytes.
    fn moving(&self, bytes: f64) -> f64 {
        let mut below = 0.0;
        let times = self.levels.iter().map(|&(capacity, rate)| {
            let own = bytes.min(capacity) - below;
            below = bytes.min(capacity);
            own / rate
        });
        times.sum()
    }
}

/// Elements of a value in a step.
fn elements(ty: &Type, step: &Step) -> f64 {
    ty.axes
        .iter()
        .map(|axis| match axis {
            Axis::Rows(extent) => rows(*extent, step),
            Axis::Named { size, .. } => *size as f64,
        })
        .product()
}

fn rows(extent: Extent, step: &Step) -> f64 {
    // Of the rows whose logits are asked for there is one for each sequence.
    let Extent { tokens, sequences, rows, context, constant } = extent;
    (tokens * step.tokens + (sequences + rows) * step.sequences + context * step.context + constant) as f64
}

/// Bytes of a value in a step.
pub(crate) fn bytes(ty: &Type, step: &Step) -> f64 {
    elements(ty, step) * ty.dtype.bytes() as f64
}

/// What a kernel reads of an operand. Of weights that only some rows choose, those rows; of states, those of the
/// memories that tokens of the step go to.
pub(crate) fn read(kind: &OpKind, place: usize, operands: &[&Type], step: &Step) -> f64 {
    let Some(ty) = operands.get(place) else { return 0.0 };
    let whole = bytes(ty, step);
    let share = |tokens: f64, memories: f64, choices: f64| (choices * tokens / memories).min(1.0);
    let (tokens, sequences) = (step.tokens as f64, step.sequences.max(1) as f64);
    match kind {
        OpKind::Embedding if place == 1 => {
            let row: usize = ty.axes.iter().skip(1).filter_map(Axis::size).product();
            (row * ty.dtype.bytes() * step.tokens) as f64
        }
        OpKind::SelectRows if place == 0 => whole * step.sequences as f64 / step.tokens.max(1) as f64,
        OpKind::GroupedLinear if place > 1 => {
            let memories = operands[1].rows().map_or(1, |segments| segments.sequences) as f64;
            let choices = operands[0].rows().map_or(1, |rows| rows.tokens.max(1)) as f64;
            whole * share(tokens, memories, choices)
        }
        OpKind::Scan { .. } | OpKind::ShortConv => {
            let memories = ty.axis("memory").and_then(Axis::size).unwrap_or(1) as f64;
            let choices = operands[0].rows().map_or(1, |rows| rows.tokens.max(1)) as f64;
            let of_sequences = ty.rows() == Some(Extent::SEQUENCES);
            if of_sequences { whole * share(tokens / sequences, memories, choices) } else { whole }
        }
        _ => whole,
    }
}

/// What an operation computes in a step, for `heads` heads of a row one by one: each takes whole vectors.
pub(crate) fn compute(
    kind: &OpKind,
    operands: &[&Type],
    results: &[Type],
    update_rule: Option<&UpdateRule>,
    step: &Step,
    heads: usize,
) -> Work {
    let vectors = |ty: &Type| {
        let row = ty.row_elements() as f64;
        let own = ty.axis("head").and_then(Axis::size).unwrap_or(1) as f64;
        let heads = heads as f64;
        let slice = if heads > 1.0 { row / own } else { row };
        elements(ty, step) / row.max(1.0) * heads * (slice / LANES).ceil() * LANES
    };
    let out: f64 = results.first().map_or(0.0, vectors);
    let first = operands.first().map_or(0.0, |ty| elements(ty, step));
    let vector = |flops: f64| Work { vector_flops: flops, ..Work::default() };
    match kind {
        OpKind::Elementwise(function) => vector(out * function_flops(*function)),
        OpKind::RmsNorm { .. } | OpKind::L2Norm { .. } => {
            let norms = results.first().map_or(0.0, |ty| {
                let width = ty.axes.last().and_then(Axis::size).unwrap_or(1);
                elements(ty, step) / width.max(1) as f64
            });
            vector(4.0 * out + NORM_WAIT * norms)
        }
        OpKind::Rotary { .. } => vector(20.0 * out),
        OpKind::Combine => {
            let choices = operands[1].axis("choice").and_then(Axis::size).unwrap_or(1);
            vector(2.0 * choices as f64 * out)
        }
        OpKind::ShortConv => {
            let taps = operands[1].axes.last().and_then(Axis::size).unwrap_or(1);
            vector(2.0 * taps as f64 * out)
        }
        OpKind::Linear | OpKind::GroupedLinear => {
            let weights = if *kind == OpKind::Linear { 1 } else { 2 };
            let depth = operands.get(weights).map_or(1.0, |weight| {
                let shared = weight.axes.iter().filter(|axis| operands[0].has(axis));
                shared.filter_map(Axis::size).product::<usize>() as f64
            });
            let flops: f64 = results.iter().map(|ty| 2.0 * depth * vectors(ty)).sum();
            Work { product_flops: flops, ..Work::default() }
        }
        OpKind::Scan { .. } => {
            let heads = results.first().and_then(|ty| ty.axis("head")).and_then(Axis::size).unwrap_or(1) as f64;
            let tokens = results.first().and_then(Type::rows).map_or(0.0, |extent| rows(extent, step));
            // Sums and products in one instruction, of registers for the most part.
            vector(update_rule.map_or(0.0, token_flops) * heads * tokens / 2.6)
        }
        OpKind::Attention { .. } => vector(4.0 * out * step.context as f64),
        // One thread does it, about a nanosecond for each choice.
        OpKind::Router { .. } | OpKind::Sort { .. } => {
            vector(100.0 * results.first().map_or(0.0, |ty| elements(ty, step)))
        }
        OpKind::Embedding | OpKind::SelectRows | OpKind::Dispatch => vector(out),
        OpKind::AppendCache => vector(first.min(out)),
        _ => Work::default(),
    }
}

fn function_flops(function: Function) -> f64 {
    match function {
        Function::Exp | Function::Log => 12.0,
        Function::Sigmoid | Function::Silu => 18.0,
        Function::Softplus => 30.0,
        Function::Div | Function::Sqrt => 4.0,
        _ => 1.0,
    }
}

/// Operations of one token of one head.
fn token_flops(rule: &UpdateRule) -> f64 {
    let body = &rule.body;
    let size = |ty: &Type| ty.axes.iter().filter_map(Axis::size).product::<usize>() as f64;
    let op_flops = |op: &mom_dialect::graph::Op| {
        let out: f64 = op.results.iter().map(|&result| size(body.ty(result))).sum();
        let largest = op.operands.iter().map(|&operand| size(body.ty(operand))).fold(out, f64::max);
        match &op.kind {
            OpKind::Elementwise(function) => out * function_flops(*function),
            OpKind::Contract => 2.0 * largest,
            OpKind::Sum { .. } => largest,
            OpKind::Softmax { .. } => 14.0 * out,
            OpKind::Solve => largest * out,
            _ => 0.0,
        }
    };
    body.ops.iter().map(op_flops).sum()
}
