//! The gradient of a scan: forward with states saved, then back.
//!
//! Before each group of `save` steps the states are saved. Then, group after group from the end, the states before each
//! step of the group are computed again, where a group has more than one step, and the adjoint of each step runs.
//! Where it has one, a step forward goes from the saved states before it to those after it, and the products that its
//! adjoint needs too are saved with them, as they cost far more to compute than to keep.

use mom_dialect::shape::Extent;

use super::{
    Gradient, Rows, of, rows, schedule,
    step::{Frame, Step, Tile},
    symbol, tiles, tiles_room,
    walk::Token,
};
use crate::{
    emit::{Compare, Emit, V},
    kernel::Kernel,
    target::Target,
    tile::{Graph, Op, Port, Shape, Value, graph::Node, halves::Halves},
};

/// Buffers: inputs `[R, heads, …]`, parameters `[heads, …]`, states before `[B, head, …]`, segments i32 `[B+1]`,
/// cotangents of outputs `[R, head, …]` and of final states `[B, head, …]`; then the results: cotangents of inputs
/// `[R, head, …]`, of parameters `[B, head, …]`, of first states `[B, head, …]`; and a workspace of
/// [`gradient_workspace`] elements.
pub(crate) fn gradient(target: &Target, gradient: &Gradient) -> Kernel<'static> {
    let (target, gradient) = (target.clone(), gradient.clone());
    let scan = &gradient.scan;
    Kernel {
        symbol: symbol(&target, "gradient", &scan.name, &format!("{gradient:?}")),
        schedule: schedule(scan),
        rows: Extent::SEQUENCES,
        chunk: 1,
        times: scan.heads,
        item_ns: 4 * super::step_ns(scan),
        token_ns: 4 * scan.heads as u64 * super::step_ns(scan) / scan.schedule.chunk as u64,
        body: Box::new(move |emit| Backward::new(&target, &gradient).kernel(emit)),
    }
}

/// f32 elements of the gradient's workspace. A sequence of T tokens saves, for each head, the states (and products) of
/// `ceil(T / (chunk · save))` groups and, where a group has several steps, of the `save` steps of one group.
pub(crate) fn gradient_workspace(target: &Target, gradient: &Gradient) -> Extent {
    let saved = Saved::new(target, gradient);
    Extent { tokens: saved.tokens, sequences: saved.sequences, ..Extent::ZERO }
}

/// How states are saved.
struct Saved {
    /// What is saved together: the states, and then the products.
    ports: Vec<Port>,
    /// Elements of that for one head, as tiles.
    elements: usize,
    /// Elements of the workspace for each token and for each sequence.
    tokens: usize,
    sequences: usize,
    /// States of steps within a group.
    steps: usize,
    /// The step, whose results are its states and what is saved with those before it.
    walk: Graph,
    /// The products in the graph of the adjoint.
    products: Vec<Value>,
}

impl Saved {
    fn new(target: &Target, gradient: &Gradient) -> Saved {
        let scan = &gradient.scan;
        let super::super::Schedule { chunk, save, .. } = scan.schedule;
        let mut walk = scan.step.clone();
        walk.results.drain(..scan.outputs.len());
        let mut walk = walk.without_dead_code();
        let products = if save == 1 { save_products(&mut walk, &gradient.back) } else { Vec::new() };
        let port =
            |&value: &Value| Port { name: "product".into(), shape: gradient.back.shape(value), heads: scan.heads };
        let ports: Vec<Port> = scan.states.iter().cloned().chain(products.iter().map(port)).collect();
        let elements = tiles_room(target, &ports);
        let steps = if save > 1 { save } else { 0 };
        let all = elements * scan.heads;
        let (tokens, sequences) = (all.div_ceil(chunk * save), all * (1 + steps));
        Saved { ports, elements, tokens, sequences, steps, walk, products }
    }
}

