//! What of a step's graph is computed where: values inside of loops and in memory, the order of the work, and places.
//!
//! Elementwise work and products that only one elementwise value of the same shape uses are computed inside its loop.
//! Every other value has a place in the scratch memory while it is needed; a state after the step takes the place of
//! the state before where nothing needs that any more.

use super::normal::{is_vector, live, source};
use crate::{
    target::Target,
    tile::{Graph, Op, Shape, Value, graph::Along, halves::Halves},
};

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// From this element of the scratch memory on.
    Scratch(usize),
    State(usize),
    Parameter(usize),
}

pub(super) struct Plan {
    pub(super) graph: Graph,
    /// Values that are stored, in the order in which they are computed.
    pub(super) order: Vec<Value>,
    pub(super) homes: Vec<Option<Home>>,
    /// Scratch memory of an operation itself: where it begins, for each value.
    pub(super) workspaces: Vec<usize>,
    pub(super) halves: Halves,
    /// Elements of scratch memory.
    pub(super) scratch: usize,
    inline: Vec<bool>,
}

/// Lanes of the vectors that a row of so many elements is cut into.
pub(super) fn lanes(target: &Target, columns: usize) -> usize {
    columns.next_power_of_two().min(target.lanes)
}

/// Elements from one row of a tile to the next: whole vectors, and not so many that rows fall on each other's places in
/// the first-level cache.
pub(super) fn stride(target: &Target, shape: Shape) -> usize {
    let stride = shape.columns.next_multiple_of(lanes(target, shape.columns));
    if shape.rows > 1 && stride.is_multiple_of(128) { stride + target.lanes } else { stride }
}

/// Elements of a tile in memory.
pub(super) fn room(target: &Target, shape: Shape) -> usize {
    if is_vector(shape) {
        return shape.elements().next_multiple_of(target.lanes);
    }
    (shape.rows * stride(target, shape)).next_multiple_of(target.lanes)
}

impl Plan {
    /// `graph` is normal. `carried` says for each result which state it becomes; `workspace` how many elements of
    /// scratch memory the operation of a value needs.
    pub(super) fn new(
        target: &Target,
        graph: Graph,
        carried: &[Option<usize>],
        workspace: impl Fn(&Graph, Value) -> usize,
    ) -> Plan {
        let count = graph.nodes.len();
        let mut plan = Plan {
            halves: Halves::new(&graph),
            inline: inline(&graph),
            graph,
            order: Vec::new(),
            homes: vec![None; count],
            workspaces: vec![0; count],
            scratch: 0,
        };
        plan.order = plan.stored();
        plan.delay_states(carried);
        plan.place_arguments();
        plan.place_states(carried);
        plan.place(target, workspace);
        plan
    }

    /// Whether a value is computed in the loop of the one that uses it.
    pub(super) fn is_inline(&self, value: Value) -> bool {
        self.inline[value.index()] || is_free(self.op(value))
    }

    fn op(&self, value: Value) -> &Op {
        &self.graph.nodes[value.index()].op
    }

    /// The stored values that the work on `value` reads.
    pub(super) fn leaves(&self, value: Value) -> Vec<Value> {
        let mut leaves = Vec::new();
        self.collect(value, &mut leaves);
        leaves
    }

    fn collect(&self, value: Value, leaves: &mut Vec<Value>) {
        let node = &self.graph.nodes[value.index()];
        for &operand in &node.operands {
            if self.inline[operand.index()] {
                self.collect(operand, leaves);
            } else if !(is_expression(&node.op) && is_free(self.op(operand))) {
                leaves.push(source(&self.graph, operand));
            }
        }
    }

    fn stored(&self) -> Vec<Value> {
        let live = live(&self.graph);
        let mut outside = vec![false; self.graph.nodes.len()];
        for (_, node) in self.graph.nodes.iter().enumerate().filter(|(index, _)| live[*index]) {
            if !is_expression(&node.op) {
                node.operands.iter().for_each(|operand| outside[operand.index()] = true);
            }
        }
        self.graph.results.iter().for_each(|result| outside[result.index()] = true);
        let is_stored = |&value: &Value| {
            let op = self.op(value);
            live[value.index()]
                && !self.inline[value.index()]
                && !is_argument(op)
                && source(&self.graph, value) == value
                && (!is_free(op) || outside[value.index()])
        };
        (0..self.graph.nodes.len() as u32).map(Value).filter(is_stored).collect()
    }

    /// Moves new states that nothing else reads to the end, where they can take the place of the old ones.
    fn delay_states(&mut self, carried: &[Option<usize>]) {
        let read: Vec<Value> = self.order.iter().flat_map(|&value| self.leaves(value)).collect();
        let results = self.graph.results.iter().zip(carried);
        let states: Vec<Value> =
            results.filter(|(_, becomes)| becomes.is_some()).map(|(&result, _)| source(&self.graph, result)).collect();
        let (late, early): (Vec<Value>, Vec<Value>) =
            self.order.iter().partition(|value| states.contains(value) && !read.contains(value));
        self.order = [early, late].concat();
    }

    fn place_arguments(&mut self) {
        for (home, node) in self.homes.iter_mut().zip(&self.graph.nodes) {
            *home = match node.op {
                Op::State(state) => Some(Home::State(state)),
                Op::Parameter(parameter) => Some(Home::Parameter(parameter)),
                _ => None,
            };
        }
    }

