//! The numeric check: leaves are given numbers, and all nodes of a class must come to the same values.
//!
//! What does not count are rows of a routed stream behind its last segment, which belong to no token. Rows of padding
//! count. Rewrites that are new to the list are checked as all others are.

use std::collections::{BTreeMap, BTreeSet};

use egg::Id;
use mom_dialect::{
    graph::{Function, Graph, OpKind},
    reference::{Inputs, LogitRows, Tensor, evaluate_op},
    shape::{Axis, Extent, Type},
};

use super::{cases::CASES, programs};
use crate::fuse::{
    region::Region,
    rewrite::{Numerics, Rewrite, Saturated, canonical, saturate},
    rewrites,
    term::{Head, Node, Terms, Tree},
};

/// By how much two values may differ, relative to the largest entry of either, where sums may be in another order.
const TOLERANCE: f64 = 1e-10;

/// Numbers that look random and are the same in every run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// In (-1, 1).
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A batch with padding at the start, in the middle and at the end, an empty sequence and one of padding alone; and one
/// of a single token, to which most memories stay without tokens.
pub(super) fn batches() -> [Inputs; 2] {
    let packed = |tokens: &[Vec<i64>], mask: &[Vec<bool>], seen: &[usize]| {
        Inputs::packed(tokens, Some(mask), seen, LogitRows::Last).expect("a batch")
    };
    let mask = [vec![false, true, true, false, true], vec![], vec![true, true, false], vec![false]];
    let several = packed(&[vec![1, 4, 2, 6, 3], vec![], vec![5, 0, 1], vec![3]], &mask, &[3, 2, 0, 1]);
    let single = packed(&[vec![2, 3]], &[vec![true, false]], &[7]);
    [several, single]
}

/// A program's region of all operations, saturated.
pub(super) fn saturated(graph: &Graph, phases: &[Vec<&Rewrite>]) -> (Region, Saturated) {
    let (region, terms) = Region::new(graph, 0..graph.body.ops.len());
    let saturated = saturate(terms, phases);
    assert_eq!(saturated.limit, None, "saturation ends");
    (region, saturated)
}

fn size(axis: &Axis, inputs: &Inputs) -> usize {
    match axis {
        Axis::Named { size, .. } => *size,
        Axis::Rows(Extent { tokens, sequences, rows, context, constant }) => {
            tokens * inputs.tokens.len()
                + sequences * inputs.sequences()
                + rows * inputs.rows.len()
                + context * 8
                + constant
        }
    }
}

/// Values of the leaves in a step with these inputs.
fn leaves(graph: &Graph, region: &Region, inputs: &Inputs) -> Vec<Tensor> {
    let mut numbers = Numbers(11);
    let integers =
        |values: &[i64]| Tensor::new([values.len()], values.iter().map(|&value| value as f64).collect::<Vec<_>>());
    let from_zero = |values: &[usize]| integers(&values.iter().map(|&value| value as i64).collect::<Vec<_>>());
    let leaf = |value| {
        let maker = graph.body.ops.iter().find(|op| op.results.contains(value)).map(|op| &op.kind);
        match maker {
            Some(OpKind::Input { name, .. }) if name == "tokens" => integers(&inputs.tokens),
            Some(OpKind::Input { name, .. }) if name == "position" => integers(&inputs.position),
            Some(OpKind::Input { name, .. }) if name == "cu_seqlens" => from_zero(&inputs.cu_seqlens),
            _ => {
                let shape: Vec<usize> = graph.body.ty(*value).axes.iter().map(|axis| size(axis, inputs)).collect();
                let data: Vec<f64> = (0..shape.iter().product()).map(|_| numbers.next()).collect();
                Tensor::new(shape, data)
            }
        }
    };
    region.leaves.iter().map(leaf).collect()
}

/// The classes whose rows are those of a routed stream.
fn routed(terms: &Terms) -> BTreeSet<Id> {
    let mut routed: BTreeSet<Id> = BTreeSet::new();
    loop {
        let before = routed.len();
        for class in terms.classes() {
            let of_routed = |node: &Node| node.children.iter().any(|&child| routed.contains(&terms.find(child)));
            let is_routed = class.nodes.iter().any(|node| match node.kind() {
                Some(OpKind::Dispatch | OpKind::GroupedLinear | OpKind::Append) => true,
                Some(OpKind::Combine | OpKind::Sort { .. }) => false,
                _ => of_routed(node),
            });
            if is_routed {
                routed.insert(class.id);
            }
        }
        if routed.len() == before {
            return routed;
        }
    }
}

