//! What must hold for every program, whatever made it: a compiled program against itself, cut, batched and threaded
//! otherwise, and against what the interpreter says of the same data.

use std::fmt;

use crate::{
    Outcome,
    golden::router_margin,
    machine::{Compiled, Machine, Model, Outputs, Params, State, Token, bits, in_pieces},
    tolerance::{self, relative_error},
};

/// A program is compiled once for all of these.
pub(crate) const LAWS: [(&str, Law); 5] = [
    ("tokens fed in pieces are as good as all at once", pieces_equal_the_whole),
    ("a sequence does not depend on its batch", batch_does_not_matter),
    ("a result does not depend on the number of threads", threads_do_not_matter),
    ("a rollback restores every bit", rollback_restores),
    ("compiled code computes what the interpreter does", compiled_equals_interpreted),
];

pub(crate) type Law = fn(&Data, &Subject) -> Outcome<Verdict>;

/// Holds, or there is no answer because a routing decision is too close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    TooClose,
}

/// What a program is tried on.
#[derive(Clone)]
pub(crate) struct Data {
    /// Of the random weights.
    pub(crate) seed: u64,
    /// The first has a token.
    pub(crate) sequences: Vec<Vec<Token>>,
    /// How many tokens of each sequence are fed at a time; what is left then is fed at once.
    pub(crate) pieces: Vec<usize>,
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "# random weights {}", self.seed)?;
        for sequence in &self.sequences {
            let tokens: Vec<String> =
                sequence.iter().map(|token| if token.real { token.id.to_string() } else { "-".into() }).collect();
            writeln!(formatter, "# sequence {}", tokens.join(" "))?;
        }
        write!(formatter, "# pieces {:?}", self.pieces)
    }
}

impl Data {
    /// Tokens of the longest sequence.
    fn longest(&self) -> usize {
        self.sequences.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The lengths of the pieces; together they cover every sequence.
    fn lengths(&self) -> Vec<usize> {
        self.pieces.iter().copied().chain([self.longest()]).collect()
    }
}

/// A compiled program, and what it must mean.
pub(crate) struct Subject {
    /// The program that the interpreter is asked about: the one that was compiled, or one that it was made from.
    pub(crate) meaning: Model,
    pub(crate) params: Params,
    pub(crate) compiled: Compiled,
    /// The same code on more threads than there is work for.
    threaded: Compiled,
}

impl Subject {
    /// A program that means what it says.
    pub(crate) fn new(model: Model, seed: u64) -> Outcome<Subject> {
        let params = model.random_params(seed);
        let [compiled, threaded] = model.compiled_on([1, THREADS], &params)?;
        Ok(Subject { meaning: model, params, compiled, threaded })
    }

