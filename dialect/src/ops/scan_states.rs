//! `scan_states` and `read_states`: the two parts of a `scan`.
//!
//! `scan_states`: the states of the memory of row `r` that the update rule's reading takes, before row `r` or after it
//! as the rule says, for every row. Rows behind the last segment and padding give zero. Operands are those of `scan`
//! but for inputs and parameters that advance no state.
//!
//! `read_states`: `y_r = read(x_r, M_r)`, the update rule's outputs of given states, row by row and head by head.
//! Operands are the inputs and parameters that reading takes, then the states of each row; results are the outputs. So
//! `read_states(x, scan_states(x, M))` is what `scan(x, M)` reads, wherever a row is in a segment and no padding.
//!
//! Which inputs, parameters and states these are follows from the update rule: [`UpdateRule::split`].

use super::{Operand, check, scan};
use crate::{
    graph::{Port, UpdateRule},
    reference::{Recurrence, Tensor},
    shape::{Axis, Type},
};

const READ: &str = "read_states";

/// The types of a scan's states, which follow from its update rule.
///
/// # Errors
/// Which operand does not fit which input or state of the update rule, or that the rule reads no state.
pub fn result_types(rule: &UpdateRule, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let advance = rule.split().advance;
    if advance.inputs.is_empty() || advance.outputs.is_empty() {
        let needed = "an update rule that advances its states by an input and reads them";
        return Err(format!("`scan_states` needs {needed}; `{}` does not", rule.name));
    }
    let mut types = scan::types("scan_states", &advance, operands)?;
    types.truncate(advance.outputs.len());
    Ok(types)
}

pub(super) fn evaluate(rule: &UpdateRule, operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let advance = rule.split().advance;
    let mut results = scan::evaluate(&advance, operands)?;
    results.truncate(advance.outputs.len());
    Ok(results)
}

/// The types of what is read of states, which follow from the update rule.
///
/// # Errors
/// Which operand does not fit which input, parameter or state of the update rule, or that the rule reads no state.
pub fn read_result_types(rule: &UpdateRule, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let reading = rule.split().reading;
    if operands.len() != reading.arguments().count() {
        return Err(format!(
            "`{READ}` of `{}` takes {} inputs, {} parameters and {} states; found {} operands",
            rule.name,
            reading.inputs.len(),
            reading.parameters.len(),
            reading.states.len(),
            operands.len()
        ));
    }
    let (inputs, rest) = operands.split_at(reading.inputs.len());
    let (parameters, states) = rest.split_at(reading.parameters.len());
    let (Some(port), Some(state)) = (reading.states.first(), states.first()) else {
        return Err(format!("`{READ}` needs an update rule that reads its states; `{}` does not", rule.name));
    };
    let (rows, _) = check::rows(READ, &format!("the state `{}`", port.name), state)?;
    let frame = scan::Frame::new(READ, port, state, rows)?;
    frame.check_given(READ, &reading, inputs, parameters)?;
    for (port, found) in reading.states.iter().zip(states) {
        check::same(
            READ,
            &format!("the state `{}` of `{}`", port.name, rule.name),
            found,
            &frame.token_type(&port.ty),
        )?;
    }
    Ok(reading.outputs.iter().map(|port| frame.token_type(&port.ty)).collect())
}

