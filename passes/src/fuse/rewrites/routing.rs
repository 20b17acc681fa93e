//! Routing: the shared state as one more memory, and a mixture of one memory as that memory alone.

use egg::Id;
use mom_dialect::{
    graph::{Function, OpKind},
    shape::{Extent, Type},
};

use super::matching::{self, Made, Routing, makers, operations, outputs, readers, result_of, type_of};
use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Head, Node, Terms, Tree},
};

pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        name: "shared-state-as-memory",
        equation: "Σ w x[slot] + s = Σ w' (x, s)[slot'], and (f(x), f(y)) = f((x, y)) down to one scan",
        // Sums over choices are in the order of choices, of which the shared state is the last, and its weight is 1.
        numerics: Numerics::Exact,
        apply: |terms, _, node| match (&node.head, node.kind()) {
            (_, Some(OpKind::Elementwise(Function::Add))) => shared_choice(terms, node),
            (_, Some(OpKind::Append)) => append_inwards(terms, node),
            (&Head::Result(result), _) => states_of_joint(terms, node.children[0], result),
            _ => Vec::new(),
        },
    },
    Rewrite {
        name: "router-of-one",
        equation: "scan(x[permutation])[slot] = scan(x), where there is one memory",
        // The weight of the only choice is p / p.
        numerics: Numerics::Exact,
        apply: |terms, _, node| match (&node.head, node.kind()) {
            (_, Some(OpKind::Combine)) => combined_alone(terms, node),
            (&Head::Result(result), _) => states_alone(terms, node.children[0], result),
            _ => Vec::new(),
        },
    },
];

/// `combine(x, slot, w) + s` with the shared state as the last choice of every token. Padding of `s` must be zero, as
/// that of what is combined is.
fn shared_choice(terms: &Terms, node: &Node) -> Vec<Tree> {
    let &[a, b] = &node.children[..] else { return Vec::new() };
    let mut trees = Vec::new();
    for (mixed, shared) in [(a, b), (b, a)] {
        if !terms[shared].data.zero_at_padding || type_of(terms, mixed) != type_of(terms, shared) {
            continue;
        }
        for made in makers(terms, mixed).iter().filter(|made| *made.kind == OpKind::Combine) {
            let &[routed, slot, weight] = &made.node.children[..] else { continue };
            let Some(routing) = Routing::of_slots(terms, slot).filter(|routing| !routing.shared_state) else {
                continue;
            };
            if result_of(terms, routing.router, 1) != Some(terms.find(weight)) {
                continue;
            }
            let kind = OpKind::Router { top_k: routing.top_k, shared_state: true };
            let router = Tree::op(kind, [Tree::Class(routing.logits)]);
            let selected = Tree::result(0, router.clone());
            let sorted = [selected, Tree::Class(routing.position), Tree::Class(routing.cu_seqlens)];
            let sort = Tree::op(OpKind::Sort { memories: routing.memories + 1 }, sorted);
            let next_slot = Tree::result(1, sort);
            let appended = [Tree::Class(routed), Tree::Class(slot), Tree::Class(shared), next_slot.clone()];
            let operands = [Tree::op(OpKind::Append, appended), next_slot, Tree::result(1, router)];
            trees.push(Tree::op(OpKind::Combine, operands));
        }
    }
    trees
}

/// A routed stream, and the same with the tokens of the shared state behind it.
struct Joined {
    apart: Routing,
    joint: Routing,
    slot: Id,
    next_slot: Id,
}

impl Joined {
    fn of_slots(terms: &Terms, slot: Id, next_slot: Id) -> Option<Joined> {
        let (apart, joint) = (Routing::of_slots(terms, slot)?, Routing::of_slots(terms, next_slot)?);
        let expected = Routing {
            sort: joint.sort,
            router: joint.router,
            memories: apart.memories + 1,
            shared_state: true,
            ..apart
        };
        (joint == expected && !apart.shared_state).then_some(Joined { apart, joint, slot, next_slot })
    }

    fn segments(&self) -> Tree {
        Tree::result(2, Tree::Class(self.joint.sort))
    }

    fn dispatch(&self, tokens: Id) -> Tree {
        let sort = || Tree::Class(self.joint.sort);
        Tree::op(OpKind::Dispatch, [Tree::Class(tokens), Tree::result(0, sort()), Tree::result(2, sort())])
    }

