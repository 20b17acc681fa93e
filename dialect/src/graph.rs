//! The program: operations in the order of their dependencies, values that know their type, update rules beside them.
//!
//! A value is made by one operation and never changes. States are values too: [`OpKind::State`] reads the state of the
//! step's sequences as it was before the step and [`OpKind::SetState`] says what it is afterwards; each state is read
//! once and set once. A [`Graph`] that [`Body::add`] built is well typed; [`crate::verify`] checks one that was parsed.

use std::{collections::BTreeSet, fmt};

use crate::{diagnostic::Span, ops, shape::Type};

/// A value of a [`Body`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

impl ValueId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "%{}", self.0)
    }
}

/// Functions that work element by element. Operands are broadcast to the union of their axes, matched by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    Exp,
    /// 1 / (1 + exp(-x))
    Sigmoid,
    /// x · sigmoid(x)
    Silu,
    /// log(1 + exp(x))
    Softplus,
    Sqrt,
    Log,
    Max,
    Min,
    /// 1 where the first is less than the second, else 0.
    Less,
}

impl Function {
    pub const ALL: [Function; 14] = [
        Function::Add,
        Function::Sub,
        Function::Mul,
        Function::Div,
        Function::Neg,
        Function::Exp,
        Function::Sigmoid,
        Function::Silu,
        Function::Softplus,
        Function::Sqrt,
        Function::Log,
        Function::Max,
        Function::Min,
        Function::Less,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Function::Add => "add",
            Function::Sub => "sub",
            Function::Mul => "mul",
            Function::Div => "div",
            Function::Neg => "neg",
            Function::Exp => "exp",
            Function::Sigmoid => "sigmoid",
            Function::Silu => "silu",
            Function::Softplus => "softplus",
            Function::Sqrt => "sqrt",
            Function::Log => "log",
            Function::Max => "max",
            Function::Min => "min",
            Function::Less => "less",
        }
    }

    pub fn arity(self) -> usize {
        match self {
            Function::Add | Function::Sub | Function::Mul | Function::Div => 2,
            Function::Max | Function::Min | Function::Less => 2,
            _ => 1,
        }
    }
}

/// Where a parameter lies in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the checkpoint's tensor.
    pub tensor: String,
    /// Shape of the whole tensor there.
    pub shape: Vec<usize>,
    /// The first row of the parameter within the tensor; other than 0 only where a checkpoint stores several
    /// parameters one above the other.
    pub first_row: usize,
}