/// Evaluates every node of every class and holds those of a class against each other.
fn check(graph: &Graph, region: &Region, terms: &Terms, inputs: &Inputs, tolerance: f64) -> Result<(), String> {
    let leaves = leaves(graph, region, inputs);
    let routed = routed(terms);
    let real = inputs.position.iter().filter(|&&position| position >= 0).count();
    let mut values: BTreeMap<Id, Vec<Tensor>> = BTreeMap::new();
    let mut seen: BTreeSet<Node> = BTreeSet::new();
    loop {
        let before = seen.len();
        for class in terms.classes() {
            if class.data.types.is_empty() {
                return Err(format!("a rewrite makes what has no type: {:?}", class.nodes));
            }
            for node in &class.nodes {
                let node = &canonical(terms, node);
                if seen.contains(node) {
                    continue;
                }
                let operands: Option<Vec<&Vec<Tensor>>> =
                    node.children.iter().map(|&child| values.get(&terms.find(child))).collect();
                let Some(operands) = operands else { continue };
                let computed = match &node.head {
                    Head::Leaf(_, index) => vec![leaves[*index].clone()],
                    Head::Inline => operands[0].clone(),
                    Head::Result(index) => vec![operands[0][*index].clone()],
                    Head::Op(operator) => {
                        let types = node.children.iter().map(|&child| terms[child].data.ty().expect("one value"));
                        let operands: Vec<(&Type, &Tensor)> =
                            types.zip(operands.iter().map(|values| &values[0])).collect();
                        evaluate_op(&operator.kind, &operands, &class.data.types, &terms.analysis.graph)?
                    }
                };
                seen.insert(node.clone());
                let known = values.entry(class.id).or_insert_with(|| computed.clone());
                for ((known, computed), ty) in known.iter().zip(&computed).zip(&class.data.types) {
                    let choices = ty.rows().map_or(0, |rows| rows.tokens);
                    let owned = (choices > 0 && routed.contains(&class.id)).then_some(choices * real);
                    if let Some(apart) = differ(known, computed, owned, tolerance) {
                        let nodes: Vec<String> = class.nodes.iter().map(ToString::to_string).collect();
                        return Err(format!("{node} is not what its class is, {nodes:?}: {apart}"));
                    }
                }
            }
        }
        if seen.len() == before {
            break;
        }
    }
    let nodes: BTreeSet<Node> =
        terms.classes().flat_map(|class| class.nodes.iter().map(|node| canonical(terms, node))).collect();
    match nodes.difference(&seen).next() {
        Some(node) => Err(format!("{node} has no value")),
        None => Ok(()),
    }
}

/// How two values differ in their first `owned` rows.
pub(super) fn differ(known: &Tensor, computed: &Tensor, owned: Option<usize>, tolerance: f64) -> Option<String> {
    if known.shape != computed.shape {
        return Some(format!("{:?} and {:?}", known.shape, computed.shape));
    }
    let row: usize = known.shape.iter().skip(1).product();
    let count = owned.map_or(known.data.len(), |rows| rows * row);
    let largest = known.data[..count].iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    // What is not a number is close to nothing.
    let close = |known: f64, computed: f64| (known - computed).abs() <= tolerance * largest;
    let mut pairs = known.data[..count].iter().zip(&computed.data[..count]).enumerate();
    let (at, (known, computed)) = pairs.find(|(_, (known, computed))| !close(**known, **computed))?;
    Some(format!("{known} and {computed} in row {}", at / row.max(1)))
}

/// Checks programs rewritten by these, with both batches.
fn check_all(programs: &[(&str, Graph)], phases: &[Vec<&Rewrite>], tolerance: f64) -> Result<(), String> {
    for (name, graph) in programs {
        let (region, saturated) = saturated(graph, phases);
        for inputs in batches() {
            check(graph, &region, &saturated.terms, &inputs, tolerance).map_err(|apart| format!("{name}: {apart}"))?;
        }
    }
    Ok(())
}

#[test]
fn all_rewrites_together_keep_every_value() {
    let phases = rewrites::PHASES.map(|lists| lists.iter().copied().flatten().collect());
    check_all(&programs::all(), &phases, TOLERANCE).expect("all nodes of a class are one value");
}

/// A rewrite that says it is exact keeps every bit of what the interpreter computes.
#[test]
fn every_rewrite_alone_keeps_every_value() {
    let programs = programs::all();
    for rewrite in rewrites::all() {
        let cases = CASES.iter().filter(|(name, ..)| *name == rewrite.name);
        let cases: Vec<(&str, Graph)> =
            cases.flat_map(|(_, fires, does_not)| [("fires", fires()), ("does not", does_not())]).collect();
        let tolerance = if rewrite.numerics == Numerics::Exact { 0.0 } else { TOLERANCE };
        for programs in [&programs, &cases] {
            let checked = check_all(programs, &[vec![rewrite]], tolerance);
            checked.unwrap_or_else(|apart| panic!("{}: {apart}", rewrite.name));
        }
    }
}

/// `x + c = x`: wrong, but by little where `c` is small, and in one row of many.
fn wrong(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    match (node.kind(), &node.children[..]) {
        (Some(OpKind::Elementwise(Function::Add)), &[x, c]) if terms[c].data.types[0].rows().is_none() => {
            vec![Tree::Class(x)]
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_wrong_rewrite_is_found() {
    let wrong = Rewrite { name: "sum-forget", equation: "x + c = x", numerics: Numerics::Exact, apply: wrong };
    let found = check_all(&programs::all(), &[vec![&wrong]], TOLERANCE).expect_err("a sum is not its first operand");
    assert!(found.contains("add is not what its class is"), "{found}");
}

/// Rows that padding has are compared: a rewrite that is right in all others is wrong.
#[test]
fn a_rewrite_that_forgets_padding_is_found() {
    // A mixture of choices whose weights sum to 1, of what was dispatched, is that itself, but for padding.
    let apply = |terms: &Terms, _: Id, node: &Node| match (node.kind(), &node.children[..]) {
        (Some(OpKind::Combine), &[x, ..]) => {
            let of = terms[x].nodes.iter().find(|node| node.kind() == Some(&OpKind::Dispatch));
            of.map(|node| Tree::Class(node.children[0])).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let wrong = Rewrite { name: "padding-forget", equation: "Σ w x = x", numerics: Numerics::Reassociates, apply };
    let mut program = programs::Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let dispatched = program.dispatch(x, &routed);
    let mixed = program.combine(dispatched, &routed);
    program.output("y", mixed);
    let (region, saturated) = saturated(&program.graph, &[vec![&wrong]]);
    let found = check(&program.graph, &region, &saturated.terms, &batches()[0], TOLERANCE);
    assert!(found.as_ref().is_err_and(|found| found.ends_with("in row 0")), "{found:?}");
}
