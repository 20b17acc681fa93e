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
    kernel::{
        Kernel, SEQUENCES,
        scan::{prologue::Item, wiring::Wiring},
    },
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

/// Buffers are those that `wiring` names: inputs `[R, heads, …]`, parameters `[heads, …]`, states `[B, memory, head, …]`,
/// changed in place, segments i32 `[M·B+1]`, (position i32 `[R]`, -1 for padding,) outputs `[R, head, …]`, zeros for
/// padding. Of inputs and parameters with fewer heads than the scan each is shared by heads side by side. A sequence has
/// so many `memories`.
pub(crate) fn scan(target: &Target, scan: &Scan, memories: usize, wiring: Wiring) -> Kernel<'static> {
    let (target, scan) = (target.clone(), scan.clone());
    Kernel {
        symbol: symbol(&target, "scan", &scan.name, &format!("{scan:?} {memories} {wiring:?}")),
        schedule: schedule(&scan),
        rows: Extent::SEQUENCES.times(memories),
        chunk: 1,
        times: scan.heads,
        item_ns: step_ns(&scan),
        token_ns: scan.heads as u64 * (step_ns(&scan) / scan.schedule.chunk as u64 + wiring.token_ns()),
        body: Box::new(move |emit| Forward::new(&target, &scan, memories, &wiring).kernel(emit)),
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
    memories: usize,
    wiring: &'a Wiring,
    step: Step<'a>,
    /// Whether states stay in their buffers.
    direct: bool,
}

impl<'a> Forward<'a> {
    fn new(target: &'a Target, scan: &'a Scan, memories: usize, wiring: &'a Wiring) -> Forward<'a> {
        let carried = (0..scan.step.results.len()).map(|result| result.checked_sub(scan.outputs.len())).collect();
        let step = Step::new(target, &scan.step, carried, scan.schedule.sub_block);
        let whole_vectors = |port: &Port| {
            let columns = if normal::is_vector(port.shape) { port.shape.elements() } else { port.shape.columns };
            columns.is_multiple_of(lanes(target, columns))
        };
        let direct = scan.schedule.chunk == 1 && scan.states.iter().all(whole_vectors);
        Forward { scan, memories, wiring, step, direct }
    }

    fn kernel(&self, emit: &mut Emit) {
        emit.keep_loops();
        let (scan, target) = (self.scan, self.step.target);
        let numbered = |emit: &mut Emit, numbers: &[usize]| -> Vec<V> {
            numbers.iter().map(|&number| emit.buffer(number)).collect()
        };
        let parameters = numbered(emit, &self.wiring.parameters);
        let states = numbered(emit, &self.wiring.states);
        let segments = emit.buffer(self.wiring.segments);
        let position = self.wiring.position.map(|number| emit.buffer(number));
        let outputs = numbered(emit, &self.wiring.outputs);

        let parameters_from = self.step.scratch();
        let states_from = parameters_from + tiles_room(target, &scan.parameters);
        let kept = if self.direct { 0 } else { tiles_room(target, &scan.states) };
        let prologue_from = (states_from + kept).next_multiple_of(target.lanes);
        let room = self.wiring.room(scan.schedule.chunk);
        let scratch = emit.thread_scratch(prologue_from + room + target.lanes);
        let prologue = self.wiring.prologue.as_ref().map(|prologue| {
            let place = emit.int(prologue_from as i64);
            let place = emit.address(scratch, place);
            prologue.ready(emit, target, place, scan.schedule.chunk)
        });
        let inputs = self.wiring.inputs(emit, prologue.as_ref());
        let inputs = rows(&scan.inputs, &inputs, |input| self.wiring.is_made(input));
        let parameter_tiles = tiles(emit, target, scratch, parameters_from, &scan.parameters);
        let kept = if self.direct { Vec::new() } else { tiles(emit, target, scratch, states_from, &scan.states) };
        let sequences = emit.size(SEQUENCES);
        let (first, last) = (emit.begin, emit.end);
        emit.for_each(first, last, 1, |emit, item| {
            let (segment, head) = (emit.div_const(item, scan.heads), emit.rem_const(item, scan.heads));
            let (memory, sequence) = (emit.div(segment, sequences), emit.rem(segment, sequences));
            let owner = emit.at(sequence, self.memories, memory);
            let item = Item { head, owner };
            let owner = emit.at(owner, scan.heads, head);
            let after = emit.add_const(segment, 1);
            let (begin, end) = (emit.load_index(segments, segment), emit.load_index(segments, after));
            let own: Vec<Tile> =
                scan.states.iter().zip(&states).map(|(port, &buffer)| of(emit, port, buffer, owner)).collect();
            let frame = Frame {
                scratch,
                parameters: parameter_tiles.clone(),
                states: if self.direct { own.clone() } else { kept.clone() },
                next: if self.direct { own.clone() } else { kept.clone() },
                head,
            };
            let any = emit.compare(Compare::Less, begin, end);
            emit.when(any, |emit| {
                self.step.load_parameters(emit, &scan.parameters, &parameters, &frame, scan.heads);
                for ((port, &own), &kept) in scan.states.iter().zip(&own).zip(&kept) {
                    self.step.copy(emit, own, kept, port.shape);
                }
                if let Some(prologue) = &prologue {
                    prologue.open(emit, item);
                }
                emit.for_each(begin, end, scan.schedule.chunk, |emit, row| {
                    let token = Token::new(emit, scan, row, end, head, position);
                    if let Some(prologue) = &prologue {
                        let last = token.end(emit);
                        prologue.turn(emit, item, (row, last));
                    }
                    self.token(emit, &frame, &inputs, &outputs, &token);
                });
                if let Some(prologue) = &prologue {
                    prologue.close(emit, item);
                }
                for ((port, &own), &kept) in scan.states.iter().zip(&own).zip(&kept) {
                    self.step.copy(emit, kept, own, port.shape);
                }
            });
        });
    }

    /// One step, only where any of its tokens is there.
    fn token(&self, emit: &mut Emit, frame: &Frame, inputs: &[Rows<'_>], outputs: &[V], token: &Token) {
        let work = |emit: &mut Emit| {
            self.step.load_inputs(emit, frame, inputs, &[], token);
            self.step.compute(emit, frame);
            for (number, (port, &buffer)) in self.scan.outputs.iter().zip(outputs).enumerate() {
                let tile = self.step.tile(emit, frame, self.step.result(number));
                self.step.store_rows(emit, tile, &Rows { port, buffer, is_made: false }, token);
            }
            self.step.carry(emit, frame);
        };
        if token.position.is_none() {
            return work(emit);
        }
        let real = token.is_any_real(emit);
        emit.when_else(real, work, |emit| {
            for (port, &buffer) in self.scan.outputs.iter().zip(outputs) {
                self.step.clear_tokens(emit, &Rows { port, buffer, is_made: false }, token);
            }
        });
    }
}

/// What one owner has of a buffer of states.
fn of(emit: &mut Emit, port: &Port, buffer: V, owner: V) -> Tile {
    let place = emit.mul_const(owner, port.shape.elements());
    Tile { base: emit.address(buffer, place), stride: port.shape.columns }
}

/// Rows of all ports; those that a prologue made hold just the step's tokens.
fn rows<'p>(ports: &'p [Port], buffers: &[V], is_made: impl Fn(usize) -> bool) -> Vec<Rows<'p>> {
    let numbered = ports.iter().zip(buffers).enumerate();
    numbered.map(|(number, (port, &buffer))| Rows { port, buffer, is_made: is_made(number) }).collect()
}
