//! The terms of an e-graph over update rules: products and sums of tensors whose axes are named.
//!
//! A leaf carries an index for each of its axes. Products broadcast, and `sum` runs over one axis, so transposes,
//! outer products, diagonal matrices and products of matrices are all `*` and `sum`, and renaming or slicing an axis
//! only changes the indices of leaves.

use std::{fmt, str::FromStr};

use egg::{Id, define_language};
use mom_dialect::graph::Function;

define_language! {
    pub(crate) enum Term {
        Number(Number),
        Index(Index),
        Leaf(Leaf),
        "+" = Add([Id; 2]),
        "-" = Sub([Id; 2]),
        "*" = Mul([Id; 2]),
        "/" = Div([Id; 2]),
        "neg" = Neg(Id),
        // The axis, and what is summed.
        "sum" = Sum([Id; 2]),
        // The axis, and what is normalised along it.
        "softmax" = Softmax([Id; 2]),
        // The axis summed over the equations' rows, the axis of the unknowns, the matrix, the right-hand side.
        "solve" = Solve([Id; 4]),
        // An axis, the number of an entry, and what it is taken from.
        "entry" = Entry([Id; 3]),
        Call(Call, Vec<Id>),
    }
}

/// A finite number, ordered and hashed by its value; zero has one sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) f64);

impl Number {
    fn key(self) -> f64 {
        self.0 + 0.0
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().total_cmp(&other.key())
    }
}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().to_bits().hash(state);
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Number(value)),
            _ => Err(format!("`{text}` is no finite number")),
        }
    }
}

/// What stands at one axis of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Index {
    /// An axis by its number in [`super::import::Axes`].
    Axis(u32),
    /// The axis of a sum around the leaf: its size, and how many sums are nested in that sum, itself included. Only
    /// [`super::polynomial`] has these.
    Bound { height: u32, size: usize },
    /// One entry.
    Entry(usize),
}

impl fmt::Display for Index {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Index::Axis(number) => write!(formatter, "@{number}"),
            Index::Bound { height, size } => write!(formatter, "@b{height}:{size}"),
            Index::Entry(entry) => write!(formatter, "@={entry}"),
        }
    }
}

impl FromStr for Index {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no index");
        let number = text.strip_prefix('@').ok_or_else(error)?;
        match number.strip_prefix('=') {
            Some(entry) => entry.parse().map(Index::Entry).map_err(|_| error()),
            None => number.parse().map(Index::Axis).map_err(|_| error()),
        }
    }
}

/// Where a leaf's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Symbol {
    /// An input or parameter, by number.
    Given(u32),
    /// What a scan reads, by number. Only [`super::normal`] makes these.
    Read(u32),
    /// The number of the head.
    Head,
    /// 1 at one entry of the axis, else 0.
    OneAt(usize),
    /// 1 where both of its indices are the same, else 0.
    Identity,
    /// A state before the token, by number.
    State(u32),
}

/// A symbol with an index for each of its axes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Leaf {
    pub(crate) symbol: Symbol,
    pub(crate) indices: Vec<Index>,
}

impl fmt::Display for Leaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol {
            Symbol::Given(number) => write!(formatter, "x{number}")?,
            Symbol::Read(number) => write!(formatter, "r{number}")?,
            Symbol::Head => write!(formatter, "head")?,
            Symbol::Identity => write!(formatter, "identity")?,
            Symbol::OneAt(entry) => write!(formatter, "one{entry}")?,
            Symbol::State(number) => write!(formatter, "m{number}")?,
        }
        self.indices.iter().try_for_each(|index| write!(formatter, "{index}"))
    }
}

impl FromStr for Leaf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('@');
        let symbol = parts.next().unwrap_or_default();
        let number = |prefix: &str| symbol.strip_prefix(prefix).and_then(|digits| digits.parse::<u32>().ok());
        let symbol = match (number("x"), number("r"), number("m"), number("one")) {
            (Some(number), ..) => Symbol::Given(number),
            (_, Some(number), ..) => Symbol::Read(number),
            (_, _, Some(number), _) => Symbol::State(number),
            (_, _, _, Some(entry)) => Symbol::OneAt(entry as usize),
            _ if symbol == "head" => Symbol::Head,
            _ if symbol == "identity" => Symbol::Identity,
            _ => return Err(format!("`{text}` is no leaf")),
        };
        let indices = parts.map(|part| format!("@{part}").parse()).collect::<Result<_, _>>()?;
        Ok(Leaf { symbol, indices })
    }
}

/// A function that no rewrite looks into but for a few by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call(pub(crate) Function);

impl Call {
    fn number(self) -> Option<usize> {
        Function::ALL.iter().position(|function| *function == self.0)
    }
}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Call {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number().cmp(&other.number())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name())
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Function::ALL.into_iter().find(|function| function.name() == text);
        found.map(Call).ok_or_else(|| format!("`{text}` is no function"))
    }
}
