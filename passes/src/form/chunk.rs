//! The chunk-parallel form of a chain: a step of `C` tokens made of products of matrices.
//!
//! For one scan, `M' = D M + Σ_j u_j (w_j - c_j (b_jᵀ M))ᵀ`, and with `E(t, s)` the decay between two tokens of a step
//! (see [`Op`]; `E⁻` exclusive) and `G` the gates summed from the start of the step, a step from `M₀` is
//!
//! ```text
//! ṽ_i + Σ_j K_ij ṽ_j = w_i - (exp(G⁻) ∘ c_i b_i) M₀     K_ij[t, s] = Σ_d c_i b_i[t, d] u_j[s, d] E⁻_d(t, s),  s < t
//! o                  = (exp(G) ∘ q) M₀ + Σ_j P_j ṽ_j    P_j[t, s]  = Σ_d q[t, d] u_j[s, d] E_d(t, s),         s ≤ t
//! M_C                = exp(G_C) ∘ M₀ + Σ_j (exp(gates after s) ∘ u_j)ᵀ ṽ_j
//! ```
//!
//! with one row of `b`, `u`, `ṽ`, `q`, `o` for each token. Terms that only write have `ṽ = w`; those that erase make one
//! system, tokens outermost, whose blocks on the diagonal are zero because terms of one token do not see each other. What
//! reads the state before the token takes `G⁻`, `E⁻` and `s < t` in the second line; a reading over the columns has
//! `P[t, s] = q_t · ṽ_s` and `u` in the place of `ṽ`.
//!
//! Tokens that are not there have `u = 0` and gates 0: then nothing of them reaches a state or another token, as long as
//! all else of them is finite, which it is because they are repetitions of one that is there.

mod rows;
#[cfg(test)]
mod tests;

use std::iter;

use mom_dialect::graph::Function;

use self::rows::Rows;
use super::{Heads, ports, shape};
use crate::{
    algebra::{AffineScan, Chain, Decay, Reading},
    tile::{
        Graph, Op, Scan, Schedule, Value,
        graph::{Along, Node},
    },
};

/// Gates below this are this: `exp` of it is 0, and a step's sum of it is finite in float32. So a factor of exactly zero,
/// whose logarithm is -inf, meets no 0 · inf.
const LOWEST_GATE: f64 = -1e30;

/// The chunk-parallel form of a chain. Tiles of inputs and outputs are `[chunk, elements of one token]`.
///
/// # Errors
/// What of the work of single tokens cannot be done for many tokens at once; steps of one token.
pub(crate) fn chunk(chain: &Chain, heads: &Heads, schedule: &Schedule) -> Result<Scan, String> {
    if schedule.chunk < 2 {
        return Err("steps of one token have the recurrent form".to_string());
    }
    let mut rows = Rows::new(chain, schedule.chunk)?;
    let mut states = vec![None; chain.states.len()];
    for scan in &chain.scans {
        states[scan.state] = Some(affine(&mut rows, scan)?);
    }
    let mut results = Vec::new();
    for (&output, port) in chain.read.iter().zip(&chain.outputs) {
        results.push(rows.as_type(output, &port.ty)?);
    }
    for (state, port) in states.into_iter().zip(&chain.states) {
        results.push(state.ok_or_else(|| format!("no scan makes the state `{}`", port.name))?);
    }
    let same = iter::repeat(heads.heads);
    let mut step = rows.graph;
    step.results = results;
    Ok(Scan {
        name: "chunk".to_string(),
        schedule: schedule.clone(),
        heads: heads.heads,
        inputs: ports(&chain.inputs, heads.inputs.iter().copied())?,
        parameters: ports(&chain.parameters, heads.parameters.iter().copied())?,
        states: ports(&chain.states, same.clone())?,
        outputs: ports(&chain.outputs, same)?,
        step: step.without_dead_code(),
    })
}

