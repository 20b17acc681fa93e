//! Times the prefill of one layer where tokens go evenly to all memories, and where they do not. `imbalance.sh` beside it
//! compiles the layer and calls this.
//!
//! ```text
//! cargo run --release -p mom-runtime --example imbalance -- layer.so TOKENS ROUNDS
//! ```
//!
//! A token's first channels say which memory it goes to, and the router reads nothing else. All routings are timed in
//! turn, round by round, each as often first as any other, and of each the fastest round counts.

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use mom_runtime::{Device, Module, Piece, Rows, Session, Weights};

/// Memories of the layer.
const MEMORIES: usize = 4;
/// The first token with which the router has no preference.
const UNDECIDED: usize = 2048;

/// For the place of a token in the prompt a number that says which memory it goes to; none where all are alike to the
/// router.
type Routing = fn(usize) -> Option<usize>;

const ROUTINGS: [(&str, Routing); 5] = [
    ("balanced", |place| Some(scattered(place) % MEMORIES)),
    ("all to one memory", |_| Some(2)),
    ("alternating", |place| Some(place % 2)),
    ("one memory never used", |place| Some(scattered(place) % (MEMORIES - 1))),
    ("ties", |_| None),
];

/// A number that shows no order.
fn scattered(place: usize) -> usize {
    (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
}

fn main() -> ExitCode {
    match time() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn time() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [artifact, tokens, rounds] = arguments.as_slice() else {
        return Err("usage: imbalance ARTIFACT TOKENS ROUNDS".into());
    };
    let (tokens, rounds): (usize, usize) = (tokens.parse()?, rounds.parse()?);
    let module = Module::load(artifact)?;
    let weights = weights(&module);
    let model = module.bind(Device::cpu()?, weights)?;
    let mut session = model.session()?;
    let start = session.checkpoint()?;
    let prompts = ROUTINGS.map(|(_, routing)| {
        let token = |place: usize| {
            let other = scattered(place) % (UNDECIDED / MEMORIES);
            routing(place).map_or(UNDECIDED + other, |memory| MEMORIES * other + memory) as u32
        };
        (0..tokens).map(token).collect::<Vec<u32>>()
    });

    let mut fastest = [[Duration::MAX; 2]; ROUTINGS.len()];
    let is_scan: Vec<bool> = {
        let plan = model.plan();
        plan.launches.iter().map(|launch| plan.kernels[launch.kernel].contains("scan")).collect()
    };
    for round in 0..rounds {
        for turn in 0..ROUTINGS.len() {
            let routing = (round + turn) % ROUTINGS.len();
            let prompt = [Piece::new(&prompts[routing])];
            session.rollback(&start)?;
            let begin = Instant::now();
            session.step(&prompt, Rows::Last)?;
            let whole = begin.elapsed();
            session.rollback(&start)?;
            let launches = session.launch_times(&prompt)?;
            let scan = launches.iter().zip(&is_scan).filter(|(_, is_scan)| **is_scan).map(|(time, _)| *time).sum();
            for (least, time) in fastest[routing].iter_mut().zip([whole, scan]) {
                *least = time.min(*least);
            }
        }
    }

    let mut table = io::stdout().lock();
    writeln!(table, "{:<22} {:>24} {:>17} {:>17}", "tokens go", "to each memory", "whole step", "scan alone")?;
    for (index, (name, _)) in ROUTINGS.iter().enumerate() {
        session.rollback(&start)?;
        let counts = counts(&mut session, &prompts[index])?.map(|count| count.to_string()).join(" ");
        let [whole, scan] = [0, 1].map(|what| {
            let (time, even) = (fastest[index][what].as_secs_f64(), fastest[0][what].as_secs_f64());
            format!("{:.2} ms {:.2} ×", 1e3 * time, time / even)
        });
        writeln!(table, "{name:<22} {counts:>24} {whole:>17} {scan:>17}")?;
    }
    Ok(())
}

/// How many tokens of a prompt go to each memory, by the router's own numbers.
fn counts(session: &mut Session, prompt: &[u32]) -> Result<[usize; MEMORIES], Box<dyn Error>> {
    let outputs = session.step(&[Piece::new(prompt)], Rows::All)?;
    let logits = outputs.get("router_logits.0").ok_or("the layer has no router")?;
    let mut counts = [0; MEMORIES];
    for row in logits.data.chunks_exact(MEMORIES) {
        // Of equal memories the first is taken.
        let best = (1..MEMORIES).fold(0, |best, memory| if row[memory] > row[best] { memory } else { best });
        counts[best] += 1;
    }
    Ok(counts)
}

/// Made-up weights, but for what decides the routing.
fn weights(module: &Module) -> Weights {
    let tensor = |tensor: &str, shape: &[usize]| {
        let mut values = Weights::random_values(1, tensor, shape);
        let width = shape.last().copied().unwrap_or(1);
        if tensor == "model.embeddings.weight" {
            for (token, row) in values.chunks_mut(width).enumerate() {
                row[..MEMORIES].fill(0.0);
                if token < UNDECIDED {
                    row[token % MEMORIES] = 2.0;
                }
            }
        } else if tensor.ends_with("gate.weight") {
            values.fill(0.0);
            for (memory, row) in values.chunks_mut(width).enumerate() {
                row[memory] = 1.0;
            }
        }
        values
    };
    let params = &module.plan().params;
    let tensors =
        params.iter().map(|param| (param.tensor.clone(), param.shape.clone(), tensor(&param.tensor, &param.shape)));
    Weights::from_tensors(tensors.collect())
}
