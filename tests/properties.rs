//! What must hold for every model: tried on random small ones, with random weights and random ragged batches.
//!
//! The models are the same in every run, so that a failure is no matter of luck; `MOMC_PROPTEST_CASES` sets how many
//! there are. A failing model is made as small as it can be and shown as a `model.toml`.

use std::{env, fmt, path::Path};

use libtest_mimic::Trial;
use mom_dialect::diagnostic::Source;
use momc::spec;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::subsequence,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    Outcome,
    dialect::lines,
    golden::router_margin,
    machine::{Compiled, Machine, Model, Params, State, Token, bits, in_pieces},
    tolerance::{self, relative_error},
    trial,
};

/// What every model must do. A model is compiled once for all of these.
const PROPERTIES: [(&str, Property); 4] = [
    ("tokens fed in pieces are as good as all at once", pieces_equal_the_whole),
    ("a sequence does not depend on its batch", batch_does_not_matter),
    ("a rollback restores every bit", rollback_restores),
    ("compiled code computes what the interpreter does", compiled_equals_interpreted),
];

type Property = fn(&Case, &Subject) -> Outcome<Verdict>;

/// Holds, or there is no answer because a routing decision is too close.
enum Verdict {
    Holds,
    TooClose,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("properties::descriptions_read_back", descriptions_read_back),
        trial("properties::memory_models", || programs(any_case(false))),
        trial("properties::hybrid_models", || programs(any_case(true))),
    ]
}

/// Models of each kind, if the environment does not say.
const CASES: u32 = 12;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 30, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn programs(cases: impl Strategy<Value = Case>) -> Outcome {
    let count = env::var("MOMC_PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let result = runner(count).run(&cases, |case| {
        let failed = |what: &str, error: &dyn fmt::Display| TestCaseError::fail(format!("{what}: {error}"));
        let subject = Subject::new(&case).map_err(|error| failed("cannot be compiled", &error))?;
        for (what, property) in PROPERTIES {
            match property(&case, &subject) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::TooClose) => return Err(TestCaseError::reject("a close routing decision")),
                Err(error) => return Err(failed(what, &error)),
            }
        }
        Ok(())
    });
    result.map_err(|error| error.to_string().into())
}

/// The text of the stage `spec` reads back as the same model.
fn descriptions_read_back() -> Outcome {
    let result = runner(200).run(&prop_oneof![any_model(false), any_model(true)], |model| {
        let read = |text: &str| {
            let spec = spec::parse_toml(&Source::new("model.toml", text), Path::new(""));
            spec.map(|spec| spec::to_toml(&spec)).map_err(|found| TestCaseError::fail(lines(&found)))
        };
        let text = read(&model)?;
        prop_assert_eq!(read(&text)?, text);
        Ok(())
    });
    result.map_err(|error| error.to_string().into())
}

/// A model with a batch for it.
struct Case {
    /// A `model.toml`.
    model: String,
    seed: u64,
    sequences: Vec<Vec<Token>>,
    /// How many tokens of each sequence are fed at a time.
    pieces: Vec<usize>,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}# random weights {}", self.model, self.seed)?;
        for sequence in &self.sequences {
            let tokens: Vec<String> =
                sequence.iter().map(|token| if token.real { token.id.to_string() } else { "-".into() }).collect();
            writeln!(formatter, "# sequence {}", tokens.join(" "))?;
        }
        write!(formatter, "# pieces {:?}", self.pieces)
    }
}

/// The longest sequence of a case.
const LENGTH: usize = 24;
const VOCABULARY: u32 = 37;

fn any_case(hybrid: bool) -> impl Strategy<Value = Case> {
    let token = (0..VOCABULARY, prop::bool::weighted(0.9)).prop_map(|(id, real)| Token { id, real });
    let sequences = vec(vec(token, 0..=LENGTH), 1..=4);
    (any_model(hybrid), any::<u64>(), sequences, vec(1..=7usize, LENGTH)).prop_map(
        |(model, seed, mut sequences, pieces)| {
            // There is something to compute.
            sequences[0].insert(0, Token::real(0));
            Case { model, seed, sequences, pieces }
        },
    )
}

