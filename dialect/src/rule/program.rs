//! A checked update rule without sizes: single steps over named axes, and how sizes make a graph's update rule of it.

use std::collections::BTreeMap;

use super::{
    axes::{plain, primed},
    codes,
    syntax::{Expression, ExpressionKind, Name, Operator},
    unknown,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::{Body, Function, OpKind, Port, UpdateRule, ValueId},
    shape::{Axis, Type},
};

/// The name under which the number of heads is known.
pub(super) const HEADS: &str = "heads";

/// An input, parameter, state or output and its axes in a graph's order.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub name: Name,
    /// The second axis of a square matrix is primed.
    pub axes: Vec<String>,
    /// What a parameter is where nobody gives it.
    pub default: Option<f64>,
    pub at_most: Option<f64>,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Number(f64),
    /// The value of an option, by its number.
    Option(usize),
    /// The number of entries of an axis, or of heads.
    Size(String),
    Head,
    /// The unit matrix over an axis and its primed name.
    Identity(String),
    Elementwise(Function),
    Contract,
    Sum(String),
    Softmax(String),
    Solve,
    /// One entry along an axis.
    Entry(String, Index),
    /// Old and new names of axes.
    Relabel(Vec<(String, String)>),
    Loop(Loop),
}

#[derive(Clone, Debug)]
pub(super) enum Index {
    Number(usize),
    /// The number of the turn of the loop around the step.
    Turn,
}

/// Steps that are taken once for each entry of an axis. It makes the values `states` stand for, not its own.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub axis: String,
    pub states: Vec<Carried>,
    pub steps: Vec<Step>,
}

/// A state that changes with each turn, as numbers of values.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    /// Before the first turn.
    pub first: usize,
    /// Within a turn, and after the last.
    pub value: usize,
    /// After a turn.
    pub next: usize,
}

/// Makes one value; values are numbers.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub operation: Operation,
    pub operands: Vec<usize>,
    pub result: usize,
    pub span: Span,
}

/// Values are numbered: the inputs, the parameters, the states before the token, then those of the steps.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub name: Name,
    pub inputs: Vec<Socket>,
    pub parameters: Vec<Socket>,
    pub states: Vec<Socket>,
    pub outputs: Vec<Socket>,
    /// Names and defaults.
    pub options: Vec<(Name, Expression)>,
    /// Sizes where nobody gives another.
    pub axes: Vec<(Name, usize)>,
    pub steps: Vec<Step>,
    /// How many numbers of values there are.
    pub values: usize,
    /// For each state its value after the token.
    pub next: Vec<usize>,
    /// For each output its value.
    pub read: Vec<usize>,
}

/// The most operations of an update rule whose loops are unrolled.
const MOST_OPERATIONS: usize = 20_000;

impl Program {
    /// The update rule for axes of these sizes, with these values in place of the options' defaults;
    /// `variants` are the other names that options may have.
    pub(super) fn instantiate(
        &self,
        sizes: &BTreeMap<String, usize>,
        options: &BTreeMap<String, f64>,
        variants: &[&str],
    ) -> Result<UpdateRule, Diagnostics> {
        let sizes = Sizes { given: sizes, defaults: &self.axes };
        let mut diagnostics = Vec::new();
        let mut ports = |sockets: &[Socket]| -> Vec<Port> {
            let mut port = |socket: &Socket| Port {
                at_most: socket.at_most,
                ..Port::new(socket.name.text.clone(), sizes.ty(socket, &mut diagnostics))
            };
            sockets.iter().map(&mut port).collect()
        };
        let (inputs, parameters) = (ports(&self.inputs), ports(&self.parameters));
        let (states, outputs) = (ports(&self.states), ports(&self.outputs));
        let constants = self.constants(&sizes, options, variants, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }

        let mut body = Body::default();
        let mut values: Vec<ValueId> =
            inputs.iter().chain(&parameters).chain(&states).map(|port| body.argument(port.ty.clone())).collect();
        values.resize(self.values, ValueId(0));
        let mut unrolled = Unrolled { body, values, constants: &constants, sizes: &sizes };
        unrolled.steps(&self.steps, 0).map_err(|diagnostic| vec![*diagnostic])?;
        let Unrolled { body, values, .. } = unrolled;
        let pick = |numbers: &[usize]| numbers.iter().map(|&number| values[number]).collect();
        let (next, read) = (pick(&self.next), pick(&self.read));
        Ok(UpdateRule { name: self.name.text.clone(), inputs, parameters, states, outputs, body, next, read })
    }

