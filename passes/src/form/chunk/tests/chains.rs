//! Chains of rules in normal form, written by hand.

use mom_dialect::{
    graph::{Body, Function, OpKind, Port, ValueId},
    shape::{Axis, Type},
};

use crate::algebra::{AffineScan, Chain, Decay, Erase, Reading, Term};

/// Sizes of the axes; all different, so that no two are taken for each other.
const SIZES: [(&str, usize); 5] = [("key", 4), ("value", 3), ("slot", 5), ("step", 2), ("other", 6)];

fn axis(name: &str) -> Axis {
    let size = SIZES.iter().find(|(own, _)| *own == name).map_or(0, |(_, size)| *size);
    Axis::named(name, size)
}

fn ty(axes: &str) -> Type {
    Type::f32(axes.split_whitespace().map(axis).collect::<Vec<_>>())
}

/// A chain while it grows.
pub(super) struct Builder(Chain);

impl Builder {
    fn new(inputs: &[(&str, &str)], parameters: &[(&str, &str)], states: &[(&str, &str)]) -> (Self, Vec<ValueId>) {
        let port = |&(name, axes): &(&str, &str)| {
            let at_most = (name == "g").then_some(0.0);
            Port { at_most, ..Port::new(name, ty(axes)) }
        };
        let ports = |ports: &[(&str, &str)]| ports.iter().map(port).collect();
        let mut body = Body::default();
        let values = inputs.iter().chain(parameters).map(|(_, axes)| body.argument(ty(axes))).collect();
        let (inputs, parameters, states) = (ports(inputs), ports(parameters), ports(states));
        let (outputs, scans, read) = (Vec::new(), Vec::new(), Vec::new());
        (Self(Chain { inputs, parameters, states, outputs, body, scans, read }), values)
    }

    fn op(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.0.body.add(kind, operands, None).expect("operands fit")[0]
    }

    fn map(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.op(OpKind::Elementwise(function), operands)
    }

    fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.map(Function::Mul, &[a, b])
    }

    fn exp(&mut self, a: ValueId) -> ValueId {
        self.map(Function::Exp, &[a])
    }

    fn constant(&mut self, value: f64) -> ValueId {
        self.op(OpKind::Constant { value }, &[])
    }

    fn dot(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.op(OpKind::Contract, &[a, b])
    }

    fn slice(&mut self, x: ValueId, axis: &str, index: usize) -> ValueId {
        self.op(OpKind::Slice { axis: axis.to_string(), index }, &[x])
    }

    /// Adds the scan of the next state; its reading, if there is a query, over the rows after the token.
    fn scan(&mut self, decay: Decay, terms: Vec<Term>, query: Option<ValueId>) -> Option<ValueId> {
        let state = self.0.scans.len();
        let axes = self.0.states[state].ty.axes.clone();
        let (rows, columns) = (axes[0].clone(), axes.get(1).cloned());
        self.0.scans.push(AffineScan { state, rows, columns, mirrored: false, decay, terms, reads: Vec::new() });
        query.map(|query| self.read(query, false, false))
    }

    /// One more reading of the last scan.
    fn read(&mut self, query: ValueId, across: bool, before: bool) -> ValueId {
        let scan = self.0.scans.last().expect("a scan");
        let of = if across { Some(&scan.rows) } else { scan.columns.as_ref() };
        let value = self.0.body.argument(Type::f32(of.cloned().into_iter().collect::<Vec<_>>()));
        self.0.scans.last_mut().expect("a scan").reads.push(Reading { query, across, before, value });
        value
    }

    fn mirrored(&mut self) {
        let scan = self.0.scans.last_mut().expect("a scan");
        let axes = &self.0.states[scan.state].ty.axes;
        (scan.rows, scan.columns, scan.mirrored) = (axes[1].clone(), Some(axes[0].clone()), true);
    }

    fn output(mut self, values: &[ValueId]) -> Chain {
        for &value in values {
            let ty = self.0.body.ty(value).clone();
            self.0.outputs.push(Port::new(format!("o{}", self.0.outputs.len()), ty));
            self.0.read.push(value);
        }
        self.0
    }
}

fn write(row: ValueId, column: ValueId) -> Term {
    Term { row, column: Some(column), erase: None }
}

fn delta(row: ValueId, column: Option<ValueId>, scale: Option<ValueId>, read: ValueId) -> Term {
    Term { row, column, erase: Some(Erase { scale, row: read }) }
}

const QKV: [(&str, &str); 3] = [("q", "key"), ("k", "key"), ("v", "value")];
const STATE: [(&str, &str); 1] = [("h", "key value")];

/// Inputs `q k v` and more, the state `h`.
fn usual(more: &[(&str, &str)]) -> (Builder, Vec<ValueId>) {
    Builder::new(&[&QKV[..], more].concat(), &[], &STATE)
}