    /// A program that must mean what another one does, whose parameters it has.
    pub(crate) fn rewritten(model: &Model, meaning: Model, seed: u64) -> Outcome<Subject> {
        let params = meaning.random_params(seed);
        let [compiled, threaded] = model.compiled_on([1, THREADS], &params)?;
        Ok(Subject { meaning, params, compiled, threaded })
    }
}

/// Threads beside which one is compared.
const THREADS: usize = 3;

fn pieces_equal_the_whole(data: &Data, subject: &Subject) -> Outcome<Verdict> {
    let mut whole = subject.compiled.fresh(data.sequences.len())?;
    let mut cut = subject.compiled.fresh(data.sequences.len())?;
    let expected = whole.step(&data.sequences)?;
    let actual = in_pieces(&mut cut, &data.sequences, &data.lengths())?;
    same("outputs", &actual.bits(), &expected.bits())?;
    same("states", &cut.state_bits(), &whole.state_bits())
}

fn batch_does_not_matter(data: &Data, subject: &Subject) -> Outcome<Verdict> {
    let mut together = subject.compiled.fresh(data.sequences.len())?;
    let all = together.step(&data.sequences)?;
    for (number, sequence) in data.sequences.iter().enumerate().filter(|(_, sequence)| !sequence.is_empty()) {
        let before: usize = data.sequences[..number].iter().map(Vec::len).sum();
        let mut alone = subject.compiled.fresh(1)?;
        let outputs = alone.step(std::slice::from_ref(sequence))?;
        for (name, rows) in outputs.iter() {
            let width = rows.len() / sequence.len();
            let expected = &all.get(name)?[before * width..][..rows.len()];
            same(&format!("{name} of sequence {number}"), &bits(rows), &bits(expected))?;
        }
        for (own, all) in alone.states(0).iter().zip(together.states(number)) {
            same(&format!("{} of sequence {number}", all.name), &bits(&own.data), &bits(&all.data))?;
        }
    }
    Ok(Verdict::Holds)
}

fn threads_do_not_matter(data: &Data, subject: &Subject) -> Outcome<Verdict> {
    let mut one = subject.compiled.fresh(data.sequences.len())?;
    let mut several = subject.threaded.fresh(data.sequences.len())?;
    let expected = one.step(&data.sequences)?;
    let actual = several.step(&data.sequences)?;
    same("outputs", &actual.bits(), &expected.bits())?;
    same("states", &several.state_bits(), &one.state_bits())
}

fn rollback_restores(data: &Data, subject: &Subject) -> Outcome<Verdict> {
    let mut machine = subject.compiled.fresh(data.sequences.len())?;
    let halves: Vec<_> = data.sequences.iter().map(|sequence| sequence.split_at(sequence.len().div_ceil(2))).collect();
    let (prompt, rest): (Vec<_>, Vec<_>) = halves.into_iter().map(|(a, b)| (a.to_vec(), b.to_vec())).unzip();
    machine.step(&prompt)?;
    let mark = machine.checkpoint()?;
    let before = machine.state_bits();
    let mut continued = Vec::new();
    for _ in 0..2 {
        // The first sequence always has something to go on with.
        let mut rest = rest.clone();
        rest[0].push(Token::real(1));
        let outputs = machine.step(&rest)?;
        continued.push((outputs.bits().into_iter().map(|(_, bits)| bits).collect::<Vec<_>>(), machine.state_bits()));
        machine.rollback(&mark)?;
        same("states after the rollback", &machine.state_bits(), &before)?;
    }
    let mut other = subject.compiled.fresh(data.sequences.len())?;
    other.rollback(&mark)?;
    same("states of another session", &other.state_bits(), &before)?;
    same("what follows", &continued[1], &continued[0])
}

fn compiled_equals_interpreted(data: &Data, subject: &Subject) -> Outcome<Verdict> {
    let mut compiled = subject.compiled.fresh(data.sequences.len())?;
    let mut interpreted = subject.meaning.interpreted(&subject.params, data.sequences.len(), data.longest())?;
    let expected = interpreted.step(&data.sequences)?;
    let actual = compiled.step(&data.sequences)?;
    if has_close_routing(&subject.meaning, &expected) {
        return Ok(Verdict::TooClose);
    }
    let mut nudged = Vec::new();
    for seed in 1..=tolerance::NUDGES {
        let params = nudged_params(&subject.params, seed);
        let mut machine = subject.meaning.interpreted(&params, data.sequences.len(), data.longest())?;
        nudged.push((machine.step(&data.sequences)?, machine));
    }
    for (name, expected) in expected.iter() {
        let moved = nudged.iter().map(|(outputs, _)| outputs.get(name)).collect::<Outcome<Vec<_>>>()?;
        close(name, actual.get(name)?, expected, &moved)?;
    }
    for sequence in 0..data.sequences.len() {
        let states = compiled.states(sequence);
        let moved: Vec<Vec<State>> = nudged.iter().map(|(_, machine)| machine.states(sequence)).collect();
        for expected in interpreted.states(sequence) {
            let what = format!("state {} of sequence {sequence}", expected.name);
            let actual = state(&states, &expected.name)?;
            let moved = moved.iter().map(|states| state(states, &expected.name)).collect::<Outcome<Vec<_>>>()?;
            close(&what, actual, &expected.data, &moved)?;
        }
    }
    Ok(Verdict::Holds)
}

/// Whether a router was close to another choice.
fn has_close_routing(model: &Model, outputs: &Outputs) -> bool {
    let Some((memories, top_k)) = model.routing() else { return false };
    let routers = outputs.iter().filter(|(name, _)| name.starts_with("router_logits"));
    let mut margins = routers.flat_map(|(_, logits)| logits.chunks(memories)).map(|row| router_margin(row, top_k));
    margins.any(|margin| margin <= tolerance::ROUTER_MARGIN)
}

/// Whether a random program says something: it computes moderate numbers, and no router is close to another choice.
pub(crate) fn well_posed(data: &Data, model: &Model) -> Outcome<Verdict> {
    let params = model.random_params(data.seed);
    let mut machine = model.interpreted(&params, data.sequences.len(), data.longest())?;
    let outputs = in_pieces(&mut machine, &data.sequences, &data.lengths())?;
    let states = (0..data.sequences.len()).flat_map(|sequence| machine.states(sequence));
    let mut numbers = outputs.iter().flat_map(|(_, rows)| rows.to_vec()).chain(states.flat_map(|state| state.data));
    let moderate = numbers.all(|number| number.abs() <= tolerance::MODERATE);
    Ok(if moderate && !has_close_routing(model, &outputs) { Verdict::Holds } else { Verdict::TooClose })
}

/// Two programs are the same in float64: what a rewrite must not change. Outputs and states have the same
/// names; the first may have more.
pub(crate) fn means_the_same(data: &Data, rewritten: &Model, meaning: &Model) -> Outcome {
    let params = meaning.random_params(data.seed);
    let [(found, machine), (expected, reference)] = {
        let step = |model: &Model| -> Outcome<_> {
            let mut machine = model.interpreted(&params, data.sequences.len(), data.longest())?;
            Ok((in_pieces(&mut machine, &data.sequences, &data.lengths())?, machine))
        };
        [step(rewritten)?, step(meaning)?]
    };
    let compare = |what: &str, actual: &[f64], expected: &[f64]| within(what, actual, expected, tolerance::REWRITTEN);
    for (name, expected) in expected.iter() {
        compare(name, found.get(name)?, expected)?;
    }
    for sequence in 0..data.sequences.len() {
        let states = machine.states(sequence);
        for expected in reference.states(sequence) {
            let what = format!("state {} of sequence {sequence}", expected.name);
            compare(&what, state(&states, &expected.name)?, &expected.data)?;
        }
    }
    Ok(())
}

fn state<'a>(states: &'a [State], name: &str) -> Outcome<&'a [f64]> {
    let state = states.iter().find(|state| state.name == name);
    Ok(&state.ok_or_else(|| format!("there is no state {name}"))?.data)
}

