//! Tile kernels as native code: `scan` and `gradient`.
//!
//! An item of the work is one segment and one head. Tiles live in memory that each thread has for the kernel, the
//! tiles of one step on each other where they are not needed at the same time ([`plan`]); states stay there from step
//! to step, or in steps of one token in their own buffers. Rows of tiles are whole vectors: what lies behind the last
//! column is never read as a number. A step's graph is first brought into a form with few kinds of products
//! ([`normal`]), then written value by value ([`step`]).

use mom_dialect::shape::Extent;
use sha2::{Digest, Sha256};

use self::{
    plan::{lanes, room, stride},
    step::{Frame, Step, Tile},
    walk::{Rows, Token},
};
use super::{Gradient, Op, Port, Scan, Shape, flops::flops};
use crate::{
    emit::{Compare, Emit, V},
    kernel::{Kernel, SEQUENCES},
    target::Target,
};

mod decay;
mod dot;
mod gradient;
mod normal;
mod plan;
mod rearrange;
mod reduce;
mod solve;
mod step;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use gradient::{gradient, gradient_workspace};

/// How a scan runs inside a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    pub(crate) memories: usize,
    /// Whether padding is to be skipped.
    pub(crate) masked: bool,
}

/// Buffers: inputs `[R, heads, …]`, parameters `[heads, …]`, states `[B, memory, head, …]`, changed in place, segments
/// i32 `[M·B+1]`, (position i32 `[R]`, -1 for padding,) outputs `[R, head, …]`, zeros for padding. Of inputs and
/// parameters with fewer heads than the scan each is shared by heads side by side.
pub(crate) fn scan(target: &Target, scan: &Scan, placement: Placement) -> Kernel<'static> {
    let (target, scan) = (target.clone(), scan.clone());
    Kernel {
        symbol: symbol(&target, "scan", &scan.name, &format!("{scan:?} {placement:?}")),
        schedule: schedule(&scan),
        rows: Extent::SEQUENCES.times(placement.memories),
        chunk: 1,
        times: scan.heads,
        item_ns: step_ns(&scan),
        token_ns: scan.heads as u64 * step_ns(&scan) / scan.schedule.chunk as u64,
        body: Box::new(move |emit| Forward::new(&target, &scan, placement).kernel(emit)),
    }
}

/// A name that tells everything that the code depends on, by a digest.
fn symbol(target: &Target, kind: &str, name: &str, content: &str) -> String {
    let digest = Sha256::digest(format!("{target:?} {content}"));
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("momc_{kind}_{name}_{digest}")
}

fn schedule(scan: &Scan) -> String {
    let super::Schedule { chunk, sub_block, save } = scan.schedule;
    format!("chunk = {chunk} : i64, sub_block = {sub_block} : i64, save = {save} : i64")
}

/// The cost of one step, roughly.
fn step_ns(scan: &Scan) -> u64 {
    let flops = flops(&scan.step);
    ((flops.products + 2.0 * flops.others) / 32.0) as u64 + 100
}

/// The number, among so few heads of a port, of that which head `head` of `heads` uses.
fn shared_head(emit: &mut Emit, port: &Port, head: V, heads: usize) -> V {
    if port.heads == heads {
        return head;
    }
    let scaled = emit.mul_const(head, port.heads);
    emit.div_const(scaled, heads)
}

/// Tiles that stay over all steps, one behind the other from `offset` on.
fn tiles(emit: &mut Emit, target: &Target, scratch: V, mut offset: usize, ports: &[Port]) -> Vec<Tile> {
    let place = |port: &Port| {
        let at = emit.int(offset as i64);
        offset += room(target, port.shape);
        Tile { base: emit.address(scratch, at), stride: stride(target, port.shape) }
    };
    ports.iter().map(place).collect()
}

/// Elements that these tiles take.
fn tiles_room(target: &Target, ports: &[Port]) -> usize {
    ports.iter().map(|port| room(target, port.shape)).sum()
}

/// The code of `scan`.
struct Forward<'a> {
    scan: &'a Scan,
    placement: Placement,
    step: Step<'a>,
    /// Whether states stay in their buffers.
    direct: bool,
}