/// One scan: defines what it reads and answers the state after the step.
fn affine(rows: &mut Rows<'_>, scan: &AffineScan) -> Result<Value, String> {
    let stored = shape(&rows.chain.states[scan.state].ty)?;
    let state = rows.graph.argument(Op::State(scan.state), stored);
    // A vector is stored as a row: one column, transposed.
    let transposed = scan.mirrored || scan.columns.is_none();
    let (gate, kept) = gate(rows, scan)?;
    let memory = Memory { state, transposed, gate, kept };

    let real = rows.real();
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for term in &scan.terms {
        let row = rows.tile(term.row)?;
        keys.push(rows.graph.product(row, real));
        values.push(term.column.map(|column| rows.full(column)).transpose()?);
    }
    let is_erasing = |at: usize| scan.terms[at].erase.is_some();
    let mut system = Vec::new();
    let mut sides = Vec::new();
    for (at, erase) in scan.terms.iter().enumerate().filter_map(|(at, term)| Some((at, term.erase?))) {
        let mut row = rows.full(erase.row)?;
        if let Some(scale) = erase.scale {
            let scale = rows.tile(scale)?;
            row = rows.graph.product(scale, row);
        }
        let graph = &mut rows.graph;
        let (row, seen) = memory.seen_before(graph, row);
        let mut erased = memory.first(graph, row, seen, false);
        for (other, value) in values.iter().enumerate() {
            let gram = memory.gram(graph, row, keys[other], seen);
            match value {
                _ if is_erasing(other) => system.push(gram),
                Some(value) => {
                    let read = graph.dot(gram, *value);
                    erased = graph.sum(erased, read);
                }
                None => {}
            }
        }
        sides.push(match values[at] {
            Some(value) => graph.difference(value, erased),
            None => graph.negative(erased),
        });
    }
    let erasing = (0..scan.terms.len()).filter(|&at| is_erasing(at));
    for (at, value) in erasing.zip(solve(&mut rows.graph, &system, &sides)) {
        values[at] = Some(value);
    }
    let terms: Vec<(Value, Value)> =
        keys.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?))).collect();
    for reading in &scan.reads {
        let query = rows.full(reading.query)?;
        let (query, seen) = match reading {
            Reading { before: true, across: false, .. } => memory.seen_before(&mut rows.graph, query),
            Reading { before: true, .. } => (query, Seen::Before),
            _ => (query, Seen::After),
        };
        let read = memory.read(&mut rows.graph, query, seen, reading.across, &terms);
        rows.define(reading.value, read);
    }
    Ok(memory.after(&mut rows.graph, &terms))
}

/// The pseudo-values: solves for the right sides of all erasing terms at once. `system` holds the blocks row by row.
fn solve(graph: &mut Graph, system: &[Value], sides: &[Value]) -> Vec<Value> {
    let solve = Op::SolveLower { transposed: false };
    match (system, sides) {
        (&[system], &[side]) => vec![graph.add(solve, &[system, side])],
        (_, []) => Vec::new(),
        _ => {
            let rows = sides.len();
            let system = graph.add(Op::Interleave { rows, columns: rows }, system);
            let side = graph.add(Op::Interleave { rows, columns: 1 }, sides);
            let solved = graph.add(solve, &[system, side]);
            (0..rows).map(|i| graph.add(Op::Deinterleave { rows, columns: 1, i, j: 0 }, &[solved])).collect()
        }
    }
}

/// Logarithms of the decay, 0 for tokens that are not there.
#[derive(Clone, Copy)]
enum Gate {
    None,
    /// `[C, 1]`
    Scalar(Value),
    /// `[C, n]`
    Rows(Value),
}

