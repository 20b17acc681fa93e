//! The rewrites of whole programs, by theme; each stands under its equation.
//!
//! A rewrite is one entry of its theme's list. Rewrites are directional and say nothing that helps only later. The tests
//! take every list: they hold all nodes of every class against each other in float64.
//!
//! They are applied in [`PHASES`], each to saturation: no restructuring has to see through products that were merged, and
//! products are merged once all that there are to merge are known; folds, which only say what is computed inside which
//! kernel, come last.

use super::rewrite::Rewrite;

mod dead;
mod dispatch;
mod fold;
mod matching;
mod product;
mod reading;
mod routing;

/// The rewrites in the order in which they are applied. Those of the last phase are the folds: they change which kernel
/// computes a value, the others what is computed.
pub(crate) const PHASES: [&[&[Rewrite]]; 3] = [
    &[dead::REWRITES, routing::REWRITES, dispatch::REWRITES, reading::REWRITES],
    &[product::REWRITES],
    &[fold::REWRITES],
];

/// All rewrites.
pub(crate) fn all() -> impl Iterator<Item = &'static Rewrite> {
    PHASES.into_iter().flatten().copied().flatten()
}
