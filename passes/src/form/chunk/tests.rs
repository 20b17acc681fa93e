//! The chunk form against the recurrence, token by token, and its gradient against that of the recurrent form.

mod chains;
mod library;

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, Function, OpKind, Port, UpdateRule, ValueId},
    reference::{Tensor, evaluate_update_rule},
    shape::Axis,
};

use super::chunk;
use crate::{
    algebra::{Chain, Decay},
    form::{Heads, recurrent::recurrent},
    tile::{
        Graph, Op, Scan, Schedule, Value,
        adjoint::gradient,
        evaluate::{Arguments, Cotangents, Results, Segment, evaluate},
    },
};

/// The recurrence that a chain stands for: every scan by its normal form, one token at a time.
fn as_rule(chain: &Chain) -> UpdateRule {
    let mut rule = Recurrence { chain, body: Body::default(), made: BTreeMap::new() };
    let arguments = chain.body.arguments();
    for (&value, port) in arguments.iter().zip(chain.inputs.iter().chain(&chain.parameters)) {
        let argument = rule.body.argument(port.ty.clone());
        rule.made.insert(value, argument);
    }
    let states: Vec<ValueId> = chain.states.iter().map(|port| rule.body.argument(port.ty.clone())).collect();
    let mut next = states.clone();
    for scan in &chain.scans {
        let old = states[scan.state];
        let mut new = old;
        if let Decay::Scalar(gate) | Decay::Rows(gate) = scan.decay {
            let gate = rule.value(gate);
            let kept = rule.map(Function::Exp, &[gate]);
            new = rule.map(Function::Mul, &[old, kept]);
        }
        for term in &scan.terms {
            let row = rule.value(term.row);
            let mut written = term.column.map(|column| rule.value(column));
            if let Some(erase) = &term.erase {
                let vector = rule.value(erase.row);
                let mut read = rule.op(OpKind::Contract, &[old, vector]);
                if let Some(scale) = erase.scale {
                    let scale = rule.value(scale);
                    read = rule.map(Function::Mul, &[read, scale]);
                }
                written = Some(match written {
                    Some(written) => rule.map(Function::Sub, &[written, read]),
                    None => rule.map(Function::Neg, &[read]),
                });
            }
            let written = rule.map(Function::Mul, &[row, written.expect("a term does something")]);
            new = rule.map(Function::Add, &[new, written]);
        }
        for reading in &scan.reads {
            let query = rule.value(reading.query);
            let state = if reading.before { old } else { new };
            let single = reading.across && scan.columns.is_none();
            let kind = if single { OpKind::Elementwise(Function::Mul) } else { OpKind::Contract };
            let read = rule.op(kind, &[state, query]);
            rule.made.insert(reading.value, read);
        }
        next[scan.state] = new;
    }
    let read = chain.read.iter().map(|&value| rule.value(value)).collect();
    UpdateRule {
        name: "recurrence".to_string(),
        inputs: chain.inputs.clone(),
        parameters: chain.parameters.clone(),
        states: chain.states.clone(),
        outputs: chain.outputs.clone(),
        body: rule.body,
        next,
        read,
    }
}

struct Recurrence<'c> {
    chain: &'c Chain,
    body: Body,
    made: BTreeMap<ValueId, ValueId>,
}

impl Recurrence<'_> {
    fn op(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.body.add(kind, operands, None).expect("operands fit")[0]
    }

    fn map(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.op(OpKind::Elementwise(function), operands)
    }

    fn value(&mut self, value: ValueId) -> ValueId {
        if let Some(&made) = self.made.get(&value) {
            return made;
        }
        let op = self.chain.body.ops.iter().find(|op| op.results[0] == value).expect("made by an operation");
        let operands: Vec<ValueId> = op.operands.iter().map(|&operand| self.value(operand)).collect();
        let made = self.op(op.kind.clone(), &operands);
        self.made.insert(value, made);
        made
    }
}

/// Numbers from -1 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// What a test gives to inputs that are at most zero, and as logarithms to those that are at most one.
#[derive(Clone, Copy, Debug)]
enum Gates {
    Zero,
    Strong,
    Small,
    Mixed,
    /// Zero up to this token, then -60.
    Late(usize),
}

impl Gates {
    fn number(self, token: usize, random: &mut Random) -> f64 {
        let x = random.next();
        match self {
            Gates::Zero => 0.0,
            Gates::Strong => -60.0,
            Gates::Small => -0.1 * x.abs(),
            Gates::Mixed if x < -0.5 => 0.0,
            Gates::Mixed if x < 0.0 => -1e-3 * x.abs(),
            Gates::Mixed if x < 0.7 => -2.0 * x,
            Gates::Mixed => -60.0,
            Gates::Late(first) => {
                if token < first {
                    0.0
                } else {
                    -60.0
                }
            }
        }
    }
}

