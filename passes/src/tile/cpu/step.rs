//! The code of one step: each stored value by its operation, and what is inside of loops element by element.

use mom_dialect::graph::Function;

use super::{
    dot::{Operand, Range},
    normal::{is_vector, normal, source},
    plan::{Home, Plan, is_row_dot, lanes, stride},
};
use crate::{
    emit::{Emit, Ty, V},
    kernel::elementwise::apply,
    target::Target,
    tile::{Graph, Op, Shape, Value, halves::Half},
};

/// A tile in memory: where its first element lies, and elements from one row to the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) base: V,
    pub(super) stride: usize,
}

impl Tile {
    pub(super) fn at(&self, emit: &mut Emit, row: V, column: V) -> V {
        emit.at(row, self.stride, column)
    }

    /// The part of the tile that begins here.
    pub(super) fn from(&self, emit: &mut Emit, row: V, column: V) -> Tile {
        let place = self.at(emit, row, column);
        Tile { base: emit.address(self.base, place), stride: self.stride }
    }

    pub(super) fn load(&self, emit: &mut Emit, row: V, column: V, ty: Ty) -> V {
        let place = self.at(emit, row, column);
        emit.load(self.base, place, ty)
    }

    pub(super) fn store(&self, emit: &mut Emit, value: V, row: V, column: V) {
        let place = self.at(emit, row, column);
        emit.store(value, self.base, place);
    }
}

/// The type of a vector of so many lanes.
pub(super) fn vector(lanes: usize) -> Ty {
    if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) }
}

/// A part of a tile whose elements are computed together: `rows` rows from `row` on, `vectors` vectors from `column`
/// on. Vectors of either direction are one row.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) row: V,
    pub(super) rows: usize,
    pub(super) column: V,
    pub(super) vectors: usize,
    pub(super) lanes: usize,
}

impl Block {
    pub(super) fn ty(&self) -> Ty {
        vector(self.lanes)
    }

    pub(super) fn row(&self, emit: &mut Emit, row: usize) -> V {
        emit.add_const(self.row, row)
    }

    pub(super) fn column(&self, emit: &mut Emit, vector: usize) -> V {
        emit.add_const(self.column, vector * self.lanes)
    }

    /// Something for each row and vector, row by row.
    fn each(&self, emit: &mut Emit, mut element: impl FnMut(&mut Emit, usize, usize) -> V) -> Vec<V> {
        let places = (0..self.rows * self.vectors).map(|place| (place / self.vectors, place % self.vectors));
        places.map(|(row, vector)| element(emit, row, vector)).collect()
    }

    pub(super) fn store(&self, emit: &mut Emit, values: &[V], tile: Tile) {
        for row in 0..self.rows {
            for vector in 0..self.vectors {
                let (at, column) = (self.row(emit, row), self.column(emit, vector));
                tile.store(emit, values[row * self.vectors + vector], at, column);
            }
        }
    }

    pub(super) fn load(&self, emit: &mut Emit, tile: Tile) -> Vec<V> {
        let ty = self.ty();
        self.each(emit, |emit, row, vector| {
            let (row, column) = (self.row(emit, row), self.column(emit, vector));
            tile.load(emit, row, column, ty)
        })
    }
}

/// Where the arguments of a step are when it runs.
pub(super) struct Frame {
    /// [`Step::scratch`] elements.
    pub(super) scratch: V,
    pub(super) parameters: Vec<Tile>,
    /// States before the step.
    pub(super) states: Vec<Tile>,
    /// States after it; these may be the same tiles.
    pub(super) next: Vec<Tile>,
    /// Number of the head.
    pub(super) head: V,
}

/// A step's graph, ready to be written.
pub(super) struct Step<'a> {
    pub(super) target: &'a Target,
    pub(super) plan: Plan,
    /// For each result, which state it becomes.
    carried: Vec<Option<usize>>,
    pub(super) sub_block: usize,
}