/// A `model.toml`; of a hybrid with softmax attention, or of memory layers only.
fn any_model(hybrid: bool) -> impl Strategy<Value = String> {
    let weights = prop_oneof![Just("f32"), Just("bf16")];
    let model = (1..=3usize, any::<bool>(), weights, 1..=40usize);
    let mlp = 1..=40usize;
    let checkpoint = prop_oneof![
        Just("naming = \"mom\""),
        Just("naming = \"mom_gated_deltanet\""),
        Just("naming = \"mom_gated_deltanet\"\nnorm_first = true"),
    ];
    model.prop_flat_map(move |(layers, tied, weights, block)| {
        (any_memory(), mlp.clone(), any_attention(layers), 1..=40usize, checkpoint.clone()).prop_map(
            move |(memory, mlp, attention, hidden, checkpoint)| {
                // Attention heads are of an even width, and together as wide as the model.
                let (heads, attention) = attention;
                let (hidden, attention) =
                    if hybrid { (hidden.next_multiple_of(2 * heads), attention) } else { (hidden, String::new()) };
                format!(
                    "[model]\nvocab_size = {VOCABULARY}\nhidden_size = {hidden}\nlayers = {layers}\n\
                     tie_embeddings = {tied}\nweights = \"{weights}\"\nblock_tokens = {block}\n\n\
                     {memory}\n[mlp]\nsize = {mlp}\n\n{attention}[checkpoint]\n{checkpoint}\n"
                )
            },
        )
    })
}

fn any_memory() -> impl Strategy<Value = String> {
    let routing = (1..=5usize).prop_flat_map(|memories| (Just(memories), 1..=memories));
    let taps = prop_oneof![Just(0), 2..=5usize];
    (1..=3usize, 1..=3usize, 1..=25usize, routing, any::<[bool; 3]>(), taps).prop_map(
        |(heads, keys, value_dim, (memories, top_k), [shared, single, gate], taps)| {
            format!(
                "[memory]\nheads = {heads}\nhead_dim = {}\nvalue_dim = {value_dim}\nmemories = {memories}\n\
                 top_k = {top_k}\nshared_state = {shared}\nsingle_kv_proj = {single}\noutput_gate = {gate}\n\
                 conv_size = {taps}\n",
                8 * keys
            )
        },
    )
}

/// Softmax attention in some layers: its number of heads, and the table.
fn any_attention(layers: usize) -> impl Strategy<Value = (usize, String)> {
    let chosen = subsequence((0..layers).collect::<Vec<_>>(), 1..=layers);
    let heads = prop_oneof![Just((1, 1)), Just((2, 1)), Just((2, 2)), Just((3, 1))];
    (chosen, heads, option::of(1..=9usize)).prop_map(|(layers, (heads, kv_heads), window)| {
        let window = window.map(|window| format!("window = {window}\n")).unwrap_or_default();
        let table = format!("[[attention]]\nlayers = {layers:?}\nheads = {heads}\nkv_heads = {kv_heads}\n{window}\n");
        (heads, table)
    })
}

/// A compiled model, and what it was compiled from.
struct Subject {
    model: Model,
    params: Params,
    compiled: Compiled,
}

impl Subject {
    fn new(case: &Case) -> Outcome<Subject> {
        let model = Model::parse(&case.model)?;
        let params = model.random_params(case.seed);
        let compiled = model.compiled(&params, 1)?;
        Ok(Subject { model, params, compiled })
    }
}

fn pieces_equal_the_whole(case: &Case, subject: &Subject) -> Outcome<Verdict> {
    let mut whole = subject.compiled.fresh(case.sequences.len())?;
    let mut cut = subject.compiled.fresh(case.sequences.len())?;
    let expected = whole.step(&case.sequences)?;
    let actual = in_pieces(&mut cut, &case.sequences, &case.lengths())?;
    same("outputs", &actual.bits(), &expected.bits())?;
    same("states", &cut.state_bits(), &whole.state_bits())
}

