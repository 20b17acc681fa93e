//! What must hold for every model: tried on random small ones, with random weights and random ragged batches.
//!
//! The models are the same in every run, so that a failure is no matter of luck; `MOMC_PROPTEST_CASES` sets how many
//! there are. A failing model is made as small as it can be and shown as a `model.toml`.

use std::{env, fmt};

use libtest_mimic::Trial;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::subsequence,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    Outcome,
    golden::router_margin,
    machine::{Compiled, Machine, Model, Token, in_pieces},
    tolerance::{self, relative_error},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        property("pieces_equal_the_whole", pieces_equal_the_whole),
        property("a_sequence_does_not_depend_on_its_batch", a_sequence_does_not_depend_on_its_batch),
        property("rollback_restores_every_bit", rollback_restores_every_bit),
        property("compiled_equals_interpreted", compiled_equals_interpreted),
    ]
}

/// Cases of each property, if the environment does not say.
const CASES: u32 = 24;

/// Holds, or there is no answer because a routing decision is too close.
enum Verdict {
    Holds,
    TooClose,
}

fn property(name: &str, check: fn(&Case) -> Outcome<Verdict>) -> Trial {
    trial(format!("properties::{name}"), move || {
        let cases = env::var("MOMC_PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, random);
        let result = runner.run(&any_case(), |case| match check(&case) {
            Ok(Verdict::Holds) => Ok(()),
            Ok(Verdict::TooClose) => Err(TestCaseError::reject("a close routing decision")),
            Err(error) => Err(TestCaseError::fail(error.to_string())),
        });
        result.map_err(|error| error.to_string().into())
    })
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

fn any_case() -> impl Strategy<Value = Case> {
    let token = (0..VOCABULARY, prop::bool::weighted(0.9)).prop_map(|(id, real)| Token { id, real });
    let sequences = vec(vec(token, 0..=LENGTH), 1..=4);
    (any_model(), any::<u64>(), sequences, vec(1..=7usize, LENGTH)).prop_map(|(model, seed, mut sequences, pieces)| {
        // There is something to compute.
        sequences[0].insert(0, Token::real(0));
        Case { model, seed, sequences, pieces }
    })
}

fn any_model() -> impl Strategy<Value = String> {
    let weights = prop_oneof![Just("f32"), Just("bf16")];
    let model = (1..=3usize, any::<bool>(), weights, 1..=40usize);
    let mlp = 1..=40usize;
    let checkpoint = prop_oneof![
        Just("naming = \"mom\""),
        Just("naming = \"mom_gated_deltanet\""),
        Just("naming = \"mom_gated_deltanet\"\nnorm_first = true"),
    ];
    model.prop_flat_map(move |(layers, tied, weights, block)| {
        (any_memory(), mlp.clone(), option::weighted(0.5, any_attention(layers)), 1..=40usize, checkpoint.clone())
            .prop_map(move |(memory, mlp, attention, hidden, checkpoint)| {
                // Attention heads are of an even width, which divides the model's.
                let (heads, attention) = attention.unwrap_or((1, String::new()));
                let hidden = if attention.is_empty() { hidden } else { hidden.div_ceil(2 * heads) * 2 * heads };
                format!(
                    "[model]\nvocab_size = {VOCABULARY}\nhidden_size = {hidden}\nlayers = {layers}\n\
                     tie_embeddings = {tied}\nweights = \"{weights}\"\nblock_tokens = {block}\n\n\
                     {memory}\n[mlp]\nsize = {mlp}\n\n{attention}[checkpoint]\n{checkpoint}\n"
                )
            })
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

fn pieces_equal_the_whole(case: &Case) -> Outcome<Verdict> {
    let (mut whole, _) = case.compiled()?;
    let mut cut = whole.fresh(case.sequences.len())?;
    let expected = whole.step(&case.sequences)?;
    let actual = in_pieces(&mut cut, &case.sequences, &case.lengths())?;
    same("outputs", &actual, &expected)?;
    same("states", &cut.all_states(), &whole.all_states())
}

fn a_sequence_does_not_depend_on_its_batch(case: &Case) -> Outcome<Verdict> {
    let (mut together, _) = case.compiled()?;
    let all = together.step(&case.sequences)?;
    for (number, sequence) in case.sequences.iter().enumerate().filter(|(_, sequence)| !sequence.is_empty()) {
        let before: usize = case.sequences[..number].iter().map(Vec::len).sum();
        let mut alone = together.fresh(1)?;
        let outputs = alone.step(std::slice::from_ref(sequence))?;
        for (name, rows) in outputs.iter() {
            let width = rows.len() / sequence.len();
            let expected = &all.get(name)?[before * width..][..rows.len()];
            same(&format!("{name} of sequence {number}"), rows, expected)?;
        }
        same(&format!("states of sequence {number}"), &alone.states(0), &together.states(number))?;
    }
    Ok(Verdict::Holds)
}

fn rollback_restores_every_bit(case: &Case) -> Outcome<Verdict> {
    let (mut machine, _) = case.compiled()?;
    let halves: Vec<_> = case.sequences.iter().map(|sequence| sequence.split_at(sequence.len().div_ceil(2))).collect();
    let (prompt, rest): (Vec<_>, Vec<_>) = halves.into_iter().map(|(a, b)| (a.to_vec(), b.to_vec())).unzip();
    machine.step(&prompt)?;
    let mark = machine.checkpoint();
    let before = machine.all_states();
    let mut continued = Vec::new();
    for _ in 0..2 {
        // The first sequence always has something to go on with.
        let mut rest = rest.clone();
        rest[0].push(Token::real(1));
        continued.push((machine.step(&rest)?, machine.all_states()));
        machine.rollback(&mark)?;
        same("states after the rollback", &machine.all_states(), &before)?;
    }
    let mut other = machine.fresh(case.sequences.len())?;
    other.rollback(&mark)?;
    same("states of another session", &other.all_states(), &before)?;
    same("what follows", &continued[1], &continued[0])
}

fn compiled_equals_interpreted(case: &Case) -> Outcome<Verdict> {
    let (mut compiled, model) = case.compiled()?;
    let params = model.random_params(case.seed);
    let mut interpreted = model.interpreted(&params, case.sequences.len(), LENGTH + 1)?;
    let expected = interpreted.step(&case.sequences)?;
    let actual = compiled.step(&case.sequences)?;
    if let Some((memories, top_k)) = model.routing() {
        let routers = expected.iter().filter(|(name, _)| name.starts_with("router_logits"));
        let mut margins = routers.flat_map(|(_, logits)| logits.chunks(memories)).map(|row| router_margin(row, top_k));
        if margins.any(|margin| margin <= tolerance::ROUTER_MARGIN) {
            return Ok(Verdict::TooClose);
        }
    }
    for (name, expected) in expected.iter() {
        close(name, actual.get(name)?, expected)?;
    }
    for sequence in 0..case.sequences.len() {
        for (actual, expected) in compiled.states(sequence).iter().zip(interpreted.states(sequence)) {
            close(&format!("state {} of sequence {sequence}", expected.name), &actual.data, &expected.data)?;
        }
    }
    Ok(Verdict::Holds)
}

impl Case {
    fn compiled(&self) -> Outcome<(Compiled, Model)> {
        let model = Model::parse(&self.model)?;
        Ok((model.compiled(&model.random_params(self.seed), self.sequences.len())?, model))
    }

    /// The lengths of the pieces; together they cover every sequence.
    fn lengths(&self) -> Vec<usize> {
        self.pieces.iter().copied().chain([LENGTH + 1]).collect()
    }
}

fn same<T: PartialEq + ?Sized>(what: &str, actual: &T, expected: &T) -> Outcome<Verdict> {
    if actual == expected { Ok(Verdict::Holds) } else { Err(format!("{what} differ").into()) }
}

fn close(what: &str, actual: &[f64], expected: &[f64]) -> Outcome {
    let error = if actual.len() == expected.len() { relative_error(actual, expected) } else { f64::INFINITY };
    // Written so that a NaN is not close.
    if error <= tolerance::COMPILED_TO_INTERPRETER {
        Ok(())
    } else {
        Err(format!("{what} differs by {error:.2e}").into())
    }
}
