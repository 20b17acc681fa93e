//! The recurrent form against the interpreter of update rules, and its gradient against finite differences and the
//! reference data.

mod golden;

use std::{collections::BTreeMap, iter};

use mom_dialect::{
    diagnostic::Source,
    graph::{Body, Function, OpKind, Port, UpdateRule, ValueId},
    reference::{Tensor, evaluate_update_rule},
    rule,
    shape::{Axis, Type},
};

use super::{Heads, recurrent::recurrent};
use crate::tile::{
    Gradient, Schedule,
    adjoint::gradient,
    evaluate::{Results, Segment},
    tests::Numbers,
};

/// The rules that ship, and each of their variants, with different sizes for the axes.
pub(super) fn shipped() -> Vec<UpdateRule> {
    let sizes = [("key", 3), ("value", 4), ("slot", 2), ("heads", 2)].map(|(axis, size)| (axis.to_owned(), size));
    let variants = |&(name, text): &(&str, &str)| {
        let file = rule::parse(&Source::new(name, text)).unwrap();
        // Short enough to end within a test.
        let mini_batch = file.options().find(|(option, _)| *option == "mini_batch").map(|(option, _)| (option, 2.0));
        let plain: BTreeMap<String, f64> = mini_batch.into_iter().map(|(name, x)| (name.to_owned(), x)).collect();
        let make = |on: Option<&str>| {
            let mut options = plain.clone();
            options.extend(on.map(|variant| (variant.to_owned(), 1.0)));
            let mut rule = file.update_rule(&sizes.clone().into(), &options).unwrap();
            rule.name += &on.map_or(String::new(), |variant| format!("_{variant}"));
            rule
        };
        iter::once(None).chain(file.variants().map(Some)).map(make).collect::<Vec<_>>()
    };
    rule::BUILTIN.iter().flat_map(variants).collect()
}

/// A rule in the making: its values are looked up by their axes.
#[derive(Default)]
struct Maker {
    body: Body,
}

impl Maker {
    fn given(&mut self, axes: &[(&str, usize)]) -> ValueId {
        self.body.argument(ty(axes))
    }

    fn add(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.body.add(kind, operands, None).unwrap()[0]
    }

    fn map(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.add(OpKind::Elementwise(function), operands)
    }

    fn total(&mut self, mut x: ValueId) -> ValueId {
        while let Some(axis) = self.body.ty(x).axes.first().map(Axis::name) {
            x = self.add(OpKind::Sum { axis }, &[x]);
        }
        x
    }
}

fn ty(axes: &[(&str, usize)]) -> Type {
    Type::f32(axes.iter().map(|&(name, size)| Axis::named(name, size)).collect::<Vec<_>>())
}

