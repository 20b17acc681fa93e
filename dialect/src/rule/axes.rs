//! The types of the update-rule language: rows and columns, as on paper, that know the names of their axes.
//!
//! A graph matches axes by name, so the two sides of a square matrix need two names there: beside `key` stands `key'`,
//! which nobody can write and nobody is shown. A square value over `key` and `key'` may have either as its rows; all
//! other values have no primes.

use std::fmt;

use super::syntax::Declaration;

/// The type of an expression. A side without an axis has one entry: a scalar has neither, a vector is a column and
/// has rows only, its transpose has columns only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub rows: Option<String>,
    pub columns: Option<String>,
    /// `diag(v)`: a square matrix over the axis in `rows`, which `columns` repeats.
    pub diagonal: bool,
}

impl Shape {
    /// The type that a declaration gives; it has at most two axes.
    pub(super) fn declared(declaration: &Declaration) -> Shape {
        let mut axes = declaration.axes.iter().map(|axis| axis.text.clone());
        Shape { rows: axes.next(), columns: axes.next(), diagonal: false }.in_graph()
    }

    pub(super) fn is_scalar(&self) -> bool {
        self.rows.is_none() && self.columns.is_none()
    }

    pub(super) fn is_column(&self) -> bool {
        self.rows.is_some() && self.columns.is_none()
    }

    pub(super) fn is_matrix(&self) -> bool {
        self.rows.is_some() && self.columns.is_some() && !self.diagonal
    }

    /// Whether both sides are one axis.
    pub(super) fn is_square(&self) -> bool {
        let name = |side: &Option<String>| side.as_deref().map(plain).map(str::to_owned);
        self.is_matrix() && name(&self.rows) == name(&self.columns)
    }

    /// The type as people write it, without primes.
    pub(super) fn on_paper(&self) -> Shape {
        let name = |side: &Option<String>| side.as_deref().map(|axis| plain(axis).to_owned());
        Shape { rows: name(&self.rows), columns: name(&self.columns), diagonal: self.diagonal }
    }

    /// The type with the names that its sides have in a graph: the columns of a square matrix are primed.
    pub(super) fn in_graph(&self) -> Shape {
        let paper = self.on_paper();
        let columns = match (&paper.rows, paper.columns) {
            (Some(rows), Some(columns)) if *rows == columns && !self.diagonal => Some(primed(&columns)),
            (_, columns) => columns,
        };
        Shape { rows: paper.rows, columns, diagonal: self.diagonal }
    }

    pub(super) fn transposed(&self) -> Shape {
        Shape { rows: self.columns.clone(), columns: self.rows.clone(), diagonal: self.diagonal }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape { rows, columns, .. } = self.on_paper();
        match (rows, columns) {
            (None, None) => formatter.write_str("scalar"),
            (Some(axis), None) => formatter.write_str(&axis),
            (None, Some(axis)) => write!(formatter, "{axis}^T"),
            (Some(axis), Some(_)) if self.diagonal => write!(formatter, "diag({axis})"),
            (Some(rows), Some(columns)) => write!(formatter, "{rows} x {columns}"),
        }
    }
}

/// The axis without its primes.
pub(super) fn plain(axis: &str) -> &str {
    axis.trim_end_matches('\'')
}

/// Another name for the same axis.
pub(super) fn primed(axis: &str) -> String {
    format!("{axis}'")
}

/// The order in which a graph's value has its axes, whatever the order on paper: that of the declared matrices, then
/// that of first mention. So two values over the same axes have them in one order.
#[derive(Default)]
pub(super) struct AxisOrder {
    pairs: Vec<[String; 2]>,
    mentioned: Vec<String>,
}

impl AxisOrder {
    /// Takes in a declaration.
    ///
    /// # Errors
    /// The two axes, where an earlier matrix has them in the other order.
    pub(super) fn declare(&mut self, shape: &Shape) -> Result<(), [String; 2]> {
        for axis in [&shape.rows, &shape.columns].into_iter().flatten() {
            if !self.mentions(plain(axis)) {
                self.mentioned.push(plain(axis).to_owned());
            }
        }
        if let (Some(rows), Some(columns)) = (&shape.rows, &shape.columns)
            && !shape.is_square()
        {
            let pair = [rows.clone(), columns.clone()];
            let reverse = [columns.clone(), rows.clone()];
            if self.pairs.contains(&reverse) {
                return Err(reverse);
            }
            self.pairs.push(pair);
        }
        Ok(())
    }

    pub(super) fn mentions(&self, axis: &str) -> bool {
        self.mentioned.iter().any(|other| other == axis)
    }

    /// Whether a value with both axes has `first` before `second`.
    pub(super) fn precedes(&self, first: &str, second: &str) -> bool {
        let stands = |a: &str, b: &str| self.pairs.iter().any(|[x, y]| x == a && y == b);
        let place = |axis: &str| self.mentioned.iter().position(|other| other == axis);
        stands(first, second) || !stands(second, first) && place(first) <= place(second)
    }
}