fn batch_does_not_matter(case: &Case, subject: &Subject) -> Outcome<Verdict> {
    let mut together = subject.compiled.fresh(case.sequences.len())?;
    let all = together.step(&case.sequences)?;
    for (number, sequence) in case.sequences.iter().enumerate().filter(|(_, sequence)| !sequence.is_empty()) {
        let before: usize = case.sequences[..number].iter().map(Vec::len).sum();
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

fn rollback_restores(case: &Case, subject: &Subject) -> Outcome<Verdict> {
    let mut machine = subject.compiled.fresh(case.sequences.len())?;
    let halves: Vec<_> = case.sequences.iter().map(|sequence| sequence.split_at(sequence.len().div_ceil(2))).collect();
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
    let mut other = subject.compiled.fresh(case.sequences.len())?;
    other.rollback(&mark)?;
    same("states of another session", &other.state_bits(), &before)?;
    same("what follows", &continued[1], &continued[0])
}

fn compiled_equals_interpreted(case: &Case, subject: &Subject) -> Outcome<Verdict> {
    let mut compiled = subject.compiled.fresh(case.sequences.len())?;
    let mut interpreted = subject.model.interpreted(&subject.params, case.sequences.len(), LENGTH + 1)?;
    let expected = interpreted.step(&case.sequences)?;
    let actual = compiled.step(&case.sequences)?;
    if let Some((memories, top_k)) = subject.model.routing() {
        let routers = expected.iter().filter(|(name, _)| name.starts_with("router_logits"));
        let mut margins = routers.flat_map(|(_, logits)| logits.chunks(memories)).map(|row| router_margin(row, top_k));
        if margins.any(|margin| margin <= tolerance::ROUTER_MARGIN) {
            return Ok(Verdict::TooClose);
        }
    }
    let mut nudged = Vec::new();
    for seed in 1..=tolerance::NUDGES {
        let params = nudged_params(&subject.params, seed);
        let mut machine = subject.model.interpreted(&params, case.sequences.len(), LENGTH + 1)?;
        nudged.push((machine.step(&case.sequences)?, machine));
    }
    for (name, expected) in expected.iter() {
        let moved = nudged.iter().map(|(outputs, _)| outputs.get(name)).collect::<Outcome<Vec<_>>>()?;
        close(name, actual.get(name)?, expected, &moved)?;
    }
    for sequence in 0..case.sequences.len() {
        let states = compiled.states(sequence);
        let moved: Vec<Vec<State>> = nudged.iter().map(|(_, machine)| machine.states(sequence)).collect();
        for expected in interpreted.states(sequence) {
            let what = format!("state {} of sequence {sequence}", expected.name);
            let actual = data(&states, &expected.name)?;
            let moved = moved.iter().map(|states| data(states, &expected.name)).collect::<Outcome<Vec<_>>>()?;
            close(&what, actual, &expected.data, &moved)?;
        }
    }
    Ok(Verdict::Holds)
}

fn data<'a>(states: &'a [State], name: &str) -> Outcome<&'a [f64]> {
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

impl Case {
    /// The lengths of the pieces; together they cover every sequence.
    fn lengths(&self) -> Vec<usize> {
        self.pieces.iter().copied().chain([LENGTH + 1]).collect()
    }
}

fn same<T: PartialEq + ?Sized>(what: &str, actual: &T, expected: &T) -> Outcome<Verdict> {
    if actual == expected { Ok(Verdict::Holds) } else { Err(format!("{what} differ").into()) }
}

/// `moved` is `expected` as nudged weights change it: how far float32 can be trusted with this model.
fn close(what: &str, actual: &[f64], expected: &[f64], moved: &[&[f64]]) -> Outcome {
    let error = if actual.len() == expected.len() { relative_error(actual, expected) } else { f64::INFINITY };
    let condition = moved.iter().map(|moved| relative_error(moved, expected)).fold(0.0, f64::max);
    let limit = tolerance::COMPILED.max(tolerance::NUDGE_FACTOR * condition);
    // Written so that a NaN is not close.
    if error <= limit { Ok(()) } else { Err(format!("{what} differs by {error:.2e}, more than {limit:.2e}").into()) }
}