/// Makes results of what a step computes at some cost on the way to its states, and its adjoint `back` needs; answers
/// where that stands there.
fn save_products(walk: &mut Graph, back: &Graph) -> Vec<Value> {
    let mut same: Vec<Option<Value>> = Vec::new();
    for node in &walk.nodes {
        let operands: Option<Vec<Value>> = node.operands.iter().map(|operand| same[operand.index()]).collect();
        let place = operands.and_then(|operands| {
            let is_same = |other: &Node| (&other.op, &other.operands, other.shape) == (&node.op, &operands, node.shape);
            back.nodes.iter().position(is_same)
        });
        same.push(place.map(|place| Value(place as u32)));
    }
    let mut products = Vec::new();
    let mut is_needed = vec![false; back.nodes.len()];
    back.results.iter().for_each(|result| is_needed[result.index()] = true);
    for (index, node) in back.nodes.iter().enumerate().rev() {
        if !is_needed[index] {
            continue;
        }
        let value = Value(index as u32);
        match same.iter().position(|same| *same == Some(value)).filter(|_| is_costly(back, node)) {
            Some(place) => products.push((Value(place as u32), value)),
            None => node.operands.iter().for_each(|operand| is_needed[operand.index()] = true),
        }
    }
    let halves = Halves::new(back);
    for &(mut made, value) in &products {
        // The part that nobody asks for is not made because it is saved.
        if halves.is_lower(back, value) {
            made = walk.lower(made, false);
        }
        walk.results.push(made);
    }
    products.into_iter().map(|(_, value)| value).collect()
}

/// Whether a value takes far more arithmetic than it has elements.
fn is_costly(graph: &Graph, node: &Node) -> bool {
    match node.op {
        Op::Dot { transpose_a, .. } => {
            let left = graph.shape(node.operands[0]);
            (if transpose_a { left.rows } else { left.columns }) >= COSTLY
        }
        Op::SolveLower { .. } | Op::Solve { .. } | Op::DecayGram { .. } | Op::DecayApply { .. } => true,
        _ => false,
    }
}

/// Products summed over no fewer terms are worth saving.
const COSTLY: usize = 16;

struct Backward<'a> {
    gradient: &'a Gradient,
    target: &'a Target,
    saved: Saved,
    /// The step without its outputs.
    forward: Step<'a>,
    back: Step<'a>,
}

/// The buffers of a launch.
struct Buffers {
    inputs: Vec<V>,
    parameters: Vec<V>,
    states: Vec<V>,
    segments: V,
    outputs: Vec<V>,
    last: Vec<V>,
    input_cotangents: Vec<V>,
    parameter_cotangents: Vec<V>,
    first: Vec<V>,
    workspace: V,
}

/// What stays in the scratch memory from step to step.
struct Kept {
    scratch: V,
    parameters: Vec<Tile>,
    sums: Vec<Tile>,
    states: Vec<Tile>,
    cotangents: Vec<Tile>,
}

/// One item of the work.
struct Item {
    sequence: V,
    head: V,
    begin: V,
    end: V,
    /// Where its saved states begin, and those of the steps of a group.
    groups: V,
    steps: V,
}