    /// An operand of both streams in the joint one: a value without rows is the same in both.
    fn operand(&self, terms: &Terms, routed: Id, tokens: Id) -> Option<Tree> {
        let (routed, tokens) = (terms.find(routed), terms.find(tokens));
        let (of_routed, of_tokens) = (type_of(terms, routed)?, type_of(terms, tokens)?);
        match (of_routed.rows(), of_tokens.rows()) {
            (None, None) => (routed == tokens).then_some(Tree::Class(routed)),
            (Some(_), Some(Extent::TOKENS)) if self.apart.before_dispatch(terms, routed) == Some(tokens) => {
                Some(self.dispatch(tokens))
            }
            (Some(_), Some(Extent::TOKENS)) if self.fits(of_routed, of_tokens) => {
                let slots = [self.slot, self.next_slot].map(Tree::Class);
                let [slot, next_slot] = slots;
                Some(Tree::op(OpKind::Append, [Tree::Class(routed), slot, Tree::Class(tokens), next_slot]))
            }
            _ => None,
        }
    }

    /// Whether two types are those of a routed stream and of tokens that can be appended to it.
    fn fits(&self, routed: &Type, tokens: &Type) -> bool {
        routed.dtype == tokens.dtype
            && *tokens == Type::f32(tokens.axes.clone())
            && routed.rows() == Some(Extent::TOKENS.times(self.apart.top_k))
            && routed.axes[1..] == tokens.axes[1..]
    }

    /// One operation for the two that do the same in either stream.
    fn operation(&self, terms: &Terms, routed: &Made<'_>, tokens: &Made<'_>) -> Option<Tree> {
        let (own, other) = (&routed.node.children, &tokens.node.children);
        let pair = |place: usize| self.operand(terms, *own.get(place)?, *other.get(place)?);
        match (routed.kind, tokens.kind) {
            (OpKind::GroupedLinear, OpKind::Linear) => {
                let (&[x, segments, ref weights @ ..], &[tokens, weight]) = (&own[..], &other[..]) else { return None };
                let fits = weights.len() == self.apart.memories && self.apart.is_sorted(terms, segments, 2);
                let alike = type_of(terms, *weights.first()?) == type_of(terms, weight);
                let x = self.operand(terms, x, tokens).filter(|_| fits && alike)?;
                let weights = weights.iter().copied().chain([weight]).map(Tree::Class);
                Some(Tree::op(OpKind::GroupedLinear, [x, self.segments()].into_iter().chain(weights)))
            }
            (own_kind, other_kind) if own_kind != other_kind => None,
            (kind, _) if matching::is_row_wise(routed.node) && own.len() == other.len() => {
                let operands: Option<Vec<Tree>> = (0..own.len()).map(pair).collect();
                Some(Tree::op(kind.clone(), operands?))
            }
            (kind, _) => {
                // Inputs and parameters, states, then the segments and, among the tokens, their positions.
                let states = self.states(terms, kind)?;
                let segments = own.len().checked_sub(1)?;
                let before = segments.checked_sub(states)?;
                let &[cu_seqlens, position] = other.get(segments..)? else { return None };
                let in_order = self.apart.is_sorted(terms, own[segments], 2)
                    && terms.find(cu_seqlens) == self.apart.cu_seqlens
                    && terms.find(position) == self.apart.position;
                let operands: Option<Vec<Tree>> = (0..before).map(pair).collect();
                let mut operands = operands.filter(|_| in_order)?;
                for place in before..segments {
                    let both = [own[place], other[place]].map(Tree::Class);
                    operands.push(Tree::op(OpKind::JoinMemories, both));
                }
                operands.push(self.segments());
                Some(Tree::op(kind.clone(), operands))
            }
        }
    }

    /// How many states an operation has that advances some.
    fn states(&self, terms: &Terms, kind: &OpKind) -> Option<usize> {
        match kind {
            OpKind::ShortConv => Some(1),
            OpKind::Scan { update_rule } => Some(terms.analysis.graph.update_rule(update_rule)?.states.len()),
            _ => None,
        }
    }
}

/// `append(f(x), f(y)) = f(append(x, y))`
fn append_inwards(terms: &Terms, node: &Node) -> Vec<Tree> {
    let &[routed, slot, tokens, next_slot] = &node.children[..] else { return Vec::new() };
    let Some(joined) = Joined::of_slots(terms, slot, next_slot) else { return Vec::new() };
    let mut trees = Vec::new();
    if joined.apart.before_dispatch(terms, routed) == Some(terms.find(tokens)) {
        trees.push(joined.dispatch(tokens));
    }
    for own in makers(terms, routed) {
        for other in makers(terms, tokens).iter().filter(|other| other.result == own.result) {
            let operation = joined.operation(terms, &own, other);
            trees.extend(operation.map(|operation| own.picked(terms, operation)));
        }
    }
    trees
}

