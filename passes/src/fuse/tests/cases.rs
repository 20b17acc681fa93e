//! For every rewrite a program in which it finds something, and one that looks like it in which it must not.

use std::collections::BTreeSet;

use mom_dialect::graph::{Function, Graph, OpKind, ValueId};

use super::{
    numeric::saturated,
    programs::{Mixture, Program},
    reading::{Form, Query, Reading},
};
use crate::fuse::{rewrite::Rewrite, rewrites};

/// A rewrite, a program in which it fires, and one in which it does not.
pub(super) type Case = (&'static str, fn() -> Graph, fn() -> Graph);

pub(super) const CASES: &[Case] = &[
    ("neutral-drop", || arithmetic(Function::Mul, 1.0), || arithmetic(Function::Mul, 0.0)),
    // The sum of two zeros of different signs is not the first of them.
    ("neutral-drop", || arithmetic(Function::Add, -0.0), || arithmetic(Function::Add, 0.0)),
    ("zero-drop", || arithmetic(Function::Add, 0.0), || arithmetic(Function::Add, 1.0)),
    ("zero-drop", || arithmetic(Function::Sub, -0.0), || arithmetic(Function::Mul, 0.0)),
    ("neutral-drop", || arithmetic(Function::Div, 1.0), || arithmetic(Function::Max, 1.0)),
    // One divided by x is not x.
    ("neutral-drop", || arithmetic(Function::Sub, 0.0), || flipped(Function::Div, 1.0)),
    ("neutral-drop", || flipped(Function::Mul, 1.0), || flipped(Function::Sub, 0.0)),
    ("negation-cancel", || twice(Function::Neg), || twice(Function::Silu)),
    ("shared-state-as-memory", || Mixture::GATED_DELTA.program(), without_shared_state),
    ("shared-state-as-memory", || shared(true), || shared(false)),
    ("router-of-one", one_memory, || Mixture { top_k: 1, shared_state: false, ..Mixture::GATED_DELTA }.program()),
    ("dispatch-after-row-wise", || row_wise(Order::Dispatched, true), || row_wise(Order::Dispatched, false)),
    ("dispatch-before-row-wise", || row_wise(Order::Computed, true), || row_wise(Order::Embedded, true)),
    // A product is linear, silu is not.
    ("combine-before-linear", || combined(Order::Computed, Map::Product), || combined(Order::Computed, Map::Silu)),
    ("combine-before-linear", || combined(Order::Computed, Map::Factor), || combined(Order::Computed, Map::OwnFactor)),
    ("combine-after-linear", || combined(Order::Dispatched, Map::Product), || combined(Order::Dispatched, Map::Silu)),
    (
        "combine-after-linear",
        || combined(Order::Dispatched, Map::Factor),
        || combined(Order::Dispatched, Map::OwnFactor),
    ),
    ("scan-split", || Reading::of("simple_gla", Form::Scan), || Reading::of("simple_gla", Form::Alone)),
    // Along tokens a scan is zero at padding, and what is read there with a bonus is not.
    ("scan-split", || Reading::of("two_readings", Form::Scan), || Reading::of("mamba2_ssd", Form::AlongTokens)),
    ("scan-split", || Reading::of("rwkv6", Form::Scan), || Reading::of("gated_delta_rule", Form::Mixed)),
    ("scan-join", || Reading::of("gated_delta_rule", Form::Split), || Reading::of("gated_delta_rule", Form::Mixed)),
    ("scan-join", || Reading::of("two_readings", Form::Split), || Reading::of("rwkv6", Form::Torn)),
    ("scan-join", || Reading::of("rwkv6", Form::Split), || Reading::of("mamba2_ssd", Form::SplitAlongTokens)),
    ("scan-join", || Reading::of("linear_attn", Form::SplitAlongTokens), || Reading::of("gsa", Form::SplitAlongTokens)),
    ("combine-before-read", || Reading::of("simple_gla", Form::Split), || Reading::with(Query::Convolved, Form::Split)),
    (
        "combine-before-read",
        || Reading::of("gated_delta_rule", Form::Split),
        || Reading::with(Query::OfMemories, Form::Split),
    ),
    (
        "combine-before-read",
        || Reading::of("two_readings", Form::Split),
        || Reading::with(Query::OfOtherTokens, Form::Split),
    ),
    // Not linear in the states; linear, but for what the token adds.
    ("combine-before-read", || Reading::of("sum_of_two", Form::Split), || Reading::of("linear_attn_norm", Form::Split)),
    ("combine-before-read", || Reading::of("hgrn", Form::Split), || Reading::of("rwkv6", Form::Split)),
    ("combine-after-read", || Reading::of("simple_gla", Form::Mixed), || Reading::of("linear_attn_norm", Form::Mixed)),
    ("combine-after-read", || Reading::of("gated_delta_rule", Form::Mixed), || Reading::of("mamba2_ssd", Form::Mixed)),
    // Both states must be mixed by the same weights.
    (
        "combine-after-read",
        || Reading::of("sum_of_two", Form::Mixed),
        || Reading::of("sum_of_two", Form::MixedUnevenly),
    ),
    ("products-merge", || products(true), || products(false)),
    ("grouped-products-merge", || grouped_products(true), || grouped_products(false)),
    ("dispatch-fold", || folded(dispatched), || folded(normed)),
    ("combine-fold", || folded(mixed), || folded(dispatched)),
    ("norm-fold", || folded(normed), || folded(dispatched)),
    ("elementwise-fold", || folded(doubled), || folded(normed)),
    ("conv-fold", || Mixture::GATED_DELTA.program(), || folded(doubled)),
    ("product-fold", || folded(projected), || folded(dispatched)),
    ("router-fold", || folded(mixed), || folded(doubled)),
];

/// How often a rewrite alone finds something new.
fn uses(rewrite: &Rewrite, graph: &Graph) -> usize {
    saturated(graph, &[vec![rewrite]]).1.uses[0]
}

#[test]
fn rewrites_fire_where_they_should_and_nowhere_else() {
    for (name, fires, does_not) in CASES {
        let rewrite = rewrites::all().find(|rewrite| rewrite.name == *name);
        let rewrite = rewrite.unwrap_or_else(|| panic!("there is no rewrite `{name}`"));
        assert_ne!(uses(rewrite, &fires()), 0, "{name} finds nothing");
        assert_eq!(uses(rewrite, &does_not()), 0, "{name} finds something where it must not");
    }
}

#[test]
fn every_rewrite_has_a_case_and_a_name_of_its_own() {
    let names: Vec<&str> = rewrites::all().map(|rewrite| rewrite.name).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    assert_eq!(distinct, CASES.iter().map(|(name, ..)| *name).collect());
}

/// `f(x, c)`
fn arithmetic(function: Function, constant: f64) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let constant = program.constant(constant);
    let y = program.function(function, &[x, constant]);
    program.output("y", y);
    program.graph
}