    /// Lets new states take the places of the old ones.
    fn place_states(&mut self, carried: &[Option<usize>]) {
        for (number, &becomes) in carried.iter().enumerate() {
            let Some(state) = becomes else { continue };
            let value = source(&self.graph, self.graph.results[number]);
            let Some(position) = self.order.iter().position(|&other| other == value) else { continue };
            let old = self.graph.nodes.iter().position(|node| node.op == Op::State(state));
            let old = old.map(|index| Value(index as u32));
            let free = old.is_none_or(|old| {
                let later = self.order[position + 1..].iter().any(|&value| self.leaves(value).contains(&old));
                let leaves = |result: &Value| source(&self.graph, *result) == old;
                !later && !self.graph.results.iter().any(leaves) && self.reads_in_place(value, old)
            });
            if free && self.homes[value.index()].is_none() {
                self.homes[value.index()] = Some(Home::State(state));
            }
        }
    }

    /// Whether the work on `value` reads `old` only element by element, each before it is written.
    fn reads_in_place(&self, value: Value, old: Value) -> bool {
        let node = &self.graph.nodes[value.index()];
        let elementwise = matches!(node.op, Op::Map(_) | Op::Lower { .. });
        node.operands.iter().all(|&operand| {
            if self.inline[operand.index()] {
                return self.reads_in_place(operand, old);
            }
            let same = self.graph.shape(operand) == node.shape;
            source(&self.graph, operand) != old || (elementwise && same)
        })
    }

    /// Gives all other stored values places, those of values that are not needed at the same time on each other.
    fn place(&mut self, target: &Target, workspace: impl Fn(&Graph, Value) -> usize) {
        let end = self.order.len() + 1;
        let mut last = vec![0; self.graph.nodes.len()];
        for (position, &value) in self.order.iter().enumerate() {
            for leaf in self.leaves(value) {
                last[leaf.index()] = position + 1;
            }
        }
        for &result in &self.graph.results {
            last[source(&self.graph, result).index()] = end;
        }
        let inputs = (0..self.graph.nodes.len() as u32).map(Value).filter(|&value| is_loaded(self.op(value)));
        let made = self.order.iter().enumerate().map(|(position, &value)| (position + 1, value));
        let mut taken: Vec<Taken> = Vec::new();
        let all: Vec<(usize, Value)> = inputs.map(|value| (0, value)).chain(made).collect();
        for (born, value) in all {
            let index = value.index();
            let size = workspace(&self.graph, value);
            if size > 0 && born > 0 {
                self.workspaces[index] = take(&mut taken, (born, born), size.next_multiple_of(target.lanes));
            }
            if self.homes[index].is_none() {
                let size = room(target, self.graph.shape(value));
                self.homes[index] = Some(Home::Scratch(take(&mut taken, (born, last[index].max(born)), size)));
            }
        }
        // Loads of whole vectors may reach beyond the last value.
        self.scratch = taken.iter().map(|taken| taken.end).max().unwrap_or(0) + target.lanes;
    }
}

/// Scratch memory that is taken for some time.
struct Taken {
    begin: usize,
    end: usize,
    time: (usize, usize),
}

/// Finds the first room for `size` elements that is free all the `time`.
fn take(taken: &mut Vec<Taken>, time: (usize, usize), size: usize) -> usize {
    let mut busy: Vec<(usize, usize)> = taken
        .iter()
        .filter(|other| other.time.0 <= time.1 && time.0 <= other.time.1)
        .map(|other| (other.begin, other.end))
        .collect();
    busy.sort_unstable();
    let mut begin = 0;
    for (from, to) in busy {
        if from >= begin + size {
            break;
        }
        begin = begin.max(to);
    }
    taken.push(Taken { begin, end: begin + size, time });
    begin
}

fn is_argument(op: &Op) -> bool {
    is_loaded(op) || matches!(op, Op::Parameter(_) | Op::State(_))
}

/// Whether a value is brought into the scratch memory before each step.
pub(super) fn is_loaded(op: &Op) -> bool {
    matches!(op, Op::Input(_) | Op::Real)
}

/// Whether elements of a value are made wherever they are needed.
fn is_free(op: &Op) -> bool {
    matches!(op, Op::Constant(_) | Op::Head | Op::Triangle { .. })
}

/// Whether operands are evaluated element by element.
fn is_expression(op: &Op) -> bool {
    matches!(op, Op::Map(_) | Op::Lower { .. } | Op::Sum(_))
}

/// A product whose columns lie side by side in vectors.
pub(super) fn is_row_dot(graph: &Graph, value: Value) -> bool {
    let node = &graph.nodes[value.index()];
    matches!(node.op, Op::Dot { .. }) && node.shape.columns > 1
}

fn inline(graph: &Graph) -> Vec<bool> {
    let live = live(graph);
    let mut uses: Vec<Vec<Option<usize>>> = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().filter(|(index, _)| live[*index]) {
        node.operands.iter().for_each(|operand| uses[operand.index()].push(Some(index)));
    }
    graph.results.iter().for_each(|result| uses[result.index()].push(None));
    let mut inline = vec![false; graph.nodes.len()];
    let mut has_dot = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let inner = node.operands.iter().any(|operand| inline[operand.index()] && has_dot[operand.index()]);
        let dot = is_row_dot(graph, Value(index as u32));
        has_dot[index] = inner || dot;
        let [Some(user)] = uses[index].as_slice() else { continue };
        let user = &graph.nodes[*user];
        inline[index] = (dot || matches!(node.op, Op::Map(_) | Op::Lower { .. }))
            && match user.op {
                Op::Map(_) | Op::Lower { .. } => user.shape == node.shape,
                Op::Sum(Along::Rows | Along::Columns) => !has_dot[index],
                _ => false,
            };
    }
    inline
}
