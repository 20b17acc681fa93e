//! Rewriting as a whole: every rewrite alone and every one left out, and the program with all of them, its text and its
//! plan.
//!
//! The cases of `tests/cases/fusion` hold between them all that rewrites look at. Golden layers and models run with all
//! rewrites; `MOMC_REWRITES=each` runs them with none, with each alone and with each left out as well, and leaves each out
//! of every case here.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use libtest_mimic::Trial;
use mom_dialect::{
    graph::{Graph, OpKind},
    print::print,
    verify,
};
use mom_passes::fuse::{Fusion, Selection, rewrites};
use mom_runtime::plan::{Plan, Sizes};

use crate::{
    Outcome,
    dialect::lines,
    fused::{Settings, obeys, parse},
    laws::{Subject, means_the_same},
    machine::{Executor, Model},
    tidy::files,
    trial,
};

const CASES: &str = "tests/cases/fusion";

/// Cases small enough to leave every rewrite out of at any time, and to compile with every rewrite alone.
const SMALL: [&str; 3] = ["linear", "no_shared_state", "one_memory"];

/// One more case to leave every rewrite out of: it has all parts.
const WHOLE: &str = "a_mixture";

type Check = fn(&Case) -> Outcome;

const CHECKS: [(&str, Check); 4] =
    [("all", all_together), ("alone", each_alone), ("without", each_left_out), ("fixed", the_same_again)];

pub(crate) fn trials() -> Vec<Trial> {
    let cases = [files(Path::new(CASES), "toml"), files(Path::new(CASES), "mlir")].concat();
    let of_cases = cases.iter().flat_map(|path| {
        CHECKS.map(|(name, check)| {
            let path = path.clone();
            let full_name = format!("fusion::{}::{name}", stem(&path));
            trial(full_name, move || check(&Case::read(&path)?))
        })
    });
    let cases = cases.clone();
    let others = [
        trial("fusion::every_rewrite_finds_something", move || every_rewrite_finds_something(&cases)),
        trial("fusion::plans_do_not_grow_with_memories", plans_do_not_grow_with_memories),
    ];
    of_cases.chain(others).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().display().to_string()
}

struct Case {
    name: String,
    model: Model,
}

impl Case {
    fn read(path: &Path) -> Outcome<Case> {
        let model = match path.extension().is_some_and(|ending| ending == "mlir") {
            true => Model::of_graph(parse(&fs::read_to_string(path)?)?, Settings::default().block_tokens),
            false => Model::read(path)?,
        };
        Ok(Case { name: stem(path), model })
    }

    fn is_small(&self) -> bool {
        SMALL.contains(&self.name.as_str())
    }

    /// Rewrites the program in each of these ways and checks what comes out, a program that came before excepted.
    fn rewritten(&self, selections: &[(String, Selection)], native: bool) -> Outcome {
        let settings = Settings::default();
        let data = settings.data(self.model.vocab_size());
        let mut known = BTreeSet::from([print(&self.model.graph)]);
        for (name, selection) in selections {
            let graph = self.model.fusion(selection)?.graph;
            let found = verify::verify(&graph);
            if !found.is_empty() {
                return Err(format!("{name}: {}", lines(&found)).into());
            }
            if !known.insert(print(&graph)) {
                continue;
            }
            let native = native && !stores_states(&graph);
            let rewritten = self.model.with_graph(graph);
            means_the_same(&data, &rewritten, &self.model).map_err(|error| format!("{name}: {error}"))?;
            if native {
                let meaning = self.model.with_graph(self.model.graph.clone());
                let subject = Subject::rewritten(&rewritten, meaning, data.seed)?;
                obeys(&data, &subject).map_err(|error| format!("{name}: {error}"))?;
            }
        }
        Ok(())
    }
}

/// Whether a program stores the states of each row, for which native code has no kernel: one that says so runs only where
/// rewriting finds the scan in it.
fn stores_states(graph: &Graph) -> bool {
    graph.body.ops.iter().any(|op| matches!(op.kind, OpKind::ScanStates { .. } | OpKind::ReadStates { .. }))
}

/// Whether the environment asks for more than every change must pass.
fn each() -> bool {
    env::var("MOMC_REWRITES").is_ok_and(|value| value == "each")
}

/// The ways to run golden layers and models: in the interpreter as they were written, and as native code rewritten as a
/// user has it; if the environment asks for it, also with no rewrite, with each alone and with each left out.
pub(crate) fn runs() -> Vec<(String, Executor, Selection)> {
    let more: Vec<(String, Selection)> = match each() {
        false => Vec::new(),
        true => [("plain".into(), Selection::none())]
            .into_iter()
            .chain(names().map(alone))
            .chain(names().map(left_out))
            .collect(),
    };
    let (written, native) = (Executor::Interpreter, Executor::Compiled);
    let more = more.into_iter().map(|(name, selection)| (format!("{native}::{name}"), native, selection));
    let usual = [(written, Selection::none()), (native, Selection::default())];
    usual.map(|(executor, selection)| (executor.to_string(), executor, selection)).into_iter().chain(more).collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    rewrites().into_iter().map(|rewrite| rewrite.name)
}