impl<'a> Step<'a> {
    pub(super) fn new(target: &'a Target, graph: &Graph, carried: Vec<Option<usize>>, sub_block: usize) -> Step<'a> {
        let graph = normal(graph, &carried);
        let plan = Plan::new(target, graph, &carried, |graph, value| workspace(target, sub_block, graph, value));
        Step { target, plan, carried, sub_block }
    }

    /// Elements of scratch memory that the step needs.
    pub(super) fn scratch(&self) -> usize {
        self.plan.scratch
    }

    pub(super) fn result(&self, number: usize) -> Value {
        self.plan.graph.results[number]
    }

    /// The value of an argument, where the step needs it.
    pub(super) fn argument(&self, op: &Op) -> Option<Value> {
        let index = self.plan.graph.nodes.iter().position(|node| node.op == *op)?;
        Some(Value(index as u32))
    }

    pub(super) fn shape(&self, value: Value) -> Shape {
        self.plan.graph.shape(value)
    }

    /// The memory of a stored value.
    pub(super) fn tile(&self, emit: &mut Emit, frame: &Frame, value: Value) -> Tile {
        let shape = self.shape(value);
        let value = source(&self.plan.graph, value);
        let tile = match self.plan.homes[value.index()] {
            Some(Home::State(state)) if self.is_before(value) => frame.states[state],
            Some(Home::State(state)) => frame.next[state],
            Some(Home::Parameter(parameter)) => frame.parameters[parameter],
            Some(Home::Scratch(offset)) => self.scratch_tile(emit, frame, offset, stride(self.target, shape)),
            // Values without a place are never asked for.
            None => Tile { base: frame.scratch, stride: 0 },
        };
        // A column may be the transpose of what lies there as a row.
        if shape.columns == 1 { Tile { stride: 1, ..tile } } else { tile }
    }

    /// A tile of an operation's own memory, from `offset` on.
    pub(super) fn scratch_tile(&self, emit: &mut Emit, frame: &Frame, offset: usize, stride: usize) -> Tile {
        let offset = emit.int(offset as i64);
        Tile { base: emit.address(frame.scratch, offset), stride }
    }

    /// Computes all stored values.
    pub(super) fn compute(&self, emit: &mut Emit, frame: &Frame) {
        for &value in &self.plan.order {
            let node = &self.plan.graph.nodes[value.index()];
            match &node.op {
                Op::Dot { .. } if !is_row_dot(&self.plan.graph, value) => self.column_dot(emit, frame, value),
                Op::Map(_) | Op::Lower { .. } | Op::Dot { .. } | Op::Constant(_) | Op::Head | Op::Triangle { .. } => {
                    self.elements(emit, frame, value);
                }
                Op::Sum(along) => self.sum(emit, frame, value, *along),
                Op::Softmax => self.softmax(emit, frame, value),
                Op::CumSum { reverse, exclusive } => self.cumulate(emit, frame, value, *reverse, *exclusive),
                Op::DecayGram { exclusive } => self.decay_gram(emit, frame, value, *exclusive),
                Op::DecayApply { exclusive, transposed } => {
                    self.decay_apply(emit, frame, value, *exclusive, *transposed);
                }
                Op::SolveLower { transposed } => self.solve_lower(emit, frame, value, *transposed),
                Op::Solve { transposed } => self.solve(emit, frame, value, *transposed),
                Op::Transpose | Op::Slice { .. } | Op::Pad { .. } | Op::Interleave { .. } | Op::Deinterleave { .. } => {
                    self.rearrange(emit, frame, value)
                }
                Op::Input(_) | Op::Parameter(_) | Op::State(_) | Op::Real => {}
            }
        }
    }

    /// Brings the states that were made elsewhere into their places.
    pub(super) fn carry(&self, emit: &mut Emit, frame: &Frame) {
        for (number, becomes) in self.carried.iter().enumerate() {
            let Some(state) = *becomes else { continue };
            let value = source(&self.plan.graph, self.result(number));
            let stays = self.is_before(value) && frame.states[state] != frame.next[state];
            if stays || self.plan.homes[value.index()] != Some(Home::State(state)) {
                let tile = self.tile(emit, frame, value);
                self.copy(emit, tile, frame.next[state], self.shape(value));
            }
        }
    }

    /// Whether a value is a state before the step.
    fn is_before(&self, value: Value) -> bool {
        matches!(self.plan.graph.nodes[value.index()].op, Op::State(_))
    }

    /// Work in blocks that ends with storing a value.
    fn elements(&self, emit: &mut Emit, frame: &Frame, value: Value) {
        let shape = self.shape(value);
        let out = self.tile(emit, frame, value);
        let lower = self.plan.halves.is_lower(&self.plan.graph, value);
        let tile = self.register_tile(value);
        self.blocks(emit, shape, tile, lower.then_some(out), &|emit, block| {
            let values = self.evaluate(emit, frame, value, &block, shape);
            block.store(emit, &values, out);
        });
    }

    /// Rows and vectors of the blocks that a value is computed in.
    fn register_tile(&self, value: Value) -> (usize, usize) {
        let Shape { rows, columns } = self.flat(self.shape(value));
        let vectors = columns.div_ceil(lanes(self.target, columns));
        if self.has_dot(value) {
            return super::dot::register_tile(self.target, rows, vectors, self.waste(value));
        }
        (1, if vectors % 2 == 0 { 2 } else { 1 })
    }

    fn has_dot(&self, value: Value) -> bool {
        let node = &self.plan.graph.nodes[value.index()];
        is_row_dot(&self.plan.graph, value)
            || (matches!(node.op, Op::Map(_) | Op::Lower { .. })
                && node.operands.iter().any(|&operand| self.plan.is_inline(operand) && self.has_dot(operand)))
    }

    /// A vector of either direction as one row.
    pub(super) fn flat(&self, shape: Shape) -> Shape {
        if is_vector(shape) { Shape::new(1, shape.elements()) } else { shape }
    }

    /// Loops over the blocks of a tile. Where `lower` names the tile's memory, blocks above the diagonal are filled with
    /// zeros instead.
    pub(super) fn blocks(
        &self,
        emit: &mut Emit,
        shape: Shape,
        (rows, vectors): (usize, usize),
        lower: Option<Tile>,
        body: &dyn Fn(&mut Emit, Block),
    ) {
        let shape = self.flat(shape);
        let lanes = lanes(self.target, shape.columns);
        let count = shape.columns.div_ceil(lanes);
        let whole = count / vectors * vectors;
        let columns = |emit: &mut Emit, column: V, vectors: usize| {
            self.block_rows(emit, shape.rows, rows, Block { row: column, rows, column, vectors, lanes }, lower, body);
        };
        let (zero, end) = (emit.int(0), emit.int((whole * lanes) as i64));
        emit.for_each(zero, end, vectors * lanes, |emit, column| columns(emit, column, vectors));
        if whole < count {
            columns(emit, end, count - whole);
        }
    }

    fn block_rows(
        &self,
        emit: &mut Emit,
        total: usize,
        rows: usize,
        block: Block,
        lower: Option<Tile>,
        body: &dyn Fn(&mut Emit, Block),
    ) {
        let whole = total / rows * rows;
        let (zero, end) = (emit.int(0), emit.int(whole as i64));
        let mut first = zero;
        if let Some(out) = lower {
            let start = emit.div_const(block.column, rows);
            let start = emit.mul_const(start, rows);
            first = emit.min(start, end);
            let nothing = emit.float(0.0, block.ty());
            emit.for_each(zero, first, 1, |emit, row| {
                let block = Block { row, rows: 1, ..block };
                block.store(emit, &vec![nothing; block.vectors], out);
            });
        }
        emit.for_each(first, end, rows, |emit, row| body(emit, Block { row, ..block }));
        if whole < total {
            body(emit, Block { row: end, rows: total - whole, ..block });
        }
    }

    /// The elements of `value` in a block of a tile of `shape`, row by row.
    pub(super) fn evaluate(&self, emit: &mut Emit, frame: &Frame, value: Value, block: &Block, shape: Shape) -> Vec<V> {
        let node = &self.plan.graph.nodes[value.index()];
        let ty = block.ty();
        let operand = |emit: &mut Emit, number: usize| {
            let operand = node.operands[number];
            if self.plan.is_inline(operand) {
                self.evaluate(emit, frame, operand, block, shape)
            } else {
                self.read(emit, frame, operand, block, shape)
            }
        };
        match &node.op {
            Op::Constant(constant) => vec![emit.float(*constant, ty); block.rows * block.vectors],
            Op::Head => {
                let head = emit.int_to_float(frame.head);
                vec![emit.splat(head, ty); block.rows * block.vectors]
            }
            Op::Triangle { strict, .. } => {
                let ones = vec![emit.float(1.0, ty); block.rows * block.vectors];
                self.mask(emit, &ones, block, shape, *strict)
            }
            Op::Lower { strict } => {
                let values = operand(emit, 0);
                self.mask(emit, &values, block, shape, *strict)
            }
            Op::Dot { .. } => {
                let zeros = vec![emit.float(0.0, ty); block.rows * block.vectors];
                self.product(emit, frame, value, block, zeros, false)
            }
            Op::Map(function) => {
                let is_dot = |number: usize| {
                    let operand = node.operands[number];
                    self.plan.is_inline(operand) && is_row_dot(&self.plan.graph, operand)
                };
                // A product that is added to something starts with it.
                let (other, dot) = match function {
                    Function::Add if is_dot(1) => (0, 1),
                    Function::Add if is_dot(0) => (1, 0),
                    Function::Sub if is_dot(1) => (0, 1),
                    _ => {
                        let operands: Vec<Vec<V>> =
                            (0..node.operands.len()).map(|number| operand(emit, number)).collect();
                        return block.each(emit, |emit, row, vector| {
                            let place = row * block.vectors + vector;
                            let arguments: Vec<V> = operands.iter().map(|values| values[place]).collect();
                            apply(emit, *function, &arguments)
                        });
                    }
                };
                let start = operand(emit, other);
                self.product(emit, frame, node.operands[dot], block, start, *function == Function::Sub)
            }
            _ => self.read(emit, frame, value, block, shape),
        }
    }

    /// `start` plus (or minus) the product's elements in a block.
    fn product(
        &self,
        emit: &mut Emit,
        frame: &Frame,
        value: Value,
        block: &Block,
        start: Vec<V>,
        negative: bool,
    ) -> Vec<V> {
        let node = &self.plan.graph.nodes[value.index()];
        let transposed = matches!(node.op, Op::Dot { transpose_a: true, .. });
        let [a, b] = [node.operands[0], node.operands[1]];
        let left = Operand { tile: self.tile(emit, frame, a), transposed };
        let right = self.tile(emit, frame, b);
        let (a_half, b_half) = (self.plan.halves.zero[a.index()], self.plan.halves.zero[b.index()]);
        let depth = self.shape(b).rows;
        let (mut first, mut last) = (emit.int(0), emit.int(depth as i64));
        // What is known to be zero is not summed.
        match (a_half, transposed) {
            (Half::Lower, false) | (Half::Upper, true) => {
                let end = emit.add_const(block.row, block.rows);
                last = emit.min(last, end);
            }
            (Half::Lower, true) | (Half::Upper, false) => first = block.row,
            (Half::Full, _) => {}
        }
        match b_half {
            Half::Lower => first = emit.max(first, block.column),
            Half::Upper => {
                let end = emit.add_const(block.column, block.vectors * block.lanes);
                last = emit.min(last, end);
            }
            Half::Full => {}
        }
        super::dot::accumulate(emit, left, right, &Range { first, last }, block, start, negative)
    }

    /// Elements of a stored value that has one row or one column repeated where `shape` has more.
    pub(super) fn read(&self, emit: &mut Emit, frame: &Frame, value: Value, block: &Block, shape: Shape) -> Vec<V> {
        let own = self.shape(value);
        let tile = self.tile(emit, frame, value);
        let ty = block.ty();
        let zero = emit.int(0);
        if own == Shape::ONE && shape != Shape::ONE {
            let element = emit.load(tile.base, zero, Ty::F32);
            return vec![emit.splat(element, ty); block.rows * block.vectors];
        }
        if is_vector(shape) || (own.rows == 1 && shape.columns > 1) {
            let row: Vec<V> = (0..block.vectors)
                .map(|vector| {
                    let column = block.column(emit, vector);
                    emit.load(tile.base, column, ty)
                })
                .collect();
            return (0..block.rows).flat_map(|_| row.clone()).collect();
        }
        if own.columns == 1 {
            let rows: Vec<V> = (0..block.rows)
                .map(|row| {
                    let row = block.row(emit, row);
                    let element = emit.load(tile.base, row, Ty::F32);
                    emit.splat(element, ty)
                })
                .collect();
            return rows.iter().flat_map(|&row| vec![row; block.vectors]).collect();
        }
        block.load(emit, tile)
    }

    /// Keeps what is on or below the diagonal.
    fn mask(&self, emit: &mut Emit, values: &[V], block: &Block, shape: Shape, strict: bool) -> Vec<V> {
        let ty = block.ty();
        let zero = emit.float(0.0, ty);
        block.each(emit, |emit, row, vector| {
            let value = values[row * block.vectors + vector];
            let (row, column) = (block.row(emit, row), block.column(emit, vector));
            if shape.columns == 1 && shape.rows > 1 {
                // A column lies along the vector; only its first element can be above the diagonal.
                let before = emit.int(-i64::from(!strict));
                let last = emit.sub(before, column);
                let above = emit.lanes_to(last, ty);
                return emit.select(above, zero, value);
            }
            let last = emit.sub(row, column);
            let below = emit.int(i64::from(strict));
            let last = emit.sub(last, below);
            let kept = emit.lanes_to(last, ty);
            emit.select(kept, value, zero)
        })
    }
}

/// Elements of scratch memory that the operation of a value needs for itself.
fn workspace(target: &Target, sub_block: usize, graph: &Graph, value: Value) -> usize {
    let node = &graph.nodes[value.index()];
    match node.op {
        Op::DecayGram { .. } | Op::DecayApply { .. } => super::decay::workspace(target, sub_block, graph, node),
        Op::Solve { .. } => super::solve::workspace(target, graph.shape(node.operands[0])),
        _ => 0,
    }
}
