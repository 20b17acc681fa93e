//! What operations refuse, and values small enough to be worked out by hand.

use std::slice;

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
    let narrow = rows(T, &[("head", 2), ("key", 8)]);
    let narrow_weight = named(&[("out", 3), ("head", 2), ("key", 8)]);
    let inner_weight = named(&[("out", 3), ("key", 8)]);
    let half_weight = Type::new(DType::BF16, narrow_weight.axes.clone());
    let three_slots = Type::i32([Axis::Rows(T), Axis::named("choice", 3)]);
    let states = rows(Extent::SEQUENCES, &[("memory", 1), ("key", 8)]);
    let filter = named(&[("model", 64), ("tap", 4)]);
    let cases: [(OpKind, &[&Type], &str); 27] = [
        (
            OpKind::Linear,
            &[&x, &heads],
            "`linear` needs an axis that both operands have; found f32 [T, model 64] and f32 [head 2, key 8]",
        ),
        (OpKind::Linear, &[&x, &turned], "`linear` needs the axes [model 64] last, in one order, in both operands"),
        (OpKind::Linear, &[&x, &wide], "`linear` needs the axis `model` to have one size"),
        (OpKind::Linear, &[&x], "`linear` takes rows and at least one weight, found 1 operand"),
        (
            OpKind::Linear,
            &[&narrow, &narrow_weight, &inner_weight],
            "`linear` needs weights of one element type that sum over the same axes; found f32 [out 3, head 2, key 8] and \
             f32 [out 3, key 8]",
        ),
        (
            OpKind::Linear,
            &[&narrow, &narrow_weight, &half_weight],
            "`linear` needs weights of one element type that sum over the same axes; found f32 [out 3, head 2, key 8] and \
             bf16 [out 3, head 2, key 8]",
        ),
        (
            OpKind::GroupedLinear,
            &[&x, &check::boundaries(2), &wide, &turned],
            "`grouped_linear` needs every weight of a product",
        ),
        (
            OpKind::GroupedLinear,
            &[&x, &segments, &wide, &wide],
            "`grouped_linear` needs one weight for each of 4 memories in every product, found 2 weights",
        ),
        (
            OpKind::GroupedLinear,
            &[&x, &index, &wide],
            "`grouped_linear` needs segments of type i32 [B+1]; found i32 [T]",
        ),
        (OpKind::Elementwise(Function::Mul), &[&x, &wide], "`mul` needs the axis `model` to have one size"),
        (OpKind::Elementwise(Function::Exp), &[&index], "`exp` needs its operands in f32; found i32 [T]"),
        (OpKind::Embedding, &[&index, &x], "`embedding` needs a table in f32 or bf16 with named axes only"),
        (OpKind::SelectRows, &[&x, &index], "`select_rows` needs rows of type i32 [L]; found i32 [T]"),
        (OpKind::RmsNorm { eps: 1e-6 }, &[&x, &norm_weight], "`rms_norm` needs a weight over the operand's last axis"),
        (
            OpKind::Router { top_k: 65, shared_state: true },
            &[&x],
            "`router` selects between 1 and all 64 memories, not 65",
        ),
        (
            OpKind::Append,
            &[&x, &slots, &x, &slots],
            "`append` needs slots of the result of type i32 [T, choice 3]; found i32 [T, choice 2]",
        ),
        (OpKind::Append, &[&x, &slots, &x, &three_slots], "`append` needs 2T rows; found f32 [T, model 64]"),
        (
            OpKind::Append,
            &[&rows(T.times(2), &[("model", 64)]), &slots, &rows(T, &[("model", 8)]), &three_slots],
            "`append` needs tokens of type f32 [T, model 64]; found f32 [T, model 8]",
        ),
        (
            OpKind::JoinMemories,
            &[&window, &window],
            "`join_memories` needs states with rows first and named axes after; found f32 [tap 4, model 64]",
        ),
        (
            OpKind::JoinMemories,
            &[&states, &states],
            "`join_memories` needs the state of one memory of type f32 [B, key 8]; found f32 [B, memory 1, key 8]",
        ),
        (
            OpKind::SplitMemories,
            &[&rows(Extent::SEQUENCES, &[("key", 8)])],
            "`split_memories` needs states [B, memory, …]; found f32 [B, key 8]",
        ),
        (
            OpKind::SplitMemories,
            &[&states],
            "`split_memories` needs at least two memories; found f32 [B, memory 1, key 8]",
        ),
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
    let results = routing::evaluate_router(2, false, &evaluated(&[(rows(T, &[("memory", 4)]), logits)]));
    assert_eq!(results[0].data, [1.0, 2.0, 0.0, 1.0]);
    assert_eq!(results[1].data, [0.5; 4]);
}

#[test]
fn the_shared_state_is_the_last_choice() {
    let logits = rows(T, &[("memory", 3)]);
    let router = OpKind::Router { top_k: 2, shared_state: true };
    let choices = [Axis::Rows(T), Axis::named("choice", 3)];
    assert_eq!(result_types(&router, &[&logits]).unwrap(), [Type::i32(choices.clone()), Type::f32(choices)]);
    let values = [(logits, Tensor::new([2, 3], [0.0, 0.0, -1e9, -1e9, 0.0, 0.0]))];
    let results = routing::evaluate_router(2, true, &evaluated(&values));
    assert_eq!(results[0], Tensor::new([2, 3], [0.0, 1.0, 3.0, 1.0, 2.0, 3.0]));
    assert_eq!(results[1], Tensor::new([2, 3], [0.5, 0.5, 1.0, 0.5, 0.5, 1.0]));
}