impl<'a> Backward<'a> {
    fn new(target: &'a Target, gradient: &'a Gradient) -> Backward<'a> {
        let scan = &gradient.scan;
        let saved = Saved::new(target, gradient);
        let carried = (0..saved.walk.results.len()).map(Some).collect();
        let forward = Step::new(target, &saved.walk, carried, scan.schedule.sub_block);
        let before = scan.inputs.len() + scan.parameters.len();
        let carried = (0..gradient.back.results.len())
            .map(|result| result.checked_sub(before).map(|state| scan.states.len() + state))
            .collect();
        // To the adjoint, saved products are further states.
        let mut graph = gradient.back.clone();
        for (number, &value) in saved.products.iter().enumerate() {
            let node = &mut graph.nodes[value.index()];
            (node.op, node.operands) = (Op::State(2 * scan.states.len() + number), Vec::new());
        }
        let back = Step::new(target, &graph, carried, scan.schedule.sub_block);
        Backward { gradient, target, saved, forward, back }
    }

    fn buffers(&self, emit: &mut Emit) -> Buffers {
        let scan = &self.gradient.scan;
        let mut number = 0;
        let mut next = |emit: &mut Emit| {
            number += 1;
            emit.buffer(number - 1)
        };
        let mut each = |emit: &mut Emit, count: usize| -> Vec<V> { (0..count).map(|_| next(emit)).collect() };
        let inputs = each(emit, scan.inputs.len());
        let parameters = each(emit, scan.parameters.len());
        let states = each(emit, scan.states.len());
        let segments = each(emit, 1)[0];
        let outputs = each(emit, scan.outputs.len());
        let last = each(emit, scan.states.len());
        let input_cotangents = each(emit, scan.inputs.len());
        let parameter_cotangents = each(emit, scan.parameters.len());
        let first = each(emit, scan.states.len());
        let workspace = each(emit, 1)[0];
        Buffers {
            inputs,
            parameters,
            states,
            segments,
            outputs,
            last,
            input_cotangents,
            parameter_cotangents,
            first,
            workspace,
        }
    }

    fn kept(&self, emit: &mut Emit) -> Kept {
        let (scan, target) = (&self.gradient.scan, self.target);
        let parameters = self.forward.scratch().max(self.back.scratch());
        let sums = parameters + tiles_room(target, &scan.parameters);
        let states = sums + tiles_room(target, &scan.parameters);
        let room = tiles_room(target, &scan.states);
        let cotangents = states + room;
        let scratch = emit.thread_scratch(cotangents + room + target.lanes);
        Kept {
            scratch,
            parameters: tiles(emit, target, scratch, parameters, &scan.parameters),
            sums: tiles(emit, target, scratch, sums, &scan.parameters),
            states: tiles(emit, target, scratch, states, &scan.states),
            cotangents: tiles(emit, target, scratch, cotangents, &scan.states),
        }
    }

    fn kernel(&self, emit: &mut Emit) {
        let scan = &self.gradient.scan;
        emit.keep_loops();
        let buffers = self.buffers(emit);
        let kept = self.kept(emit);
        let (first, last) = (emit.begin, emit.end);
        emit.for_each(first, last, 1, |emit, item| {
            let (sequence, head) = (emit.div_const(item, scan.heads), emit.rem_const(item, scan.heads));
            let after = emit.add_const(sequence, 1);
            let begin = emit.load_index(buffers.segments, sequence);
            let end = emit.load_index(buffers.segments, after);
            let count = emit.sub(end, begin);
            let group_tokens = scan.schedule.chunk * scan.schedule.save;
            let groups = emit.add_const(count, group_tokens - 1);
            let groups = emit.div_const(groups, group_tokens);
            let slots = emit.add_const(groups, self.saved.steps);
            let own = emit.mul_const(begin, self.saved.tokens);
            let own = emit.at(sequence, self.saved.sequences, own);
            let slots = emit.mul(slots, head);
            let own = emit.at(slots, self.saved.elements, own);
            let saved = emit.address(buffers.workspace, own);
            let all = emit.mul_const(groups, self.saved.elements);
            let steps = emit.address(saved, all);
            let item = Item { sequence, head, begin, end, groups: saved, steps };
            self.item(emit, &buffers, &kept, &item, groups);
        });
    }

    fn item(&self, emit: &mut Emit, buffers: &Buffers, kept: &Kept, item: &Item, groups: V) {
        let scan = &self.gradient.scan;
        let owner = emit.at(item.sequence, scan.heads, item.head);
        let frame = Frame {
            scratch: kept.scratch,
            parameters: kept.parameters.clone(),
            states: kept.states.clone(),
            next: kept.states.clone(),
            head: item.head,
        };
        self.forward.load_parameters(emit, &scan.parameters, &buffers.parameters, &frame, scan.heads);
        for (port, &sum) in scan.parameters.iter().zip(&kept.sums) {
            self.back.clear(emit, sum, port.shape);
        }
        self.each_state(emit, &buffers.states, owner, |emit, number, own, shape| {
            self.forward.copy(emit, own, kept.states[number], shape);
        });
        self.each_state(emit, &buffers.last, owner, |emit, number, own, shape| {
            self.forward.copy(emit, own, kept.cotangents[number], shape);
        });
        self.walk_forward(emit, buffers, &frame, item, groups);
        self.walk_back(emit, buffers, kept, &frame, item, groups);
        for (number, port) in scan.parameters.iter().enumerate() {
            let own = of(emit, port, buffers.parameter_cotangents[number], owner);
            self.back.copy(emit, kept.sums[number], own, port.shape);
        }
        self.each_state(emit, &buffers.first, owner, |emit, number, own, shape| {
            self.forward.copy(emit, kept.cotangents[number], own, shape);
        });
    }

    fn each_state(&self, emit: &mut Emit, buffers: &[V], owner: V, body: impl Fn(&mut Emit, usize, Tile, Shape)) {
        for (number, (port, &buffer)) in self.gradient.scan.states.iter().zip(buffers).enumerate() {
            let own = of(emit, port, buffer, owner);
            body(emit, number, own, port.shape);
        }
    }

    /// Saves the states before each group.
    fn walk_forward(&self, emit: &mut Emit, buffers: &Buffers, frame: &Frame, item: &Item, groups: V) {
        let save = self.gradient.scan.schedule.save;
        let zero = emit.int(0);
        if save == 1 {
            return self.walk_in_slots(emit, buffers, frame, item, groups);
        }
        emit.for_each(zero, groups, 1, |emit, group| {
            let slot = self.slot(emit, item.groups, group);
            self.copy_states(emit, frame, slot, true);
            // The states behind the last group are not needed.
            let first = emit.mul_const(group, save);
            let next = emit.add_const(group, 1);
            let more = emit.compare(Compare::Less, next, groups);
            let last = emit.add_const(first, save);
            let last = emit.select(more, last, first);
            emit.for_each(first, last, 1, |emit, step| {
                let token = self.token(emit, item, step);
                self.step(emit, buffers, frame, &token);
            });
        });
    }

    /// Each step from the states that are saved before it to those that are saved behind it.
    fn walk_in_slots(&self, emit: &mut Emit, buffers: &Buffers, frame: &Frame, item: &Item, groups: V) {
        let (zero, states) = (emit.int(0), self.gradient.scan.states.len());
        let Some(behind) = frame.states.first().map(|tile| tile.base) else { return };
        let first = self.slot(emit, item.groups, zero);
        self.copy_states(emit, frame, first, true);
        emit.for_each(zero, groups, 1, |emit, group| {
            let slot = self.slot(emit, item.groups, group);
            let next = emit.add_const(group, 1);
            let more = emit.compare(Compare::Less, next, groups);
            let next = self.slot(emit, item.groups, next);
            // Nobody needs the states behind the last step.
            let next = emit.select(more, next, behind);
            let saved = tiles(emit, self.target, slot, 0, &self.saved.ports);
            let (before, products) = saved.split_at(states);
            let after = tiles(emit, self.target, next, 0, &self.gradient.scan.states);
            let frame = Frame {
                states: before.to_vec(),
                next: [&after, products].concat(),
                parameters: frame.parameters.clone(),
                ..*frame
            };
            let token = self.token(emit, item, group);
            self.step(emit, buffers, &frame, &token);
        });
    }

    fn walk_back(&self, emit: &mut Emit, buffers: &Buffers, kept: &Kept, frame: &Frame, item: &Item, groups: V) {
        let super::super::Schedule { chunk, save, .. } = self.gradient.scan.schedule;
        let (zero, one) = (emit.int(0), emit.int(1));
        let tokens = emit.sub(item.end, item.begin);
        let steps = emit.add_const(tokens, chunk - 1);
        let steps = emit.div_const(steps, chunk);
        emit.for_each(zero, groups, 1, |emit, passed| {
            let group = emit.sub(groups, passed);
            let group = emit.sub(group, one);
            let slot = self.slot(emit, item.groups, group);
            if save == 1 {
                self.step_back(emit, buffers, kept, item, group, slot);
                return;
            }
            self.copy_states(emit, frame, slot, false);
            let first = emit.mul_const(group, save);
            let last = emit.add_const(first, save);
            let last = emit.min(last, steps);
            emit.for_each(first, last, 1, |emit, step| {
                let number = emit.sub(step, first);
                let slot = self.slot(emit, item.steps, number);
                self.copy_states(emit, frame, slot, true);
                let next = emit.add_const(step, 1);
                let more = emit.compare(Compare::Less, next, last);
                emit.when(more, |emit| {
                    let token = self.token(emit, item, step);
                    self.step(emit, buffers, frame, &token);
                });
            });
            let count = emit.sub(last, first);
            emit.for_each(zero, count, 1, |emit, passed| {
                let number = emit.sub(count, passed);
                let number = emit.sub(number, one);
                let step = emit.add(first, number);
                let slot = self.slot(emit, item.steps, number);
                self.step_back(emit, buffers, kept, item, step, slot);
            });
        });
    }

    /// Saved states number `number`.
    fn slot(&self, emit: &mut Emit, base: V, number: V) -> V {
        let place = emit.mul_const(number, self.saved.elements);
        emit.address(base, place)
    }

    /// Between a slot and the tiles of the states, which lie one behind the other in both.
    fn copy_states(&self, emit: &mut Emit, frame: &Frame, slot: V, save: bool) {
        let Some(first) = frame.states.first() else { return };
        let (states, slot) = (Tile { base: first.base, stride: 0 }, Tile { base: slot, stride: 0 });
        let (from, to) = if save { (states, slot) } else { (slot, states) };
        let one = emit.int(1);
        let elements = tiles_room(self.target, &self.gradient.scan.states);
        self.forward.copy_rows(emit, from, to, one, elements);
    }

    fn token(&self, emit: &mut Emit, item: &Item, step: V) -> Token {
        let scan = &self.gradient.scan;
        let row = emit.at(step, scan.schedule.chunk, item.begin);
        Token::new(emit, scan, row, item.end, item.head, None)
    }

    /// The states of `frame` a step further.
    fn step(&self, emit: &mut Emit, buffers: &Buffers, frame: &Frame, token: &Token) {
        let scan = &self.gradient.scan;
        self.forward.load_inputs(emit, frame, &rows(&scan.inputs, &buffers.inputs, |_| false), &[], token);
        self.forward.compute(emit, frame);
        self.forward.carry(emit, frame);
    }

    /// The cotangents of the states a step back, from the states before the step in `slot`.
    fn step_back(&self, emit: &mut Emit, buffers: &Buffers, kept: &Kept, item: &Item, step: V, slot: V) {
        let scan = &self.gradient.scan;
        let saved = tiles(emit, self.target, slot, 0, &self.saved.ports);
        let (before, products) = saved.split_at(scan.states.len());
        let states = [before, &kept.cotangents, products].concat();
        let (scratch, parameters, head) = (kept.scratch, kept.parameters.clone(), item.head);
        let frame = Frame { scratch, parameters, next: states.clone(), states, head };
        let token = self.token(emit, item, step);
        let inputs = rows(&scan.inputs, &buffers.inputs, |_| false);
        let cotangents = rows(&scan.outputs, &buffers.outputs, |_| false);
        self.back.load_inputs(emit, &frame, &inputs, &cotangents, &token);
        self.back.compute(emit, &frame);
        for (number, (port, &buffer)) in scan.inputs.iter().zip(&buffers.input_cotangents).enumerate() {
            let tile = self.back.tile(emit, &frame, self.back.result(number));
            let port = Port { heads: scan.heads, ..port.clone() };
            self.back.store_rows(emit, tile, &Rows { port: &port, buffer, is_made: false }, &token);
        }
        for (number, (port, &sum)) in scan.parameters.iter().zip(&kept.sums).enumerate() {
            let tile = self.back.tile(emit, &frame, self.back.result(scan.inputs.len() + number));
            self.back.add_to(emit, tile, sum, port.shape);
        }
        self.back.carry(emit, &frame);
    }
}