fn linear() -> Chain {
    let (mut c, x) = usual(&[]);
    let o = c.scan(Decay::None, vec![write(x[1], x[2])], Some(x[0]));
    c.output(&[o.expect("read")])
}

fn linear_with_normaliser() -> Chain {
    let (mut c, x) = Builder::new(&QKV, &[], &[("h", "key value"), ("z", "key")]);
    let q = c.exp(x[0]);
    let k = c.exp(x[1]);
    let top = c.scan(Decay::None, vec![write(k, x[2])], Some(q)).expect("read");
    let one = c.constant(1.0);
    let bottom = c.scan(Decay::None, vec![write(k, one)], Some(q)).expect("read");
    let o = c.map(Function::Div, &[top, bottom]);
    c.output(&[o])
}

/// One gate of each head, made of the head's number and a parameter.
fn retention() -> Chain {
    let (mut c, x) = Builder::new(&QKV, &[("rate", "")], &STATE);
    let head = c.op(OpKind::HeadIndex, &[]);
    let rate = c.exp(x[3]);
    let rate = c.map(Function::Add, &[head, rate]);
    let gate = c.map(Function::Neg, &[rate]);
    let o = c.scan(Decay::Scalar(gate), vec![write(x[1], x[2])], Some(x[0]));
    c.output(&[o.expect("read")])
}

fn simple_gla() -> Chain {
    let (mut c, x) = usual(&[("g", "")]);
    let o = c.scan(Decay::Scalar(x[3]), vec![write(x[1], x[2])], Some(x[0]));
    c.output(&[o.expect("read")])
}

fn gla() -> Chain {
    let (mut c, x) = usual(&[("g", "key")]);
    let o = c.scan(Decay::Rows(x[3]), vec![write(x[1], x[2])], Some(x[0]));
    c.output(&[o.expect("read")])
}

/// Elementwise: a state that is a vector, given out as it is.
fn hgrn() -> Chain {
    let (mut c, x) = Builder::new(&[("x", "key"), ("g", "key")], &[], &[("h", "key")]);
    let one = c.constant(1.0);
    c.scan(Decay::Rows(x[1]), vec![write(x[0], one)], None);
    let o = c.read(one, true, false);
    c.output(&[o])
}

fn delta_rule() -> Chain {
    let (mut c, x) = usual(&[("beta", "")]);
    let value = c.mul(x[3], x[2]);
    let o = c.scan(Decay::None, vec![delta(x[1], Some(value), Some(x[3]), x[1])], Some(x[0]));
    c.output(&[o.expect("read")])
}

fn gated_delta_rule() -> Chain {
    gated_delta(usual(&[("g", ""), ("beta", "")]), Decay::Scalar)
}

fn kda() -> Chain {
    gated_delta(usual(&[("g", "key"), ("beta", "")]), Decay::Rows)
}

fn gated_delta((mut c, x): (Builder, Vec<ValueId>), decay: impl Fn(ValueId) -> Decay) -> Chain {
    let kept = c.exp(x[3]);
    let read = c.mul(kept, x[1]);
    let key = c.mul(x[4], x[1]);
    let o = c.scan(decay(x[3]), vec![delta(key, Some(x[2]), None, read)], Some(x[0]));
    c.output(&[o.expect("read")])
}

/// Erases along another vector than it writes, from the memory before the decay.
fn comba() -> Chain {
    let (mut c, x) = usual(&[("p", "key"), ("g", ""), ("beta", "")]);
    let value = c.mul(x[5], x[2]);
    let o = c.scan(Decay::Scalar(x[4]), vec![delta(x[1], Some(value), Some(x[5]), x[3])], Some(x[0]));
    c.output(&[o.expect("read")])
}

fn rwkv6() -> Chain {
    let (mut c, x) = Builder::new(&[&QKV[..], &[("g", "key")]].concat(), &[("bonus", "key")], &STATE);
    c.scan(Decay::Rows(x[3]), vec![write(x[1], x[2])], None);
    let old = c.read(x[0], false, true);
    let bonus = c.mul(x[4], x[1]);
    let bonus = c.dot(bonus, x[0]);
    let new = c.mul(bonus, x[2]);
    let o = c.map(Function::Add, &[old, new]);
    c.output(&[o])
}

/// A pure erase beside a pure write.
fn rwkv7() -> Chain {
    let (mut c, x) = usual(&[("a", "key"), ("g", "key"), ("beta", "")]);
    let erased = c.mul(x[5], x[3]);
    let terms = vec![delta(erased, None, None, x[3]), write(x[1], x[2])];
    let o = c.scan(Decay::Rows(x[4]), terms, Some(x[0]));
    c.output(&[o.expect("read")])
}