/// What an operation does. Operands and results are listed with each kind; `…` stands for any further axes.
/// The meaning of each is in its file under [`ops`].
#[derive(Clone, Debug, PartialEq)]
pub enum OpKind {
    /// `() -> ty`: `tokens` i32 `[T]`, `position` i32 `[T]` (the token's number among the real tokens of its sequence,
    /// -1 for padding), `cu_seqlens` i32 `[B+1]`, `rows` i32 `[L]` (the tokens whose logits are asked for); f32 of any
    /// other name and any axes.
    Input { name: String, ty: Type },
    /// `() -> ty`: a weight.
    Param { name: String, ty: Type, source: Source },
    /// `() -> ty`: a state before the step; its first axis is `B`.
    State { name: String, ty: Type },
    /// `() -> f32 []`
    Constant { value: f64 },
    /// `(tokens i32 [T], table [vocab, …]) -> [T, …]`
    Embedding,
    /// `(x [T, …], rows i32 [L]) -> [L, …]`
    SelectRows,
    /// One or two operands of any axes -> the union of their axes.
    Elementwise(Function),
    /// `(a, b)` -> the sum of their products over the axes they share (update rules only).
    Contract,
    /// `(x)` -> the sum over one axis, which the result lacks (update rules only, as all down to `Identity`).
    Sum { axis: String },
    /// `(x) -> x`: exp(x) / sum exp(x) over one axis.
    Softmax { axis: String },
    /// `(a [i, j], b [i]) -> x [j]` with `Σ_j a[i, j] x[j] = b[i]`; `i` is the axis that both have, of two of one size.
    Solve,
    /// `(x)` -> its entry number `index` along one axis, which the result lacks.
    Slice { axis: String, index: usize },
    /// `(x)` -> zeros but for `x` at entry number `index` of a new last axis.
    Place { axis: String, size: usize, index: usize },
    /// `(x) -> x` with axes renamed, all at once: pairs of the old and the new name.
    Relabel { axes: Vec<(String, String)> },
    /// `() -> f32 []`: the number of the head, from 0.
    HeadIndex,
    /// `() -> f32 [i, j]`: 1 where both axes, of one size, are at the same entry, else 0.
    Identity { axes: [String; 2], size: usize },
    /// `(x, weights…) -> (…)…`, one result for each of n ≥ 1 weights: the sum of products over the named axes that x
    /// shares with all of them; a weight's other axes replace these.
    Linear,
    /// `(x [kT, …], segments i32 [MB+1], weight_0, …, weight_{M-1}, …) -> (…)…`: as `Linear`, with the weight of the
    /// row's memory; M weights for the first result, M for the second and so on.
    GroupedLinear,
    /// `(x, weight) -> x`: x / sqrt(mean x² + eps) · weight, over the weight's axes, which are x's last.
    RmsNorm { eps: f64 },
    /// `(x) -> x`: x / sqrt(sum x² + eps) over the last axis.
    L2Norm { eps: f64 },
    /// `(x [R, …], weight […, tap], window [B, (memory,) tap, …], segments i32 [MB+1] (, position i32 [T]))
    /// -> (y [R, …], window)`: causal convolution along each segment; `window` holds its last inputs, newest last.
    /// With `position`, rows of padding do not exist: they enter no window and their `y` is zero.
    ShortConv,
    /// `(logits [T, memory]) -> (selected i32 [T, choice], weight f32 [T, choice])`; with `shared_state` every token
    /// has one more choice, the last: memory number M, the shared state, with weight 1.
    Router { top_k: usize, shared_state: bool },
    /// `(selected i32 [T, choice], position i32 [T], cu_seqlens i32 [B+1])
    /// -> (permutation i32 [kT], slot i32 [T, choice], segments i32 [MB+1])`
    Sort { memories: usize },
    /// `(x [T, …], permutation i32 [kT], segments i32 [MB+1]) -> [kT, …]`
    Dispatch,
    /// `(inputs [R, (head,) …]…, parameters [(head,) …]…, states [B, (memory,) head, …]…, segments i32 [MB+1]
    /// (, position i32 [T])) -> (outputs [R, head, …]…, states…)`: the update rule along each segment.
    Scan { update_rule: String },
    /// `(inputs…, parameters…, states before…, segments, cotangents of outputs [R, head, …]…, cotangents of the states
    /// after [B, (memory,) head, …]…) -> (cotangents of inputs [R, head, …]…, of parameters [B, (memory,) head, …]…, of
    /// the states before…)`: the adjoint of `Scan`.
    ScanGradient { update_rule: String },
    /// `(inputs [R, (head,) …]…, parameters [(head,) …]…, states [B, (memory,) head, …]…, segments i32 [MB+1]
    /// (, position i32 [T])) -> (states of each row [R, head, …]…)`: those that the update rule reads, without reading
    /// them; operands as of `Scan`, without inputs and parameters that are only read with.
    ScanStates { update_rule: String },
    /// `(inputs [R, (head,) …]…, parameters [(head,) …]…, states of each row [R, head, …]…) -> (outputs [R, head, …]…)`:
    /// what the update rule reads of the results of `ScanStates`, with the inputs and parameters that it reads with.
    ReadStates { update_rule: String },
    /// `(x [kT, …], slot i32 [T, choice], weight f32 [T, choice]) -> [T, …]`; padding becomes zero.
    Combine,
    /// `(routed [kT, …], slot i32 [T, choice k], tokens [T, …], slot' i32 [T, choice k+1]) -> [(k+1)T, …]`: the rows of a
    /// routed stream and one more row for each token, in the places that `slot'` gives them.
    Append,
    /// `(a [B, memory M, …], b [B, …]) -> [B, memory M+1, …]`: the states of M memories and of one more, the last.
    JoinMemories,
    /// `(x [B, memory M+1, …]) -> ([B, memory M, …], [B, …])`: the inverse of `JoinMemories`.
    SplitMemories,
    /// `(x [R, …, width], position i32 [R]) -> x`: rotary embedding, halves rotated.
    Rotary { base: f64 },
    /// `(x [T, …], cache [B, C, …], position i32 [T], cu_seqlens i32 [B+1]) -> cache`; a named axis `ring` in place of
    /// `C` makes a cache of fixed size. Token number p of a sequence lies at p modulo that axis.
    AppendCache,
    /// `(q [T, head, width], keys [B, C, kv_head, width], values [B, C, kv_head, width], position i32 [T],
    /// cu_seqlens i32 [B+1]) -> [T, head, width]`, with caches as above; padding becomes zero.
    Attention { window: Option<usize>, scale: f64 },
    /// `(the body's arguments…) -> (results…)`: what its body means, computed in one launch.
    Fused(Box<Fused>),
    /// `(state) -> ()`: the state after the step.
    SetState { name: String },
    /// `(x) -> ()`: a result of the program.
    Output { name: String },
}

/// Operations that one launch computes; no value but `results` leaves it.
///
/// `body` holds any operation of a program but [`OpKind::Input`], [`OpKind::Param`], [`OpKind::State`],
/// [`OpKind::SetState`], [`OpKind::Output`], [`OpKind::ScanGradient`] and [`OpKind::Fused`]. Its arguments are the
/// operands in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused {
    pub body: Body,
    /// Values of the body.
    pub results: Vec<ValueId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    pub kind: OpKind,
    pub operands: Vec<ValueId>,
    pub results: Vec<ValueId>,
    /// The place in the model description that asked for this operation.
    pub span: Option<Span>,
}

/// Operations and the values they make. Values that no operation makes are the body's arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    types: Vec<Type>,
    pub ops: Vec<Op>,
}

