//! From the graph to the plan: which kernel does each operation, in which order they run, where their values lie.
//!
//! The order is chosen on the graph of launches ([`order`]) and the workspace from when values live ([`slots`]); both
//! treat sizes as linear forms in the step's sizes, so the plan and its peak memory hold for every batch and length.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::{Code, Diagnostic, Span},
    graph::{Body, Graph, Op, OpKind, ValueId},
    shape::{Axis, DType, Extent, Type},
};
use mom_runtime::plan::{self, Buffer, Layout, Plan};

use crate::{
    ModelInfo,
    kernel::{
        Kernel,
        attention::{self, Capacity},
        fused::{self, Cx},
        routing, rows, short_conv,
    },
    options::Options,
    target::Target,
};

mod order;
mod scan;
mod slots;
mod states;
mod weights;

use states::States;
use weights::Weights;

pub use scan::NO_SUCH_FORM;
pub(crate) use scan::{form, kernel as scan_kernel, scan_heads, stream};

/// Native code cannot do what the graph asks for.
const UNSUPPORTED: Code = Code(401);

/// The plan, and the text of each kernel it names.
pub(crate) struct Scheduled {
    pub(crate) plan: Plan,
    pub(crate) kernels: Vec<String>,
    /// The operation of the graph that each launch of the plan does, by its place.
    pub(crate) ops: Vec<usize>,
}

/// One kernel at work on the graph's values.
struct Launch<'a> {
    /// The operation that it does, by its place in the graph.
    op: usize,
    kernel: Kernel<'a>,
    /// Values read; among them states that are changed in place.
    reads: Vec<ValueId>,
    /// Values made, states excepted.
    writes: Vec<ValueId>,
    /// States after the step, which take the place of values read.
    changes: Vec<ValueId>,
    /// The parameters among what is read, by the place there.
    weights: BTreeMap<usize, usize>,
    /// Bytes to work in, given as the last buffer.
    workspace: Option<Extent>,
}

/// # Errors
/// E0401, at the operation that cannot be compiled; E0402 for a form that an update rule has not.
pub(crate) fn schedule(
    graph: &Graph,
    target: &Target,
    info: &ModelInfo,
    options: &Options,
) -> Result<Scheduled, Box<Diagnostic>> {
    let scheduler = Scheduler::new(graph, target, options)?;
    let mut launches = Vec::new();
    for op in &graph.body.ops {
        launches.extend(scheduler.launch(op)?);
    }
    let launches = order::order(&graph.body, launches);
    let ops = launches.iter().map(|launch| launch.op).collect();
    let places = slots::assign(&graph.body, &launches, |value| scheduler.place(value));

    let (mut kernels, mut numbers) = (Vec::new(), BTreeMap::new());
    let (mut symbols, mut thread_bytes) = (Vec::new(), 0);
    let mut planned = Vec::new();
    for (Launch { kernel, reads, writes, weights, .. }, workspace) in launches.into_iter().zip(places.workspaces) {
        let values = reads.iter().chain(&writes).enumerate();
        let buffers = values.map(|(place, value)| match weights.get(&place) {
            Some(&weight) => Buffer::Param(weight),
            None => places.of[value].clone(),
        });
        let buffers = buffers.chain(workspace).collect();
        let next = symbols.len();
        let number = *numbers.entry(kernel.symbol.clone()).or_insert(next);
        planned.push(plan::Launch {
            kernel: number,
            buffers,
            rows: linear_form(kernel.rows),
            chunk: kernel.chunk,
            times: kernel.times,
            item_ns: kernel.item_ns,
            token_ns: kernel.token_ns,
        });
        if number == next {
            symbols.push(kernel.symbol.clone());
            let (text, bytes) = kernel.text(target.lanes_are);
            kernels.push(text);
            // One kernel after the other works in the same scratch.
            thread_bytes = thread_bytes.max(bytes);
        }
    }
    let plan = Plan {
        format: plan::FORMAT,
        momc: env!("CARGO_PKG_VERSION").into(),
        model: info.model.clone(),
        vocab_size: info.vocab_size,
        layers: info.layers,
        eos_token: info.eos_token,
        memories: info.memories,
        target: plan::Target {
            name: target.name.clone(),
            arch: target.arch.clone(),
            groups: target.lanes_are.are_threads(),
            features: target.features.clone(),
        },
        block_tokens: info.block_tokens,
        inputs: scheduler.inputs,
        params: scheduler.weights.planned,
        ignored_tensors: info.ignored_tensors.clone(),
        states: scheduler.states.planned,
        slots: places.slots.into_iter().map(linear_form).collect(),
        thread_bytes,
        outputs: scheduler.outputs,
        kernels: symbols,
        launches: planned,
    };
    Ok(Scheduled { plan, kernels, ops })
}

pub(crate) fn unsupported(message: String, span: Option<Span>) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error(UNSUPPORTED, message);
    Box::new(match span {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    })
}