fn two_erasing_terms() -> Chain {
    let (mut c, x) = usual(&[("k2", "key"), ("v2", "value"), ("g", ""), ("beta", "")]);
    let terms = vec![delta(x[1], Some(x[2]), Some(x[6]), x[3]), write(x[0], x[4]), delta(x[3], Some(x[4]), None, x[1])];
    c.scan(Decay::Scalar(x[5]), terms, None);
    let after = c.read(x[0], false, false);
    let before = c.read(x[3], false, true);
    let across = c.read(x[4], true, true);
    c.output(&[after, before, across])
}

/// Two steps a token, as terms that read the state before both.
fn gated_delta_product() -> Chain {
    let inputs = [("q", "key"), ("k", "step key"), ("v", "value step"), ("beta", "step"), ("g", "")];
    let (mut c, x) = Builder::new(&inputs, &[], &STATE);
    let [k0, k1] = [0, 1].map(|at| c.slice(x[1], "step", at));
    let [v0, v1] = [0, 1].map(|at| c.slice(x[2], "step", at));
    let [beta0, beta1] = [0, 1].map(|at| c.slice(x[3], "step", at));
    let kept = c.exp(x[4]);
    let (read0, written0) = (c.mul(kept, k0), c.mul(beta0, v0));
    let overlap = c.dot(k0, k1);
    let overlap = c.mul(overlap, beta0);
    let (own, other) = (c.mul(kept, k1), c.mul(overlap, read0));
    let read1 = c.map(Function::Sub, &[own, other]);
    let seen = c.mul(overlap, v0);
    let written1 = c.map(Function::Sub, &[v1, seen]);
    let written1 = c.mul(beta1, written1);
    let terms = vec![delta(k0, Some(written0), Some(beta0), read0), delta(k1, Some(written1), Some(beta1), read1)];
    let o = c.scan(Decay::Scalar(x[4]), terms, Some(x[0]));
    c.output(&[o.expect("read")])
}

/// Decay and erase on the side of the values.
fn gated_oja_rule() -> Chain {
    let (mut c, x) = usual(&[("g", "value"), ("beta", "")]);
    let kept = c.exp(x[3]);
    let (read, value) = (c.mul(kept, x[2]), c.mul(x[4], x[1]));
    c.scan(Decay::Rows(x[3]), vec![delta(x[2], Some(value), Some(x[4]), read)], None);
    c.mirrored();
    let o = c.read(x[0], true, false);
    c.output(&[o])
}

fn mirrored_scalar() -> Chain {
    let (mut c, x) = usual(&[("g", ""), ("beta", "")]);
    c.scan(Decay::Scalar(x[3]), vec![delta(x[2], Some(x[1]), Some(x[4]), x[2])], None);
    c.mirrored();
    let across = c.read(x[0], true, false);
    let before = c.read(x[0], true, true);
    let along = c.read(x[2], false, false);
    c.output(&[across, before, along])
}

/// Two memories with a softmax between.
fn gsa() -> Chain {
    let inputs = [&QKV[..], &[("s", "slot"), ("g", "slot")]].concat();
    let (mut c, x) = Builder::new(&inputs, &[], &[("hk", "key slot"), ("hv", "slot value")]);
    c.scan(Decay::Rows(x[4]), vec![write(x[3], x[1])], None);
    c.mirrored();
    let scores = c.read(x[0], true, false);
    let p = c.op(OpKind::Softmax { axis: "slot".to_string() }, &[scores]);
    let o = c.scan(Decay::Rows(x[4]), vec![write(x[3], x[2])], Some(p));
    c.output(&[o.expect("read")])
}

/// Only decays, and is read by what is the same for all tokens.
fn fading() -> Chain {
    let (mut c, x) = Builder::new(&[("g", "key")], &[("q", "key")], &STATE);
    let o = c.scan(Decay::Rows(x[0]), Vec::new(), Some(x[1]));
    c.output(&[o.expect("read")])
}

/// What rows can hold: values of two axes among inputs, parameters and between.
fn wide_rows() -> Chain {
    let inputs = [("q", "other"), ("k", "key step"), ("v", "value")];
    let (mut c, x) = Builder::new(&inputs, &[("mix", "key other"), ("scale", "step key")], &STATE);
    let q = c.dot(x[3], x[0]);
    let scaled = c.mul(x[1], x[4]);
    let steps = c.op(OpKind::Sum { axis: "key".to_string() }, &[x[4]]);
    let k = c.dot(scaled, steps);
    let outer = c.mul(x[2], steps);
    let v = c.op(OpKind::Sum { axis: "step".to_string() }, &[outer]);
    let o = c.scan(Decay::None, vec![write(k, v)], Some(q)).expect("read");
    let placed = c.op(OpKind::Place { axis: "step".to_string(), size: 2, index: 1 }, &[o]);
    let renamed = OpKind::Relabel { axes: vec![("value".to_string(), "out".to_string())] };
    let renamed = c.op(renamed, &[placed]);
    let number = c.dot(o, v);
    let single = c.op(OpKind::Place { axis: "step".to_string(), size: 2, index: 0 }, &[number]);
    let back = c.op(OpKind::Slice { axis: "out".to_string(), index: 1 }, &[renamed]);
    c.output(&[renamed, single, back])
}

