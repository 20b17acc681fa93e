//! The algebra of update rules: from a rule's equations to a chain of affine scans.
//!
//! Every state that is affine in itself comes out in one normal form,
//!
//! `M' = D M + Σ_j u_j (w_j - c_j (b_jᵀ M))ᵀ`,
//!
//! with `D` none, a number or one factor for each row, and everything else free of `M`. That is equation (2) of the
//! usual chunk forms with erase and write merged where they share the vector `u`. A rule with several states is a chain
//! of such scans: what one reads may be an ingredient of the next.

mod analysis;
mod bounds;
mod coupling;
mod decay;
mod emit;
mod import;
mod length;
mod normal;
mod polynomial;
mod print;
mod read;
mod reads;
mod rewrites;
mod saturate;
mod term;
#[cfg(test)]
mod tests;

use mom_dialect::{
    graph::{Body, Port, UpdateRule, ValueId},
    shape::{Axis, Type},
};

pub use analysis::{Analysis, Refused, analyse};
use emit::Emit;
use normal::{Place, Reason, Refusal};
use term::Symbol;

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

/// The chain of affine scans that an update rule is.
///
/// # Errors
/// Why it is none.
pub(crate) fn chain(rule: &UpdateRule) -> Result<Chain, Refusal> {
    let (_, normal) = normal(rule).map_err(fault)?;
    // The body's own axes have had their use; without them, their names and number decide nothing.
    build(rule, &mut import::Axes::of_ports(rule), &normal?)
}

/// An update rule's terms and what they are in normal form, or why they are not.
///
/// # Errors
/// An operation that no update rule holds.
fn normal(rule: &UpdateRule) -> Result<(import::Imported, Result<normal::Normal, Refusal>), String> {
    let mut imported = import::import(rule)?;
    if let Some(refusal) = coupling::refusal(rule, &imported) {
        return Ok((imported, Err(refusal)));
    }
    // Before anything is saturated, so that a rule that is too long costs no time.
    let values = match read::read(&imported.terms, &imported.axes) {
        Ok(values) => values,
        Err(found) => {
            let refusal = length::refusal(&imported, found);
            return Ok((imported, Err(refusal)));
        }
    };
    let saturated = saturate::saturate(&imported, false);
    let mut next = Vec::new();
    for terms in &saturated.next {
        let read = read::read(terms, &imported.axes).map_err(|_| "an equation that saturation made longer")?;
        next.extend(read.into_iter().next_back());
    }
    let outputs: Vec<polynomial::Polynomial> =
        imported.read.iter().map(|&id| values[usize::from(id)].clone()).collect();
    let normal = normal::normalise(rule, &mut imported.axes, &next, &outputs);
    let normal = normal.and_then(|normal| {
        for scan in &normal.scans {
            decay::known(rule, &scan.decay).map_err(|reason| Refusal {
                place: Place::State(scan.state),
                reason,
                term: scan.decay.clone(),
                at: None,
            })?;
        }
        Ok(normal)
    });
    Ok((imported, normal))
}

/// What cannot happen with a rule that [`mom_dialect::verify`] accepts.
fn fault(message: String) -> Refusal {
    Refusal {
        place: Place::State(0),
        reason: Reason::Fault(message),
        term: polynomial::Polynomial::default(),
        at: None,
    }
}

/// Writes a normal form's expressions into a body.
fn build(rule: &UpdateRule, axes: &mut import::Axes, normal: &normal::Normal) -> Result<Chain, Refusal> {
    let scan_axes = |scan: &normal::Scan| {
        let axis = |number| axes.axis(number).cloned().unwrap_or(Axis::named("axis", 1));
        (axis(scan.rows), scan.columns.map(axis))
    };
    let over: Vec<(Axis, Option<Axis>)> = normal.scans.iter().map(scan_axes).collect();
    let mut emit = Emit::new(axes);
    for (number, port) in rule.inputs.iter().chain(&rule.parameters).enumerate() {
        emit.argument(Symbol::Given(number as u32), port.ty.clone());
    }
    let mut values = std::collections::BTreeMap::new();
    for (scan, (rows, columns)) in normal.scans.iter().zip(&over) {
        for read in &scan.reads {
            let axes: Vec<Axis> = if read.across { vec![rows.clone()] } else { columns.iter().cloned().collect() };
            values.insert(read.number, emit.argument(Symbol::Read(read.number), Type::f32(axes)));
        }
    }
    let mut scans = Vec::new();
    for (scan, (rows, columns)) in normal.scans.iter().zip(over) {
        let refuse = |reason, term: &polynomial::Polynomial| Refusal {
            place: Place::State(scan.state),
            reason,
            term: term.clone(),
            at: None,
        };
        let across: Vec<u32> = scan.columns.into_iter().collect();
        let log = decay::known(rule, &scan.decay).map_err(|reason| refuse(reason, &scan.decay))?.log;
        let decay = if log.is_zero() {
            Decay::None
        } else if log.has(term::Index::Axis(scan.rows)) {
            Decay::Rows(emit.polynomial(&log).map_err(fault)?)
        } else {
            Decay::Scalar(emit.polynomial(&log).map_err(fault)?)
        };
        let mut terms = Vec::new();
        for term in &scan.terms {
            let row = emit.over(&term.row, &[scan.rows]).map_err(fault)?;
            let column = match term.column.is_zero() {
                true => None,
                false => Some(emit.over(&term.column, &across).map_err(fault)?),
            };
            let erase = match term.scale.is_zero() {
                true => None,
                false => Some(Erase {
                    scale: match term.scale.constant() == Some(1.0) {
                        true => None,
                        false => Some(emit.polynomial(&term.scale).map_err(fault)?),
                    },
                    row: emit.over(&term.erase, &[scan.rows]).map_err(fault)?,
                }),
            };
            terms.push(Term { row, column, erase });
        }
        let mut reads = Vec::new();
        for read in &scan.reads {
            let axis = if read.across { scan.columns.unwrap_or(scan.rows) } else { scan.rows };
            let query = emit.over(&read.query, &[axis]).map_err(fault)?;
            reads.push(Reading { query, across: read.across, before: read.before, value: values[&read.number] });
        }
        scans.push(AffineScan { state: scan.state, rows, columns, mirrored: scan.mirrored, decay, terms, reads });
    }
    let mut read = Vec::new();
    for (output, port) in normal.outputs.iter().zip(&rule.outputs) {
        let axes: Vec<u32> = port.ty.axes.iter().map(|axis| emit.axis_number(axis)).collect();
        read.push(emit.over(output, &axes).map_err(fault)?);
    }
    Ok(Chain {
        inputs: rule.inputs.clone(),
        parameters: rule.parameters.clone(),
        states: rule.states.clone(),
        outputs: rule.outputs.clone(),
        body: emit.body,
        scans,
        read,
    })
}