/// `f(c, x)`
fn flipped(function: Function, constant: f64) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let constant = program.constant(constant);
    let y = program.function(function, &[constant, x]);
    program.output("y", y);
    program.graph
}

/// `f(f(x))`
fn twice(function: Function) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let once = program.function(function, &[x]);
    let y = program.function(function, &[once]);
    program.output("y", y);
    program.graph
}

fn without_shared_state() -> Graph {
    Mixture { shared_state: false, ..Mixture::GATED_DELTA }.program()
}

fn one_memory() -> Graph {
    Mixture { memories: 1, top_k: 1, shared_state: false, ..Mixture::GATED_DELTA }.program()
}

/// A mixture and what all tokens have beside it, which is zero at padding, as a mixture is, or not.
fn shared(zero_at_padding: bool) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let own = program.dispatch(x, &routed);
    let mixed = program.combine(own, &routed);
    let beside = if zero_at_padding { program.function(Function::Mul, &[mixed, mixed]) } else { x };
    let y = program.function(Function::Add, &[mixed, beside]);
    program.output("y", y);
    program.graph
}

/// What comes first: a function, or dispatch or combine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Dispatched,
    Computed,
    /// Nothing but a look-up comes before the dispatch.
    Embedded,
}

/// A norm before or after a dispatch; of two operands that are dispatched in one way or in different ones.
fn row_wise(order: Order, alike: bool) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let y = match order {
        Order::Embedded => program.dispatch(x, &routed),
        Order::Computed => {
            let normed = program.norm(x, "norm", &["model"]);
            program.dispatch(normed, &routed)
        }
        Order::Dispatched => {
            let other = program.norm(x, "other", &["model"]);
            let routed_otherwise = program.route(other, 3, 2);
            let own = program.dispatch(x, &routed);
            let beside = program.dispatch(other, if alike { &routed } else { &routed_otherwise });
            program.function(Function::Add, &[own, beside])
        }
    };
    program.output("y", y);
    program.graph
}

