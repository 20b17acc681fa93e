//! Uneven routing: all tokens to one memory, each to another than the one before, a memory that none goes to, and ties.
//!
//! Tokens are told apart by the first channel of their embeddings, which is 1 or -1 and which routers weigh. What is
//! compiled of the rewritten program is held against the interpreter.

use libtest_mimic::Trial;
use mom_passes::fuse::Selection;

use crate::{
    Outcome,
    laws::Data,
    machine::{Machine, Model, Params, Token},
    tensors::Tensor,
    tolerance::{self, relative_error},
    trial,
};

const WIDTH: usize = 16;
const VOCABULARY: usize = 24;
const MEMORIES: usize = 4;

/// What the router's weight of the first channel is for each memory, and those of all others. Then how many tokens of 20,
/// every second of which is of either kind, must go to each memory.
struct Routing {
    name: &'static str,
    top_k: usize,
    first: [f64; MEMORIES],
    others: f64,
    /// Whether all tokens are of one kind.
    one_kind: bool,
    expected: [Option<usize>; MEMORIES],
}

const TOKENS: usize = 20;
const HALF: Option<usize> = Some(TOKENS / 2);
const ALL: Option<usize> = Some(TOKENS);
const NONE: Option<usize> = Some(0);

const ROUTINGS: [Routing; 6] = [
    Routing {
        name: "all_to_one",
        top_k: 1,
        first: [-1.0, -2.0, 3.0, -3.0],
        others: 0.0,
        one_kind: true,
        expected: [NONE, NONE, ALL, NONE],
    },
    Routing {
        name: "all_to_two",
        top_k: 2,
        first: [3.0, -2.0, -1.0, 2.0],
        others: 0.0,
        one_kind: true,
        expected: [ALL, NONE, NONE, ALL],
    },
    Routing {
        name: "alternating",
        top_k: 1,
        first: [-0.5, 2.0, -2.0, 0.5],
        others: 0.0,
        one_kind: false,
        expected: [NONE, HALF, HALF, NONE],
    },
    Routing {
        name: "one_is_never_used",
        top_k: 2,
        first: [0.0, 0.0, -40.0, 0.0],
        others: 1.0,
        one_kind: true,
        expected: [None, None, NONE, None],
    },
    // The lower memory comes first among equals.
    Routing {
        name: "all_are_equal",
        top_k: 2,
        first: [0.0; MEMORIES],
        others: 0.0,
        one_kind: false,
        expected: [ALL, ALL, NONE, NONE],
    },
    Routing {
        name: "two_are_equal",
        top_k: 1,
        first: [-1.0, 2.0, -1.0, 2.0],
        others: 0.0,
        one_kind: false,
        expected: [HALF, HALF, NONE, NONE],
    },
];

/// Update rules for the recurrent kernel and for tiles, and single_kv beside projections of each memory's own.
const MEMORY: [(&str, &str); 3] = [
    ("own_projections", ""),
    ("one_projection", "single_kv_proj = true\n"),
    ("two_states", "update_rule = \"gsa\"\n[memory.options]\nslot = 4\n"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let of = |(name, memory): (&str, &'static str)| {
        let name = name.to_owned();
        trial(format!("balance::{name}"), move || ROUTINGS.iter().try_for_each(|routing| holds(routing, memory)))
    };
    MEMORY.map(of).into()
}

fn holds(routing: &Routing, memory: &str) -> Outcome {
    let model = Model::parse(&format!(
        "[model]\nvocab_size = {VOCABULARY}\nhidden_size = {WIDTH}\nlayers = 1\nblock_tokens = 16\n\
         [memory]\nheads = 2\nhead_dim = 8\nmemories = {MEMORIES}\ntop_k = {}\n{memory}[mlp]\nsize = 24\n",
        routing.top_k
    ))?;
    let params = params(&model, routing)?;
    let data = data(routing);
    let mut meaning = model.interpreted(&params, data.sequences.len(), 0)?;
    let expected = meaning.step(&data.sequences)?;
    routed_as_meant(routing, expected.get("router_logits.0")?)?;
    let mut machine = model.rewritten(&Selection::default())?.compiled(&params, data.sequences.len())?;
    let actual = machine.step(&data.sequences)?;
    let name = routing.name;
    let close = |what: &str, actual: &[f64], expected: &[f64]| -> Outcome {
        let error = relative_error(actual, expected);
        if error <= tolerance::COMPILED {
            return Ok(());
        }
        Err(format!("{name}: {what} differs by {error:.2e}").into())
    };
    for (what, expected) in expected.iter() {
        close(what, actual.get(what)?, expected)?;
    }
    for sequence in 0..data.sequences.len() {
        let states = machine.states(sequence);
        for expected in meaning.states(sequence) {
            let own = states.iter().find(|own| own.name == expected.name).ok_or("a state is missing")?;
            close(&own.name, &own.data, &expected.data)?;
        }
    }
    Ok(())
}

/// Two sequences of 20 tokens in all, and one without any.
fn data(routing: &Routing) -> Data {
    let kind = |at: usize| if routing.one_kind { 0 } else { at % 2 };
    let mut tokens = (0..TOKENS).map(|at| Token::real(((at * 14 + kind(at)) % VOCABULARY) as u32));
    let sequences = vec![tokens.by_ref().take(13).collect(), Vec::new(), tokens.collect()];
    Data { seed: 1, sequences, pieces: Vec::new() }
}

fn params(model: &Model, routing: &Routing) -> Outcome<Params> {
    let mut params = model.random_params(1);
    let mut tensor = |name: &str| -> Outcome<Tensor> { Ok(params.remove(name).ok_or(format!("there is no {name}"))?) };
    let (embeddings, router) = ("model.embeddings.weight", "model.layers.0.attn.gate.weight");
    let (mut table, mut gate) = (tensor(embeddings)?, tensor(router)?);
    for (token, row) in table.data.chunks_mut(WIDTH).enumerate() {
        row[0] = if token % 2 == 0 { 1.0 } else { -1.0 };
    }
    for (row, first) in gate.data.chunks_mut(WIDTH).zip(routing.first) {
        row.iter_mut().for_each(|weight| *weight *= routing.others);
        row[0] = first;
    }
    params.extend([(embeddings.to_owned(), table), (router.to_owned(), gate)]);
    Ok(params)
}

/// Fails unless as many tokens go to each memory as the case says.
fn routed_as_meant(routing: &Routing, logits: &[f64]) -> Outcome {
    let mut counts = [0; MEMORIES];
    for row in logits.chunks(MEMORIES) {
        let mut order: Vec<usize> = (0..MEMORIES).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        order.iter().take(routing.top_k).for_each(|&memory| counts[memory] += 1);
    }
    let as_meant =
        counts.iter().zip(routing.expected).all(|(&count, expected)| expected.is_none_or(|own| own == count));
    if as_meant { Ok(()) } else { Err(format!("{}: {counts:?} tokens go to the memories", routing.name).into()) }
}