/// The gate of a scan and the factor that it is the logarithm of, the latter as the chain has it.
fn gate(rows: &mut Rows<'_>, scan: &AffineScan) -> Result<(Gate, Option<Value>), String> {
    let (Decay::Scalar(gate) | Decay::Rows(gate)) = scan.decay else { return Ok((Gate::None, None)) };
    let gate = rows.tile(gate)?;
    let real = rows.real();
    let graph = &mut rows.graph;
    let kept = match &graph.nodes[gate.index()] {
        Node { op: Op::Map(Function::Log), operands, .. } => operands[0],
        _ => graph.exp(gate),
    };
    let lowest = graph.constant(LOWEST_GATE);
    let gate = graph.map(Function::Max, &[gate, lowest]);
    let gate = graph.product(gate, real);
    Ok((if graph.shape(gate).columns == 1 { Gate::Scalar(gate) } else { Gate::Rows(gate) }, Some(kept)))
}

/// What of its own token a reading of the state sees.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// Nothing: decays are exclusive, s < t.
    Before,
    /// The decay, not what the token writes: s < t.
    Decayed,
    /// All: s ≤ t.
    After,
}

impl Seen {
    fn is_exclusive(self) -> bool {
        self == Seen::Before
    }

    fn is_strict(self) -> bool {
        self != Seen::After
    }
}

/// The state before the step, how it lies in memory, and how it fades.
struct Memory {
    state: Value,
    /// Whether `state` is `M₀ᵀ`.
    transposed: bool,
    gate: Gate,
    /// The factor of a token's decay.
    kept: Option<Value>,
}

impl Memory {
    /// A vector over the rows that the state before the token is read by. If the token's decay is one of its factors, as
    /// in all rules that decay before they erase, then it is left out and the decayed state is read: the decays are
    /// those of the other readings then.
    fn seen_before(&self, graph: &mut Graph, vector: Value) -> (Value, Seen) {
        let part = self.kept.and_then(|kept| without_factor(graph, vector, kept));
        part.map_or((vector, Seen::Before), |part| (part, Seen::Decayed))
    }

    /// What is read of the state before the step: `(exp(G) ∘ x) M₀`, or `exp(G) ∘ (x M₀ᵀ)` where the sum runs `across`.
    fn first(&self, graph: &mut Graph, x: Value, seen: Seen, across: bool) -> Value {
        let fade = match self.gate {
            Gate::None => None,
            Gate::Scalar(gate) | Gate::Rows(gate) => {
                let gates = graph.add(Op::CumSum { reverse: false, exclusive: seen.is_exclusive() }, &[gate]);
                Some(graph.exp(gates))
            }
        };
        let stored = graph.shape(self.state);
        let result = if across == self.transposed { stored.columns } else { stored.rows };
        // One factor for each token may stand on either side of the product: on the smaller. One for each row of the
        // state stands where the rows are.
        let outside = match self.gate {
            Gate::Rows(_) => across,
            _ => result < graph.shape(x).columns,
        };
        let x = match fade {
            Some(fade) if !outside => graph.product(fade, x),
            _ => x,
        };
        let read = if across == self.transposed { graph.dot(x, self.state) } else { graph.dot_tb(x, self.state) };
        match fade {
            Some(fade) if outside => graph.product(fade, read),
            _ => read,
        }
    }

    /// `y[t, s] = Σ_d x[t, d] key[s, d] E_d(t, s)`, zero for those s that are not seen.
    fn gram(&self, graph: &mut Graph, x: Value, key: Value, seen: Seen) -> Value {
        if let Gate::Rows(gate) = self.gate {
            let gram = graph.add(Op::DecayGram { exclusive: seen.is_exclusive() }, &[x, key, gate]);
            return if seen == Seen::Decayed { graph.lower(gram, true) } else { gram };
        }
        let products = graph.dot_tb(x, key);
        self.faded(graph, products, seen)
    }

    /// `y[t, d] = Σ_s p[t, s] key[s, d] E_d(t, s)` over those s that are seen.
    fn apply(&self, graph: &mut Graph, products: Value, key: Value, seen: Seen) -> Value {
        if let Gate::Rows(gate) = self.gate {
            let exclusive = seen.is_exclusive();
            return graph.add(Op::DecayApply { exclusive, transposed: false }, &[products, key, gate]);
        }
        let products = self.faded(graph, products, seen);
        graph.dot(products, key)
    }

