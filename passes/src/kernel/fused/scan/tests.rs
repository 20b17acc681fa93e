//! What a scan takes into its launch and what not. What the kernels compute is held against the interpreter by
//! `tests/cases/fused`.

use mom_dialect::{
    graph::{Body, Function, Fused, Graph, OpKind, Port, UpdateRule, ValueId},
    ops,
    shape::{Axis, Extent, Type},
};

use crate::{
    Options, Target,
    kernel::fused::{Cx, fused},
};

const HEADS: usize = 2;
const MEMORIES: usize = 3;
/// Rows of the routed stream.
const ROUTED: Axis = Axis::Rows(Extent { tokens: 2, ..Extent::ZERO });

fn axis(name: &str, size: usize) -> Axis {
    Axis::named(name, size)
}

fn head() -> Axis {
    axis("head", HEADS)
}

/// Linear attention: `next h = h + outer(k, v)`, `out o = h^T q`.
fn update_rule(width: usize) -> UpdateRule {
    let [key, value] = ["key", "value"].map(|name| axis(name, width));
    let port = |name: &str, axes: &[Axis]| Port::new(name, Type::f32(axes));
    let inputs = vec![
        port("q", std::slice::from_ref(&key)),
        port("k", std::slice::from_ref(&key)),
        port("v", std::slice::from_ref(&value)),
    ];
    let states = vec![port("h", &[key, value.clone()])];
    let mut body = Body::default();
    let arguments: Vec<ValueId> =
        inputs.iter().chain(&states).map(|port: &Port| body.argument(port.ty.clone())).collect();
    let mut add = |kind: OpKind, operands: [ValueId; 2]| body.add(kind, &operands, None).unwrap()[0];
    let written = add(OpKind::Elementwise(Function::Mul), [arguments[1], arguments[2]]);
    let next = add(OpKind::Elementwise(Function::Add), [arguments[3], written]);
    let read = add(OpKind::Contract, [next, arguments[0]]);
    let outputs = vec![port("o", &[value])];
    let (next, read) = (vec![next], vec![read]);
    UpdateRule { name: "linear".into(), inputs, parameters: Vec::new(), states, outputs, body, next, read }
}

/// The body of a fused scan that is written down value by value.
struct Writer {
    rule: UpdateRule,
    width: usize,
    body: Body,
    segments: ValueId,
    state: ValueId,
    results: Vec<ValueId>,
}

impl Writer {
    fn new(width: usize) -> Writer {
        let mut body = Body::default();
        let segments = body.argument(boundaries());
        let state = [Axis::Rows(Extent::SEQUENCES), axis("memory", MEMORIES), head()];
        let state = [&state[..], &[axis("key", width), axis("value", width)]].concat();
        let state = body.argument(Type::f32(state));
        Writer { rule: update_rule(width), width, body, segments, state, results: Vec::new() }
    }

    /// An operand `[rows, head, name]`.
    fn input(&mut self, rows: Axis, heads: usize, name: &str) -> ValueId {
        self.body.argument(Type::f32([rows, axis("head", heads), axis(name, self.width)]))
    }

    fn add(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.body.add(kind, operands, None).unwrap()[0]
    }

    fn silu(&mut self, x: ValueId) -> ValueId {
        self.add(OpKind::Elementwise(Function::Silu), &[x])
    }

    /// A convolution of four taps, with a window of its own.
    fn convolve(&mut self, x: ValueId) -> ValueId {
        let (window, segments) = (self.window(x), self.segments);
        self.convolve_with(x, window, segments)
    }

    fn window(&mut self, x: ValueId) -> ValueId {
        let channels = self.body.ty(x).axes[1..].to_vec();
        let first = vec![Axis::Rows(Extent::SEQUENCES), axis("memory", MEMORIES), axis("tap", 4)];
        self.body.argument(Type::f32([first, channels].concat()))
    }

    fn convolve_with(&mut self, x: ValueId, window: ValueId, segments: ValueId) -> ValueId {
        let channels = self.body.ty(x).axes[1..].to_vec();
        let weight = self.body.argument(Type::f32([channels, vec![axis("tap", 4)]].concat()));
        let results = self.body.add(OpKind::ShortConv, &[x, weight, window, segments], None).unwrap();
        self.results.push(results[1]);
        results[0]
    }

    fn scan(&mut self, inputs: [ValueId; 3]) {
        let operands = [&inputs[..], &[self.state, self.segments]].concat();
        let types: Vec<&Type> = operands.iter().map(|&operand| self.body.ty(operand)).collect();
        let types = ops::scan_result_types(&self.rule, &types).unwrap();
        let kind = OpKind::Scan { update_rule: self.rule.name.clone() };
        let results = self.body.add_typed(kind, operands, types, None);
        self.results.extend(results);
    }

