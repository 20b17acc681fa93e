//! From the graph to the plan: which kernel does each operation, in which order they run, where their values lie.
//!
//! The order is chosen on the graph of launches ([`order`]) and the workspace from when values live ([`slots`]); both
//! treat sizes as linear forms in the step's sizes, so the plan and its peak memory hold for every batch and length.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::{Code, Diagnostic, Span},
    graph::{Body, Function, Graph, Op, OpKind, ValueId},
    shape::{Axis, DType, Extent, Type},
};
use mom_runtime::plan::{self, Buffer, Layout, Plan};

use crate::{
    ModelInfo,
    kernel::{
        Kernel,
        attention::{self, Capacity},
        elementwise::{self, Expression},
        linear::{self, Product},
        norm, routing, rows, short_conv,
    },
    options::Options,
    target::Target,
};

mod order;
mod scan;
mod slots;

pub use scan::NO_SUCH_FORM;
pub(crate) use scan::{form, scan_heads};

/// Native code cannot do what the graph asks for.
const UNSUPPORTED: Code = Code(401);

/// The plan, and the text of each kernel it names.
pub(crate) struct Scheduled {
    pub(crate) plan: Plan,
    pub(crate) kernels: Vec<String>,
}

/// One kernel at work on the graph's values.
struct Launch<'a> {
    kernel: Kernel<'a>,
    /// Values read; among them states that are changed in place.
    reads: Vec<ValueId>,
    /// Values made, states excepted.
    writes: Vec<ValueId>,
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
    let launches = order::order(&graph.body, &scheduler.aliases, launches);
    let places = slots::assign(&graph.body, &launches, |value| scheduler.place(value));

    let (mut kernels, mut symbols) = (Vec::new(), BTreeMap::new());
    let mut planned = Vec::new();
    for (Launch { kernel, reads, writes, .. }, workspace) in launches.into_iter().zip(places.workspaces) {
        let buffers = reads.iter().chain(&writes).map(|value| places.of[value].clone()).chain(workspace).collect();
        let next = symbols.len();
        let number = *symbols.entry(kernel.symbol.clone()).or_insert(next);
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
            kernels.push(kernel.text());
        }
    }
    let (symbols, kernels): (Vec<String>, Vec<String>) = kernels.into_iter().unzip();
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
            features: target.features.clone(),
        },
        block_tokens: info.block_tokens,
        inputs: scheduler.inputs,
        params: scheduler.params,
        ignored_tensors: info.ignored_tensors.clone(),
        states: scheduler.states,
        slots: places.slots.into_iter().map(linear_form).collect(),
        outputs: scheduler.outputs,
        kernels: symbols,
        launches: planned,
    };
    Ok(Scheduled { plan, kernels })
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
    uses: Vec<Vec<usize>>,
    /// States after the step, and the state that each is in place of.
    aliases: BTreeMap<ValueId, ValueId>,
    /// Where values lie that are not in the workspace.
    fixed: BTreeMap<ValueId, Buffer>,
    layouts: BTreeMap<ValueId, Layout>,
    inputs: Vec<plan::Input>,
    params: Vec<plan::Param>,
    states: Vec<plan::State>,
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
        let mut scheduler = Scheduler {
            graph,
            target,
            options,
            makers,
            uses,
            aliases: BTreeMap::new(),
            fixed: BTreeMap::new(),
            layouts: BTreeMap::new(),
            inputs: Vec::new(),
            params: Vec::new(),
            states: Vec::new(),
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
            OpKind::Param { name, ty, source } => {
                let value = op.results[0];
                let layout = self.layout(value)?;
                let columns: usize = source.shape.iter().skip(1).product();
                self.layouts.insert(value, layout);
                self.fixed.insert(value, Buffer::Param(self.params.len()));
                self.params.push(plan::Param {
                    name: name.clone(),
                    tensor: source.tensor.clone(),
                    shape: source.shape.clone(),
                    first_row: source.first_row,
                    rows: ty.row_elements() / columns.max(1),
                    columns,
                    dtype: if ty.dtype == DType::BF16 { plan::DType::Bf16 } else { plan::DType::F32 },
                    layout,
                });
            }
            OpKind::State { name, ty } => {
                self.fixed.insert(op.results[0], Buffer::State(self.states.len()));
                self.states.push(state(name, ty));
            }
            OpKind::ShortConv => self.alias(op.results[1], op.operands[2]),
            OpKind::AppendCache => self.alias(op.results[0], op.operands[1]),
            OpKind::Scan { update_rule } => {
                let rule =
                    self.graph.update_rule(update_rule).ok_or(format!("there is no update rule `{update_rule}`"))?;
                let (inputs, outputs) = (rule.inputs.len() + rule.parameters.len(), rule.outputs.len());
                for state in 0..rule.states.len() {
                    self.alias(op.results[outputs + state], op.operands[inputs + state]);
                }
            }
            OpKind::Output { name } => {
                let value = op.operands[0];
                let ty = self.ty(value);
                let rows = ty.rows().ok_or(format!("the output `{name}` has no rows"))?;
                if self.fixed.insert(value, Buffer::Output(self.outputs.len())).is_some() {
                    return Err(format!("the output `{name}` is an input, a parameter, a state or another output"));
                }
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

    /// `new` is the state `old` after the step, in the same place.
    fn alias(&mut self, new: ValueId, old: ValueId) {
        let root = self.aliases.get(&old).copied().unwrap_or(old);
        self.aliases.insert(new, root);
    }

    /// Where a value lies outside the workspace.
    fn place(&self, value: ValueId) -> Option<Buffer> {
        let root = self.aliases.get(&value).copied().unwrap_or(value);
        self.fixed.get(&root).cloned()
    }

    /// How a weight must lie for the kernels that read it.
    fn layout(&self, value: ValueId) -> Result<Layout, String> {
        let mut layout = None;
        for op in self.uses[value.index()].iter().map(|&index| &self.graph.body.ops[index]) {
            let wanted = match op.kind {
                OpKind::Linear | OpKind::GroupedLinear => {
                    let (_, columns) = product_size(self.ty(op.operands[0]), self.ty(value));
                    Layout::Panels { width: linear::panel_width(self.target, columns) }
                }
                OpKind::ShortConv => Layout::Transposed,
                // The embedding reads rows wherever they lie.
                OpKind::Embedding => continue,
                _ => Layout::RowMajor,
            };
            if layout.is_some_and(|layout| layout != wanted) {
                return Err("one weight is used in two ways that need it laid out differently".into());
            }
            layout = Some(wanted);
        }
        Ok(layout.unwrap_or(Layout::RowMajor))
    }

    /// The launch of an operation; none where there is nothing to run or another launch does it.
    fn launch(&self, op: &'a Op) -> Result<Option<Launch<'a>>, Box<Diagnostic>> {
        let mut workspace = None;
        let kernel = match &op.kind {
            OpKind::Scan { update_rule } => self.scan(op, update_rule)?,
            OpKind::ScanGradient { update_rule } => {
                let (kernel, bytes) = self.scan_gradient(op, update_rule)?;
                workspace = Some(bytes);
                kernel
            }
            OpKind::Elementwise(function) => {
                return self.elementwise(op, *function).map_err(|message| unsupported(message, op.span.clone()));
            }
            _ => match self.kernel(op).map_err(|message| unsupported(message, op.span.clone()))? {
                Some(kernel) => kernel,
                None => return Ok(None),
            },
        };
        let writes = op.results.iter().copied().filter(|result| !self.aliases.contains_key(result)).collect();
        Ok(Some(Launch { kernel, reads: op.operands.clone(), writes, workspace }))
    }

    /// The kernel of an operation that neither is a scan nor works element by element.
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
            OpKind::Elementwise(_) | OpKind::Scan { .. } | OpKind::ScanGradient { .. } => return Ok(None),
            OpKind::Embedding => {
                let table = match self.layouts.get(&op.operands[1]) {
                    Some(Layout::Panels { width }) => rows::Table::Panels(*width),
                    _ => rows::Table::RowMajor,
                };
                let width = self.ty(op.results[0]).row_elements();
                rows::embedding(target, width, operand(1).dtype, table)
            }
            OpKind::SelectRows => rows::select_rows(target, elements(0)),
            OpKind::Linear => linear::linear(target, self.product(op, 1)?),
            OpKind::GroupedLinear if elements(0) != product_size(operand(0), operand(2)).0 => {
                return Err("a matrix for each memory must map all axes of a row in native code".into());
            }
            OpKind::GroupedLinear => linear::grouped_linear(target, self.product(op, 2)?, op.operands.len() - 2),
            OpKind::RmsNorm { eps } => norm::rms_norm(target, groups(operand(0), elements(1))?, *eps),
            OpKind::L2Norm { eps } => norm::l2_norm(target, groups(operand(0), last(operand(0))?)?, *eps),
            OpKind::ShortConv => {
                let taps = operand(1).axes.last().and_then(Axis::size).unwrap_or(1);
                let memories = rows_of(3)?.sequences;
                let masked = op.operands.len() > 4;
                short_conv::short_conv(target, short_conv::Shape { channels: elements(0), taps, memories, masked })
            }
            OpKind::Router { top_k } => routing::router(elements(0), *top_k),
            OpKind::Sort { memories } => routing::sort(*memories, elements(0)),
            OpKind::Dispatch => rows::dispatch(target, elements(0), rows_of(1)?, rows_of(2)?),
            OpKind::Combine => rows::combine(target, elements(0), elements(1)),
            OpKind::Rotary { base } => {
                let (heads, width) = heads(operand(0))?;
                attention::rotary(rows_of(0)?, heads, width, *base)
            }
            OpKind::AppendCache => attention::append_cache(target, elements(0), capacity(operand(1))),
            OpKind::Attention { window, scale } => {
                let ((heads, width), (kv_heads, _)) = (heads(operand(0))?, heads(operand(1))?);
                let capacity = capacity(operand(1));
                let shape = attention::Shape { heads, kv_heads, width, window: *window, scale: *scale, capacity };
                attention::attention(target, shape)
            }
        }))
    }

    fn product(&self, op: &Op, weight: usize) -> Result<Product, String> {
        let (x, weight) = (self.ty(op.operands[0]), self.ty(op.operands[weight]));
        let rows = x.rows().ok_or("a product's left operand has no rows")?;
        let (depth, columns) = product_size(x, weight);
        // Axes of a row that the product keeps are more rows to it.
        let rows = rows.times(x.row_elements() / depth);
        Ok(Product { rows, depth, columns, dtype: weight.dtype })
    }

    /// An elementwise operation with all those before it that only it uses.
    fn elementwise(&self, op: &'a Op, function: Function) -> Result<Option<Launch<'a>>, String> {
        let result = op.results[0];
        if self.is_inlined(result) {
            return Ok(None);
        }
        let mut operands = Vec::new();
        let arguments = op.operands.iter().map(|&operand| self.expression(operand, &mut operands)).collect();
        let ty = self.ty(result);
        let types: Vec<Type> = operands.iter().map(|&operand| self.ty(operand).clone()).collect();
        if let Some(operand) = types.iter().find(|operand| !in_order(operand, ty)) {
            return Err(format!(
                "{} cannot be broadcast to {}: the axes come in another order",
                operand.describe(),
                ty.describe()
            ));
        }
        let expression = Expression::Apply(function, arguments);
        let kernel = elementwise::elementwise(self.target, expression, types, ty.clone());
        Ok(Some(Launch { kernel, reads: operands, writes: vec![result], workspace: None }))
    }

    /// Whether a value is computed inside the one elementwise operation that uses it.
    fn is_inlined(&self, value: ValueId) -> bool {
        let [user] = self.uses[value.index()].as_slice() else { return false };
        let user = &self.graph.body.ops[*user];
        matches!(user.kind, OpKind::Elementwise(_)) && self.ty(user.results[0]) == self.ty(value)
    }

    fn expression(&self, value: ValueId, operands: &mut Vec<ValueId>) -> Expression {
        let maker = self.graph.body.ops.get(self.makers[value.index()]);
        match maker.map(|op| (&op.kind, op)) {
            Some((OpKind::Constant { value }, _)) => Expression::Constant(*value),
            Some((OpKind::Elementwise(function), op)) if self.is_inlined(value) => Expression::Apply(
                *function,
                op.operands.iter().map(|&operand| self.expression(operand, operands)).collect(),
            ),
            _ => {
                let known = operands.iter().position(|&operand| operand == value);
                Expression::Operand(known.unwrap_or_else(|| {
                    operands.push(value);
                    operands.len() - 1
                }))
            }
        }
    }
}

