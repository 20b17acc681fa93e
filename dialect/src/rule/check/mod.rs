//! Names and axes of an update rule, checked statement by statement, and the steps that compute it.
//!
//! Statements run from top to bottom: a name means what the lines above it say. After `next h = …` the name `h` means
//! the new state. A statement that fails is reported once; what depends on it is not reported again. Expressions are in
//! `expression`, `function` and `matrix`, what comes before the inputs in `variant`.

mod expression;
mod function;
mod matrix;
mod scope;
mod variant;

use scope::{HEAD, taken};

use super::{
    axes::{AxisOrder, Shape},
    codes,
    program::{Carried, HEADS, Loop, Operation, Program, Socket, Step, not_arithmetic},
    syntax::{self, Declaration, Expression, ExpressionKind, Name, Operator, Rule, Statement, Variant},
    unknown,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::Function,
    shape::Extent,
};

/// The functions of one argument that work element by element.
pub(super) fn elementwise(name: &str) -> Option<Function> {
    Function::ALL.into_iter().find(|f| f.arity() == 1 && *f != Function::Neg && f.name() == name)
}

/// Checks an update rule with the given variants on. The program is meaningless where anything was reported.
pub(super) fn check(rule: &Rule, variants: &[&Variant]) -> (Program, Diagnostics) {
    let program = Program {
        name: rule.name.clone(),
        inputs: Vec::new(),
        parameters: Vec::new(),
        states: Vec::new(),
        outputs: Vec::new(),
        options: Vec::new(),
        axes: Vec::new(),
        steps: Vec::new(),
        values: 0,
        next: Vec::new(),
        read: Vec::new(),
    };
    let mut checker = Checker {
        rule,
        steps: Vec::new(),
        bindings: Vec::new(),
        unused: Vec::new(),
        updated: Vec::new(),
        updated_in_block: Vec::new(),
        defining: None,
        in_variant: false,
        counted: Vec::new(),
        order: AxisOrder::default(),
        program,
        diagnostics: Vec::new(),
    };
    checker.rule(variants);
    (checker.program, checker.diagnostics)
}

/// A number that kernels cannot hold.
fn too_large(span: &Span) -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, "this number is too large").at(span.clone())
}

#[derive(Clone, Debug)]
struct Value {
    number: usize,
    shape: Shape,
    /// Its axes in the order in which a graph has them.
    axes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Meaning {
    Value(Value),
    /// The option of this number.
    Option(usize),
    Head,
    Heads,
    /// The number of the turn of a loop over this axis.
    Turn(String),
    /// Its definition was refused.
    Refused,
}

struct Binding {
    name: Name,
    meaning: Meaning,
    used: bool,
}

struct Checker<'a> {
    rule: &'a Rule,
    /// The steps of the block at hand: of a loop, or of the rule.
    steps: Vec<Step>,
    bindings: Vec<Binding>,
    /// Names that went out of sight before anything used them.
    unused: Vec<Name>,
    /// The states that had a `next`, and those that had one in the block at hand.
    updated: Vec<String>,
    updated_in_block: Vec<String>,
    /// The name of the `let` at hand.
    defining: Option<String>,
    in_variant: bool,
    /// Axes that a loop or an option counts.
    counted: Vec<String>,
    order: AxisOrder,
    program: Program,
    diagnostics: Diagnostics,
}