/// A rule for each way in which an operation meets the axes of its operands: `out` is made of the inputs `m [i, j]`,
/// `n [j, k]`, `u [i]`, `v [j]`, the parameter `p [j, i]` and the state `h [j, i]`, and added up to a number.
fn single_operations() -> Vec<UpdateRule> {
    const I: (&str, usize) = ("i", 2);
    const J: (&str, usize) = ("j", 3);
    const K: (&str, usize) = ("k", 3);
    type Make = fn(&mut Maker, [ValueId; 6]) -> ValueId;
    let makes: &[(&str, Make)] = &[
        ("contract_one", |r, [m, n, ..]| r.add(OpKind::Contract, &[m, n])),
        ("contract_second_first", |r, [_, n, _, _, p, _]| r.add(OpKind::Contract, &[n, p])),
        ("contract_two", |r, [m, _, _, _, p, _]| r.add(OpKind::Contract, &[m, p])),
        ("contract_vector_rows", |r, [m, _, u, ..]| r.add(OpKind::Contract, &[m, u])),
        ("contract_vector_columns", |r, [m, _, _, v, ..]| r.add(OpKind::Contract, &[v, m])),
        ("contract_vectors", |r, [_, _, u, ..]| r.add(OpKind::Contract, &[u, u])),
        ("outer", |r, [_, _, u, v, ..]| r.map(Function::Mul, &[u, v])),
        ("scaled_rows", |r, [m, _, u, ..]| r.map(Function::Mul, &[m, u])),
        ("scaled_columns", |r, [m, _, _, v, ..]| r.map(Function::Add, &[v, m])),
        ("other_order", |r, [m, _, _, _, p, _]| r.map(Function::Sub, &[m, p])),
        ("sum_rows", |r, [m, ..]| r.add(OpKind::Sum { axis: "i".into() }, &[m])),
        ("sum_columns", |r, [m, ..]| r.add(OpKind::Sum { axis: "j".into() }, &[m])),
        ("softmax_rows", |r, [m, ..]| r.add(OpKind::Softmax { axis: "i".into() }, &[m])),
        ("softmax_columns", |r, [m, ..]| r.add(OpKind::Softmax { axis: "j".into() }, &[m])),
        ("softmax_vector", |r, [_, _, _, v, ..]| r.add(OpKind::Softmax { axis: "j".into() }, &[v])),
        ("solve", |r, [_, n, _, v, ..]| r.add(OpKind::Solve, &[n, v])),
        ("solve_transposed", |r, [_, n, _, v, ..]| {
            let w = r.add(OpKind::Relabel { axes: vec![("j".into(), "k".into())] }, &[v]);
            r.add(OpKind::Solve, &[n, w])
        }),
        ("slice_rows", |r, [m, ..]| r.add(OpKind::Slice { axis: "i".into(), index: 1 }, &[m])),
        ("slice_columns", |r, [m, ..]| r.add(OpKind::Slice { axis: "j".into(), index: 2 }, &[m])),
        ("slice_vector", |r, [_, _, u, ..]| r.add(OpKind::Slice { axis: "i".into(), index: 1 }, &[u])),
        ("place_vector", |r, [_, _, u, ..]| r.add(OpKind::Place { axis: "l".into(), size: 4, index: 2 }, &[u])),
        ("place_number", |r, [_, _, u, ..]| {
            let x = r.add(OpKind::Slice { axis: "i".into(), index: 0 }, &[u]);
            r.add(OpKind::Place { axis: "l".into(), size: 4, index: 2 }, &[x])
        }),
        ("relabel", |r, [m, _, _, _, p, _]| {
            let exchange = vec![("i".into(), "l".into())];
            let m = r.add(OpKind::Relabel { axes: exchange }, &[m]);
            r.add(OpKind::Contract, &[m, p])
        }),
        ("head", |r, [m, ..]| {
            let head = r.add(OpKind::HeadIndex, &[]);
            r.map(Function::Mul, &[head, m])
        }),
        ("constant", |r, [m, ..]| {
            let constant = r.add(OpKind::Constant { value: 0.5 }, &[]);
            r.map(Function::Sub, &[constant, m])
        }),
    ];
    let rule = |&(name, make): &(&str, Make)| {
        let mut maker = Maker::default();
        let [m, n, u, v] = [&[I, J][..], &[J, K], &[I], &[J]].map(|axes| maker.given(axes));
        let [p, h] = [&[J, I], &[J, I]].map(|axes| maker.given(axes));
        let value = make(&mut maker, [m, n, u, v, p, h]);
        // What is read is weighted by sigmoids, so that sums do not hide places, and comes back with the state.
        let weight = maker.map(Function::Sigmoid, &[value]);
        let read = maker.map(Function::Mul, &[weight, value]);
        let number = maker.total(read);
        let kept = maker.map(Function::Mul, &[h, p]);
        let next = maker.map(Function::Add, &[kept, number]);
        let all = maker.total(h);
        let out = maker.map(Function::Add, &[all, number]);
        let port = |name: &str, axes: &[(&str, usize)]| Port::new(name, ty(axes));
        UpdateRule {
            name: name.to_owned(),
            inputs: vec![port("m", &[I, J]), port("n", &[J, K]), port("u", &[I]), port("v", &[J])],
            parameters: vec![port("p", &[J, I])],
            states: vec![port("h", &[J, I])],
            outputs: vec![port("o", &[])],
            body: maker.body,
            next: vec![next],
            read: vec![out],
        }
    };
    makes.iter().map(rule).collect()
}

