//! What must hold for every model: tried on random small ones, with random weights and random ragged batches.
//!
//! The models are the same in every run, so that a failure is no matter of luck; `MOMC_PROPTEST_CASES` sets how many
//! there are. A failing model is made as small as it can be and shown as a `model.toml`.

use std::{env, fmt, path::Path};

use libtest_mimic::Trial;
use mom_dialect::diagnostic::Source;
use mom_passes::fuse::Selection;
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
    laws::{Data, LAWS, Subject, Verdict},
    machine::{Model, Token},
    trial,
};

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
        let subject = Model::parse(&case.model).and_then(|model| {
            let rewritten = model.rewritten(&Selection::default())?;
            Subject::rewritten(&rewritten, model, case.data.seed)
        });
        let subject = subject.map_err(|error| failed("cannot be compiled", &error))?;
        for (what, law) in LAWS {
            match law(&case.data, &subject) {
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
    data: Data,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{:?}", self.model, self.data)
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
            Case { model, data: Data { seed, sequences, pieces } }
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
