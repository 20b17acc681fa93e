//! The logarithm of a decay, and whether the decay can exceed one.

use mom_dialect::graph::{Function, UpdateRule};

use super::{
    bounds::Bounds,
    normal::Reason,
    polynomial::{Atom, Polynomial},
    term::Call,
};

/// What is known about a decay.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    /// The natural logarithm.
    pub(crate) log: Polynomial,
    /// Whether it is positive only if the rule's parameters are not negative.
    pub(crate) assumes_parameters: bool,
    /// Whether nothing is known that keeps it from exceeding one.
    pub(crate) assumes_at_most_one: bool,
}

/// # Errors
/// Why the decay is none that chunks can be built on.
pub(crate) fn known(rule: &UpdateRule, decay: &Polynomial) -> Result<Known, Reason> {
    let stated = Bounds::new(rule, false);
    let assumed = Bounds::new(rule, true);
    let proven = log(decay, &|x| stated.is_positive(x));
    let assumes_parameters = proven.is_none();
    let log = proven.or_else(|| log(decay, &|x| assumed.is_positive(x))).ok_or(Reason::NotPositive)?;
    let bounds = if assumes_parameters { assumed } else { stated };
    let range = bounds.range(decay);
    // Rounding of constants must not make a decay of one exceed it.
    let one = 1.0 + 1e-12;
    let constant = decay.constant();
    let grows = match constant {
        Some(value) => value > one,
        None => range.high > one && range.high.is_finite() || range.low >= 1.0,
    };
    if grows {
        return Err(Reason::Grows);
    }
    Ok(Known { log, assumes_parameters, assumes_at_most_one: range.high > one })
}

/// The natural logarithm of a decay; nothing, where it may be zero or less.
fn log(decay: &Polynomial, positive: &dyn Fn(&Polynomial) -> bool) -> Option<Polynomial> {
    let sigmoid = |atom: &Atom| match atom {
        Atom::Call(Call(Function::Sigmoid), operands) => operands.first().cloned(),
        _ => None,
    };
    let softplus = |x: &Polynomial| Polynomial::call(Call(Function::Softplus), vec![x.clone()]).times_number(-1.0);
    if let Some((monomial, factor)) = decay.single().filter(|(_, factor)| *factor > 0.0) {
        return monomial.0.iter().try_fold(Polynomial::number(factor.ln()), |sum, (atom, power)| {
            let log = match (atom, sigmoid(atom)) {
                (Atom::Exp(x), _) => Polynomial::of(x.clone(), 1.0),
                (_, Some(x)) => softplus(&x.times_number(-1.0)),
                _ => {
                    let whole = Polynomial::from(atom.clone());
                    positive(&whole).then(|| Polynomial::call(Call(Function::Log), vec![whole]))?
                }
            };
            Some(sum.plus(&log.times_number(power.0)))
        });
    }
    // 1 - sigmoid(x) = sigmoid(-x)
    let rest = Polynomial::number(1.0).minus(decay);
    if let Some((monomial, factor)) = rest.single()
        && let Some((atom, power)) = monomial.0.first_key_value()
        && let Some(x) = sigmoid(atom).filter(|_| monomial.0.len() == 1 && power.0 == 1.0 && factor == 1.0)
    {
        return Some(softplus(&x));
    }
    positive(decay).then(|| Polynomial::call(Call(Function::Log), vec![decay.clone()]))
}