/// Numbers for a rule's ports, below their limits.
fn numbers(ports: &[Port], rows: usize, numbers: &mut Numbers) -> Vec<Vec<f64>> {
    let below = |port: &Port, x: f64| port.at_most.map_or(x, |limit| limit - x.abs());
    let port = |port: &Port| numbers.many(rows * port.ty.row_elements()).into_iter().map(|x| below(port, x)).collect();
    ports.iter().map(port).collect()
}

fn distance(found: &[f64], expected: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    difference / norm(&mut expected.iter().copied()).max(1e-30)
}

#[test]
fn recurrent_form_of_all_rules() {
    for rule in shipped().into_iter().chain(single_operations()) {
        let (name, tokens, head) = (&rule.name, 5, 1);
        let mut random = Numbers(5);
        let inputs = numbers(&rule.inputs, tokens, &mut random);
        let [parameters, states] = [&rule.parameters, &rule.states].map(|ports| numbers(ports, 1, &mut random));
        let tensor = |rows: Option<usize>| {
            move |(port, data): (&Port, &Vec<f64>)| {
                let axes = port.ty.axes.iter().filter_map(Axis::size);
                Tensor::new(rows.into_iter().chain(axes).collect::<Vec<_>>(), data.clone())
            }
        };
        let given: Vec<Tensor> = rule.inputs.iter().zip(&inputs).map(tensor(Some(tokens))).collect();
        let given: Vec<Tensor> =
            given.into_iter().chain(rule.parameters.iter().zip(&parameters).map(tensor(None))).collect();
        let first: Vec<Tensor> = rule.states.iter().zip(&states).map(tensor(None)).collect();
        let (outputs, last) = evaluate_update_rule(&rule, &given, &first, head).unwrap();

        let scan = recurrent(&rule, &Heads::equal(2, &rule), &Schedule::RECURRENT).unwrap();
        scan.verify().unwrap_or_else(|error| panic!("{error}\n{scan}"));
        let segment = Segment { tokens, inputs: &inputs, parameters: &parameters, states: &states, real: None, head };
        let found = scan.evaluate(&segment);
        for (found, expected) in found.outputs.iter().chain(&found.states).zip(outputs.iter().chain(&last)) {
            let distance = distance(found, &expected.data);
            assert!(distance < 1e-12, "{name}: {distance:e}\n{scan}");
        }
    }
}

#[test]
fn recurrent_gradient_of_all_rules() {
    for rule in shipped().into_iter().chain(single_operations()) {
        let tokens = 5;
        let schedule = Schedule { save: 2, ..Schedule::RECURRENT };
        let scan = recurrent(&rule, &Heads::equal(2, &rule), &schedule).unwrap();
        let gradient = gradient(scan);
        gradient.verify().unwrap_or_else(|error| panic!("{error}\n{gradient}"));
        let mut random = Numbers(9);
        let mut given = [
            numbers(&rule.inputs, tokens, &mut random),
            numbers(&rule.parameters, 1, &mut random),
            numbers(&rule.states, 1, &mut random),
        ];
        let weights = Results {
            outputs: numbers(&rule.outputs, tokens, &mut random),
            states: numbers(&rule.states, 1, &mut random),
        };
        let found = gradient.evaluate(&segment(tokens, &given), &weights);
        let found = [found.inputs, found.parameters, found.states];
        let h = 1e-5;
        for kind in 0..3 {
            for port in 0..given[kind].len() {
                let mut expected = Vec::new();
                for at in 0..given[kind][port].len() {
                    let x = given[kind][port][at];
                    given[kind][port][at] = x + h;
                    let above = loss(&gradient, tokens, &given, &weights);
                    given[kind][port][at] = x - h;
                    let below = loss(&gradient, tokens, &given, &weights);
                    given[kind][port][at] = x;
                    expected.push((above - below) / (2.0 * h));
                }
                let found = &found[kind][port];
                let largest = expected.iter().fold(1e-3_f64, |largest, x| largest.max(x.abs()));
                let error = found.iter().zip(&expected).fold(0.0_f64, |error, (a, b)| error.max((a - b).abs()));
                let name = &rule.name;
                assert!(error <= 1e-6 * largest, "{name}: {kind} {port}: {found:?} not {expected:?}\n{gradient}");
            }
        }
    }
}