impl Body {
    pub fn argument(&mut self, ty: Type) -> ValueId {
        self.types.push(ty);
        ValueId(self.types.len() as u32 - 1)
    }

    /// The values that no operation makes.
    pub fn arguments(&self) -> Vec<ValueId> {
        let made: BTreeSet<ValueId> = self.ops.iter().flat_map(|op| op.results.iter().copied()).collect();
        (0..self.types.len() as u32).map(ValueId).filter(|value| !made.contains(value)).collect()
    }

    pub fn ty(&self, value: ValueId) -> &Type {
        &self.types[value.index()]
    }

    pub fn value_count(&self) -> usize {
        self.types.len()
    }

    /// Appends an operation whose result types follow from its operands.
    ///
    /// # Errors
    /// What is wrong with the operands' types, in words of axes and sizes.
    pub fn add(&mut self, kind: OpKind, operands: &[ValueId], span: Option<Span>) -> Result<Vec<ValueId>, String> {
        let operand_types: Vec<&Type> = operands.iter().map(|&operand| self.ty(operand)).collect();
        let types = ops::result_types(&kind, &operand_types)?;
        Ok(self.add_typed(kind, operands.to_vec(), types, span))
    }

    /// Appends an operation with the result types that a text gave; they are checked by [`crate::verify`].
    pub fn add_typed(
        &mut self,
        kind: OpKind,
        operands: Vec<ValueId>,
        types: Vec<Type>,
        span: Option<Span>,
    ) -> Vec<ValueId> {
        let results: Vec<ValueId> = types.into_iter().map(|ty| self.argument(ty)).collect();
        self.ops.push(Op { kind, operands, results: results.clone(), span });
        results
    }
}

/// An input, parameter, state or output of an update rule, for one head.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    pub name: String,
    /// Axes of one head's value; all named.
    pub ty: Type,
    /// What no element of an input or parameter is above, where the rule says so (`g: scalar <= 0`).
    pub at_most: Option<f64>,
}

impl Port {
    pub fn new(name: impl Into<String>, ty: Type) -> Port {
        Port { name: name.into(), ty, at_most: None }
    }
}

/// A recurrence for one head of one segment, with its dimensions fixed.
///
/// `body` holds [`OpKind::Constant`], [`OpKind::Elementwise`] and [`OpKind::Contract`] to [`OpKind::Identity`] only.
/// Its arguments are the inputs of the token, then the parameters, then the states before the token.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateRule {
    pub name: String,
    pub inputs: Vec<Port>,
    /// Inputs that are the same for all tokens: one value for each head.
    pub parameters: Vec<Port>,
    pub states: Vec<Port>,
    pub outputs: Vec<Port>,
    pub body: Body,
    /// The states after the token, in the order of `states`.
    pub next: Vec<ValueId>,
    /// What the token reads, in the order of `outputs`.
    pub read: Vec<ValueId>,
}

impl UpdateRule {
    /// The arguments of the body in their order: inputs, parameters, states.
    pub fn arguments(&self) -> impl Iterator<Item = &Port> {
        self.inputs.iter().chain(&self.parameters).chain(&self.states)
    }
}

/// A whole program.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub name: String,
    pub update_rules: Vec<UpdateRule>,
    pub body: Body,
}

impl Graph {
    /// Appends an operation to the body, as [`Body::add`] does; scans too, whose types follow from their update rule.
    ///
    /// # Errors
    /// What is wrong with the operands' types, in words of axes and sizes, or that there is no such update rule.
    pub fn add(&mut self, kind: OpKind, operands: &[ValueId], span: Option<Span>) -> Result<Vec<ValueId>, String> {
        let operand_types: Vec<&Type> = operands.iter().map(|&operand| self.body.ty(operand)).collect();
        let types = self.result_types(&kind, &operand_types)?;
        Ok(self.body.add_typed(kind, operands.to_vec(), types, span))
    }

    /// The types of an operation's results, scans included.
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn result_types(&self, kind: &OpKind, operands: &[&Type]) -> Result<Vec<Type>, String> {
        type Infer = fn(&UpdateRule, &[&Type]) -> Result<Vec<Type>, String>;
        let (update_rule, infer): (_, Infer) = match kind {
            OpKind::Scan { update_rule } => (update_rule, ops::scan_result_types),
            OpKind::ScanGradient { update_rule } => (update_rule, ops::scan_gradient_result_types),
            OpKind::ScanStates { update_rule } => (update_rule, ops::scan_states_result_types),
            OpKind::ReadStates { update_rule } => (update_rule, ops::read_states_result_types),
            _ => return ops::result_types(kind, operands),
        };
        let rule = self.update_rule(update_rule).ok_or_else(|| {
            let name = ops::name(kind).trim_start_matches("mom.");
            format!("`{name}` refers to `{update_rule}`, but there is no such update rule")
        })?;
        infer(rule, operands)
    }

    pub fn update_rule(&self, name: &str) -> Option<&UpdateRule> {
        self.update_rules.iter().find(|rule| rule.name == name)
    }
}