impl Checker<'_> {
    fn rule(&mut self, variants: &[&Variant]) {
        let rule = self.rule;
        let stages = variant::stages(rule, variants);
        let given = || stages.first().into_iter().flatten();
        let own = rule.statements.iter().filter_map(|statement| match statement {
            Statement::Parameter(declaration) => Some(declaration),
            _ => None,
        });
        let inputs = given().filter(|input| !input.is_parameter).map(|input| &input.declaration);
        let parameters = given().filter(|input| input.is_parameter).map(|input| &input.declaration).chain(own);
        let (inputs, parameters): (Vec<_>, Vec<_>) = (inputs.collect(), parameters.collect());
        for statement in &rule.statements {
            match statement {
                Statement::State(declaration) => self.declare_axes(declaration),
                Statement::Axis(name, size) => self.declare_size(name, *size),
                _ => {}
            }
        }
        for declaration in inputs.iter().chain(&parameters) {
            self.declare_axes(declaration);
        }
        let states = rule.statements.iter().filter(|statement| matches!(statement, Statement::State(_))).count();
        self.program.values = inputs.len() + parameters.len() + states;
        self.program.inputs = inputs.iter().map(|input| self.socket(input, &Shape::declared(input))).collect();
        self.program.parameters = parameters.iter().map(|given| self.socket(given, &Shape::declared(given))).collect();
        let own = parameters.len() - given().filter(|input| input.is_parameter).count();
        let others = &parameters[..parameters.len() - own];
        for (number, declaration) in inputs.iter().chain(others).enumerate() {
            let value = self.argument(number, declaration);
            self.bind(&declaration.name, Meaning::Value(value));
        }
        self.in_variant = true;
        for (variant, after) in variants.iter().zip(&stages[1..]) {
            self.variant(variant, after);
        }
        self.in_variant = false;
        for statement in &rule.statements {
            self.statement(statement);
        }
        self.finish();
    }

    fn declare_axes(&mut self, declaration: &Declaration) {
        if let Some(axis) = declaration.axes.iter().find(|axis| [HEAD, HEADS].contains(&axis.text.as_str())) {
            self.report(taken(axis));
        }
        if let Some(axis) = declaration.axes.iter().find(|axis| Extent::parse(&axis.text).is_some()) {
            let message = format!("`{}` stands for a number of rows in a program", axis.text);
            let help = "choose another name for the axis, as `key` or `slot`";
            self.report(Diagnostic::error(codes::AXES, message).at(axis.span.clone()).help(help));
        }
        if let Some(third) = declaration.axes.get(2) {
            let message =
                format!("`{}` has {} axes, at most two are possible", declaration.name.text, declaration.axes.len());
            self.report(Diagnostic::error(codes::AXES, message).at(third.span.clone()).help(
                "a value is a `scalar`, a vector as `key`, or a matrix as `key x value`; heads are added by the layer",
            ));
        }
        if let Err([first, second]) = self.order.declare(&Shape::declared(declaration)) {
            let message = format!("another matrix of this rule is `{first} x {second}`");
            self.report(Diagnostic::error(codes::AXES, message).at(declaration.name.span.clone()).help(format!(
                "declare `{}: {first} x {second}` and write its transpose where you need it",
                declaration.name.text
            )));
        }
    }

    /// `axis name = size`
    fn declare_size(&mut self, name: &Name, size: usize) {
        if [HEAD, HEADS].contains(&name.text.as_str()) {
            self.report(taken(name));
        }
        if let Some((first, _)) = self.program.axes.iter().find(|(other, _)| other.text == name.text) {
            let message = format!("the axis `{}` has two sizes", name.text);
            let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone());
            let diagnostic = diagnostic.related(first.span.clone(), "first here");
            return self.report(diagnostic);
        }
        self.program.axes.push((name.clone(), size));
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::State(declaration) => {
                let index = self.program.states.len();
                let number = self.program.inputs.len() + self.program.parameters.len() + index;
                let value = self.argument(number, declaration);
                self.program.states.push(self.socket(declaration, &value.shape));
                // The state itself until `next` says otherwise.
                self.program.next.push(value.number);
                self.bind(&declaration.name, Meaning::Value(value));
            }
            Statement::Parameter(declaration) => {
                let place = self.program.parameters.iter().rposition(|other| other.name == declaration.name);
                let value = self.argument(self.program.inputs.len() + place.unwrap_or_default(), declaration);
                self.bind(&declaration.name, Meaning::Value(value));
            }
            // Known from the start.
            Statement::Axis(..) => {}
            Statement::Option(name, default) => {
                self.check_option(default);
                self.program.options.push((name.clone(), default.clone()));
                self.bind(name, Meaning::Option(self.program.options.len() - 1));
            }
            Statement::Let(name, expression) => {
                self.defining = Some(name.text.clone());
                let meaning = self.expression(expression).map_or(Meaning::Refused, Meaning::Value);
                self.defining = None;
                self.bind(name, meaning);
            }
            Statement::Next(name, expression) => {
                let value = self.expression(expression);
                self.update(name, expression, value);
            }
            Statement::Out(name, expression) => {
                let value = self.expression(expression).filter(|value| self.is_stored(expression, value));
                let value = value.map(|value| self.in_port(value, &expression.span));
                let shape = value.as_ref().map_or(Shape::default(), |value| value.shape.clone());
                let declaration = Declaration { name: name.clone(), axes: Vec::new(), default: None, at_most: None };
                self.program.outputs.push(self.socket(&declaration, &shape));
                self.program.read.extend(value.as_ref().map(|value| value.number));
                self.bind(name, value.map_or(Meaning::Refused, Meaning::Value));
                self.mark_used(&name.text);
            }
            Statement::For(turns) => self.turns(turns),
        }
    }

    /// `next name = expression`
    fn update(&mut self, name: &Name, expression: &Expression, value: Option<Value>) {
        let found = self.bindings.iter().position(|binding| binding.name.text == name.text);
        let state = self.program.states.iter().position(|state| state.name.text == name.text);
        let (Some(at), Some(index)) = (found, state) else {
            let states = self.program.states.iter().map(|state| state.name.text.as_str());
            let message = format!("`next` needs a state, and `{}` is none", name.text);
            let diagnostic = unknown(codes::UNKNOWN_NAME, message, &name.text, states).at(name.span.clone());
            return self.report(diagnostic);
        };
        if self.updated_in_block.contains(&name.text) {
            let message = format!("the state `{}` has a second `next`", name.text);
            return self.report(
                Diagnostic::error(codes::DUPLICATE_NAME, message)
                    .at(name.span.clone())
                    .help("name the first value with `let` and use it in the second"),
            );
        }
        self.updated.push(name.text.clone());
        self.updated_in_block.push(name.text.clone());
        let before = std::mem::replace(&mut self.bindings[at].meaning, Meaning::Refused);
        let (Some(value), Meaning::Value(Value { shape: expected, .. })) = (value, before) else {
            return;
        };
        let value = if expected.is_square() { self.dense(&value, &expression.span) } else { value };
        let (shown, expected) = (value.shape.on_paper(), expected.on_paper());
        if shown != expected {
            let message = format!("the state `{}` is `{expected}`, its next value is `{shown}`", name.text);
            let mut diagnostic = Diagnostic::error(codes::AXES, message).at(expression.span.clone());
            if shown.transposed() == expected {
                diagnostic = diagnostic.help(format!("write `{}`", expression.quoted_transpose()));
            }
            return self.report(diagnostic);
        }
        let value = self.in_port(value, &expression.span);
        self.program.next[index] = value.number;
        self.bindings[at].meaning = Meaning::Value(value);
    }

    /// A loop: the states that change in it stand for one value before each turn, another after it.
    fn turns(&mut self, turns: &syntax::Loop) {
        let (variable, axis) = (&turns.variable, &turns.axis);
        let has_size = self.program.axes.iter().any(|(name, _)| name.text == axis.text);
        let known = has_size || self.order.mentions(&axis.text);
        if !known {
            let message = format!("there is no axis `{}` to count", axis.text);
            let help = format!("declare something over it, or state its size: `axis {} = NUMBER`", axis.text);
            self.report(Diagnostic::error(codes::UNKNOWN_NAME, message).at(axis.span.clone()).help(help));
        }
        self.counted.push(axis.text.clone());
        let outside = self.bindings.len();
        self.bind(variable, if known { Meaning::Turn(axis.text.clone()) } else { Meaning::Refused });
        self.mark_used(&variable.text);
        let mut states = Vec::new();
        for (index, state) in self.program.states.iter().enumerate() {
            let changes =
                |statement: &Statement| matches!(statement, Statement::Next(name, _) if name.text == state.name.text);
            let binding = self.bindings.iter_mut().find(|binding| binding.name.text == state.name.text);
            if let Some(Binding { meaning: Meaning::Value(value), .. }) = binding
                && turns.body.iter().any(changes)
            {
                let first = std::mem::replace(&mut value.number, self.program.values);
                self.program.values += 1;
                states.push((index, state.name.text.clone(), first, value.clone()));
            }
        }
        if !turns.body.iter().any(|statement| matches!(statement, Statement::Next(..))) {
            let message = "this loop changes no state".to_owned();
            let help = "write `next NAME = …` within it";
            self.report(Diagnostic::error(codes::NEVER_UPDATED, message).at(variable.span.clone()).help(help));
        }
        let steps = std::mem::take(&mut self.steps);
        let updated = std::mem::take(&mut self.updated_in_block);
        for statement in &turns.body {
            self.statement(statement);
        }
        let steps = std::mem::replace(&mut self.steps, steps);
        self.updated_in_block = updated;

        let mut carried = Vec::new();
        for (index, name, first, value) in states {
            if let Some(binding) = self.bindings.iter_mut().find(|binding| binding.name.text == name)
                && let Meaning::Value(next) = &binding.meaning
            {
                carried.push(Carried { first, value: value.number, next: next.number });
                self.program.next[index] = value.number;
                binding.meaning = Meaning::Value(value);
            }
        }
        for binding in self.bindings.drain(outside..).filter(|binding| !binding.used) {
            self.unused.push(binding.name);
        }
        let operation = Operation::Loop(Loop { axis: axis.text.clone(), states: carried, steps });
        self.step(operation, &[], Shape::default(), &axis.span);
    }

    fn finish(&mut self) {
        self.program.steps = std::mem::take(&mut self.steps);
        let rule = self.rule;
        for (what, word, missing) in [
            ("inputs", "NAME: AXIS` between the parentheses", self.program.inputs.is_empty()),
            ("state", "state NAME: AXIS x AXIS`", self.program.states.is_empty()),
            ("output", "out NAME = …`", self.program.outputs.is_empty()),
        ] {
            if missing {
                let message = format!("the update rule `{}` has no {what}", rule.name.text);
                let help = format!("write `{word}");
                self.report(Diagnostic::error(codes::INCOMPLETE, message).at(rule.name.span.clone()).help(help));
            }
        }
        for state in self.program.states.iter().filter(|state| !self.updated.contains(&state.name.text)) {
            let name = &state.name;
            self.diagnostics.push(
                Diagnostic::error(codes::NEVER_UPDATED, format!("the state `{}` never changes", name.text))
                    .at(name.span.clone())
                    .help(format!("write `next {} = …`", name.text)),
            );
        }
        self.check_outside_names();
        if !self.diagnostics.is_empty() {
            // A name may be unused because the statement that uses it was refused.
            return;
        }
        let counts = |name: &Name| self.counted.contains(&name.text) || self.order.mentions(&name.text);
        let axes = self.program.axes.iter().map(|(name, _)| name).filter(|name| !counts(name));
        let bindings = self.bindings.iter().filter(|binding| !binding.used).map(|binding| &binding.name);
        let unused: Vec<Name> = self.unused.iter().chain(bindings).chain(axes).cloned().collect();
        for name in unused {
            self.diagnostics.push(
                Diagnostic::error(codes::NEVER_USED, format!("`{}` is never used", name.text))
                    .at(name.span)
                    .help("use it or take it out"),
            );
        }
    }

    fn check_option(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Number(number) if number.is_finite() => {}
            ExpressionKind::Number(_) => self.report(too_large(&expression.span)),
            ExpressionKind::Negate(operand) => self.check_option(operand),
            ExpressionKind::Binary { operator, left, right } if *operator != Operator::Product => {
                self.check_option(left);
                self.check_option(right);
            }
            ExpressionKind::Name(name) => {
                let meaning = self.bindings.iter().find(|binding| binding.name.text == *name).map(|b| &b.meaning);
                match meaning {
                    Some(Meaning::Option(_)) => self.mark_used(name),
                    Some(_) => self.report(*not_arithmetic(expression)),
                    None if name == HEAD => self.report(*not_arithmetic(expression)),
                    None if name == HEADS || self.order.mentions(name) => {}
                    None if self.program.axes.iter().any(|(axis, _)| axis.text == *name) => {
                        self.counted.push(name.clone());
                    }
                    None => {
                        self.lookup(name, &expression.span);
                    }
                }
            }
            _ => self.report(*not_arithmetic(expression)),
        }
    }

    /// Whether a value may be an output.
    fn is_stored(&mut self, expression: &Expression, value: &Value) -> bool {
        if self.stored(expression, value).is_none() {
            return false;
        }
        if value.shape.rows.is_none() && value.shape.columns.is_some() {
            let message = format!("an output is a column, this is `{}`", value.shape);
            let help = format!("write `{}`", expression.quoted_transpose());
            self.report(Diagnostic::error(codes::AXES, message).at(expression.span.clone()).help(help));
            return false;
        }
        true
    }

    /// Appends a step to the innermost block. The order of the result's axes is that in which a graph has them; a
    /// relabelled value gets other names than this one says.
    fn step(&mut self, operation: Operation, operands: &[&Value], shape: Shape, span: &Span) -> Value {
        let own = |at: usize| operands.get(at).map_or(&[][..], |operand| &operand.axes[..]);
        let (first, second) = (own(0), own(1));
        let without = |axes: &[String], other: &[String]| -> Vec<String> {
            axes.iter().filter(|axis| !other.contains(axis)).cloned().collect()
        };
        let axes = match &operation {
            Operation::Elementwise(_) => {
                let (more, fewer) = if second.len() > first.len() { (second, first) } else { (first, second) };
                [more, &without(fewer, more)].concat()
            }
            Operation::Contract => [without(first, second), without(second, first)].concat(),
            Operation::Sum(axis) | Operation::Entry(axis, _) => without(first, std::slice::from_ref(axis)),
            Operation::Solve => shape.rows.iter().cloned().collect(),
            _ => first.to_vec(),
        };
        let number = self.program.values;
        self.program.values += 1;
        let operands = operands.iter().map(|value| value.number).collect();
        self.steps.push(Step { operation, operands, result: number, span: span.clone() });
        Value { number, shape, axes }
    }

    /// What a declaration or a value is to the outside.
    fn socket(&self, declaration: &Declaration, shape: &Shape) -> Socket {
        let Declaration { name, default, at_most, .. } = declaration;
        Socket { name: name.clone(), axes: self.axes(shape), default: *default, at_most: *at_most }
    }

    /// The axes of a type in a graph's order.
    fn axes(&self, shape: &Shape) -> Vec<String> {
        let mut axes: Vec<String> = [&shape.rows, &shape.columns].into_iter().flatten().cloned().collect();
        if let [first, second] = &axes[..]
            && !shape.is_square()
            && !self.order.precedes(first, second)
        {
            axes.reverse();
        }
        axes
    }

    /// The value of an argument of the program.
    fn argument(&self, number: usize, declaration: &Declaration) -> Value {
        let shape = Shape::declared(declaration);
        let axes = self.axes(&shape);
        Value { number, shape, axes }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}