/// The weights, each moved up or down by half a unit in the last place of a float32.
fn nudged_params(params: &Params, seed: u64) -> Params {
    let mut params = params.clone();
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for value in params.values_mut().flat_map(|tensor| &mut tensor.data) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let half = f64::from(f32::EPSILON) / 2.0;
        *value *= if random & 1 == 0 { 1.0 - half } else { 1.0 + half };
    }
    params
}

fn same<T: PartialEq + ?Sized>(what: &str, actual: &T, expected: &T) -> Outcome<Verdict> {
    if actual == expected { Ok(Verdict::Holds) } else { Err(format!("{what} differ").into()) }
}

/// `moved` is `expected` as nudged weights change it: how far float32 can be trusted with this model.
fn close(what: &str, actual: &[f64], expected: &[f64], moved: &[&[f64]]) -> Outcome {
    let condition = moved.iter().map(|moved| relative_error(moved, expected)).fold(0.0, f64::max);
    within(what, actual, expected, tolerance::COMPILED.max(tolerance::NUDGE_FACTOR * condition))
}

fn within(what: &str, actual: &[f64], expected: &[f64], limit: f64) -> Outcome {
    let error = if actual.len() == expected.len() { relative_error(actual, expected) } else { f64::INFINITY };
    // Written so that a NaN is not close.
    if error <= limit { Ok(()) } else { Err(format!("{what} differs by {error:.2e}, more than {limit:.2e}").into()) }
}
