//! Types of values: an element type and axes that have names.
//!
//! Operations find each other's axes by name, as in Einstein's notation: a product of `[T, model]` and
//! `[head, key, model]` has the axes `[T, head, key]`. An axis is either *named*, with a size fixed by the model, or
//! *rows*, with a size that is known when a step runs. The size of rows is always a linear form, an [`Extent`], and
//! the form is the name of the axis: `T` tokens, `2T` routed rows, `4B+1` segment boundaries. A type holds at most one
//! axis of each name.

use std::fmt;

/// Element type. Values are `F32` and `I32`; `BF16` is for stored weights only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    F32,
    BF16,
    I32,
}

impl DType {
    pub fn bytes(self) -> usize {
        match self {
            DType::F32 | DType::I32 => 4,
            DType::BF16 => 2,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            DType::F32 => "f32",
            DType::BF16 => "bf16",
            DType::I32 => "i32",
        })
    }
}

/// A number of rows that is known when a step runs: `tokens·T + sequences·B + rows·L + context·C + constant`.
///
/// `T` is the number of tokens of the step, `B` of its sequences, `L` of the rows whose logits are asked for, `C` the
/// capacity of an attention layer's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extent {
    pub tokens: usize,
    pub sequences: usize,
    pub rows: usize,
    pub context: usize,
    pub constant: usize,
}

impl Extent {
    pub const TOKENS: Extent = Extent { tokens: 1, ..Extent::ZERO };
    pub const SEQUENCES: Extent = Extent { sequences: 1, ..Extent::ZERO };
    pub const ROWS: Extent = Extent { rows: 1, ..Extent::ZERO };
    pub const CONTEXT: Extent = Extent { context: 1, ..Extent::ZERO };
    pub const ZERO: Extent = Extent { tokens: 0, sequences: 0, rows: 0, context: 0, constant: 0 };

    #[must_use]
    pub const fn times(self, factor: usize) -> Extent {
        Extent {
            tokens: self.tokens * factor,
            sequences: self.sequences * factor,
            rows: self.rows * factor,
            context: self.context * factor,
            constant: self.constant * factor,
        }
    }

    #[must_use]
    pub const fn plus(self, constant: usize) -> Extent {
        Extent { constant: self.constant + constant, ..self }
    }

    pub fn parse(text: &str) -> Option<Extent> {
        let mut extent = Extent::ZERO;
        for term in text.split('+') {
            let digits = term.len() - term.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (factor, symbol) = term.split_at(digits);
            let factor = if factor.is_empty() { 1 } else { factor.parse().ok()? };
            let place = match symbol {
                "T" => &mut extent.tokens,
                "B" => &mut extent.sequences,
                "L" => &mut extent.rows,
                "C" => &mut extent.context,
                "" if digits > 0 => &mut extent.constant,
                _ => return None,
            };
            *place = place.checked_add(factor)?;
        }
        Some(extent)
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = [(self.tokens, "T"), (self.sequences, "B"), (self.rows, "L"), (self.context, "C")];
        let mut separator = "";
        for (factor, symbol) in terms.into_iter().filter(|(factor, _)| *factor > 0) {
            formatter.write_str(separator)?;
            if factor > 1 {
                write!(formatter, "{factor}")?;
            }
            formatter.write_str(symbol)?;
            separator = "+";
        }
        if self.constant > 0 || separator.is_empty() {
            write!(formatter, "{separator}{}", self.constant)?;
        }
        Ok(())
    }
}

/// One axis of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// As many entries as the extent says when the step runs.
    Rows(Extent),
    Named {
        name: String,
        size: usize,
    },
}

impl Axis {
    pub fn named(name: impl Into<String>, size: usize) -> Axis {
        Axis::Named { name: name.into(), size }
    }

    /// The name by which operations match axes; for rows, the extent.
    pub fn name(&self) -> String {
        match self {
            Axis::Rows(extent) => extent.to_string(),
            Axis::Named { name, .. } => name.clone(),
        }
    }

    /// The size, where it is fixed by the model.
    pub fn size(&self) -> Option<usize> {
        match self {
            Axis::Rows(_) => None,
            Axis::Named { size, .. } => Some(*size),
        }
    }
}

/// The type of a value.
///
/// Displayed as its MLIR text: `tensor<?x2x8xf32, ["2T", "head", "key"]>`, a scalar as `tensor<f32>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    pub dtype: DType,
    pub axes: Vec<Axis>,
}

impl Type {
    pub fn new(dtype: DType, axes: impl Into<Vec<Axis>>) -> Type {
        Type { dtype, axes: axes.into() }
    }

    pub fn f32(axes: impl Into<Vec<Axis>>) -> Type {
        Type::new(DType::F32, axes)
    }

    pub fn i32(axes: impl Into<Vec<Axis>>) -> Type {
        Type::new(DType::I32, axes)
    }

    pub fn scalar() -> Type {
        Type::f32([])
    }

    /// The extent of the leading axis, if that axis is rows.
    pub fn rows(&self) -> Option<Extent> {
        match self.axes.first() {
            Some(Axis::Rows(extent)) => Some(*extent),
            _ => None,
        }
    }

    /// Elements of one row: the product of all named axes.
    pub fn row_elements(&self) -> usize {
        self.axes.iter().filter_map(Axis::size).product()
    }

    pub fn axis(&self, name: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.name() == name)
    }

    pub fn has(&self, axis: &Axis) -> bool {
        self.axes.contains(axis)
    }

    /// Axis names and sizes for people: `[T, head 2, key 8]`.
    pub fn describe(&self) -> String {
        let axes: Vec<String> = self
            .axes
            .iter()
            .map(|axis| match axis {
                Axis::Rows(extent) => extent.to_string(),
                Axis::Named { name, size } => format!("{name} {size}"),
            })
            .collect();
        format!("{} [{}]", self.dtype, axes.join(", "))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tensor<")?;
        for axis in &self.axes {
            match axis.size() {
                Some(size) => write!(formatter, "{size}x")?,
                None => formatter.write_str("?x")?,
            }
        }
        write!(formatter, "{}", self.dtype)?;
        if !self.axes.is_empty() {
            let names: Vec<String> = self.axes.iter().map(|axis| format!("\"{}\"", axis.name())).collect();
            write!(formatter, ", [{}]", names.join(", "))?;
        }
        formatter.write_str(">")
    }
}
