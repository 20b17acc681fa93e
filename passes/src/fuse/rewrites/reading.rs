//! Reading: a token's memories mixed after each was read, or mixed first and read once (arXiv 2502.13685).
//!
//! A scan is split into the states of each row and what is read of them, where a mixture follows. Mixing comes before
//! reading if reading is linear in the states and all choices of a token read alike: a query that was convolved along the
//! routed stream, or projected by the memory, differs from choice to choice. Weights are any numbers, so what is added
//! to a reading, as the bonus of a token, must not be there. No native kernel stores the states of each row, so a program
//! that mixes first costs infinitely much and is never chosen.

use egg::Id;
use mom_dialect::{
    graph::{Function, OpKind, UpdateRule},
    shape::Extent,
    split::Split,
};

use super::matching::{Made, Routing, makers, operations, readers, rows};
use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Head, Node, Terms, Tree},
};

pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        name: "scan-split",
        equation: "scan(x, M) = read(x, states(x, M)), where a mixture of it follows",
        numerics: Numerics::Exact,
        apply: scan_split,
    },
    Rewrite {
        name: "scan-join",
        equation: "read(x, states(x, M)) = scan(x, M)",
        numerics: Numerics::Exact,
        apply: scan_join,
    },
    Rewrite {
        name: "combine-before-read",
        equation: "Σ w read(q[permutation], M)[slot] = read(q, Σ w M[slot])",
        numerics: Numerics::Reassociates,
        apply: combine_before,
    },
    Rewrite {
        name: "combine-after-read",
        equation: "read(q, Σ w M[slot]) = Σ w read(q[permutation], M)[slot]",
        numerics: Numerics::Reassociates,
        apply: combine_after,
    },
];

fn scan_split(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    let mixes = |reader: &Node| {
        let mixed = reader.children.first().is_some_and(|&mixed| terms.find(mixed) == class);
        mixed && reader.kind() == Some(&OpKind::Combine)
    };
    let Head::Result(result) = node.head else { return Vec::new() };
    if !readers(terms, class).any(mixes) {
        return Vec::new();
    }
    operations(terms, node.children[0], result).filter_map(|made| split(terms, &made)).collect()
}

/// An output of a scan as what is read of its states.
fn split(terms: &Terms, made: &Made<'_>) -> Option<Tree> {
    let OpKind::Scan { update_rule } = made.kind else { return None };
    let rule = terms.analysis.graph.update_rule(update_rule)?;
    let Split { advance, reading } = rule.split();
    let given = rule.inputs.len() + rule.parameters.len();
    let (given, rest) = made.node.children.split_at_checked(given)?;
    // Along tokens a scan gives zero at padding, whatever is read of no state there.
    Routing::of_segments(terms, *rest.get(rule.states.len())?)?;
    if made.result >= rule.outputs.len() || advance.inputs.is_empty() || advance.outputs.is_empty() {
        return None;
    }
    let of_scan = |part: &UpdateRule| -> Vec<Tree> {
        let ports = rule.inputs.iter().chain(&rule.parameters).zip(given);
        let kept = ports.filter(|(port, _)| own(part).any(|name| name == port.name));
        kept.map(|(_, &operand)| Tree::Class(operand)).collect()
    };
    let advanced = of_scan(&advance).into_iter().chain(rest.iter().copied().map(Tree::Class));
    let states = Tree::op(OpKind::ScanStates { update_rule: update_rule.clone() }, advanced);
    let states = (0..advance.outputs.len()).map(|state| result(&advance, state, states.clone()));
    let operands = of_scan(&reading).into_iter().chain(states);
    Some(result(&reading, made.result, Tree::op(OpKind::ReadStates { update_rule: update_rule.clone() }, operands)))
}

/// The names of the inputs and parameters that a part of an update rule takes.
fn own(part: &UpdateRule) -> impl Iterator<Item = &str> {
    part.inputs.iter().chain(&part.parameters).map(|port| &port.name[..])
}

/// An output of an operation with a result for each output of an update rule.
fn result(rule: &UpdateRule, output: usize, operation: Tree) -> Tree {
    if rule.outputs.len() == 1 { operation } else { Tree::result(output, operation) }
}

/// What is read of states of each row.
struct Read<'a> {
    update_rule: &'a str,
    split: Split,
    /// Inputs and parameters, then the states.
    operands: &'a [Id],
    /// Which output it is.
    output: usize,
}

