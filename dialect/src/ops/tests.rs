//! What operations refuse, and values small enough to be worked out by hand.

use super::*;
use crate::{
    graph::Function,
    shape::{Axis, DType, Extent},
};

fn rows(extent: Extent, axes: &[(&str, usize)]) -> Type {
    let named = axes.iter().map(|(name, size)| Axis::named(*name, *size));
    Type::f32([Axis::Rows(extent)].into_iter().chain(named).collect::<Vec<_>>())
}

fn named(axes: &[(&str, usize)]) -> Type {
    Type::f32(axes.iter().map(|(name, size)| Axis::named(*name, *size)).collect::<Vec<_>>())
}

const T: Extent = Extent::TOKENS;

#[test]
fn every_name_stands_in_the_list_once() {
    let distinct: std::collections::BTreeSet<_> = NAMES.iter().collect();
    assert_eq!(distinct.len(), NAMES.len());
    assert!(NAMES.contains(&name(&OpKind::Dispatch)));
}

#[test]
fn results_follow_from_axes() {
    let x = rows(T, &[("model", 64)]);
    let weight = named(&[("head", 2), ("key", 8), ("model", 64)]);
    assert_eq!(result_types(&OpKind::Linear, &[&x, &weight]).unwrap(), [rows(T, &[("head", 2), ("key", 8)])]);
    let add = OpKind::Elementwise(Function::Add);
    let outer = [&named(&[("key", 8)]), &rows(T, &[])];
    assert_eq!(result_types(&add, &outer).unwrap(), [rows(T, &[("key", 8)])]);
    let contract = [&named(&[("key", 8), ("value", 4)]), &named(&[("key", 8)])];
    assert_eq!(result_types(&OpKind::Contract, &contract).unwrap(), [named(&[("value", 4)])]);
}

#[test]
fn operands_that_do_not_fit_are_refused_in_words_of_axes() {
    let x = rows(T, &[("model", 64)]);
    let heads = named(&[("head", 2), ("key", 8)]);
    let turned = named(&[("model", 64), ("key", 8)]);
    let wide = named(&[("key", 8), ("model", 32)]);
    let index = Type::i32([Axis::Rows(T)]);
    let slots = Type::i32([Axis::Rows(T), Axis::named("choice", 2)]);
    let cu_seqlens = check::boundaries(1);
    let segments = check::boundaries(4);
    let norm_weight = named(&[("head", 2)]);
    let window = named(&[("tap", 4), ("model", 64)]);
    let filter = named(&[("model", 64), ("tap", 4)]);
    let cases: [(OpKind, &[&Type], &str); 16] = [
        (
            OpKind::Linear,
            &[&x, &heads],
            "`linear` needs an axis that both operands have; found f32 [T, model 64] and f32 [head 2, key 8]",
        ),
        (OpKind::Linear, &[&x, &turned], "`linear` needs the axes [model 64] last, in one order, in both operands"),
        (OpKind::Linear, &[&x, &wide], "`linear` needs the axis `model` to have one size"),
        (OpKind::Linear, &[&x], "`linear` takes 2 operands, found 1"),
        (
            OpKind::GroupedLinear,
            &[&x, &cu_seqlens, &wide, &turned],
            "`grouped_linear` needs segments of type i32 [2B+1]",
        ),
        (OpKind::Elementwise(Function::Mul), &[&x, &wide], "`mul` needs the axis `model` to have one size"),
        (OpKind::Elementwise(Function::Exp), &[&index], "`exp` needs its operands in f32; found i32 [T]"),
        (OpKind::Embedding, &[&index, &x], "`embedding` needs a table in f32 or bf16 with named axes only"),
        (OpKind::SelectRows, &[&x, &index], "`select_rows` needs rows of type i32 [L]; found i32 [T]"),
        (OpKind::RmsNorm { eps: 1e-6 }, &[&x, &norm_weight], "`rms_norm` needs a weight over the operand's last axis"),
        (OpKind::Router { top_k: 65 }, &[&x], "`router` selects between 1 and all 64 memories, not 65"),
        (
            OpKind::Sort { memories: 1 },
            &[&slots, &index, &cu_seqlens],
            "`sort` has 1 memories for 2 choices of a token",
        ),
        (
            OpKind::Dispatch,
            &[&x, &slots, &segments],
            "`dispatch` needs a permutation of type i32 [T]; found i32 [T, choice 2]",
        ),
        (
            OpKind::ShortConv,
            &[&x, &filter, &window, &segments],
            "`short_conv` needs a window of type f32 [B, tap 4, model 64]",
        ),
        (OpKind::Rotary { base: 1e4 }, &[&rows(T, &[("width", 3)]), &index], "`rotary` needs a last axis of even size"),
        (
            OpKind::AppendCache,
            &[&x, &window, &index, &cu_seqlens],
            "`append_cache` needs a cache of type f32 [B, C, model 64]",
        ),
    ];
    for (kind, operands, expected) in cases {
        let error = result_types(&kind, operands).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

fn evaluated<'a>(values: &'a [(Type, Tensor)]) -> Vec<Operand<'a>> {
    values.iter().map(|(ty, value)| Operand { ty, value }).collect()
}