    /// The value of every option.
    fn constants(
        &self,
        sizes: &Sizes<'_>,
        set: &BTreeMap<String, f64>,
        variants: &[&str],
        diagnostics: &mut Diagnostics,
    ) -> Vec<f64> {
        let names = || self.options.iter().map(|(name, _)| name.text.as_str());
        for name in set.keys().filter(|name| !names().any(|known| known == *name)) {
            let message = format!("the update rule `{}` has no option `{name}`", self.name.text);
            let known = names().chain(variants.iter().copied());
            diagnostics.push(unknown(codes::OPTION, message, name, known).at(self.name.span.clone()));
        }
        let mut values: Vec<(&str, f64)> = Vec::new();
        for (name, default) in &self.options {
            let value = match set.get(&name.text) {
                Some(&value) => Ok(value),
                None => evaluate(default, &values, sizes),
            };
            let value = value.and_then(|value| match (value as f32).is_finite() {
                true => Ok(value),
                false => {
                    let why = if value.is_finite() { "too large for float32" } else { "not a finite number" };
                    let message = format!("the option `{}` is {value:?}, which is {why}", name.text);
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

/// A body in the making: what each number of a value stands for so far.
struct Unrolled<'a> {
    body: Body,
    values: Vec<ValueId>,
    constants: &'a [f64],
    sizes: &'a Sizes<'a>,
}

impl Unrolled<'_> {
    /// Adds steps; `turn` is the number of the turn of the loop around them.
    fn steps(&mut self, steps: &[Step], turn: usize) -> Result<(), Box<Diagnostic>> {
        for step in steps {
            match &step.operation {
                Operation::Loop(turns) => self.turns(turns, &step.span)?,
                operation => self.step(operation, step, turn)?,
            }
        }
        Ok(())
    }

    /// Loops hold no loops, so this goes one deep.
    fn turns(&mut self, turns: &Loop, span: &Span) -> Result<(), Box<Diagnostic>> {
        let count = self.sizes.get(&turns.axis, span)?;
        for state in &turns.states {
            self.values[state.value] = self.values[state.first];
        }
        for turn in 0..count {
            self.steps(&turns.steps, turn)?;
            let next: Vec<ValueId> = turns.states.iter().map(|state| self.values[state.next]).collect();
            for (state, next) in turns.states.iter().zip(next) {
                self.values[state.value] = next;
            }
        }
        Ok(())
    }

    fn step(&mut self, operation: &Operation, step: &Step, turn: usize) -> Result<(), Box<Diagnostic>> {
        let size = |axis: &String| self.sizes.get(axis, &step.span);
        let kind = match operation {
            Operation::Number(value) => OpKind::Constant { value: *value },
            Operation::Option(number) => OpKind::Constant { value: self.constants[*number] },
            Operation::Size(axis) => OpKind::Constant { value: size(axis)? as f64 },
            Operation::Head => OpKind::HeadIndex,
            Operation::Identity(axis) => OpKind::Identity { axes: [axis.clone(), primed(axis)], size: size(axis)? },
            Operation::Elementwise(function) => OpKind::Elementwise(*function),
            Operation::Contract => OpKind::Contract,
            Operation::Sum(axis) => OpKind::Sum { axis: axis.clone() },
            Operation::Softmax(axis) => OpKind::Softmax { axis: axis.clone() },
            Operation::Solve => OpKind::Solve,
            Operation::Relabel(axes) => OpKind::Relabel { axes: axes.clone() },
            Operation::Entry(axis, index) => {
                let (count, index) = (size(axis)?, if let Index::Number(index) = index { *index } else { turn });
                if index >= count {
                    let message = format!("there is no entry {index} along `{}`, which has {count}", plain(axis));
                    let help = format!("entries are counted from 0, so the last is {}", count.saturating_sub(1));
                    return Err(Diagnostic::error(codes::INDEX, message).at(step.span.clone()).help(help).into());
                }
                OpKind::Slice { axis: axis.clone(), index }
            }
            // Handled by `steps`.
            Operation::Loop(_) => return Ok(()),
        };
        if self.body.ops.len() >= MOST_OPERATIONS {
            let message = format!("this update rule has more than {MOST_OPERATIONS} operations");
            let help = "make the axis of its loop smaller, or the rule shorter";
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(step.span.clone()).help(help).into());
        }
        let operands: Vec<ValueId> = step.operands.iter().map(|&operand| self.values[operand]).collect();
        let results = self
            .body
            .add(kind, &operands, Some(step.span.clone()))
            .map_err(|message| Diagnostic::bug(codes::AXES, message).at(step.span.clone()))?;
        self.values[step.result] = results[0];
        Ok(())
    }
}

/// The sizes of axes that the user of an update rule knows, and those that its file states.
pub(super) struct Sizes<'a> {
    pub given: &'a BTreeMap<String, usize>,
    pub defaults: &'a [(Name, usize)],
}

impl Sizes<'_> {
    fn get(&self, axis: &str, span: &Span) -> Result<usize, Box<Diagnostic>> {
        let axis = plain(axis);
        let default = || self.defaults.iter().find(|(name, _)| name.text == axis).map(|(_, size)| *size);
        if let Some(size) = self.given.get(axis).copied().or_else(default) {
            return Ok(size);
        }
        let diagnostic = match axis {
            HEADS => Diagnostic::error(codes::AXIS_WITHOUT_SIZE, "the number of heads is not known here"),
            _ => {
                let known = self.given.keys().map(String::as_str);
                let message = format!("the axis `{axis}` has no size here");
                let mut diagnostic = unknown(codes::AXIS_WITHOUT_SIZE, message, axis, known);
                if !diagnostic.help.as_ref().is_some_and(|help| help.starts_with("did")) {
                    diagnostic = diagnostic.help(format!("state one in the rule: `axis {axis} = NUMBER`"));
                }
                diagnostic
            }
        };
        Err(diagnostic.at(span.clone()).into())
    }

    /// The type of a port; an axis whose size is not known is reported and gets one entry.
    fn ty(&self, socket: &Socket, diagnostics: &mut Diagnostics) -> Type {
        let mut axis = |name: &String| {
            let size = self.get(name, &socket.name.span).unwrap_or_else(|diagnostic| {
                // Several values may have the axis; it is missing once.
                if !diagnostics.iter().any(|other| other.message == diagnostic.message) {
                    diagnostics.push(*diagnostic);
                }
                1
            });
            Axis::named(name, size)
        };
        Type::f32(socket.axes.iter().map(&mut axis).collect::<Vec<_>>())
    }
}

/// The value of an option's default, which was checked to be arithmetic over numbers, earlier options and axes.
pub(super) fn evaluate(
    expression: &Expression,
    options: &[(&str, f64)],
    sizes: &Sizes<'_>,
) -> Result<f64, Box<Diagnostic>> {
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