/// What is done to rows: a product with a weight, one with a factor that all rows share, one with a factor of each row,
/// a function that is not linear.
#[derive(Clone, Copy)]
enum Map {
    Product,
    Factor,
    OwnFactor,
    Silu,
}

fn combined(order: Order, map: Map) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let own = program.dispatch(x, &routed);
    let mapped = |program: &mut Program, value: ValueId| match map {
        Map::Product => program.linear(value, "weight", &["hidden", "model"]),
        Map::Factor => {
            let factor = program.param("factor", &["model"]);
            program.function(Function::Mul, &[factor, value])
        }
        Map::OwnFactor => program.function(Function::Mul, &[value, value]),
        Map::Silu => program.function(Function::Silu, &[value]),
    };
    let y = match order {
        Order::Computed => {
            let value = mapped(&mut program, own);
            program.combine(value, &routed)
        }
        _ => {
            let value = program.combine(own, &routed);
            mapped(&mut program, value)
        }
    };
    program.output("y", y);
    program.graph
}

/// Products of one value, or of two.
fn products(of_one: bool) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let active = program.function(Function::Silu, &[x]);
    let first = program.linear(x, "first", &["hidden", "model"]);
    let second = program.linear(if of_one { x } else { active }, "second", &["value", "model"]);
    program.output("first", first);
    program.output("second", second);
    program.graph
}

/// Products of one routed value with the weights of its memories; or of two values.
fn grouped_products(of_one: bool) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let own = program.dispatch(x, &routed);
    let active = program.function(Function::Silu, &[own]);
    let first = program.grouped(own, &routed, "first", &["hidden", "model"]);
    let second = program.grouped(if of_one { own } else { active }, &routed, "second", &["value", "model"]);
    program.output("first", first);
    program.output("second", second);
    program.graph
}

/// `silu` of something: `of` makes it from hidden states.
fn folded(of: fn(&mut Program, ValueId) -> ValueId) -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let value = of(&mut program, x);
    let y = program.function(Function::Silu, &[value]);
    program.output("y", y);
    program.graph
}

fn normed(program: &mut Program, x: ValueId) -> ValueId {
    program.one(OpKind::L2Norm { eps: 1e-6 }, &[x])
}

fn doubled(program: &mut Program, x: ValueId) -> ValueId {
    program.function(Function::Add, &[x, x])
}

fn projected(program: &mut Program, x: ValueId) -> ValueId {
    program.linear(x, "weight", &["hidden", "model"])
}

fn dispatched(program: &mut Program, x: ValueId) -> ValueId {
    let routed = program.route(x, 3, 2);
    program.dispatch(x, &routed)
}

fn mixed(program: &mut Program, x: ValueId) -> ValueId {
    let routed = program.route(x, 3, 2);
    let own = program.dispatch(x, &routed);
    program.combine(own, &routed)
}