#[test]
fn the_router_prefers_the_lower_memory_among_equals() {
    let logits = Tensor::new([2, 4], [0.0, 2.0, 2.0, 1.0, 3.0, 3.0, 3.0, 3.0]);
    let results = routing::evaluate_router(2, &evaluated(&[(rows(T, &[("memory", 4)]), logits)]));
    assert_eq!(results[0].data, [1.0, 2.0, 0.0, 1.0]);
    assert_eq!(results[1].data, [0.5; 4]);
}

#[test]
fn the_sort_groups_by_memory_then_sequence_then_time() {
    // Sequence 0 has the tokens 0..4, of which 1 is padding; sequence 1 has the tokens 4 and 5.
    let selected = Tensor::new([6, 2], [1., 0., 0., 1., 2., 1., 1., 2., 0., 1., 1., 0.]);
    let values = [
        (Type::i32([Axis::Rows(T), Axis::named("choice", 2)]), selected),
        (check::index(T), Tensor::new([6], [0., -1., 1., 2., 0., 1.])),
        (check::boundaries(1), Tensor::new([3], [0., 4., 6.])),
    ];
    let results = routing::evaluate_sort(3, &evaluated(&values));
    assert_eq!(results[2].data, [0., 1., 3., 6., 8., 10., 10.]);
    assert_eq!(results[0].data, [0., 4., 5., 0., 2., 3., 4., 5., 2., 3., -1., -1.]);
    assert_eq!(results[1].data, [3., 0., -1., -1., 8., 4., 5., 9., 1., 6., 7., 2.]);

    // Dispatch and combine with weights of a half bring every real token back.
    let x = Tensor::new([6], [1., 2., 3., 4., 5., 6.]);
    let routed = embedding::picked(&x, &results[0]);
    let back = routing::evaluate_combine(&evaluated(&[
        (rows(T.times(2), &[]), routed),
        (values[0].0.clone(), results[1].clone()),
        (rows(T, &[("choice", 2)]), Tensor::new([6, 2], [0.5; 12])),
    ]));
    assert_eq!(back[0].data, [1., 0., 3., 4., 5., 6.]);
}

#[test]
fn the_short_convolution_carries_its_window() {
    // Two memories of one sequence; weight taps 1, 10 and 100 for the inputs two before, one before and now.
    let values = [
        (rows(T.times(2), &[("channel", 1)]), Tensor::new([4, 1], [1., 2., 3., 9.])),
        (named(&[("channel", 1), ("tap", 3)]), Tensor::new([1, 3], [1., 10., 100.])),
        (
            rows(Extent::SEQUENCES, &[("memory", 2), ("tap", 3), ("channel", 1)]),
            Tensor::new([1, 2, 3, 1], [4., 5., 6., 0., 0., 7.]),
        ),
        (check::boundaries(2), Tensor::new([3], [0., 1., 3.])),
    ];
    let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
    assert_eq!(result_types(&OpKind::ShortConv, &types).unwrap(), [values[0].0.clone(), values[2].0.clone()]);
    let results = short_conv::evaluate(&evaluated(&values));
    assert_eq!(results[0].data, [165., 270., 327., 0.]);
    assert_eq!(results[1].data, [5., 6., 1., 7., 2., 3.]);
}

#[test]
fn a_grouped_product_uses_the_weight_of_the_memory() {
    let weight = |value: f64| {
        (Type::new(DType::BF16, [Axis::named("out", 1), Axis::named("in", 1)]), Tensor::new([1, 1], [value]))
    };
    let values = [
        (rows(T, &[("in", 1)]), Tensor::new([4, 1], [1., 2., 3., 4.])),
        (check::boundaries(2), Tensor::new([5], [0., 1., 1., 2., 3.])),
        weight(10.),
        weight(100.),
    ];
    let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
    assert_eq!(result_types(&OpKind::GroupedLinear, &types).unwrap(), [rows(T, &[("out", 1)])]);
    assert_eq!(linear::evaluate_grouped(&evaluated(&values))[0].data, [10., 200., 300., 0.]);
}

#[test]
fn rotary_turns_the_halves() {
    let x = Tensor::new([1, 4], [1., 0., 0., 1.]);
    let values = [(rows(T, &[("width", 4)]), x), (check::index(T), Tensor::new([1], [2.]))];
    let y = &attention::evaluate_rotary(100.0, &evaluated(&values))[0].data;
    let expected = [2f64.cos(), -(0.2f64.sin()), 2f64.sin(), 0.2f64.cos()];
    assert!(y.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 1e-15), "{y:?}");
}
