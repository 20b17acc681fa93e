//! The launch plan that lies in an artifact, as JSON under the symbol [`SYMBOL`].
//!
//! The plan is a straight list of launches over buffers whose sizes are linear in the step's sizes. A step runs the
//! launches in order. The compiler writes plans and the runtime reads them; nobody else needs to.
//!
//! # Kernels
//!
//! Every kernel has the C signature
//! `void kernel(void *const *buffers, const int64_t *sizes, int64_t begin, int64_t end)`
//! and does the work items `begin..end` of its launch. Items of one launch are independent of each other: the runtime
//! splits them over threads as it likes and the results are the same bits. `buffers` are the launch's buffers in order;
//! `sizes` are the step's sizes in the order of [`Sizes::as_array`], then the number of the launch, which no other of the
//! process has: a kernel that keeps something for the tasks of one launch tells by it what is old.
//!
//! On machines whose threads run in groups of [`GROUP`], all threads of a group call the kernel with the same arguments, and
//! two more, `void *scratch, int64_t thread`: [`Plan::thread_bytes`] bytes that are the group's, and the thread's number.

use serde::{Deserialize, Serialize};

/// Symbol of the plan's bytes, which end with a zero byte.
pub const SYMBOL: &str = "momc_plan";

/// Raised whenever an older runtime could not read the plan or call the kernels.
pub const FORMAT: u32 = 5;

/// Threads of a group, on machines whose threads run in groups.
pub const GROUP: usize = 32;

/// A launch whose cost ([`Launch::cost_ns`]) is below this is not shared among threads: the compiler weighs launches so.
pub const WORTH_SHARING_NS: u64 = 4_000;

/// What a step's buffers are sized by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// T, tokens of the step.
    pub tokens: usize,
    /// B, sequences of the step.
    pub sequences: usize,
    /// L, rows whose logits are asked for.
    pub rows: usize,
    /// C, tokens that each attention cache without a window has room for.
    pub context: usize,
}

impl Sizes {
    /// T, B, L, C: what kernels are given.
    pub fn as_array(&self) -> [i64; 4] {
        [self.tokens as i64, self.sequences as i64, self.rows as i64, self.context as i64]
    }
}

/// `tokens·T + sequences·B + rows·L + context·C + constant`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Factor of T.
    pub tokens: usize,
    /// Factor of B.
    pub sequences: usize,
    /// Factor of L.
    pub rows: usize,
    /// Factor of C.
    pub context: usize,
    /// What is always there.
    pub constant: usize,
}

impl Linear {
    /// The value for a step of these sizes. Saturates; no allocation of `usize::MAX` is ever granted.
    pub fn at(&self, sizes: &Sizes) -> usize {
        self.constant
            .saturating_add(self.tokens.saturating_mul(sizes.tokens))
            .saturating_add(self.sequences.saturating_mul(sizes.sequences))
            .saturating_add(self.rows.saturating_mul(sizes.rows))
            .saturating_add(self.context.saturating_mul(sizes.context))
    }
}

/// Element type of a parameter or buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE single precision.
    F32,
    /// The upper half of a single-precision number.
    Bf16,
    /// Signed integer.
    I32,
}

impl DType {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            DType::F32 | DType::I32 => 4,
            DType::Bf16 => 2,
        }
    }
}

/// The machine that the kernels were compiled for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name given to `--target`, or the host's processor.
    pub name: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Whether threads run a kernel in groups of [`GROUP`], each with one lane of every vector.
    pub groups: bool,
    /// Processor features the code needs, as `std::arch::is_x86_feature_detected` names them.
    pub features: Vec<String>,
}

/// How a parameter lies in memory once it is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layout {
    /// As in the checkpoint: `[rows, columns]`.
    RowMajor,
    /// `[columns, rows]`.
    Transposed,
    /// `[ceil(rows / width), columns, width]`: panels of `width` rows, transposed within; missing rows are zero.
    Panels {
        /// Rows of a panel.
        width: usize,
    },
}

impl Layout {
    /// Every layout is one of panels: row-major is panels of one row, transposed is one panel of all rows.
    pub fn panel_width(self, rows: usize) -> usize {
        match self {
            Layout::RowMajor => 1,
            Layout::Transposed => rows,
            Layout::Panels { width } => width,
        }
    }
}

/// A weight as the kernels want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The name that people know it by. A weight that kernels want in several layouts is as many parameters of one name.
    pub name: String,
    /// Name of the checkpoint's tensor.
    pub tensor: String,
    /// Shape of the checkpoint's tensor.
    pub shape: Vec<usize>,
    /// The parameter's elements are those of the tensor from this one on, row after row, whatever axes the tensor has.
    pub first: usize,
    /// Rows of the matrix that the kernels take the parameter for.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
    /// Element type in memory.
    pub dtype: DType,
    /// Order of the elements in memory.
    pub layout: Layout,
}

impl Param {
    /// Elements in memory, the zeros of an incomplete panel included. Saturates.
    pub fn elements(&self) -> usize {
        let width = self.layout.panel_width(self.rows).max(1);
        self.rows.div_ceil(width).saturating_mul(width).saturating_mul(self.columns)
    }

    /// Bytes in memory. Saturates.
    pub fn bytes(&self) -> usize {
        self.elements().saturating_mul(self.dtype.bytes())
    }

    /// Whether the two are the same bytes in memory, so that one buffer serves both.
    pub fn same_memory(&self, other: &Param) -> bool {
        (&self.tensor, self.first, self.rows, self.columns, self.dtype, self.layout)
            == (&other.tensor, other.first, other.rows, other.columns, other.dtype, other.layout)
    }
}