fn linear_form(extent: Extent) -> plan::Linear {
    let Extent { tokens, sequences, rows, context, constant } = extent;
    plan::Linear { tokens, sequences, rows, context, constant }
}

/// What is known of the graph before launches are made.
struct Scheduler<'a> {
    graph: &'a Graph,
    target: &'a Target,
    options: &'a Options,
    /// The operation that makes each value, by index.
    makers: Vec<usize>,
    weights: Weights<'a>,
    states: States,
    /// Where inputs and outputs lie.
    fixed: BTreeMap<ValueId, Buffer>,
    inputs: Vec<plan::Input>,
    outputs: Vec<plan::Output>,
}

impl<'a> Scheduler<'a> {
    fn new(graph: &'a Graph, target: &'a Target, options: &'a Options) -> Result<Self, Box<Diagnostic>> {
        let body = &graph.body;
        let mut makers = vec![usize::MAX; body.value_count()];
        let mut uses = vec![Vec::new(); body.value_count()];
        for (index, op) in body.ops.iter().enumerate() {
            op.results.iter().for_each(|result| makers[result.index()] = index);
            op.operands.iter().for_each(|operand| uses[operand.index()].push(index));
        }
        let fault = |(op, message): (&Op, String)| unsupported(message, op.span.clone());
        let weights = Weights::new(graph, target, &uses).map_err(fault)?;
        let states = States::new(graph, &uses).map_err(fault)?;
        let mut scheduler = Scheduler {
            graph,
            target,
            options,
            makers,
            weights,
            states,
            fixed: BTreeMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        for op in &body.ops {
            scheduler.note(op).map_err(|message| unsupported(message, op.span.clone()))?;
        }
        Ok(scheduler)
    }

    fn ty(&self, value: ValueId) -> &'a Type {
        self.graph.body.ty(value)
    }