/// A state after an operation whose outputs were appended to another's, or the other's to its: a part of the state after
/// the one for both.
fn states_of_joint(terms: &Terms, operation: Id, result: usize) -> Vec<Tree> {
    let operation = terms.find(operation);
    let mut trees = Vec::new();
    for own in operations(terms, operation, result) {
        let Some(outputs) = outputs(terms, own.kind).filter(|&outputs| outputs <= result) else { continue };
        for output in (0..outputs).filter_map(|output| result_of(terms, operation, output)) {
            for append in readers(terms, output).filter(|reader| reader.kind() == Some(&OpKind::Append)) {
                let &[routed, slot, tokens, next_slot] = &append.children[..] else { continue };
                let Some(joined) = Joined::of_slots(terms, slot, next_slot) else { continue };
                let (side, other) = if terms.find(routed) == output { (0, tokens) } else { (1, routed) };
                for other in makers(terms, other)
                    .iter()
                    .filter(|other| result_of(terms, operation, other.result) == Some(output))
                {
                    let both = if side == 0 { [&own, other] } else { [other, &own] };
                    let Some(joint) = joined.operation(terms, both[0], both[1]) else { continue };
                    trees.push(Tree::result(side, Tree::op(OpKind::SplitMemories, [Tree::result(result, joint)])));
                }
            }
        }
    }
    trees
}

/// The routing of a stream to the only memory there is.
fn alone(routing: Option<Routing>) -> Option<Routing> {
    routing.filter(|routing| routing.memories == 1 && routing.top_k == 1 && !routing.shared_state)
}

/// What a mixture of one memory reads: what that memory reads, token by token.
fn combined_alone(terms: &Terms, node: &Node) -> Vec<Tree> {
    let &[routed, slot, weight] = &node.children[..] else { return Vec::new() };
    let Some(routing) = alone(Routing::of_slots(terms, slot)) else { return Vec::new() };
    if result_of(terms, routing.router, 1) != Some(terms.find(weight)) {
        return Vec::new();
    }
    let read = makers(terms, routed).into_iter().filter_map(|made| {
        let operation = advanced_alone(terms, &routing, &made, &mut Vec::new())?;
        Some(made.picked(terms, operation))
    });
    read.collect()
}

/// The states after an operation over the stream of the only memory.
fn states_alone(terms: &Terms, operation: Id, result: usize) -> Vec<Tree> {
    let of_states = |made: &Made<'_>| outputs(terms, made.kind).is_some_and(|outputs| outputs <= result);
    let advanced = operations(terms, operation, result).filter(of_states).filter_map(|made| {
        let segments = *made.node.children.last()?;
        let routing = alone(Routing::of_segments(terms, segments))?;
        Some(Tree::result(result, advanced_alone(terms, &routing, &made, &mut Vec::new())?))
    });
    advanced.collect()
}

/// An operation that advances states along the stream of the only memory, along the tokens instead. It skips padding.
fn advanced_alone(terms: &Terms, routing: &Routing, made: &Made<'_>, open: &mut Vec<Id>) -> Option<Tree> {
    outputs(terms, made.kind)?;
    let (&segments, operands) = made.node.children.split_last()?;
    if !routing.is_sorted(terms, segments, 2) {
        return None;
    }
    let operands: Option<Vec<Tree>> =
        operands.iter().map(|&operand| of_tokens(terms, routing, operand, open)).collect();
    let along = [routing.cu_seqlens, routing.position].map(Tree::Class);
    Some(Tree::op(made.kind.clone(), operands?.into_iter().chain(along)))
}

/// A value of the tokens that has in each row that is no padding what the routed value has in that token's row. Rows of
/// padding may be anything, so this is no equal of the class.
fn of_tokens(terms: &Terms, routing: &Routing, class: Id, open: &mut Vec<Id>) -> Option<Tree> {
    let class = terms.find(class);
    if matching::rows(terms, class) != Some(Extent::TOKENS) {
        return Some(Tree::Class(class));
    }
    if let Some(x) = routing.before_dispatch(terms, class) {
        return Some(Tree::Class(x));
    }
    if open.contains(&class) {
        return None;
    }
    open.push(class);
    let tree = makers(terms, class).into_iter().find_map(|made| {
        let operation = match (made.kind, &made.node.children[..]) {
            (OpKind::GroupedLinear, &[x, segments, ref weights @ ..]) if routing.is_sorted(terms, segments, 2) => {
                let x = of_tokens(terms, routing, x, open)?;
                Tree::op(OpKind::Linear, [x].into_iter().chain(weights.iter().copied().map(Tree::Class)))
            }
            (kind, operands) if matching::is_row_wise(made.node) => {
                let operands = operands.iter().map(|&operand| of_tokens(terms, routing, operand, open));
                Tree::op(kind.clone(), operands.collect::<Option<Vec<Tree>>>()?)
            }
            _ => advanced_alone(terms, routing, &made, open)?,
        };
        Some(made.picked(terms, operation))
    });
    open.pop();
    tree
}