/// A state of one sequence as the kernels know it; zeros at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What the model knows it as: one state, or several that lie side by side so that one kernel changes them all.
    /// Together they are all of its elements, in order.
    pub parts: Vec<Part>,
    /// f32 elements of one sequence; in a cache, of one token of one sequence.
    pub elements: usize,
    /// How it grows with the sequence.
    pub kind: StateKind,
}

/// A state of the model within a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The name it is read back by.
    pub name: String,
    /// The first of its elements among those of the whole.
    pub first: usize,
    /// f32 elements.
    pub elements: usize,
    /// Axes of those elements, for people and tests: name and size.
    pub axes: Vec<(String, usize)>,
}

impl State {
    /// A state with one part, all of it.
    pub fn whole(name: impl Into<String>, axes: Vec<(String, usize)>, kind: StateKind) -> State {
        let elements = axes.iter().fold(1usize, |product, (_, size)| product.saturating_mul(*size));
        State { parts: vec![Part { name: name.into(), first: 0, elements, axes }], elements, kind }
    }

    /// Elements that one sequence has room for, when caches have room for `context` tokens. Saturates.
    pub fn room(&self, context: usize) -> usize {
        match self.kind {
            StateKind::Fixed => self.elements,
            StateKind::Context => self.elements.saturating_mul(context),
            StateKind::Ring { capacity } => self.elements.saturating_mul(capacity),
        }
    }
}

/// How a state grows with the length of its sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StateKind {
    /// The same size whatever the length of the sequence.
    Fixed,
    /// Room for C tokens: token number p of a sequence lies at p.
    Context,
    /// Room for `capacity` tokens: token number p of a sequence lies at p mod `capacity`.
    Ring {
        /// Tokens.
        capacity: usize,
    },
}

/// What a launch reads or writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Buffer {
    /// Index into [`Plan::params`].
    Param(usize),
    /// Index into [`Plan::states`]; rows are the step's sequences.
    State(usize),
    /// Index into [`Plan::slots`].
    Slot(usize),
    /// Name of one of [`Plan::inputs`].
    Input(String),
    /// Index into [`Plan::outputs`].
    Output(usize),
}

/// What a step is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `tokens`, `position`, `cu_seqlens` and `rows` for integers, and any other name for f32.
    pub name: String,
    /// i32 or f32.
    pub dtype: DType,
    /// Elements, of a whole step.
    pub elements: Linear,
}

/// A result of a step, f32, `rows` rows of `columns`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// `logits`, or `router_logits.<layer>`, or what else a program answers.
    pub name: String,
    /// Exactly T, exactly L or exactly B.
    pub rows: Linear,
    /// Elements of a row.
    pub columns: usize,
}

/// One kernel over `ceil(rows / chunk) · times` items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// Index into [`Plan::kernels`].
    pub kernel: usize,
    /// What the kernel is given, in its own order.
    pub buffers: Vec<Buffer>,
    /// Rows of the work.
    pub rows: Linear,
    /// Rows of one item.
    pub chunk: usize,
    /// Items that share the same rows, such as the panels of a weight.
    pub times: usize,
    /// Rough cost of one item in nanoseconds; what costs little altogether is not worth waking a thread for.
    pub item_ns: u64,
    /// Where items go through tokens: rough cost of each token of the step, for all items together.
    pub token_ns: u64,
}

impl Launch {
    /// Rough cost of the launch in a step of these sizes, in nanoseconds. Saturates.
    pub fn cost_ns(&self, sizes: &Sizes) -> u64 {
        let items = self.item_ns.saturating_mul(self.items(sizes) as u64);
        items.saturating_add(self.token_ns.saturating_mul(sizes.tokens as u64))
    }

    /// Work items of a step of these sizes. Saturates.
    pub fn items(&self, sizes: &Sizes) -> usize {
        self.rows.at(sizes).div_ceil(self.chunk.max(1)).saturating_mul(self.times)
    }
}

/// Everything the runtime needs to know about a compiled model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`] of the momc that wrote this.
    pub format: u32,
    /// Version of momc that wrote this.
    pub momc: String,
    /// Name of the model.
    pub model: String,
    /// Tokens are below this; 0 where the program reads none.
    pub vocab_size: usize,
    /// Layers of the model.
    pub layers: usize,
    /// The token that ends a text.
    pub eos_token: Option<u32>,
    /// Number of routed memories; 0 where there is no router.
    pub memories: usize,
    /// The machine the kernels run on.
    pub target: Target,
    /// The most tokens a step takes; longer prompts are prefilled in several steps.
    pub block_tokens: usize,
    /// What a step is given; of the four inputs of models, those that the program reads.
    pub inputs: Vec<Input>,
    /// Weights, in the order that [`Buffer::Param`] counts.
    pub params: Vec<Param>,
    /// Tensors that a checkpoint may hold and nothing needs. A trailing `*` matches any ending.
    pub ignored_tensors: Vec<String>,
    /// States, in the order that [`Buffer::State`] counts.
    pub states: Vec<State>,
    /// Sizes in bytes of the workspace's slots; buffers that do not live at the same time share one.
    pub slots: Vec<Linear>,
    /// Bytes that each thread which runs kernels works in, beside the slots and its stack, for as long as it lives.
    pub thread_bytes: usize,
    /// Results, in the order that [`Buffer::Output`] counts.
    pub outputs: Vec<Output>,
    /// Symbols of the kernels.
    pub kernels: Vec<String>,
    /// A step, in order.
    pub launches: Vec<Launch>,
}

impl Plan {
    /// The states that the model knows by name, in the plan's order: the index of each one's [`State`], and its part.
    pub fn parts(&self) -> impl Iterator<Item = (usize, &Part)> {
        self.states.iter().enumerate().flat_map(|(index, state)| state.parts.iter().map(move |part| (index, part)))
    }
}