/// What `sort` makes of three tokens of one sequence, the second of which is padding.
fn sorted(memories: usize, selected: Tensor) -> Vec<Tensor> {
    let values = [
        (Type::i32([Axis::Rows(T), Axis::named("choice", selected.shape[1])]), selected),
        (check::index(T), Tensor::new([3], [0., -1., 1.])),
        (check::boundaries(1), Tensor::new([2], [0., 3.])),
    ];
    routing::evaluate_sort(memories, &evaluated(&values))
}

#[test]
fn appending_the_tokens_gives_the_stream_with_the_shared_state() {
    let x = Tensor::new([3, 1], [5., 6., 7.]);
    let [permutation, slot, _] = sorted(2, Tensor::new([3, 1], [1., 0., 0.])).try_into().unwrap();
    let [next_permutation, next_slot, _] = sorted(3, Tensor::new([3, 2], [1., 2., 0., 2., 0., 2.])).try_into().unwrap();
    let choices = |size| Type::i32([Axis::Rows(T), Axis::named("choice", size)]);
    let values = [
        (rows(T, &[("model", 1)]), embedding::picked(&x, &permutation)),
        (choices(1), slot),
        (rows(T, &[("model", 1)]), x.clone()),
        (choices(2), next_slot),
    ];
    let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
    assert_eq!(result_types(&OpKind::Append, &types).unwrap(), [rows(T.times(2), &[("model", 1)])]);
    let appended = routing::evaluate_append(&evaluated(&values));
    assert_eq!(appended, [embedding::picked(&x, &next_permutation)]);
    assert_eq!(appended[0].data, [7., 5., 5., 7., 0., 0.]);
}

#[test]
fn memories_are_joined_and_split() {
    let several = rows(Extent::SEQUENCES, &[("memory", 2), ("key", 1)]);
    let one = rows(Extent::SEQUENCES, &[("key", 1)]);
    let joined = rows(Extent::SEQUENCES, &[("memory", 3), ("key", 1)]);
    assert_eq!(result_types(&OpKind::JoinMemories, &[&several, &one]).unwrap(), slice::from_ref(&joined));
    assert_eq!(result_types(&OpKind::SplitMemories, &[&joined]).unwrap(), [several.clone(), one.clone()]);
    let values = [(several, Tensor::new([2, 2, 1], [1., 2., 3., 4.])), (one, Tensor::new([2, 1], [5., 6.]))];
    let whole = memories::evaluate_join(&evaluated(&values));
    assert_eq!(whole, [Tensor::new([2, 3, 1], [1., 2., 5., 3., 4., 6.])]);
    let parts = memories::evaluate_split(&evaluated(&[(joined, whole[0].clone())]));
    assert_eq!(parts, values.map(|(_, value)| value));
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

    // A second product has two more weights, of other axes.
    let wide =
        |values: [f64; 2]| (Type::new(DType::BF16, named(&[("two", 2), ("in", 1)]).axes), Tensor::new([2, 1], values));
    let values = [&values[..], &[wide([1., -1.]), wide([2., 0.])]].concat();
    let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
    assert_eq!(result_types(&OpKind::GroupedLinear, &types).unwrap(), [rows(T, &[("out", 1)]), rows(T, &[("two", 2)])]);
    let results = linear::evaluate_grouped(&evaluated(&values));
    assert_eq!(results[0].data, [10., 200., 300., 0.]);
    assert_eq!(results[1].data, [1., -1., 4., 0., 6., 0., 0., 0.]);
}

#[test]
fn a_product_with_several_weights_has_as_many_results() {
    let values = [
        (rows(T, &[("in", 2)]), Tensor::new([2, 2], [1., 2., 3., 4.])),
        (named(&[("out", 1), ("in", 2)]), Tensor::new([1, 2], [1., 1.])),
        (named(&[("a", 1), ("b", 2), ("in", 2)]), Tensor::new([1, 2, 2], [0., 1., 10., 0.])),
    ];
    let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
    assert_eq!(
        result_types(&OpKind::Linear, &types).unwrap(),
        [rows(T, &[("out", 1)]), rows(T, &[("a", 1), ("b", 2)])]
    );
    let results = linear::evaluate(&evaluated(&values));
    assert_eq!(results[0], Tensor::new([2, 1], [3., 7.]));
    assert_eq!(results[1], Tensor::new([2, 1, 2], [2., 10., 4., 30.]));
}

#[test]
fn rotary_turns_the_halves() {
    let x = Tensor::new([1, 4], [1., 0., 0., 1.]);
    let values = [(rows(T, &[("width", 4)]), x), (check::index(T), Tensor::new([1], [2.]))];
    let y = &attention::evaluate_rotary(100.0, &evaluated(&values))[0].data;
    let expected = [2f64.cos(), -(0.2f64.sin()), 2f64.sin(), 0.2f64.cos()];
    assert!(y.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 1e-15), "{y:?}");
}