const GATES: [Gates; 4] = [Gates::Zero, Gates::Strong, Gates::Small, Gates::Mixed];

fn elements(port: &Port) -> usize {
    port.ty.axes.iter().filter_map(Axis::size).product()
}

/// Inputs `[T, …]`, parameters and states for a rule.
struct Data {
    tokens: usize,
    inputs: Vec<Vec<f64>>,
    parameters: Vec<Vec<f64>>,
    states: Vec<Vec<f64>>,
}

impl Data {
    fn new(rule: &UpdateRule, tokens: usize, gates: Gates) -> Data {
        let mut random = Random(tokens as u64 + 1);
        let input = |port: &Port| -> Vec<f64> {
            let each = |token: usize, random: &mut Random| match (&port.name[..], port.at_most) {
                (_, Some(0.0)) => gates.number(token, random),
                (_, Some(1.0)) => gates.number(token, random).exp(),
                ("beta", _) => 0.5 + 0.5 * random.next(),
                (_, limit) => limit.unwrap_or(f64::INFINITY).min(random.next() / 1.5),
            };
            let elements = elements(port);
            (0..tokens * elements).map(|at| each(at / elements, &mut random)).collect()
        };
        let inputs = rule.inputs.iter().map(input).collect();
        let number = |port: &Port, random: &mut Random| match port.at_most {
            Some(0.0) => -random.next().abs(),
            Some(1.0) => random.next().abs(),
            _ => random.next(),
        };
        let mut fixed = |ports: &[Port]| -> Vec<Vec<f64>> {
            ports.iter().map(|port| (0..elements(port)).map(|_| number(port, &mut random)).collect()).collect()
        };
        let parameters = fixed(&rule.parameters);
        let mut states = fixed(&rule.states);
        // Normalisers are read as divisors: a state that is a vector is far from zero.
        for (state, port) in states.iter_mut().zip(&rule.states).filter(|(_, port)| port.ty.axes.len() == 1) {
            state.iter_mut().for_each(|x| *x = x.abs() + 1.0 / elements(port) as f64);
        }
        Data { tokens, inputs, parameters, states }
    }

    fn segment(&self) -> Segment<'_> {
        Segment {
            tokens: self.tokens,
            inputs: &self.inputs,
            parameters: &self.parameters,
            states: &self.states,
            real: None,
            head: 1,
        }
    }

    fn cotangents(&self, rule: &UpdateRule) -> Results {
        let mut random = Random(77);
        let outputs = rule.outputs.iter().map(|port| random.numbers(self.tokens * elements(port))).collect();
        Results { outputs, states: rule.states.iter().map(|port| random.numbers(elements(port))).collect() }
    }

    /// Outputs and states of the interpreter of update rules.
    fn expected(&self, rule: &UpdateRule) -> Results {
        let sizes = |port: &Port| port.ty.axes.iter().filter_map(Axis::size).collect::<Vec<usize>>();
        let inputs = self
            .inputs
            .iter()
            .zip(&rule.inputs)
            .map(|(data, port)| Tensor::new([&[self.tokens], &sizes(port)[..]].concat(), data.clone()));
        let fixed = |data: &[Vec<f64>], ports: &[Port]| -> Vec<Tensor> {
            data.iter().zip(ports).map(|(data, port)| Tensor::new(sizes(port), data.clone())).collect()
        };
        let given: Vec<Tensor> = inputs.chain(fixed(&self.parameters, &rule.parameters)).collect();
        let states = fixed(&self.states, &rule.states);
        let (outputs, states) = evaluate_update_rule(rule, &given, &states, 1).expect("data fit");
        let data = |tensors: Vec<Tensor>| tensors.into_iter().map(|tensor| tensor.data).collect();
        Results { outputs: data(outputs), states: data(states) }
    }
}

/// The norm of the difference over the norm.
fn error(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(expected).map(|(found, expected)| found - expected));
    if difference == 0.0 { 0.0 } else { difference / norm(&mut expected.iter().copied()) }
}

fn worst(found: &[Vec<f64>], expected: &[Vec<f64>]) -> f64 {
    assert_eq!(found.len(), expected.len());
    // A NaN must not be lost in a maximum.
    found.iter().zip(expected).map(|(f, e)| error(f, e)).fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a })
}

fn heads(chain: &Chain) -> Heads {
    Heads { heads: 2, inputs: vec![2; chain.inputs.len()], parameters: vec![2; chain.parameters.len()] }
}

fn schedule(chunk: usize) -> Schedule {
    Schedule { chunk, sub_block: 1, save: 2 }
}

