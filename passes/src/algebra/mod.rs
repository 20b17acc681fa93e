//! The algebra of update rules: from a rule's equations to a chain of affine scans.
//!
//! Every state that is affine in itself comes out in one normal form,
//!
//! `M' = D M + Σ_j u_j (w_j - c_j (b_jᵀ M))ᵀ`,
//!
//! with `D` none, a number or one factor for each row, and everything else free of `M`. That is equation (2) of the
//! usual chunk forms with erase and write merged where they share the vector `u`. A rule with several states is a chain
//! of such scans: what one reads may be an ingredient of the next.

use mom_dialect::{
    graph::{Body, Port, ValueId},
    shape::Axis,
};

/// An update rule as affine scans with work of single tokens between them.
///
/// `body` is that work. Its arguments are the rule's inputs, its parameters, and then what each scan reads, in the order
/// of `scans` and of their `reads`; no value depends on a reading of its own scan or a later one unless it is made after
/// all scans that it is an ingredient of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    pub(crate) inputs: Vec<Port>,
    pub(crate) parameters: Vec<Port>,
    pub(crate) states: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) body: Body,
    /// One for each state, in an order in which they can run.
    pub(crate) scans: Vec<AffineScan>,
    /// The value of each output.
    pub(crate) read: Vec<ValueId>,
}

/// One state in normal form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AffineScan {
    /// Which of the rule's states this is.
    pub(crate) state: usize,
    /// The axis of `D`, `u` and `b`.
    pub(crate) rows: Axis,
    /// The other axis of the state; a state that is a vector has none.
    pub(crate) columns: Option<Axis>,
    /// Whether the state's type has `columns` before `rows`: the mirrored form.
    pub(crate) mirrored: bool,
    pub(crate) decay: Decay,
    pub(crate) terms: Vec<Term>,
    pub(crate) reads: Vec<Reading>,
}

/// `D`, as its natural logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Decay {
    None,
    Scalar(ValueId),
    /// Over `rows`.
    Rows(ValueId),
}

/// `u (w - c (bᵀ M))ᵀ`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// `u`, over `rows`.
    pub(crate) row: ValueId,
    /// `w`, over `columns` (a number, where there are none); nothing for a pure erase.
    pub(crate) column: Option<ValueId>,
    /// Nothing for a pure write.
    pub(crate) erase: Option<Erase>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Erase {
    /// `c`, a number for each token; 1 where there is none.
    pub(crate) scale: Option<ValueId>,
    /// `b`, over `rows`.
    pub(crate) row: ValueId,
}

/// `Mᵀ q`, or `M q` of the mirrored form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// `q`: over `rows`, or over `columns` where `across` says so.
    pub(crate) query: ValueId,
    /// Whether the sum runs over `columns`, so that the result is over `rows`.
    pub(crate) across: bool,
    /// Whether the state before the token is read.
    pub(crate) before: bool,
    /// The argument of the body that stands for what is read.
    pub(crate) value: ValueId,
}