fn all() -> (String, Selection) {
    ("all".into(), Selection::default())
}

fn alone(name: &str) -> (String, Selection) {
    (format!("only_{name}"), Selection { only: Some(vec![name.into()]), ..Selection::default() })
}

fn left_out(name: &str) -> (String, Selection) {
    (format!("no_{name}"), Selection { without: vec![name.into()], ..Selection::default() })
}

/// The rewrites that found something.
fn useful(fusion: &Fusion) -> BTreeSet<&'static str> {
    let uses = fusion.regions.iter().flat_map(|region| &region.uses);
    uses.filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect()
}

fn all_together(case: &Case) -> Outcome {
    case.rewritten(&[all()], true)
}

fn each_alone(case: &Case) -> Outcome {
    let selections: Vec<_> = names().map(alone).collect();
    case.rewritten(&selections, case.is_small() || each())
}

fn each_left_out(case: &Case) -> Outcome {
    let each = each();
    if !each && !case.is_small() && case.name != WHOLE {
        return Ok(());
    }
    // Without a rewrite that finds nothing all is as it is with it.
    let useful = useful(&case.model.fusion(&Selection::default())?);
    let selections: Vec<_> = useful.into_iter().map(left_out).collect();
    case.rewritten(&selections, each)
}

/// The same program becomes the same text; that reads back as the same program with the same plan, and rewriting finds
/// nothing more to do there.
fn the_same_again(case: &Case) -> Outcome {
    let fusion = case.model.fusion(&Selection::default())?;
    let text = print(&fusion.graph);
    if print(&case.model.fusion(&Selection::default())?.graph) != text {
        return Err("the same program was rewritten in two ways".into());
    }
    let rewritten = case.model.with_graph(fusion.graph);
    let read = case.model.with_graph(parse(&text)?);
    if print(&read.graph) != text {
        return Err("its text says something else".into());
    }
    let (plan, again) = (rewritten.program()?, read.program()?);
    if (plan.plan != again.plan) || plan.tiled() != again.tiled() {
        return Err("the text has another plan".into());
    }
    let twice = rewritten.fusion(&Selection::default())?;
    if let Some(region) = twice.regions.iter().find(|region| !region.steps.is_empty()) {
        return Err(format!("in {} there was more to do: {:?}", region.name, region.steps).into());
    }
    let more = rewritten.with_graph(twice.graph).program()?.plan;
    if more.launches.len() != plan.plan.launches.len() || more.kernels.len() != plan.plan.kernels.len() {
        return Err("rewriting it once more changed its kernels".into());
    }
    Ok(())
}

/// No rewrite goes untried.
fn every_rewrite_finds_something(cases: &[PathBuf]) -> Outcome {
    let mut missing: BTreeSet<&str> = names().collect();
    for path in cases {
        let model = Case::read(path)?.model;
        for name in missing.clone() {
            let (_, selection) = alone(name);
            if !useful(&model.fusion(&selection)?).is_empty() {
                missing.remove(name);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("no case is for {missing:?}").into()) }
}

/// Numbers of memories between which nothing but weights and states may differ.
const MEMORIES: [usize; 4] = [2, 4, 16, 64];

/// A plan holds for every number of tokens; with more memories it has the same launches and buffers, and its memory is a
/// linear form in tokens.
fn plans_do_not_grow_with_memories() -> Outcome {
    let mut known: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for memories in MEMORIES {
        let model = Model::parse(&format!(
            "[model]\nvocab_size = 24\nhidden_size = 16\nlayers = 1\nblock_tokens = 4096\n[memory]\nheads = 1\n\
             head_dim = 8\nmemories = {memories}\ntop_k = 2\n[mlp]\nsize = 24\n"
        ))?;
        let rewritten = model.rewritten(&Selection::default())?;
        for (which, model) in [("as it was", &model), ("rewritten", &rewritten)] {
            let plan = model.program()?.plan;
            let size = (plan.launches.len(), plan.states.len(), plan.slots.len());
            let first = *known.entry(which).or_insert(size);
            // How many slots values share depends on their sizes; more than one for each there never are.
            if (size.0, size.1) != (first.0, first.1) || size.2 > first.2 {
                return Err(format!("{which}, {memories} memories: {size:?}, not {first:?}").into());
            }
            is_linear(&plan).map_err(|error| format!("{which}, {memories} memories: {error}"))?;
        }
    }
    let (unfused, fused) = (known["as it was"].0, known["rewritten"].0);
    if fused < unfused { Ok(()) } else { Err(format!("{fused} launches, and {unfused} without rewrites").into()) }
}

/// As many tokens more take as many bytes more, wherever one begins.
fn is_linear(plan: &Plan) -> Outcome {
    // Slots are rounded to 64 bytes, which so many tokens are a multiple of.
    let bytes = |tokens: usize| plan.bytes(&Sizes { tokens, sequences: 3, rows: 3, context: 0 });
    let growth: BTreeSet<u64> = (1..=5).map(|step| bytes(64 * (step + 1)) - bytes(64 * step)).collect();
    if growth.len() == 1 { Ok(()) } else { Err(format!("64 tokens take {growth:?} bytes more").into()) }
}
