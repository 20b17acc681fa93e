//! Which fused operations have a kernel, and what is said of the others. What the kernels compute is held against the
//! interpreter by `tests/cases/fused`.

use mom_dialect::{
    graph::{Body, Function, Fused, Graph, OpKind, ValueId},
    shape::{Axis, DType, Extent, Type},
};

use super::{Cx, fused, row_wise::RowWise, row_wise::Slice};
use crate::{Options, Target};

const TOKENS: Axis = Axis::Rows(Extent::TOKENS);

fn axis(name: &str, size: usize) -> Axis {
    Axis::named(name, size)
}

fn model() -> Axis {
    axis("model", 24)
}

/// A body that is written down value by value.
#[derive(Default)]
struct Writer(Body);

impl Writer {
    fn rows(&mut self, axes: &[Axis]) -> ValueId {
        self.0.argument(Type::f32([&[TOKENS], axes].concat()))
    }

    fn weight(&mut self, axes: &[Axis]) -> ValueId {
        self.0.argument(Type::f32(axes))
    }

    fn all(&mut self, kind: OpKind, operands: &[ValueId]) -> Vec<ValueId> {
        self.0.add(kind, operands, None).unwrap()
    }

    fn one(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.all(kind, operands)[0]
    }

    fn apply(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.one(OpKind::Elementwise(function), operands)
    }

    fn norm(&mut self, x: ValueId, weight: ValueId) -> ValueId {
        self.one(OpKind::RmsNorm { eps: 1e-6 }, &[x, weight])
    }

    /// The symbol of the kernel that makes `results`.
    fn kernel(self, results: &[ValueId]) -> Result<String, String> {
        let graph = Graph { name: String::new(), update_rules: Vec::new(), body: Body::default() };
        let (target, options) = (Target::from_name("x86-64-v3").unwrap(), Options::default());
        let body = Fused { body: self.0, results: results.to_vec() };
        let kernel = fused(Cx { target: &target, graph: &graph, options: &options }, &body)?;
        let symbol = kernel.symbol.clone();
        // What is promised can be written.
        assert!(kernel.text(crate::emit::Lanes::Register).0.contains(&symbol));
        Ok(symbol)
    }
}

#[test]
fn equal_bodies_are_one_kernel() {
    let kernel = |eps: f64, width: usize| {
        let mut body = Writer::default();
        let (x, weight) = (body.rows(&[axis("model", width)]), body.weight(&[axis("model", width)]));
        let y = body.one(OpKind::RmsNorm { eps }, &[x, weight]);
        body.kernel(&[y]).unwrap()
    };
    assert_eq!(kernel(1e-6, 24), kernel(1e-6, 24));
    assert_ne!(kernel(1e-6, 24), kernel(1e-5, 24));
    assert_ne!(kernel(1e-6, 24), kernel(1e-6, 32));
}