impl<'a> Read<'a> {
    fn of(terms: &'a Terms, made: Made<'a>) -> Option<Read<'a>> {
        let OpKind::ReadStates { update_rule } = made.kind else { return None };
        let split = terms.analysis.graph.update_rule(update_rule)?.split();
        Some(Read { update_rule, split, operands: &made.node.children, output: made.result })
    }

    /// The readings that a node of a class is, which is one value and no operation with several.
    fn all(terms: &'a Terms, class: Id, node: &'a Node) -> Vec<Read<'a>> {
        let made: Vec<Made<'_>> = match (&node.head, node.kind()) {
            (&Head::Result(result), _) => operations(terms, node.children[0], result).collect(),
            (_, Some(kind)) if terms[class].data.ty().is_some() => vec![Made { kind, node, class, result: 0 }],
            _ => Vec::new(),
        };
        made.into_iter().filter_map(|made| Read::of(terms, made)).collect()
    }

    fn states(&self) -> &'a [Id] {
        let given = self.operands.len().saturating_sub(self.split.reading.states.len());
        &self.operands[given..]
    }

    /// The same read of other operands: of what `given` makes of those with rows that are no state, and `state` of those
    /// that are.
    fn over(
        &self,
        terms: &Terms,
        given: impl Fn(Id) -> Option<Tree>,
        state: impl Fn(Id) -> Option<Tree>,
    ) -> Option<Tree> {
        let first = self.operands.len() - self.states().len();
        let operands = self.operands.iter().enumerate().map(|(place, &operand)| match place < first {
            true if rows(terms, operand).is_none() => Some(Tree::Class(operand)),
            true => given(operand),
            false => state(operand),
        });
        let kind = OpKind::ReadStates { update_rule: self.update_rule.to_owned() };
        let read = Tree::op(kind, operands.collect::<Option<Vec<Tree>>>()?);
        Some(result(&self.split.reading, self.output, read))
    }

    /// Whether the output of `Σ w M` is `Σ w` of the outputs of each `M`, all else being the same.
    fn is_linear(&self) -> bool {
        let reading = &self.split.reading;
        let places = linearity(reading);
        reading.read.get(self.output).is_some_and(|read| places.get(read.index()) == Some(&Linearity::Linear))
    }
}

/// How a value of an update rule depends on the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linearity {
    /// Not, nor on inputs: it is the same for all tokens.
    Fixed,
    /// Not on states, but on inputs.
    Given,
    /// It is a linear map of all states together, without a constant.
    Linear,
    Other,
}

/// What each value of an update rule is.
fn linearity(rule: &UpdateRule) -> Vec<Linearity> {
    use Linearity::{Fixed, Given, Linear, Other};
    let mut values = vec![Other; rule.body.value_count()];
    let (inputs, parameters) = (rule.inputs.len(), rule.parameters.len());
    for (place, argument) in rule.body.arguments().into_iter().enumerate() {
        let kind = if place < inputs { Given } else { Fixed };
        values[argument.index()] = if place < inputs + parameters { kind } else { Linear };
    }
    for op in &rule.body.ops {
        let operands: Vec<Linearity> = op.operands.iter().map(|operand| values[operand.index()]).collect();
        let found = match (&op.kind, &operands[..]) {
            (_, operands) if operands.iter().all(|&operand| operand == Fixed) => Fixed,
            (_, operands) if operands.iter().all(|operand| matches!(operand, Fixed | Given)) => Given,
            (OpKind::Elementwise(Function::Neg), [Linear]) => Linear,
            (OpKind::Elementwise(Function::Add | Function::Sub), [Linear, Linear]) => Linear,
            (OpKind::Elementwise(Function::Mul) | OpKind::Contract, [Linear, Fixed | Given]) => Linear,
            (OpKind::Elementwise(Function::Mul) | OpKind::Contract, [Fixed | Given, Linear]) => Linear,
            // What is read of padding must be zero, as its mixture is; a divisor of its own could be zero too.
            (OpKind::Elementwise(Function::Div), [Linear, Fixed]) => Linear,
            (OpKind::Sum { .. } | OpKind::Slice { .. }, [Linear]) => Linear,
            (OpKind::Place { .. } | OpKind::Relabel { .. }, [Linear]) => Linear,
            _ => Other,
        };
        for result in &op.results {
            values[result.index()] = found;
        }
    }
    values
}