fn segment(tokens: usize, given: &[Vec<Vec<f64>>; 3]) -> Segment<'_> {
    let [inputs, parameters, states] = given;
    Segment { tokens, inputs, parameters, states, real: None, head: 1 }
}

/// The sum of products of what a scan gives with these weights.
fn loss(gradient: &Gradient, tokens: usize, given: &[Vec<Vec<f64>>; 3], weights: &Results) -> f64 {
    let found = gradient.scan.evaluate(&segment(tokens, given));
    let pairs = found.outputs.iter().zip(&weights.outputs).chain(found.states.iter().zip(&weights.states));
    pairs.flat_map(|(y, weight)| y.iter().zip(weight)).map(|(y, weight)| y * weight).sum()
}

/// Padding changes nothing for the other tokens, whatever it holds, and has no cotangent.
#[test]
fn padding_is_skipped() {
    for rule in shipped() {
        let real = [false, true, true, false, false, true, false];
        let (tokens, there) = (real.len(), real.iter().filter(|real| **real).count());
        let mut random = Numbers(2);
        let padded = |ports: &[Port], of: &[Vec<f64>], padding: f64| -> Vec<Vec<f64>> {
            let pad = |(port, rows): (&Port, &Vec<f64>)| {
                let mut rows = rows.chunks(port.ty.row_elements());
                let mut row = |real: &bool| match real {
                    true => rows.next().unwrap().to_vec(),
                    false => vec![padding; port.ty.row_elements()],
                };
                real.iter().flat_map(&mut row).collect()
            };
            ports.iter().zip(of).map(pad).collect()
        };
        let given = [(&rule.inputs, there), (&rule.parameters, 1), (&rule.states, 1)];
        let [inputs, parameters, states] = given.map(|(ports, rows)| numbers(ports, rows, &mut random));
        let outputs = numbers(&rule.outputs, there, &mut random);
        let weights = Results { outputs, states: numbers(&rule.states, 1, &mut random) };
        let schedule = Schedule { save: 2, ..Schedule::RECURRENT };
        let gradient = gradient(recurrent(&rule, &Heads::equal(2, &rule), &schedule).unwrap());

        let dense =
            Segment { tokens: there, inputs: &inputs, parameters: &parameters, states: &states, real: None, head: 1 };
        let inputs = padded(&rule.inputs, &inputs, f64::NAN);
        let ragged = Segment { tokens, inputs: &inputs, real: Some(&real), ..dense };
        let (expected, found) = (gradient.scan.evaluate(&dense), gradient.scan.evaluate(&ragged));
        assert_eq!(found.outputs, padded(&rule.outputs, &expected.outputs, 0.0), "{}", rule.name);
        assert_eq!(found.states, expected.states, "{}", rule.name);

        let ragged_weights =
            Results { outputs: padded(&rule.outputs, &weights.outputs, f64::NAN), states: weights.states.clone() };
        let (expected, found) = (gradient.evaluate(&dense, &weights), gradient.evaluate(&ragged, &ragged_weights));
        assert_eq!(found.inputs, padded(&rule.inputs, &expected.inputs, 0.0), "{}", rule.name);
        assert_eq!((found.parameters, found.states), (expected.parameters, expected.states), "{}", rule.name);
    }
}

#[test]
fn values_of_three_axes_are_refused() {
    let mut maker = Maker::default();
    let x = maker.given(&[("i", 2), ("j", 2), ("k", 2)]);
    let port = |name: &str| Port::new(name, ty(&[("i", 2), ("j", 2), ("k", 2)]));
    let rule = UpdateRule {
        name: "cube".to_owned(),
        inputs: vec![port("x")],
        parameters: Vec::new(),
        states: Vec::new(),
        outputs: vec![port("o")],
        body: maker.body,
        next: Vec::new(),
        read: vec![x],
    };
    let error = recurrent(&rule, &Heads::equal(1, &rule), &Schedule::RECURRENT).unwrap_err();
    assert_eq!(error, "`x`: a tile has at most two axes, not those of f32 [i 2, j 2, k 2]");
}
