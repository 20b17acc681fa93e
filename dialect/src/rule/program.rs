//! A checked update rule without sizes: single steps over named axes, and how sizes make a graph's update rule of it.

use std::collections::BTreeMap;

use super::{
    codes,
    syntax::{Expression, ExpressionKind, Name, Operator},
    unknown,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::{Body, Function, OpKind, Port, UpdateRule, ValueId},
    shape::{Axis, Type},
};

/// An input, state or output and its axes in a graph's order.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub name: Name,
    pub axes: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Number(f64),
    /// The value of an option, by its number.
    Option(usize),
    Elementwise(Function),
    Contract,
}

/// Makes one value; operands are numbers of values.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub operation: Operation,
    pub operands: Vec<usize>,
    pub span: Span,
}

/// Values are numbered: the inputs, the states before the token, then one for each step.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub name: Name,
    pub inputs: Vec<Socket>,
    pub states: Vec<Socket>,
    pub outputs: Vec<Socket>,
    /// Names and defaults.
    pub options: Vec<(Name, Expression)>,
    pub steps: Vec<Step>,
    /// For each state its value after the token.
    pub next: Vec<usize>,
    /// For each output its value.
    pub read: Vec<usize>,
}

impl Program {
    /// The update rule for axes of these sizes, with these values in place of the options' defaults.
    pub(super) fn instantiate(
        &self,
        sizes: &BTreeMap<String, usize>,
        options: &BTreeMap<String, f64>,
    ) -> Result<UpdateRule, Diagnostics> {
        let sizes = Sizes { sizes };
        let mut diagnostics = Vec::new();
        let mut ports = |sockets: &[Socket]| -> Vec<Port> {
            let mut port = |socket: &Socket| Port::new(socket.name.text.clone(), sizes.ty(socket, &mut diagnostics));
            sockets.iter().map(&mut port).collect()
        };
        let (inputs, states, outputs) = (ports(&self.inputs), ports(&self.states), ports(&self.outputs));
        let constants = self.constants(&sizes, options, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }

        let mut body = Body::default();
        let mut values: Vec<ValueId> =
            inputs.iter().chain(&states).map(|port| body.argument(port.ty.clone())).collect();
        for step in &self.steps {
            let kind = match step.operation {
                Operation::Number(value) => OpKind::Constant { value },
                Operation::Option(number) => OpKind::Constant { value: constants[number] },
                Operation::Elementwise(function) => OpKind::Elementwise(function),
                Operation::Contract => OpKind::Contract,
            };
            let operands: Vec<ValueId> = step.operands.iter().map(|&operand| values[operand]).collect();
            let results = body
                .add(kind, &operands, Some(step.span.clone()))
                .map_err(|message| vec![Diagnostic::bug(codes::AXES, message).at(step.span.clone())])?;
            values.extend(results);
        }
        let pick = |numbers: &[usize]| numbers.iter().map(|&number| values[number]).collect();
        let (next, read) = (pick(&self.next), pick(&self.read));
        let parameters = Vec::new();
        Ok(UpdateRule { name: self.name.text.clone(), inputs, parameters, states, outputs, body, next, read })
    }

    /// The value of every option.
    fn constants(&self, sizes: &Sizes<'_>, set: &BTreeMap<String, f64>, diagnostics: &mut Diagnostics) -> Vec<f64> {
        let names = || self.options.iter().map(|(name, _)| name.text.as_str());
        for name in set.keys().filter(|name| !names().any(|known| known == *name)) {
            let message = format!("the update rule `{}` has no option `{name}`", self.name.text);
            diagnostics.push(unknown(codes::OPTION, message, name, names()).at(self.name.span.clone()));
        }
        let mut values: Vec<(&str, f64)> = Vec::new();
        for (name, default) in &self.options {
            let value = match set.get(&name.text) {
                Some(&value) => Ok(value),
                None => evaluate(default, &values, sizes),
            };
            let value = value.and_then(|value| match value.is_finite() {
                true => Ok(value),
                false => {
                    let message = format!("the option `{}` is {value}, which is not a finite number", name.text);
                    Err(Box::new(Diagnostic::error(codes::OPTION, message).at(default.span.clone())))
                }
            });
            // A value that failed stands in for itself, so that options made from it do not fail again.
            values.push((
                &name.text,
                value.unwrap_or_else(|diagnostic| {
                    diagnostics.push(*diagnostic);
                    1.0
                }),
            ));
        }
        values.into_iter().map(|(_, value)| value).collect()
    }
}

/// The sizes of axes that the user of an update rule knows.
struct Sizes<'a> {
    sizes: &'a BTreeMap<String, usize>,
}

impl Sizes<'_> {
    fn get(&self, axis: &str, span: &Span) -> Result<usize, Box<Diagnostic>> {
        self.sizes.get(axis).copied().ok_or_else(|| {
            let message = format!("the axis `{axis}` has no size here");
            unknown(codes::AXIS_WITHOUT_SIZE, message, axis, self.sizes.keys().map(String::as_str))
                .at(span.clone())
                .into()
        })
    }

    /// The type of a port; an axis whose size is not known is reported and gets one entry.
    fn ty(&self, socket: &Socket, diagnostics: &mut Diagnostics) -> Type {
        let mut axis = |name: &String| {
            let size = self.get(name, &socket.name.span).unwrap_or_else(|diagnostic| {
                diagnostics.push(*diagnostic);
                1
            });
            Axis::named(name, size)
        };
        Type::f32(socket.axes.iter().map(&mut axis).collect::<Vec<_>>())
    }
}

/// The value of an option's default, which was checked to be arithmetic over numbers, earlier options and axes.
fn evaluate(expression: &Expression, options: &[(&str, f64)], sizes: &Sizes<'_>) -> Result<f64, Box<Diagnostic>> {
    let value = |part: &Expression| evaluate(part, options, sizes);
    match &expression.kind {
        ExpressionKind::Number(number) => Ok(*number),
        ExpressionKind::Name(name) => match options.iter().find(|(option, _)| option == name) {
            Some((_, value)) => Ok(*value),
            None => sizes.get(name, &expression.span).map(|size| size as f64),
        },
        ExpressionKind::Negate(operand) => Ok(-value(operand)?),
        ExpressionKind::Binary { operator, left, right } => {
            let (left, right) = (value(left)?, value(right)?);
            match operator {
                Operator::Add => Ok(left + right),
                Operator::Sub => Ok(left - right),
                Operator::Mul => Ok(left * right),
                Operator::Div => Ok(left / right),
                Operator::Power => Ok(left.powf(right)),
                Operator::Product => Err(not_arithmetic(expression)),
            }
        }
        _ => Err(not_arithmetic(expression)),
    }
}

/// An option may hold numbers, other options, sizes of axes and `+ - * / ^` between them.
pub(super) fn not_arithmetic(expression: &Expression) -> Box<Diagnostic> {
    Diagnostic::error(codes::NOT_HERE, "an option is a number known before the first token")
        .at(expression.span.clone())
        .help("use numbers, earlier options, sizes of axes and + - * / ^, as in `key^-0.5`")
        .into()
}