/// Depth and columns of the product of `x` with `weight`.
fn product_size(x: &Type, weight: &Type) -> (usize, usize) {
    let depth = weight.axes.iter().filter(|axis| x.has(axis)).filter_map(Axis::size).product();
    (depth, weight.row_elements() / depth)
}

/// Vectors of `width` elements, each of which a norm scales.
fn groups(ty: &Type, width: usize) -> Result<norm::Groups, String> {
    let rows = ty.rows().ok_or("a norm's operand has no rows")?;
    Ok(norm::Groups { rows, groups: ty.row_elements() / width, width })
}

/// Size of the last axis.
fn last(ty: &Type) -> Result<usize, String> {
    Ok(ty.axes.last().and_then(Axis::size).ok_or("a norm needs a named axis")?)
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

fn state(name: &str, ty: &Type) -> plan::State {
    let mut axes = ty.axes.iter().skip(1).peekable();
    let kind = match axes.peek() {
        Some(Axis::Rows(_)) => plan::StateKind::Context,
        Some(Axis::Named { name, size }) if name == "ring" => plan::StateKind::Ring { capacity: *size },
        _ => plan::StateKind::Fixed,
    };
    if kind != plan::StateKind::Fixed {
        axes.next();
    }
    let axes: Vec<(String, usize)> = axes.map(|axis| (axis.name(), axis.size().unwrap_or(1))).collect();
    let elements = axes.iter().map(|(_, size)| size).product();
    plan::State { name: name.into(), elements, axes, kind }
}

/// Whether the axes of `part` come in the order of `whole`.
fn in_order(part: &Type, whole: &Type) -> bool {
    let mut places = whole.axes.iter();
    part.axes.iter().all(|axis| places.any(|place| place == axis))
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
