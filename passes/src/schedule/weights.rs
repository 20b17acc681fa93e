//! Weights: how each must lie in memory for the kernels that read it.
//!
//! Kernels want a weight in panels, transposed, or as the checkpoint has it, and they say which of its axes are the rows of
//! the matrix: which axes the checkpoint's tensor has does not matter. A weight that two launches want otherwise is there
//! twice, as two parameters of the plan over one tensor.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, Graph, Op, OpKind, Source, ValueId},
    shape::{DType, Type},
};
use mom_runtime::plan::{self, Layout, Param};

use crate::{
    kernel::fused::product::{self, Packing},
    target::Target,
};

/// The parameters of a program.
pub(super) struct Weights<'a> {
    target: &'a Target,
    /// As the plan has them.
    pub(super) planned: Vec<Param>,
    /// Each weight's layouts: their places among those planned.
    of: BTreeMap<ValueId, Vec<usize>>,
}

/// What a launch asks of an operand.
#[derive(Clone, Copy)]
struct Wish {
    packing: Packing,
    /// Whether its rows may also lie in panels.
    or_panels: bool,
}

impl Wish {
    fn is_granted(self, found: Packing) -> bool {
        let in_panels = matches!(found.layout, Layout::Panels { .. }) && found.columns == self.packing.columns;
        found == self.packing || self.or_panels && in_panels
    }
}

impl<'a> Weights<'a> {
    /// # Errors
    /// An operation that wants a weight in two ways at once, and why there is no help.
    pub(super) fn new(
        graph: &'a Graph,
        target: &'a Target,
        uses: &[Vec<usize>],
    ) -> Result<Weights<'a>, (&'a Op, String)> {
        let mut weights = Weights { target, planned: Vec::new(), of: BTreeMap::new() };
        let body = &graph.body;
        for op in &body.ops {
            let OpKind::Param { name, ty, source } = &op.kind else { continue };
            let value = op.results[0];
            let mut wishes = Vec::new();
            for user in uses[value.index()].iter().map(|&user| &body.ops[user]) {
                for place in (0..user.operands.len()).filter(|&place| user.operands[place] == value) {
                    wishes.push(weights.wish(body, user, place).map_err(|message| (user, message))?);
                }
            }
            // Whoever takes rows anywhere takes those that are there for others.
            wishes.sort_by_key(|wish| wish.or_panels);
            let mut packings: Vec<Packing> = Vec::new();
            for wish in wishes {
                if !packings.iter().any(|&packing| wish.is_granted(packing)) {
                    packings.push(wish.packing);
                }
            }
            if packings.is_empty() {
                packings.push(Packing::row_major(ty));
            }
            for packing in packings {
                weights.of.entry(value).or_default().push(weights.planned.len());
                weights.planned.push(param(name, ty, source, packing));
            }
        }
        Ok(weights)
    }

    /// The parameter that an operation reads as its operand number `place`; none where that is no weight.
    ///
    /// # Errors
    /// What the operation wants laid out as only a weight can be.
    pub(super) fn operand(&self, body: &Body, op: &Op, place: usize) -> Result<Option<usize>, String> {
        let wish = self.wish(body, op, place)?;
        match self.of.get(&op.operands[place]) {
            Some(places) => {
                let packing = |param: &Param| Packing { columns: param.columns, layout: param.layout };
                Ok(places.iter().copied().find(|&index| wish.is_granted(packing(&self.planned[index]))))
            }
            None if wish.packing.layout == Layout::RowMajor => Ok(None),
            None => Err("the weight of a product or of a convolution must be a parameter of the program".into()),
        }
    }

    /// A parameter that is a weight, laid out in any way; none for a value that is no weight.
    pub(super) fn any(&self, value: ValueId) -> Option<usize> {
        self.of.get(&value)?.first().copied()
    }

    fn wish(&self, body: &Body, op: &Op, place: usize) -> Result<Wish, String> {
        let packings = product::packings(self.target, body, op)?;
        let packing = packings.into_iter().find(|(operand, _)| *operand == place).map(|(_, packing)| packing);
        Ok(Wish {
            packing: packing.unwrap_or_else(|| Packing::row_major(body.ty(op.operands[place]))),
            or_panels: op.kind == OpKind::Embedding,
        })
    }
}

fn param(name: &str, ty: &Type, source: &Source, Packing { columns, layout }: Packing) -> Param {
    let stored_row: usize = source.shape.iter().skip(1).product();
    Param {
        name: name.into(),
        tensor: source.tensor.clone(),
        shape: source.shape.clone(),
        first: source.first_row * stored_row,
        rows: ty.row_elements() / columns.max(1),
        columns,
        dtype: if ty.dtype == DType::BF16 { plan::DType::Bf16 } else { plan::DType::F32 },
        layout,
    }
}
