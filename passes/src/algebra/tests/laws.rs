//! Every rewrite against numbers, by itself and in the e-graphs of the rules that ship, and every proof.

use std::collections::BTreeMap;

use egg::{Extractor, Id, Language, RecExpr};
use mom_dialect::graph::Function;

use super::{
    super::{
        import,
        rewrites::{Condition, LAWS, rewrites},
        saturate,
        term::{Index, Leaf, Symbol, Term},
    },
    Numbers, shipped,
};

/// The size of every axis here.
const SIZE: usize = 2;

/// An entry for each axis.
type At = BTreeMap<u32, usize>;

/// A number in (-1, 1) for each entry of each leaf.
fn entry(leaf: &Leaf, at: &At) -> f64 {
    let places: Vec<usize> = leaf
        .indices
        .iter()
        .map(|index| match index {
            Index::Axis(axis) => at.get(axis).copied().unwrap_or(0),
            Index::Entry(entry) => *entry,
            Index::Bound { .. } => 0,
        })
        .collect();
    match leaf.symbol {
        Symbol::Head => 3.0,
        Symbol::OneAt(entry) => f64::from(places[0] == entry),
        Symbol::Identity => f64::from(places[0] == places[1]),
        Symbol::Given(number) | Symbol::Read(number) => draw(number, 1, &places),
        Symbol::State(number) => draw(number, 2, &places),
    }
}

fn draw(number: u32, kind: u64, places: &[usize]) -> f64 {
    let seed = places.iter().fold(u64::from(number) * 31 + kind, |seed, &place| seed * 131 + place as u64 + 7);
    let mut numbers = Numbers(seed);
    numbers.next();
    numbers.next()
}

fn value(terms: &RecExpr<Term>, id: Id, at: &At) -> f64 {
    let of = |id: Id| value(terms, id, at);
    let axis = |id: Id| match &terms[id] {
        Term::Index(Index::Axis(axis)) => *axis,
        Term::Index(Index::Entry(entry)) => *entry as u32,
        other => panic!("{other} is no index"),
    };
    let with = |axis: u32, entry: usize, id: Id| {
        let mut at = at.clone();
        at.insert(axis, entry);
        value(terms, id, &at)
    };
    match &terms[id] {
        Term::Number(number) => number.0,
        Term::Index(_) => 0.0,
        Term::Leaf(leaf) => entry(leaf, at),
        Term::Add([a, b]) => of(*a) + of(*b),
        Term::Sub([a, b]) => of(*a) - of(*b),
        Term::Mul([a, b]) => of(*a) * of(*b),
        Term::Div([a, b]) => of(*a) / of(*b),
        Term::Neg(x) => -of(*x),
        Term::Sum([i, x]) => (0..SIZE).map(|entry| with(axis(*i), entry, *x)).sum(),
        Term::Softmax([i, x]) => of(*x).exp() / (0..SIZE).map(|entry| with(axis(*i), entry, *x).exp()).sum::<f64>(),
        Term::Entry([i, entry, x]) => with(axis(*i), axis(*entry) as usize % SIZE, *x),
        Term::Solve([.., matrix, vector]) => of(*matrix) + 2.0 * of(*vector),
        Term::Call(call, x) => {
            let x: Vec<f64> = x.iter().map(|&x| of(x)).collect();
            match call.0 {
                Function::Exp => x[0].exp(),
                Function::Sigmoid => 1.0 / (1.0 + (-x[0]).exp()),
                Function::Silu => x[0] / (1.0 + (-x[0]).exp()),
                Function::Softplus => x[0].exp().ln_1p(),
                Function::Sqrt => x[0].sqrt(),
                Function::Log => x[0].ln(),
                Function::Max => x[0].max(x[1]),
                Function::Min => x[0].min(x[1]),
                Function::Less => f64::from(x[0] < x[1]),
                other => panic!("`{}` has a term of its own", other.name()),
            }
        }
    }
}

fn root(terms: &RecExpr<Term>) -> Id {
    Id::from(terms.as_ref().len() - 1)
}

/// Compares two terms at all entries of some axes.
fn agree(left: &RecExpr<Term>, right: &RecExpr<Term>, what: &str) {
    for number in 0..16_usize {
        let at: At = (0..4_u32).map(|axis| (axis, number >> axis & 1)).collect();
        let (a, b) = (value(left, root(left), &at), value(right, root(right), &at));
        let close = (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3);
        assert!(close || a.is_nan() && b.is_nan(), "{what}: {left} is {a}, {right} is {b}");
    }
}

#[test]
fn every_rewrite_holds_for_random_tensors() {
    let mut numbers = Numbers(3);
    for law in LAWS {
        for _ in 0..50 {
            let mut left = law.left.to_owned();
            let mut right = law.right.to_owned();
            // The summed axis is number 0.
            for (at, variable) in ["?a", "?b", "?c", "?m", "?i"].into_iter().enumerate() {
                let without = law.conditions.iter().any(|c| matches!(c, Condition::Without(x, _) if *x == variable));
                let state = law.conditions.contains(&Condition::State(variable));
                let axes = (u32::from(without)..3).filter(|_| numbers.next() > 0.0);
                let axes: String = axes.map(|axis| format!("@{axis}")).collect();
                let leaf = match variable {
                    "?i" => "@0".to_owned(),
                    _ if state => format!("(* x{at}{axes} m{at}{axes})"),
                    _ => format!("x{at}{axes}"),
                };
                left = left.replace(variable, &leaf);
                right = right.replace(variable, &leaf);
            }
            let parse = |text: &str| text.parse::<RecExpr<Term>>().unwrap_or_else(|error| panic!("{text}: {error}"));
            agree(&parse(&left), &parse(&right), law.name);
        }
    }
}

#[test]
fn all_terms_of_a_class_are_equal() {
    for (name, rule) in shipped() {
        let imported = import::import(&rule).expect("a rule that ships");
        for stage in saturate::saturate(&imported, false).stages {
            let extractor = Extractor::new(&stage.egraph, egg::AstSize);
            for class in stage.egraph.classes() {
                let best = extractor.find_best(class.id).1;
                for term in &class.nodes {
                    agree(&best, &term.join_recexprs(|child| extractor.find_best(child).1), &name);
                }
            }
        }
    }
}

#[test]
fn proofs_hold() {
    let rewrites = rewrites().expect("patterns that parse");
    assert_eq!(rewrites.len(), LAWS.len());
    for (_, rule) in shipped() {
        let imported = import::import(&rule).expect("a rule that ships");
        for mut stage in saturate::saturate(&imported, true).stages {
            stage.proof().check_proof(&rewrites);
        }
    }
}