#[test]
fn what_has_no_kernel_is_refused() {
    let mut body = Writer::default();
    let (x, up, down) =
        (body.rows(&[model()]), body.weight(&[axis("hidden", 8), model()]), body.weight(&[model(), axis("hidden", 8)]));
    let hidden = body.one(OpKind::Linear, &[x, up]);
    let y = body.one(OpKind::Linear, &[hidden, down]);
    assert_eq!(body.kernel(&[y]), Err("no kernel computes linear, linear in one launch".into()));

    let mut body = Writer::default();
    let (x, weight, norm) =
        (body.rows(&[model()]), body.weight(&[axis("out", 8), model()]), body.weight(&[axis("out", 8)]));
    let y = body.one(OpKind::Linear, &[x, weight]);
    let y = body.norm(y, norm);
    assert_eq!(body.kernel(&[y]), Err("`rms_norm` is not computed on the sums of a product".into()));

    let mut body = Writer::default();
    let (x, a, b) =
        (body.rows(&[model()]), body.weight(&[axis("a", 8), model()]), body.weight(&[axis("b", 9), model()]));
    let y = body.all(OpKind::Linear, &[x, a, b]);
    let gate = body.apply(Function::Silu, &[y[0]]);
    let message = "what is computed from several products needs them to have equal columns";
    assert_eq!(body.kernel(&[gate, y[1]]), Err(message.into()));

    let mut body = Writer::default();
    let (x, weight) = (body.rows(&[model()]), body.weight(&[axis("head", 2), axis("key", 4), model()]));
    let scale = body.weight(&[axis("head", 2)]);
    let y = body.one(OpKind::Linear, &[x, weight]);
    let y = body.apply(Function::Mul, &[y, scale]);
    let message = "f32 [head 2] does not go along with the rows and columns of f32 [T, head 2, key 4]";
    assert_eq!(body.kernel(&[y]), Err(message.into()));

    let mut body = Writer::default();
    let (x, weight) = (body.rows(&[model()]), body.weight(&[axis("out", 8), model()]));
    let weight = body.apply(Function::Exp, &[weight]);
    let y = body.one(OpKind::Linear, &[x, weight]);
    let message = "weights and segments of a product must not be computed on the spot";
    assert_eq!(body.kernel(&[y]), Err(message.into()));

    let mut body = Writer::default();
    let (x, other) = (body.rows(&[model()]), body.0.argument(Type::f32([Axis::Rows(Extent::ROWS), model()])));
    let (y, z) = (body.apply(Function::Exp, &[x]), body.apply(Function::Exp, &[other]));
    let message = "results over different rows: f32 [T, model 24] and f32 [L, model 24]";
    assert_eq!(body.kernel(&[y, z]), Err(message.into()));

    let mut body = Writer::default();
    let tokens = body.0.argument(Type::i32([TOKENS]));
    let table = body.0.argument(Type::new(DType::BF16, [axis("vocab", 9), model()]));
    let y = body.one(OpKind::Embedding, &[tokens, table]);
    assert_eq!(body.kernel(&[y]), Err("rows of embeddings are read by a kernel of their own".into()));

    let mut body = Writer::default();
    let (x, norm) = (body.rows(&[axis("head", 2), axis("key", 4)]), body.weight(&[axis("key", 4)]));
    let weight = body.weight(&[axis("out", 8), axis("key", 4)]);
    let x = body.norm(x, norm);
    let y = body.one(OpKind::Linear, &[x, weight]);
    assert_eq!(body.kernel(&[y]), Err("rows that are made on the spot must be mapped whole".into()));

    let mut body = Writer::default();
    let (x, norm, weight) = (body.rows(&[model()]), body.weight(&[model()]), body.weight(&[axis("out", 8), model()]));
    let x = body.norm(x, norm);
    let y = body.one(OpKind::Linear, &[x, weight]);
    let message = "f32 [T, model 24] comes out of a product that has other axes, f32 [T, out 8]";
    assert_eq!(body.kernel(&[y, x]), Err(message.into()));
}

#[test]
fn a_head_is_computed_by_itself_if_it_can_be() {
    let target = Target::from_name("x86-64-v3").unwrap();
    let slice = Slice { axis: "head".into(), heads: 4 };
    let sliced = |body: &Writer, wanted: ValueId, made: &[ValueId]| {
        RowWise::new(&target, &body.0, &[wanted], made, Some(&slice)).map(|row_wise| row_wise.scratch())
    };
    let (head, key) = (axis("head", 2), axis("key", 4));

    let mut body = Writer::default();
    let (x, weight) = (body.rows(&[head.clone(), key.clone()]), body.weight(std::slice::from_ref(&key)));
    let y = body.norm(x, weight);
    let z = body.apply(Function::Silu, &[y]);
    // The norm of one head lies in scratch, in a cache line of its own.
    assert_eq!(sliced(&body, z, &[]), Ok(16));
    assert_eq!(sliced(&body, z, &[y]), Ok(0));

    let mut body = Writer::default();
    let (x, weight) = (body.rows(&[head.clone(), key.clone()]), body.weight(&[head.clone(), key.clone()]));
    let y = body.norm(x, weight);
    assert_eq!(sliced(&body, y, &[]), Err("a norm over the axis of heads is not a matter of one head".into()));

    let mut body = Writer::default();
    let x = body.rows(&[key, head]);
    let y = body.apply(Function::Silu, &[x]);
    assert_eq!(
        sliced(&body, y, &[]),
        Err("a value with the axes f32 [T, key 4, head 2] is not read row by row".into())
    );
}

#[test]
fn rows_made_on_the_spot_are_not_read_elsewhere() {
    let mut body = Writer::default();
    let x = body.rows(&[model()]);
    let numbers = body.0.argument(Type::i32([Axis::Rows(Extent::TOKENS.times(2))]));
    let segments = body.0.argument(Type::i32([Axis::Rows(Extent { sequences: 4, ..Extent::ZERO }.plus(1))]));
    let y = body.apply(Function::Exp, &[x]);
    let routed = body.one(OpKind::Dispatch, &[y, numbers, segments]);
    let target = Target::from_name("x86-64-v3").unwrap();
    let steps = |made: &[ValueId]| RowWise::new(&target, &body.0, &[routed], made, None).map(|_| ());
    assert_eq!(steps(&[]), Ok(()));
    assert_eq!(steps(&[y]), Err("a row that is made on the spot is read at another place".into()));
}
