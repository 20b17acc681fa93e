//! Where the elements of a value lie, and which of them meet when axes are matched by name.

use super::Operand;
use crate::shape::{Axis, Type};

/// The axes of a value with the sizes they have in this step; elements lie row-major.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) axes: Vec<(String, usize)>,
}

impl Layout {
    /// The layout of a type whose axes are all named.
    pub(crate) fn of_type(ty: &Type) -> Layout {
        Layout { axes: ty.axes.iter().map(|axis| (axis.name(), axis.size().unwrap_or_default())).collect() }
    }

    pub(crate) fn of_operand(operand: &Operand<'_>) -> Layout {
        let names = operand.ty.axes.iter().map(Axis::name);
        Layout { axes: names.zip(operand.value.shape.iter().copied()).collect() }
    }

    pub(crate) fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|(_, size)| *size).collect()
    }

    /// For every element of a value with the layout `over`, the offset of the element here that meets it. Axes of
    /// `over` that are absent here do not move the offset; axes here that are absent there stay at their start.
    pub(crate) fn offsets(&self, over: &Layout) -> Vec<usize> {
        over.axes.iter().fold(vec![0], |offsets, (name, size)| {
            let stride = self.stride(name);
            offsets.iter().flat_map(|start| (0..*size).map(move |at| start + at * stride)).collect()
        })
    }

    fn stride(&self, name: &str) -> usize {
        match self.axes.iter().position(|(own, _)| own == name) {
            Some(at) => self.axes[at + 1..].iter().map(|(_, size)| size).product(),
            None => 0,
        }
    }
}
