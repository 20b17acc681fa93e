//! Weights: how each must lie in memory for the kernels that read it.
//!
//! Kernels want a weight in panels, transposed, or as the checkpoint has it. A weight that two launches want otherwise is
//! there twice, as two parameters of the plan over one tensor.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, Graph, Op, OpKind, Source, ValueId},
    shape::{DType, Type},
};
use mom_runtime::plan::{self, Layout, Param};

use crate::{kernel::fused::product, target::Target};

/// The parameters of a program.
pub(super) struct Weights<'a> {
    target: &'a Target,
    /// As the plan has them.
    pub(super) planned: Vec<Param>,
    /// Each weight's layouts: their places among those planned.
    of: BTreeMap<ValueId, Vec<usize>>,
}

/// What a launch asks of an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Layout(Layout),
    /// Rows, wherever they lie.
    Rows,
}

impl Wish {
    fn grants(self, layout: Layout) -> bool {
        match self {
            Wish::Layout(wanted) => layout == wanted,
            Wish::Rows => matches!(layout, Layout::RowMajor | Layout::Panels { .. }),
        }
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
            wishes.sort_by_key(|wish| *wish == Wish::Rows);
            let mut layouts: Vec<Layout> = Vec::new();
            for wish in wishes {
                if !layouts.iter().any(|&layout| wish.grants(layout)) {
                    layouts.push(if let Wish::Layout(layout) = wish { layout } else { Layout::RowMajor });
                }
            }
            if layouts.is_empty() {
                layouts.push(Layout::RowMajor);
            }
            for layout in layouts {
                weights.of.entry(value).or_default().push(weights.planned.len());
                weights.planned.push(param(name, ty, source, layout));
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
            Some(places) => Ok(places.iter().copied().find(|&index| wish.grants(self.planned[index].layout))),
            None if wish.grants(Layout::RowMajor) => Ok(None),
            None => Err("the weight of a product or of a convolution must be a parameter of the program".into()),
        }
    }

    /// A parameter that is a weight, laid out in any way; none for a value that is no weight.
    pub(super) fn any(&self, value: ValueId) -> Option<usize> {
        self.of.get(&value)?.first().copied()
    }

    /// The parameter that is a weight as the checkpoint has it; none for a value that is no weight.
    pub(super) fn row_major(&self, value: ValueId) -> Option<usize> {
        let mut places = self.of.get(&value)?.iter().copied();
        places.find(|&index| self.planned[index].layout == Layout::RowMajor)
    }

    fn wish(&self, body: &Body, op: &Op, place: usize) -> Result<Wish, String> {
        let layouts = product::weight_layouts(self.target, body, op)?;
        Ok(match layouts.into_iter().find(|(operand, _)| *operand == place) {
            Some((_, layout)) => Wish::Layout(layout),
            None if op.kind == OpKind::Embedding => Wish::Rows,
            None => Wish::Layout(Layout::RowMajor),
        })
    }
}

fn param(name: &str, ty: &Type, source: &Source, layout: Layout) -> Param {
    let columns: usize = source.shape.iter().skip(1).product();
    Param {
        name: name.into(),
        tensor: source.tensor.clone(),
        shape: source.shape.clone(),
        first_row: source.first_row,
        rows: ty.row_elements() / columns.max(1),
        columns,
        dtype: if ty.dtype == DType::BF16 { plan::DType::Bf16 } else { plan::DType::F32 },
        layout,
    }
}