    /// How many items a segment is cut into.
    fn items(self) -> Result<usize, String> {
        let graph = Graph { name: String::new(), update_rules: vec![self.rule], body: Body::default() };
        let (target, options) = (Target::from_name("x86-64-v3").unwrap(), Options::default());
        let body = Fused { body: self.body, results: self.results };
        let kernel = fused(Cx { target: &target, graph: &graph, options: &options }, &body)?;
        let (symbol, times) = (kernel.symbol.clone(), kernel.times);
        // What is promised can be written.
        assert!(kernel.text(crate::emit::Lanes::Register).0.contains(&symbol));
        Ok(times)
    }
}

fn boundaries() -> Type {
    Type::i32([Axis::Rows(Extent { sequences: MEMORIES, ..Extent::ZERO }.plus(1))])
}

/// `q`, `k` and `v` of the routed stream.
fn three(body: &mut Writer) -> [ValueId; 3] {
    ["key", "key", "value"].map(|name| body.input(ROUTED, HEADS, name))
}

#[test]
fn a_window_makes_one_item_of_a_head() {
    let items = |convolved: bool| {
        let mut body = Writer::new(128);
        let [q, k, v] = three(&mut body);
        let k = if convolved { body.convolve(k) } else { k };
        let k = body.silu(k);
        body.scan([q, k, v]);
        body.items().unwrap()
    };
    assert_eq!(items(true), HEADS);
    assert_eq!(items(false), 2 * HEADS);
}

#[test]
fn equal_values_are_made_once() {
    let mut body = Writer::new(8);
    let [_, k, v] = three(&mut body);
    let k = body.convolve(k);
    body.scan([k, k, v]);
    assert_eq!(body.items(), Ok(HEADS));
}

#[test]
fn convolutions_that_several_items_would_do_are_refused() {
    let mut body = Writer::new(8);
    let [q, _, v] = three(&mut body);
    let k = body.input(ROUTED, 1, "key");
    let k = body.convolve(k);
    body.scan([q, k, v]);
    let message = "a short convolution makes inputs for 1 heads, which the scan's 2 share: several items would change \
                   one window";
    assert_eq!(body.items(), Err(message.into()));

    // Without a window heads may share what each makes for itself.
    let mut body = Writer::new(8);
    let [q, _, v] = three(&mut body);
    let k = body.input(ROUTED, 1, "key");
    let k = body.silu(k);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Ok(HEADS));
}

#[test]
fn windows_and_states_belong_to_one_operation() {
    let mut body = Writer::new(8);
    let [q, k, v] = three(&mut body);
    let (window, segments) = (body.window(q), body.segments);
    let q = body.convolve_with(q, window, segments);
    let k = body.convolve_with(k, window, segments);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Err("two operations change one state in one launch".into()));

    let mut body = Writer::new(8);
    let [q, k, v] = three(&mut body);
    let other = body.body.argument(boundaries());
    let window = body.window(k);
    let k = body.convolve_with(k, window, other);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Err("a short convolution goes along other segments than the scan".into()));

    let mut body = Writer::new(8);
    let [q, k, v] = three(&mut body);
    let k = body.convolve(k);
    body.scan([q, k, v]);
    body.results.remove(0);
    let message = "f32 [B, memory 3, tap 4, head 2, key 8] is made by a scan's launch and not among its results";
    assert_eq!(body.items(), Err(message.into()));
}

#[test]
fn what_is_needed_outside_is_refused() {
    let mut body = Writer::new(8);
    let [q, k, v] = three(&mut body);
    let k = body.silu(k);
    body.scan([q, k, v]);
    body.results.push(k);
    let message = "f32 [2T, head 2, key 8] is made within a scan's launch and needed outside of it";
    assert_eq!(body.items(), Err(message.into()));
}

#[test]
fn what_one_head_and_token_cannot_make_is_refused() {
    let mut body = Writer::new(8);
    let [q, k, v] = three(&mut body);
    let weight = body.body.argument(Type::f32([head(), axis("key", 8)]));
    let k = body.add(OpKind::RmsNorm { eps: 1e-6 }, &[k, weight]);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Err("a norm over the axis of heads is not a matter of one head".into()));

    // What a convolution makes for the token at hand is not there for another one.
    let mut body = Writer::new(8);
    let [_, k, v] = three(&mut body);
    let (x, numbers) = (body.input(Axis::Rows(Extent::TOKENS), HEADS, "key"), body.body.argument(Type::i32([ROUTED])));
    let q = body.convolve(x);
    let segments = body.segments;
    let q = body.add(OpKind::Dispatch, &[q, numbers, segments]);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Err("a row that is made on the spot is read at another place".into()));
}

#[test]
fn what_is_routed_may_be_made_and_convolved() {
    let mut body = Writer::new(8);
    let [_, k, v] = three(&mut body);
    let (x, numbers) = (body.input(Axis::Rows(Extent::TOKENS), HEADS, "key"), body.body.argument(Type::i32([ROUTED])));
    let segments = body.segments;
    let q = body.silu(x);
    let q = body.add(OpKind::Dispatch, &[q, numbers, segments]);
    let q = body.convolve(q);
    body.scan([q, k, v]);
    assert_eq!(body.items(), Ok(HEADS));
}
