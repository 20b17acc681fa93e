//! `router` and `sort` in one launch: which memories a token goes to, and where.
//!
//! One item does all tokens. Two of 8 memories take some ten nanoseconds a token, eight of 64 less than a microsecond, where
//! a row of a dense product of 1024 by 1024 takes some ten microseconds; in exchange nobody waits between the two, and
//! the choices need no buffer of their own.

use mom_dialect::{
    graph::{Fused, OpKind, ValueId},
    shape::Extent,
};

use super::super::{
    Kernel, TOKENS, each_item,
    routing::{Choices, Streams},
};

/// Buffers: the operands and results in their order.
///
/// # Errors
/// A body that is more than a router and the sort of its choices, or does not answer all that is needed to use them.
pub(super) fn routing<'a>(fused: &Fused) -> Result<Kernel<'a>, String> {
    let body = &fused.body;
    let [router, sort] = &body.ops[..] else {
        return Err("a router is computed in one launch with the sort of its choices, and with nothing else".into());
    };
    let (OpKind::Router { top_k, shared_state }, OpKind::Sort { memories }) = (&router.kind, &sort.kind) else {
        return Err("a router and a sort are computed in one launch, in this order".into());
    };
    let (logits, selected, weight) = (router.operands[0], router.results[0], router.results[1]);
    if sort.operands[0] != selected {
        return Err("a router and a sort of other choices are not computed in one launch".into());
    }
    let arguments = body.arguments();
    let buffers: Vec<ValueId> = arguments.iter().chain(&fused.results).copied().collect();
    let number = |value: ValueId| buffers.iter().position(|&other| other == value);
    let needed = |value: ValueId| {
        number(value).ok_or("a router and a sort in one launch must answer weight, permutation, slot and segments")
    };
    let (logits, weight) = (needed(logits)?, needed(weight)?);
    let (position, cu_seqlens) = (needed(sort.operands[1])?, needed(sort.operands[2])?);
    let [permutation, slot, segments] = [0, 1, 2].map(|result| needed(sort.results[result]));
    let (permutation, slot, segments) = (permutation?, slot?, segments?);
    // What nobody asked for lies where its slots will be.
    let selected = number(selected).unwrap_or(slot);
    let places = [logits, selected, weight, position, cu_seqlens, permutation, slot, segments];
    let choices =
        Choices { memories: body.ty(router.operands[0]).row_elements(), top_k: *top_k, shared_state: *shared_state };
    let memories = *memories;
    Ok(Kernel {
        symbol: format!(
            "momc_routing_{}_{memories}_{}",
            choices.symbol(),
            places.map(|place| place.to_string()).join("_")
        ),
        schedule: String::new(),
        rows: Extent::ZERO.plus(1),
        chunk: 1,
        times: 1,
        item_ns: 1000,
        token_ns: choices.token_ns(),
        body: Box::new(move |emit| {
            let [logits, selected, weight, position, cu_seqlens, permutation, slot, segments] =
                places.map(|place| emit.buffer(place));
            let streams = Streams { selected, position, cu_seqlens, permutation, slot, segments };
            each_item(emit, |emit, _| {
                let (zero, tokens) = (emit.int(0), emit.size(TOKENS));
                emit.for_each(zero, tokens, 1, |emit, token| choices.route(emit, (logits, selected, weight), token));
                streams.sort(emit, memories, choices.count());
            });
        }),
    })
}