fn scan_join(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    let mut trees = Vec::new();
    for read in Read::all(terms, class, node) {
        let Some(&first) = read.states().first() else { continue };
        for made in makers(terms, first).iter().filter(|made| made.result == 0) {
            trees.extend(joined(terms, &read, made));
        }
    }
    trees
}

/// What is read of all the states that `states` makes, as an output of the scan.
fn joined(terms: &Terms, read: &Read<'_>, states: &Made<'_>) -> Option<Tree> {
    let OpKind::ScanStates { update_rule } = states.kind else { return None };
    let rule = terms.analysis.graph.update_rule(update_rule)?;
    let of_states = |(number, &state): (usize, &Id)| {
        makers(terms, state).iter().any(|made| made.class == states.class && made.result == number)
    };
    if update_rule != read.update_rule || !read.states().iter().enumerate().all(of_states) {
        return None;
    }
    let Split { advance, reading } = &read.split;
    let given = own(advance).count();
    let (advanced, rest) = states.node.children.split_at_checked(given)?;
    let is_routed = Routing::of_segments(terms, *rest.get(rule.states.len())?).is_some();
    if !is_routed && !read.is_linear() {
        return None;
    }
    // What both parts take must be the same.
    let of_reading = own(reading).zip(read.operands);
    let known: Vec<(&str, Id)> =
        own(advance).zip(advanced).chain(of_reading).map(|(name, &operand)| (name, terms.find(operand))).collect();
    let operand = |name: &str| {
        let mut found = known.iter().filter(|(known, _)| *known == name).map(|&(_, operand)| operand);
        let first = found.next()?;
        found.all(|other| other == first).then_some(Tree::Class(first))
    };
    let operands: Option<Vec<Tree>> = own(rule).map(operand).collect();
    let operands = operands?.into_iter().chain(rest.iter().copied().map(Tree::Class));
    Some(Tree::result(read.output, Tree::op(OpKind::Scan { update_rule: update_rule.clone() }, operands)))
}

fn combine_before(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let (Some(OpKind::Combine), &[x, slot, weight]) = (node.kind(), &node.children[..]) else { return Vec::new() };
    let Some(routing) = Routing::of_slots(terms, slot) else { return Vec::new() };
    let of_tokens = |operand: Id| routing.before_dispatch(terms, operand).map(Tree::Class);
    let combined = |state: Id| Some(Tree::op(OpKind::Combine, [state, slot, weight].map(Tree::Class)));
    let read = makers(terms, x).into_iter().filter_map(|made| Read::of(terms, made)).filter(Read::is_linear);
    read.filter_map(|read| read.over(terms, of_tokens, combined)).collect()
}

fn combine_after(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    let mut trees = Vec::new();
    for read in Read::all(terms, class, node).into_iter().filter(Read::is_linear) {
        let Some(&first) = read.states().first() else { continue };
        for (_, slot, weight) in combines(terms, first) {
            let Some(routing) = Routing::of_slots(terms, slot) else { continue };
            let sort = || Tree::Class(routing.sort);
            let dispatched = |operand: Id| {
                let operands = [Tree::Class(operand), Tree::result(0, sort()), Tree::result(2, sort())];
                (rows(terms, operand) == Some(Extent::TOKENS)).then(|| Tree::op(OpKind::Dispatch, operands))
            };
            let of_choices = |state: Id| {
                let mut all = combines(terms, state).into_iter();
                let (x, ..) = all.find(|&(_, other, by)| (other, by) == (slot, weight))?;
                Some(Tree::Class(x))
            };
            if let Some(read) = read.over(terms, dispatched, of_choices) {
                trees.push(Tree::op(OpKind::Combine, [read, Tree::Class(slot), Tree::Class(weight)]));
            }
        }
    }
    trees
}

/// Each stream that a class is the mixture of, with the slots and the weights.
fn combines(terms: &Terms, class: Id) -> Vec<(Id, Id, Id)> {
    let made = makers(terms, class).into_iter().filter(|made| *made.kind == OpKind::Combine);
    made.filter_map(|made| match made.node.children[..] {
        [x, slot, weight] => Some((terms.find(x), terms.find(slot), terms.find(weight))),
        _ => None,
    })
    .collect()
}