fn form(chain: &Chain, chunk_length: usize) -> Scan {
    let scan = chunk(chain, &heads(chain), &schedule(chunk_length)).expect("a chunk form");
    scan.verify().expect("a sound kernel");
    scan
}

#[test]
fn equals_the_recurrence() {
    for (name, chain) in chains::all() {
        let rule = as_rule(&chain);
        for (chunk, lengths) in [(16, &[1, 7, 16, 17, 129][..]), (2, &[3]), (64, &[129])] {
            let scan = form(&chain, chunk);
            for (&tokens, gates) in lengths.iter().flat_map(|tokens| GATES.map(|gates| (tokens, gates))) {
                let data = Data::new(&rule, tokens, gates);
                let (found, expected) = (scan.evaluate(&data.segment()), data.expected(&rule));
                let error = worst(&found.outputs, &expected.outputs).max(worst(&found.states, &expected.states));
                assert!(error < 1e-12, "{name}, {tokens} tokens by {chunk}, {gates:?}: {error:e}");
            }
        }
    }
}

#[test]
fn its_gradient_equals_that_of_the_recurrence() {
    for (name, chain) in chains::all() {
        let rule = as_rule(&chain);
        let recurrent = recurrent(&rule, &heads(&chain), &schedule(1)).expect("a recurrent form");
        let (recurrent, chunk) = (gradient(recurrent), gradient(form(&chain, 8)));
        for (tokens, gates) in [5, 8, 27].into_iter().flat_map(|tokens| GATES.map(|gates| (tokens, gates))) {
            let data = Data::new(&rule, tokens, gates);
            let cotangents = data.cotangents(&rule);
            let found = chunk.evaluate(&data.segment(), &cotangents);
            let expected = recurrent.evaluate(&data.segment(), &cotangents);
            let pairs = |c: Cotangents| [c.inputs, c.parameters, c.states].concat();
            let error = worst(&pairs(found), &pairs(expected));
            assert!(error < 1e-10, "{name}, {tokens} tokens, {gates:?}: {error:e}");
        }
    }
}

#[test]
fn random_chains() {
    for seed in 0..60 {
        let mut random = Random(seed);
        // The first numbers of neighbouring seeds are alike.
        random.numbers(8);
        let chain = chains::random(|below| ((random.next() + 1.0) / 2.0 * below as f64) as usize);
        let rule = as_rule(&chain);
        let (scan, tokens) = (form(&chain, 8), 21);
        let recurrent = gradient(recurrent(&rule, &heads(&chain), &schedule(1)).expect("a recurrent form"));
        let chunk = gradient(scan.clone());
        for gates in GATES {
            let data = Data::new(&rule, tokens, gates);
            let (found, expected) = (scan.evaluate(&data.segment()), data.expected(&rule));
            // What erases and never writes leaves less and less: states are held against what they were.
            let with_first = |states: &[Vec<f64>]| -> Vec<Vec<f64>> {
                states.iter().zip(&data.states).map(|(last, first)| [&last[..], first].concat()).collect()
            };
            let error = worst(&found.outputs, &expected.outputs);
            let error = error.max(worst(&with_first(&found.states), &with_first(&expected.states)));
            assert!(error < 1e-11, "{seed}, {gates:?}: {error:e} {chain:?}");
            let cotangents = data.cotangents(&rule);
            let pairs = |c: Cotangents| [c.inputs, c.parameters, c.states].concat();
            let found = pairs(chunk.evaluate(&data.segment(), &cotangents));
            let expected = pairs(recurrent.evaluate(&data.segment(), &cotangents));
            let error = worst(&found, &expected);
            assert!(error < 1e-9, "{seed}, {gates:?}: gradient {error:e} {chain:?}");
        }
    }
}

/// Tokens that are not there, in the middle and at the end, change nothing.
#[test]
fn absent_tokens_leave_states_alone() {
    for (name, chain) in chains::all() {
        let rule = as_rule(&chain);
        let tokens = 21;
        let real: Vec<bool> = (0..tokens).map(|token| token % 5 != 3 && token != 0).collect();
        let data = Data::new(&rule, tokens, Gates::Mixed);
        let kept = |rows: &[f64]| -> Vec<f64> {
            let width = rows.len() / tokens;
            rows.chunks(width).zip(&real).filter(|(_, real)| **real).flat_map(|(row, _)| row.to_vec()).collect()
        };
        let inputs: Vec<Vec<f64>> = data.inputs.iter().map(|rows| kept(rows)).collect();
        let (parameters, states) = (data.parameters.clone(), data.states.clone());
        let packed = Data { tokens: real.iter().filter(|real| **real).count(), inputs, parameters, states };
        let expected = packed.expected(&rule);
        let found = form(&chain, 8).evaluate(&Segment { real: Some(&real), ..data.segment() });
        let outputs: Vec<Vec<f64>> = found.outputs.iter().map(|rows| kept(rows)).collect();
        let error = worst(&outputs, &expected.outputs).max(worst(&found.states, &expected.states));
        assert!(error < 1e-12, "{name}: {error:e}");
    }
}