    /// The part of `products` on and below the diagonal, or below it, times the decay of one factor for each token.
    fn faded(&self, graph: &mut Graph, products: Value, seen: Seen) -> Value {
        let n = graph.shape(products).rows;
        let products = graph.lower(products, seen.is_strict());
        let Gate::Scalar(gate) = self.gate else { return products };
        // Row r holds g_r in the columns s < r, so sums down the rows to t are those over s < r ≤ t: each is made of its
        // own gates, and none is a difference. From the diagonal on they are empty, so that nothing there overflows.
        let triangle = graph.add(Op::Triangle { n, strict: true }, &[]);
        let gates = graph.product(gate, triangle);
        let gates = graph.add(Op::CumSum { reverse: false, exclusive: seen.is_exclusive() }, &[gates]);
        let fade = graph.exp(gates);
        graph.product(products, fade)
    }

    /// What a reading finds, for all tokens; `terms` are keys and (pseudo-)values. `across` never sees the decay alone.
    fn read(&self, graph: &mut Graph, query: Value, seen: Seen, across: bool, terms: &[(Value, Value)]) -> Value {
        let mut read = self.first(graph, query, seen, across);
        for &(key, value) in terms {
            let written = if across {
                let products = graph.dot_tb(query, value);
                self.apply(graph, products, key, seen)
            } else {
                let gram = self.gram(graph, query, key, seen);
                graph.dot(gram, value)
            };
            read = graph.sum(read, written);
        }
        read
    }

    /// The state after the step, as it lies in memory.
    fn after(&self, graph: &mut Graph, terms: &[(Value, Value)]) -> Value {
        let (mut after, fade) = match self.gate {
            Gate::None => (self.state, None),
            Gate::Scalar(gate) | Gate::Rows(gate) => {
                let whole = graph.add(Op::Sum(Along::Rows), &[gate]);
                let mut whole = graph.exp(whole);
                if matches!(self.gate, Gate::Rows(_)) && !self.transposed {
                    whole = graph.add(Op::Transpose, &[whole]);
                }
                let after = graph.product(whole, self.state);
                let rest = graph.add(Op::CumSum { reverse: true, exclusive: true }, &[gate]);
                (after, Some(graph.exp(rest)))
            }
        };
        for &(mut key, mut value) in terms {
            let narrow = matches!(self.gate, Gate::Scalar(_)) && graph.shape(value).columns < graph.shape(key).columns;
            match fade {
                Some(fade) if narrow => value = graph.product(fade, value),
                Some(fade) => key = graph.product(fade, key),
                None => {}
            }
            let written = if self.transposed { graph.dot_ta(value, key) } else { graph.dot_ta(key, value) };
            after = graph.sum(after, written);
        }
        after
    }
}

/// `x` without one of the factors of its product, or of each part of its sum; nothing where that cannot be.
fn without_factor(graph: &mut Graph, x: Value, factor: Value) -> Option<Value> {
    let shape = graph.shape(x);
    let Node { op: Op::Map(function), operands, .. } = graph.nodes[x.index()].clone() else { return None };
    let part = match (function, &operands[..]) {
        (Function::Mul, &[a, b]) if a == factor => b,
        (Function::Mul, &[a, b]) if b == factor => a,
        (Function::Mul, &[a, b]) => match without_factor(graph, a, factor) {
            Some(a) => graph.product(a, b),
            None => {
                let b = without_factor(graph, b, factor)?;
                graph.product(a, b)
            }
        },
        (Function::Add | Function::Sub, &[a, b]) => {
            let (a, b) = (without_factor(graph, a, factor)?, without_factor(graph, b, factor)?);
            graph.map(function, &[a, b])
        }
        (Function::Neg, &[a]) => {
            let a = without_factor(graph, a, factor)?;
            graph.negative(a)
        }
        _ => return None,
    };
    // What was repeated by the factor alone cannot do without it.
    (graph.shape(part) == shape).then_some(part)
}
