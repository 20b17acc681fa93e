//! Types: a tensor whose encoding gives each axis its name.

use super::{
    super::tree::{self, Attribute},
    Checked, is_word, product, refuse, refuse_with_help,
};
use crate::shape::{Axis, DType, Extent, Type};

const AXES: &str = "name the axes in order, as in `tensor<?x4x8xf32, [\"T\", \"head\", \"key\"]>`";

pub(super) fn ty(found: &tree::Type) -> Checked<Type> {
    let text = &found.text;
    let Some(tensor) = &found.tensor else {
        return refuse(format!("`{text}` is not a tensor"));
    };
    let Some(dtype) =
        [DType::F32, DType::BF16, DType::I32].into_iter().find(|dtype| dtype.to_string() == tensor.element)
    else {
        return refuse(format!("`{text}` has elements of type {}; they are f32, bf16 or i32", tensor.element));
    };
    let names = match &tensor.encoding {
        None => &[][..],
        // No names at all are written as no list.
        Some(Attribute::List(names)) if !names.is_empty() => names,
        Some(_) => return refuse_with_help(format!("`{text}` does not list the names of its axes"), AXES),
    };
    if names.len() != tensor.sizes.len() {
        return refuse_with_help(format!("`{text}` does not give each axis a name"), AXES);
    }
    if product(tensor.sizes.iter().flatten()).is_none() {
        return refuse(format!("`{text}` is too large"));
    }
    let mut axes: Vec<Axis> = Vec::new();
    for (name, size) in names.iter().zip(&tensor.sizes) {
        let axis = axis(name, *size, text)?;
        if axes.iter().any(|other| other.name() == axis.name()) {
            return refuse(format!("`{text}` has two axes `{}`", axis.name()));
        }
        axes.push(axis);
    }
    Ok(Type::new(dtype, axes))
}

fn axis(name: &Attribute, size: Option<usize>, text: &str) -> Checked<Axis> {
    let Attribute::Text(name) = name else {
        return refuse_with_help(format!("`{text}` has an axis whose name is not a text"), AXES);
    };
    // Only the one way in which an extent is written, so that equal types are equal texts.
    let extent = Extent::parse(name).filter(|extent| extent.to_string() == *name);
    match (extent, size) {
        (Some(extent), None) => Ok(Axis::Rows(extent)),
        (Some(extent), Some(size)) => refuse_with_help(
            format!("`{text}` gives the size {size} to the axis `{extent}`, whose size is known when a step runs"),
            "write `?` for the size, or another name",
        ),
        // The second axis of a square matrix is primed.
        (None, Some(size)) if is_word(name.trim_end_matches('\'')) => Ok(Axis::named(name, size)),
        (None, Some(_)) => refuse_with_help(format!("`{text}` has an axis whose name is not a word"), AXES),
        (None, None) => refuse_with_help(
            format!("`{text}` has an axis without a size whose name does not say how many rows it has"),
            "name it by its number of rows, as in `T`, `2T`, `4B+1`, `L` or `C`",
        ),
    }
}