/// Every tile of a step, rounded to float32 as it is made; all are finite.
fn in_float32(graph: &Graph, arguments: &Arguments<'_>) -> Vec<Vec<f64>> {
    let mut tiles: Vec<Vec<f64>> = Vec::new();
    for node in &graph.nodes {
        let mut single = Graph::default();
        let tile = if node.operands.is_empty() {
            single.results = vec![single.argument(node.op, node.shape)];
            evaluate(&single, arguments).remove(0)
        } else {
            let shapes = node.operands.iter().map(|&operand| graph.shape(operand)).enumerate();
            let operands: Vec<Value> = shapes.map(|(at, shape)| single.argument(Op::Input(at), shape)).collect();
            single.results = vec![single.add(node.op, &operands)];
            let inputs: Vec<Vec<f64>> = node.operands.iter().map(|operand| tiles[operand.index()].clone()).collect();
            evaluate(&single, &Arguments { inputs: &inputs, ..*arguments }).remove(0)
        };
        let tile: Vec<f64> = tile.into_iter().map(|x| f64::from(x as f32)).collect();
        assert!(tile.iter().all(|x| x.is_finite()), "{node:?}");
        tiles.push(tile);
    }
    graph.results.iter().map(|result| tiles[result.index()].clone()).collect()
}

/// With hundreds of tokens without decay and then nothing but decay, and with all sorts of gates, float32 does: no tile
/// of a step overflows, forwards and back, and what comes out is as near as its rounding allows.
#[test]
fn in_float32_nothing_is_lost() {
    for (name, chain) in chains::all() {
        let rule = as_rule(&chain);
        for (gates, tokens) in [(Gates::Late(270), 320), (Gates::Mixed, 96), (Gates::Strong, 96)] {
            let chunk = 32;
            let data = Data::new(&rule, tokens, gates);
            let gradient = gradient(form(&chain, chunk));
            let cotangents = data.cotangents(&rule);
            let real = vec![1.0; chunk];
            let arguments = Arguments { inputs: &[], parameters: &data.parameters, states: &[], real: &real, head: 1 };
            let expected = data.expected(&rule);

            let mut states = vec![data.states.clone()];
            let mut outputs = vec![Vec::new(); chain.outputs.len()];
            for first in (0..tokens).step_by(chunk) {
                let inputs = cut(&data.inputs, tokens, first, first + chunk);
                let arguments = Arguments { inputs: &inputs, states: &states[states.len() - 1], ..arguments };
                let mut results = in_float32(&gradient.scan.step, &arguments);
                states.push(results.split_off(outputs.len()));
                outputs.iter_mut().zip(results).for_each(|(output, tile)| output.extend(tile));
            }
            let error = worst(&outputs, &expected.outputs).max(worst(&states[states.len() - 1], &expected.states));
            assert!(error < 1e-5, "{name}, {gates:?}: {error:e}");

            let expected = gradient.evaluate(&data.segment(), &cotangents);
            let mut back = cotangents.states.clone();
            let mut found = Vec::new();
            for (step, first) in (0..tokens).step_by(chunk).enumerate().rev() {
                let mut inputs = cut(&data.inputs, tokens, first, first + chunk);
                inputs.extend(cut(&cotangents.outputs, tokens, first, first + chunk));
                let states = [&states[step][..], &back].concat();
                let arguments = Arguments { inputs: &inputs, states: &states, ..arguments };
                let mut results = in_float32(&gradient.back, &arguments);
                back = results.split_off(results.len() - back.len());
                results.truncate(chain.inputs.len());
                found.push(results);
            }
            let found: Vec<Vec<f64>> = (0..chain.inputs.len())
                .map(|at| found.iter().rev().flat_map(|results| results[at].clone()).collect())
                .collect();
            let error = worst(&found, &expected.inputs).max(worst(&back, &expected.states));
            assert!(error < 5e-5, "{name}, {gates:?}: gradient {error:e}");
        }
    }
}

/// Tokens `first..last` of `[T, …]`.
fn cut(rows: &[Vec<f64>], tokens: usize, first: usize, last: usize) -> Vec<Vec<f64>> {
    let part = |rows: &Vec<f64>| rows[rows.len() / tokens * first..rows.len() / tokens * last].to_vec();
    rows.iter().map(part).collect()
}