pub(super) fn all() -> Vec<(&'static str, Chain)> {
    vec![
        ("linear", linear()),
        ("linear with normaliser", linear_with_normaliser()),
        ("retention", retention()),
        ("simple gla", simple_gla()),
        ("gla", gla()),
        ("hgrn", hgrn()),
        ("delta rule", delta_rule()),
        ("gated delta rule", gated_delta_rule()),
        ("kda", kda()),
        ("comba", comba()),
        ("rwkv6", rwkv6()),
        ("rwkv7", rwkv7()),
        ("two erasing terms", two_erasing_terms()),
        ("gated delta product", gated_delta_product()),
        ("gated oja rule", gated_oja_rule()),
        ("mirrored scalar", mirrored_scalar()),
        ("gsa", gsa()),
        ("fading", fading()),
        ("wide rows", wide_rows()),
    ]
}

/// Any chain of up to three scans: states of every kind, up to three terms each, whose ingredients are inputs or what
/// scans before have read. `choose(n)` answers a number below n.
pub(super) fn random(mut choose: impl FnMut(usize) -> usize) -> Chain {
    let count = 1 + choose(3);
    let kinds = ["key value", "value key", "key", "key slot"];
    let states: Vec<(String, &str)> = (0..count).map(|at| (format!("m{at}"), kinds[choose(4)])).collect();
    let states: Vec<(&str, &str)> = states.iter().map(|(name, axes)| (&name[..], *axes)).collect();
    let inputs = [
        ("k0", "key"),
        ("k1", "key"),
        ("v0", "value"),
        ("v1", "value"),
        ("s0", "slot"),
        ("beta", ""),
        ("g", ""),
        ("g", "key"),
        ("g", "value"),
        ("g", "slot"),
    ];
    let (mut c, x) = Builder::new(&inputs, &[("p", "key"), ("r", "value")], &states);
    let mut vectors: Vec<ValueId> = [&x[..6], &x[10..]].concat();
    for state in 0..count {
        let axes = &c.0.states[state].ty.axes;
        let is_mirrored = axes.len() == 2 && choose(2) == 1;
        let (rows, columns) = match (&axes[..], is_mirrored) {
            ([columns, rows], true) => (rows.clone(), Some(columns.clone())),
            (axes, _) => (axes[0].clone(), axes.get(1).cloned()),
        };
        let (rows, columns) = (Type::f32([rows]), Type::f32(columns.into_iter().collect::<Vec<_>>()));
        let pick = |c: &Builder, ty: &Type, vectors: &[ValueId], choice: usize| {
            let fitting: Vec<ValueId> = vectors.iter().copied().filter(|&value| c.0.body.ty(value) == ty).collect();
            fitting[choice % fitting.len()]
        };
        let decay = match choose(3) {
            0 => Decay::None,
            1 => Decay::Scalar(x[6]),
            _ => Decay::Rows(pick(&c, &rows, &x[7..10], 0)),
        };
        let mut terms = Vec::new();
        for _ in 0..choose(4) {
            let kind = choose(4);
            let column = (kind != 0).then(|| pick(&c, &columns, &vectors, choose(4)));
            let scale = (choose(2) == 0).then_some(x[5]);
            let mut read = pick(&c, &rows, &vectors, choose(4));
            if let (Decay::Scalar(gate) | Decay::Rows(gate), 0) = (decay, choose(2)) {
                let kept = c.exp(gate);
                read = c.mul(read, kept);
            }
            let erase = (kind < 2).then_some(Erase { scale, row: read });
            terms.push(Term { row: pick(&c, &rows, &vectors, choose(4)), column, erase });
        }
        c.scan(decay, terms, None);
        if is_mirrored {
            c.mirrored();
        }
        for _ in 0..1 + choose(2) {
            let is_across = choose(2) == 1;
            let query = pick(&c, if is_across { &columns } else { &rows }, &vectors, choose(4));
            let read = c.read(query, is_across, choose(2) == 1);
            // What is read may be large: a sigmoid of it is an ingredient of other scans.
            let small = c.map(Function::Sigmoid, &[read]);
            vectors.insert(0, small);
            c.0.outputs.push(Port::new(format!("o{}", c.0.outputs.len()), c.0.body.ty(read).clone()));
            c.0.read.push(read);
        }
    }
    c.0
}