    /// Notes where an operation's operands and results lie, as far as that is fixed.
    fn note(&mut self, op: &'a Op) -> Result<(), String> {
        match &op.kind {
            OpKind::Input { name, ty } => {
                self.fixed.insert(op.results[0], Buffer::Input(name.clone()));
                let elements = ty.rows().unwrap_or(Extent::ZERO.plus(1)).times(ty.row_elements());
                let dtype = if ty.dtype == DType::I32 { plan::DType::I32 } else { plan::DType::F32 };
                self.inputs.push(plan::Input { name: name.clone(), dtype, elements: linear_form(elements) });
            }
            OpKind::Output { name } => {
                let value = op.operands[0];
                let ty = self.ty(value);
                let rows = ty.rows().ok_or(format!("the output `{name}` has no rows"))?;
                if self.place(value).is_some() {
                    return Err(format!("the output `{name}` is an input, a parameter, a state or another output"));
                }
                self.fixed.insert(value, Buffer::Output(self.outputs.len()));
                self.outputs.push(plan::Output {
                    name: name.clone(),
                    rows: linear_form(rows),
                    columns: ty.row_elements(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Where a value lies, if not in the workspace; a weight that is there twice lies where the launch says.
    fn place(&self, value: ValueId) -> Option<Buffer> {
        let weight = self.weights.any(value).map(Buffer::Param);
        weight.or_else(|| self.states.index(value).map(Buffer::State)).or_else(|| self.fixed.get(&value).cloned())
    }

    /// The launch of an operation; none where there is nothing to run.
    fn launch(&self, op: &'a Op) -> Result<Option<Launch<'a>>, Box<Diagnostic>> {
        let mut workspace = None;
        let kernel = match &op.kind {
            OpKind::Scan { update_rule } => self.scan(op, update_rule)?,
            OpKind::ScanGradient { update_rule } => {
                let (kernel, bytes) = self.scan_gradient(op, update_rule)?;
                workspace = Some(bytes);
                kernel
            }
            _ => match self.kernel(op).map_err(|message| unsupported(message, op.span.clone()))? {
                Some(kernel) => kernel,
                None => return Ok(None),
            },
        };
        // Constants are part of the code.
        let read: Vec<usize> =
            (0..op.operands.len()).filter(|&place| self.constant(op.operands[place]).is_none()).collect();
        if read.len() < op.operands.len() && !matches!(op.kind, OpKind::Elementwise(_)) {
            let message = "native code computes with constants only element by element, or within a fused operation";
            return Err(unsupported(message.into(), op.span.clone()));
        }
        let (changes, writes) = op.results.iter().copied().partition(|&result| self.states.is_after(result));
        let mut weights = BTreeMap::new();
        for (number, &place) in read.iter().enumerate() {
            let weight = self.weights.operand(&self.graph.body, op, place);
            if let Some(weight) = weight.map_err(|message| unsupported(message, op.span.clone()))? {
                weights.insert(number, weight);
            }
        }
        let (reads, op) = (read.into_iter().map(|place| op.operands[place]).collect(), self.place_of(op));
        Ok(Some(Launch { op, kernel, reads, writes, changes, weights, workspace }))
    }

    /// The constant that a value is.
    fn constant(&self, value: ValueId) -> Option<f64> {
        match self.graph.body.ops.get(self.makers[value.index()])?.kind {
            OpKind::Constant { value } => Some(value),
            _ => None,
        }
    }

    /// The place of an operation that makes something.
    fn place_of(&self, op: &Op) -> usize {
        op.results.first().map_or(usize::MAX, |result| self.makers[result.index()])
    }

    /// The kernel of an operation that is no scan; none where there is nothing to run.
    fn kernel(&self, op: &'a Op) -> Result<Option<Kernel<'a>>, String> {
        let target = self.target;
        let operand = |number: usize| self.ty(op.operands[number]);
        let elements = |number: usize| operand(number).row_elements();
        let rows_of = |number: usize| operand(number).rows().ok_or("an operand has no rows".to_string());
        Ok(Some(match &op.kind {
            OpKind::Input { .. }
            | OpKind::Param { .. }
            | OpKind::State { .. }
            | OpKind::Constant { .. }
            | OpKind::SetState { .. }
            | OpKind::JoinMemories
            | OpKind::SplitMemories
            | OpKind::Output { .. } => return Ok(None),
            OpKind::Contract
            | OpKind::Sum { .. }
            | OpKind::Softmax { .. }
            | OpKind::Solve
            | OpKind::Slice { .. }
            | OpKind::Place { .. }
            | OpKind::Relabel { .. }
            | OpKind::HeadIndex
            | OpKind::Identity { .. } => return Err("this operation belongs into update rules".into()),
            OpKind::Scan { .. } | OpKind::ScanGradient { .. } => return Ok(None),
            OpKind::Embedding => {
                let table = self.weights.operand(&self.graph.body, op, 1)?;
                let table = match table.map(|table| self.weights.planned[table].layout) {
                    Some(Layout::Panels { width }) => rows::Table::Panels(width),
                    _ => rows::Table::RowMajor,
                };
                let width = self.ty(op.results[0]).row_elements();
                rows::embedding(target, width, operand(1).dtype, table)
            }
            OpKind::Elementwise(_)
            | OpKind::Linear
            | OpKind::GroupedLinear
            | OpKind::SelectRows
            | OpKind::RmsNorm { .. }
            | OpKind::L2Norm { .. }
            | OpKind::Dispatch
            | OpKind::Combine
            | OpKind::Rotary { .. } => fused::single(target, &self.graph.body, op, |value| self.constant(value))?,
            OpKind::ShortConv => {
                let taps = operand(1).axes.last().and_then(Axis::size).unwrap_or(1);
                let memories = rows_of(3)?.sequences;
                let masked = op.operands.len() > 4;
                short_conv::short_conv(target, short_conv::Shape { channels: elements(0), taps, memories, masked })
            }
            OpKind::Router { top_k, shared_state } => {
                routing::router(routing::Choices { memories: elements(0), top_k: *top_k, shared_state: *shared_state })
            }
            OpKind::Sort { memories } => routing::sort(*memories, elements(0)),
            OpKind::Append => return Err("native code does not append rows to a routed stream".into()),
            OpKind::ScanStates { .. } | OpKind::ReadStates { .. } => {
                return Err("native code does not store the states of each row; it reads them as a `scan` does".into());
            }
            OpKind::Fused(fused) => fused::fused(Cx { target, graph: self.graph, options: self.options }, fused)?,
            OpKind::AppendCache => attention::append_cache(target, elements(0), capacity(operand(1))),
            OpKind::Attention { window, scale } => {
                let ((heads, width), (kv_heads, _)) = (heads(operand(0))?, heads(operand(1))?);
                let capacity = capacity(operand(1));
                let shape = attention::Shape { heads, kv_heads, width, window: *window, scale: *scale, capacity };
                attention::attention(target, shape)
            }
        }))
    }
}

/// Sizes of the last two axes.
fn heads(ty: &Type) -> Result<(usize, usize), String> {
    match ty.axes.as_slice() {
        [.., Axis::Named { size: heads, .. }, Axis::Named { size: width, .. }] => Ok((*heads, *width)),
        _ => Err("attention needs heads and their width".into()),
    }
}

fn capacity(cache: &Type) -> Capacity {
    match cache.axes.get(1).and_then(Axis::size) {
        Some(capacity) => Capacity::Ring(capacity),
        None => Capacity::Context,
    }
}

/// Bytes of a value in the workspace.
fn bytes(body: &Body, value: ValueId) -> Extent {
    let ty = body.ty(value);
    let element = ty.row_elements() * ty.dtype.bytes();
    ty.rows().unwrap_or(Extent::ZERO.plus(1)).times(element)
}

/// A size to compare extents by: a full block of one sequence.
fn typical(extent: Extent) -> usize {
    extent.tokens * 512 + extent.sequences + extent.rows + extent.context * 4096 + extent.constant
}

#[cfg(test)]
mod tests;