pub(super) fn evaluate_read(rule: &UpdateRule, operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let reading = rule.split().reading;
    let recurrence = Recurrence::new(&reading)?;
    let (inputs, rest) = operands.split_at(reading.inputs.len());
    let (parameters, states) = rest.split_at(reading.parameters.len());
    let rows = states[0].value.shape[0];
    let heads = states[0].ty.axis("head").and_then(Axis::size).unwrap_or(1);
    let zeros = |port: &Port| {
        let axes = port.ty.axes.iter().filter_map(Axis::size);
        Tensor::zeros([rows, heads].into_iter().chain(axes).collect::<Vec<_>>())
    };
    let mut outputs: Vec<Tensor> = reading.outputs.iter().map(zeros).collect();
    for row in 0..rows {
        for head in 0..heads {
            let entry = row * heads + head;
            let ports = reading.inputs.iter().zip(inputs);
            let token = ports.map(|(port, input)| scan::of_head(port, input.value.row(row), head, heads));
            let ports = reading.parameters.iter().zip(parameters);
            let fixed = ports.map(|(port, parameter)| scan::of_head(port, &parameter.value.data, head, heads));
            let ports = reading.states.iter().zip(states);
            let mut own: Vec<Vec<f64>> =
                ports.map(|(port, state)| state.value.data[scan::part(port, entry)].to_vec()).collect();
            let read = recurrence.token(token.chain(fixed), &mut own, head);
            for ((port, output), values) in reading.outputs.iter().zip(&mut outputs).zip(read) {
                output.data[scan::part(port, entry)].copy_from_slice(&values);
            }
        }
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, slice};

    use super::*;
    use crate::{diagnostic::Source, rule, shape::Extent};

    const FADING: &str = "rule fading(q: key, k: key, v: value) {
  parameter gamma: scalar
  state h: key x value
  out o = h^T q + v
  next h = gamma * h + outer(k, v)
}";

    fn rule(text: &str) -> UpdateRule {
        let file = rule::parse(&Source::new("rule.mom", text)).unwrap();
        let sizes = BTreeMap::from([("key".to_owned(), 2), ("value".to_owned(), 1)]);
        file.update_rule(&sizes, &BTreeMap::new()).unwrap()
    }

    fn rows(extent: Extent, axes: &[(&str, usize)]) -> Type {
        let named: Vec<Axis> = axes.iter().map(|(name, size)| Axis::named(*name, *size)).collect();
        check::with_rows(extent, &named)
    }

    const T: Extent = Extent::TOKENS;

    /// Two heads that share their keys; the second sequence has a token of padding between two others. Reading comes
    /// before writing here.
    #[test]
    fn the_states_of_each_row_are_read() {
        let rule = rule(FADING);
        let values = [
            (rows(T, &[("head", 1), ("key", 2)]), Tensor::new([4, 1, 2], [1., 0., 1., 2., 9., 9., 0., 1.])),
            (rows(T, &[("head", 2), ("value", 1)]), Tensor::new([4, 2, 1], [1., 2., 3., 4., 9., 9., 5., 6.])),
            (Type::f32([Axis::named("head", 2)]), Tensor::new([2], [1., 0.5])),
            (
                rows(Extent::SEQUENCES, &[("head", 2), ("key", 2), ("value", 1)]),
                Tensor::new([2, 2, 2, 1], [7., 8., 9., 10., 0., 0., 4., 2.]),
            ),
            (check::boundaries(1), Tensor::new([3], [0., 1., 4.])),
            (check::index(T), Tensor::new([4], [3., 0., -1., 1.])),
        ];
        let types: Vec<&Type> = values.iter().map(|(ty, _)| ty).collect();
        let operands: Vec<Operand<'_>> = values.iter().map(|(ty, value)| Operand { ty, value }).collect();
        let states = rows(T, &[("head", 2), ("key", 2), ("value", 1)]);
        assert_eq!(result_types(&rule, &types).unwrap(), slice::from_ref(&states));
        let found = evaluate(&rule, &operands).unwrap();
        assert_eq!(found.len(), 1);
        let expected = [[7., 8., 9., 10.], [0., 0., 4., 2.], [0.; 4], [3., 6., 6., 9.]];
        assert_eq!(found[0], Tensor::new([4, 2, 2, 1], expected.concat()));

        let query = (rows(T, &[("key", 2)]), Tensor::new([4, 2], [1., 1., 1., 0., 1., 1., 0., 2.]));
        let value = &values[1];
        let output = rows(T, &[("head", 2), ("value", 1)]);
        assert_eq!(read_result_types(&rule, &[&query.0, &value.0, &states]).unwrap(), [output]);
        let operands = [(&query.0, &query.1), (&value.0, &value.1), (&states, &found[0])];
        let read = evaluate_read(&rule, &operands.map(|(ty, value)| Operand { ty, value })).unwrap();
        assert_eq!(read, [Tensor::new([4, 2, 1], [16., 21., 3., 8., 9., 9., 17., 24.])]);
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() {
        let fading = rule(FADING);
        let vectors = rows(T, &[("head", 2), ("key", 2)]);
        let states = rows(T, &[("head", 2), ("key", 2), ("value", 1)]);
        let refused = read_result_types(&fading, &[&vectors, &vectors, &states]).unwrap_err();
        let expected = "`read_states` needs the input `v` of `fading` of type f32 [T, head 2, value 1]; found";
        assert!(refused.starts_with(expected), "{refused}");
        let refused = read_result_types(&fading, &[&vectors, &rows(T, &[("head", 2), ("value", 1)]), &vectors]);
        let expected =
            "`read_states` needs the state `h before` of `fading` of type f32 [T, head 2, key 2, value 1]; found";
        assert!(refused.as_ref().is_err_and(|refused| refused.starts_with(expected)), "{refused:?}");
        let refused = result_types(&fading, &[&vectors]).unwrap_err();
        let expected =
            "`scan_states` of `fading` takes 2 inputs, 1 parameters, 1 states, segments and perhaps position";
        assert!(refused.starts_with(expected), "{refused}");

        let still = rule("rule still(q: key) {\n  state h: key\n  next h = 0.5 * h\n  out o = h * q\n}");
        let refused = result_types(&still, &[]).unwrap_err();
        let needed = "an update rule that advances its states by an input and reads them";
        assert_eq!(refused, format!("`scan_states` needs {needed}; `still` does not"));
    }
}