impl<'a> Forward<'a> {
    fn new(target: &'a Target, scan: &'a Scan, placement: Placement) -> Forward<'a> {
        let carried = (0..scan.step.results.len()).map(|result| result.checked_sub(scan.outputs.len())).collect();
        let step = Step::new(target, &scan.step, carried, scan.schedule.sub_block);
        let whole_vectors = |port: &Port| {
            let columns = if normal::is_vector(port.shape) { port.shape.elements() } else { port.shape.columns };
            columns.is_multiple_of(lanes(target, columns))
        };
        let direct = scan.schedule.chunk == 1 && scan.states.iter().all(whole_vectors);
        Forward { scan, placement, step, direct }
    }

    fn kernel(&self, emit: &mut Emit) {
        emit.keep_loops();
        let (scan, target) = (self.scan, self.step.target);
        let mut number = 0;
        let mut next = |emit: &mut Emit| {
            number += 1;
            emit.buffer(number - 1)
        };
        let inputs: Vec<V> = scan.inputs.iter().map(|_| next(emit)).collect();
        let parameters: Vec<V> = scan.parameters.iter().map(|_| next(emit)).collect();
        let states: Vec<V> = scan.states.iter().map(|_| next(emit)).collect();
        let segments = next(emit);
        let position = self.placement.masked.then(|| next(emit));
        let outputs: Vec<V> = scan.outputs.iter().map(|_| next(emit)).collect();

        let parameters_from = self.step.scratch();
        let states_from = parameters_from + tiles_room(target, &scan.parameters);
        let kept = if self.direct { 0 } else { tiles_room(target, &scan.states) };
        let scratch = emit.thread_scratch(states_from + kept + target.lanes);
        let parameter_tiles = tiles(emit, target, scratch, parameters_from, &scan.parameters);
        let kept = if self.direct { Vec::new() } else { tiles(emit, target, scratch, states_from, &scan.states) };
        let sequences = emit.size(SEQUENCES);
        let (first, last) = (emit.begin, emit.end);
        emit.for_each(first, last, 1, |emit, item| {
            let (segment, head) = (emit.div_const(item, scan.heads), emit.rem_const(item, scan.heads));
            let (memory, sequence) = (emit.div(segment, sequences), emit.rem(segment, sequences));
            let owner = emit.at(sequence, self.placement.memories, memory);
            let owner = emit.at(owner, scan.heads, head);
            let after = emit.add_const(segment, 1);
            let (begin, end) = (emit.load_index(segments, segment), emit.load_index(segments, after));
            let own: Vec<Tile> =
                scan.states.iter().zip(&states).map(|(port, &buffer)| of(emit, port, buffer, owner)).collect();
            let frame = Frame {
                scratch,
                parameters: parameter_tiles.clone(),
                states: if self.direct { own.clone() } else { kept.clone() },
                head,
            };
            let any = emit.compare(Compare::Less, begin, end);
            emit.when(any, |emit| {
                self.step.load_parameters(emit, &scan.parameters, &parameters, &frame, scan.heads);
                for ((port, &own), &kept) in scan.states.iter().zip(&own).zip(&kept) {
                    self.step.copy(emit, own, kept, port.shape);
                }
                emit.for_each(begin, end, scan.schedule.chunk, |emit, row| {
                    let token = Token::new(emit, scan, row, end, head, position);
                    self.token(emit, &frame, &inputs, &outputs, &token);
                });
                for ((port, &own), &kept) in scan.states.iter().zip(&own).zip(&kept) {
                    self.step.copy(emit, kept, own, port.shape);
                }
            });
        });
    }

    /// One step, only where any of its tokens is there.
    fn token(&self, emit: &mut Emit, frame: &Frame, inputs: &[V], outputs: &[V], token: &Token) {
        let work = |emit: &mut Emit| {
            self.step.load_inputs(emit, frame, &rows(&self.scan.inputs, inputs), &[], token);
            self.step.compute(emit, frame);
            for (number, (port, &buffer)) in self.scan.outputs.iter().zip(outputs).enumerate() {
                let tile = self.step.tile(emit, frame, self.step.result(number));
                self.step.store_rows(emit, tile, &Rows { port, buffer }, token);
            }
            self.step.carry(emit, frame);
        };
        if token.position.is_none() {
            return work(emit);
        }
        let real = token.is_any_real(emit);
        emit.when_else(real, work, |emit| {
            for (port, &buffer) in self.scan.outputs.iter().zip(outputs) {
                self.step.clear_tokens(emit, &Rows { port, buffer }, token);
            }
        });
    }
}

/// What one owner has of a buffer of states.
fn of(emit: &mut Emit, port: &Port, buffer: V, owner: V) -> Tile {
    let place = emit.mul_const(owner, port.shape.elements());
    Tile { base: emit.address(buffer, place), stride: port.shape.columns }
}

fn rows<'p>(ports: &'p [Port], buffers: &[V]) -> Vec<Rows<'p>> {
    ports.iter().zip(buffers).map(|(port, &buffer)| Rows { port, buffer }).collect()
}
