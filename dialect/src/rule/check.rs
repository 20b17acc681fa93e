//! Names and axes of an update rule, checked statement by statement, and the steps that compute it.
//!
//! Statements run from top to bottom: a name means what the lines above it say. After `next h = …` the name `h` means
//! the new state. A statement that fails is reported once; what depends on it is not reported again.

use super::{
    advice::{mismatch, no_product, wrong_count},
    axes::{AxisOrder, Shape},
    codes,
    program::{Operation, Program, Socket, Step, not_arithmetic},
    syntax::{Declaration, Expression, ExpressionKind, Name, Operator, Rule, Statement},
    unknown,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::Function,
};

/// The functions of one argument that work element by element.
pub(super) fn elementwise(name: &str) -> Option<Function> {
    Function::ALL.into_iter().find(|f| f.arity() == 1 && *f != Function::Neg && f.name() == name)
}

/// Checks an update rule. The program is meaningless where anything was reported.
pub(super) fn check(rule: &Rule) -> (Program, Diagnostics) {
    let program = Program {
        name: rule.name.clone(),
        inputs: Vec::new(),
        states: Vec::new(),
        outputs: Vec::new(),
        options: Vec::new(),
        steps: Vec::new(),
        next: Vec::new(),
        read: Vec::new(),
    };
    let states = rule.statements.iter().filter(|statement| matches!(statement, Statement::State(_))).count();
    let mut checker = Checker {
        rule,
        arguments: rule.inputs.len() + states,
        bindings: Vec::new(),
        updated: Vec::new(),
        order: AxisOrder::default(),
        program,
        diagnostics: Vec::new(),
    };
    checker.rule();
    (checker.program, checker.diagnostics)
}

#[derive(Clone, Debug)]
struct Value {
    number: usize,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Meaning {
    Value(Value),
    /// The option of this number.
    Option(usize),
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
    /// Inputs and states, whose numbers come before those of the steps.
    arguments: usize,
    bindings: Vec<Binding>,
    /// The states that had their `next`.
    updated: Vec<String>,
    order: AxisOrder,
    program: Program,
    diagnostics: Diagnostics,
}

impl Checker<'_> {
    fn rule(&mut self) {
        let rule = self.rule;
        for statement in &rule.statements {
            if let Statement::State(declaration) = statement {
                self.declare_axes(declaration);
            }
        }
        for (number, input) in rule.inputs.iter().enumerate() {
            self.declare_axes(input);
            let value = Value { number, shape: Shape::declared(input) };
            self.program.inputs.push(self.socket(&input.name, &value.shape));
            self.bind(&input.name, Meaning::Value(value));
        }
        for statement in &rule.statements {
            self.statement(statement);
        }
        self.finish();
    }

    fn declare_axes(&mut self, declaration: &Declaration) {
        if let [first, second] = &declaration.axes[..]
            && first.text == second.text
        {
            self.report(
                Diagnostic::error(
                    codes::AXES,
                    format!("`{}` has the axis `{}` twice", declaration.name.text, first.text),
                )
                .at(second.span.clone())
                .help("give the second axis a name of its own"),
            );
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

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::State(declaration) => {
                let index = self.program.states.len();
                let value = Value { number: self.rule.inputs.len() + index, shape: Shape::declared(declaration) };
                self.program.states.push(self.socket(&declaration.name, &value.shape));
                // The state itself until `next` says otherwise.
                self.program.next.push(value.number);
                self.bind(&declaration.name, Meaning::Value(value));
            }
            Statement::Option(name, default) => {
                self.check_option(default);
                self.program.options.push((name.clone(), default.clone()));
                self.bind(name, Meaning::Option(self.program.options.len() - 1));
            }
            Statement::Let(name, expression) => {
                let meaning = self.expression(expression).map_or(Meaning::Refused, Meaning::Value);
                self.bind(name, meaning);
            }
            Statement::Next(name, expression) => {
                let value = self.expression(expression);
                self.update(name, expression, value);
            }
            Statement::Out(name, expression) => {
                let value = self.expression(expression).filter(|value| self.is_stored(expression, value));
                let shape = value.as_ref().map_or(Shape::default(), |value| value.shape.clone());
                self.program.outputs.push(self.socket(name, &shape));
                self.program.read.extend(value.as_ref().map(|value| value.number));
                self.bind(name, value.map_or(Meaning::Refused, Meaning::Value));
                self.mark_used(&name.text);
            }
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
        if self.updated.contains(&name.text) {
            let message = format!("the state `{}` has a second `next`", name.text);
            return self.report(
                Diagnostic::error(codes::DUPLICATE_NAME, message)
                    .at(name.span.clone())
                    .help("name the first value with `let` and use it in the second"),
            );
        }
        self.updated.push(name.text.clone());
        let before = std::mem::replace(&mut self.bindings[at].meaning, Meaning::Refused);
        let (Some(value), Meaning::Value(Value { shape: expected, .. })) = (value, before) else {
            return;
        };
        if value.shape != expected {
            let message = format!("the state `{}` is `{expected}`, its next value is `{}`", name.text, value.shape);
            let mut diagnostic = Diagnostic::error(codes::AXES, message).at(expression.span.clone());
            if value.shape.transposed() == expected {
                diagnostic = diagnostic.help(format!("write `{}`", expression.quoted_transpose()));
            }
            return self.report(diagnostic);
        }
        self.program.next[index] = value.number;
        self.bindings[at].meaning = Meaning::Value(value);
    }

    fn finish(&mut self) {
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
        if !self.diagnostics.is_empty() {
            // A name may be unused because the statement that uses it was refused.
            return;
        }
        for binding in self.bindings.iter().filter(|binding| !binding.used) {
            self.diagnostics.push(
                Diagnostic::error(codes::NEVER_USED, format!("`{}` is never used", binding.name.text))
                    .at(binding.name.span.clone())
                    .help("use it or take it out"),
            );
        }
    }

    fn check_option(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Number(_) => {}
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
                    None if self.order.mentions(name) => {}
                    None => {
                        self.lookup(name, &expression.span);
                    }
                }
            }
            _ => self.report(*not_arithmetic(expression)),
        }
    }

    /// The value of an expression, or nothing if it was refused, which is then reported.
    fn expression(&mut self, expression: &Expression) -> Option<Value> {
        let span = &expression.span;
        match &expression.kind {
            ExpressionKind::Number(number) => {
                if !number.is_finite() {
                    self.report(Diagnostic::error(codes::SYNTAX, "this number is too large").at(span.clone()));
                    return None;
                }
                Some(self.step(Operation::Number(*number), &[], Shape::default(), span))
            }
            ExpressionKind::Name(name) => match self.lookup(name, span)? {
                Meaning::Value(value) => Some(value),
                Meaning::Option(number) => Some(self.step(Operation::Option(number), &[], Shape::default(), span)),
                Meaning::Refused => None,
            },
            ExpressionKind::Negate(operand) => {
                let value = self.expression(operand)?;
                self.stored(operand, &value)?;
                Some(self.step(Operation::Elementwise(Function::Neg), &[&value], value.shape.clone(), span))
            }
            ExpressionKind::Transpose(operand) => {
                let value = self.expression(operand)?;
                if value.shape.is_scalar() {
                    let message = format!("a scalar has no transpose, and `{}` is one", operand.quoted());
                    self.report(Diagnostic::error(codes::AXES, message).at(span.clone()).help("leave out the `^T`"));
                    return None;
                }
                Some(Value { shape: value.shape.transposed(), ..value })
            }
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, span),
            ExpressionKind::Binary { operator, left, right } => self.binary(*operator, left, right, span),
            ExpressionKind::PerMemory(name) => {
                let message = "`per memory` has a meaning in the layer part only";
                self.report(
                    Diagnostic::error(codes::NOT_HERE, message).at(span.clone()).help(format!("write `{}`", name.text)),
                );
                None
            }
        }
    }

    fn call(&mut self, function: &Name, arguments: &[Expression], span: &Span) -> Option<Value> {
        let values: Vec<Option<Value>> = arguments.iter().map(|argument| self.expression(argument)).collect();
        let name = function.text.as_str();
        let expected = match (name, elementwise(name)) {
            ("outer", _) => 2,
            ("diag", _) | (_, Some(_)) => 1,
            _ => {
                let known = Function::ALL.iter().map(|f| f.name()).filter(|f| elementwise(f).is_some());
                let message = format!("there is no function `{name}`");
                let mut diagnostic = unknown(codes::UNKNOWN_NAME, message, name, known.chain(["outer", "diag"]));
                if self.bindings.iter().any(|binding| binding.name.text == name) {
                    diagnostic = diagnostic
                        .help(format!("write `{name} * …` for a multiple, `({name}) (…)` for a matrix product"));
                }
                self.report(diagnostic.at(function.span.clone()));
                return None;
            }
        };
        if arguments.len() != expected {
            self.report(wrong_count(function, expected, arguments.len()).at(span.clone()));
            return None;
        }
        let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        match (&values[..], arguments) {
            ([left, right], [first, second]) => {
                self.column(first, left, "outer")?;
                self.column(second, right, "outer")?;
                let transposed = Value { shape: right.shape.transposed(), ..right.clone() };
                self.product((first, left), (second, &transposed), span)
            }
            ([value], [argument]) if name == "diag" => {
                self.column(argument, value, "diag")?;
                let rows = value.shape.rows.clone();
                Some(Value { shape: Shape { columns: rows.clone(), rows, diagonal: true }, ..value.clone() })
            }
            ([value], [argument]) => {
                self.stored(argument, value)?;
                let function = elementwise(name)?;
                Some(self.step(Operation::Elementwise(function), &[value], value.shape.clone(), span))
            }
            _ => None,
        }
    }

    fn binary(&mut self, operator: Operator, left: &Expression, right: &Expression, span: &Span) -> Option<Value> {
        let function = match operator {
            Operator::Add => Function::Add,
            Operator::Sub => Function::Sub,
            Operator::Mul => Function::Mul,
            Operator::Div => Function::Div,
            Operator::Power => {
                let base = left.quoted();
                self.report(
                    Diagnostic::error(codes::NOT_HERE, "powers of numbers belong in an `option`")
                        .at(span.clone())
                        .help(format!("write `{base} * {base}` for a square, `{base}^T` for a transpose")),
                );
                return None;
            }
            Operator::Product => {
                let values = (self.expression(left), self.expression(right));
                return self.product((left, &values.0?), (right, &values.1?), span);
            }
        };
        let (first, second) = (self.expression(left), self.expression(right));
        let (first, second) = (first?, second?);
        self.stored(left, &first)?;
        self.stored(right, &second)?;
        let shape = match (first.shape.is_scalar(), second.shape.is_scalar()) {
            (true, _) => second.shape.clone(),
            (_, true) => first.shape.clone(),
            _ if first.shape == second.shape => first.shape.clone(),
            _ => {
                self.report(mismatch(operator, (left, &first.shape), (right, &second.shape)).at(span.clone()));
                return None;
            }
        };
        Some(self.step(Operation::Elementwise(function), &[&first, &second], shape, span))
    }

    /// The matrix product: the columns of the left meet the rows of the right.
    fn product(&mut self, left: (&Expression, &Value), right: (&Expression, &Value), span: &Span) -> Option<Value> {
        let (a, b) = (&left.1.shape, &right.1.shape);
        if a.is_scalar() || b.is_scalar() || a.columns != b.rows || a.diagonal && b.diagonal {
            self.report(no_product((left.0, a), (right.0, b)).at(span.clone()));
            return None;
        }
        let shape = Shape { rows: a.rows.clone(), columns: b.columns.clone(), diagonal: false };
        if a.diagonal || b.diagonal {
            let shape = if a.diagonal { b } else { a }.clone();
            return Some(self.step(Operation::Elementwise(Function::Mul), &[left.1, right.1], shape, span));
        }
        if let (Some(rows), Some(columns)) = (&shape.rows, &shape.columns)
            && rows == columns
        {
            let message = format!("this product has the axis `{rows}` twice");
            self.report(
                Diagnostic::error(codes::AXES, message)
                    .at(span.clone())
                    .help("multiply from the right first, so that each product is a vector, as in `a (b^T m)`"),
            );
            return None;
        }
        let operation = match a.columns {
            Some(_) => Operation::Contract,
            None => Operation::Elementwise(Function::Mul),
        };
        let in_order = match (&shape.rows, &shape.columns) {
            (Some(rows), Some(columns)) => self.order.precedes(rows, columns),
            _ => true,
        };
        let operands = if in_order { [left.1, right.1] } else { [right.1, left.1] };
        Some(self.step(operation, &operands, shape, span))
    }

    /// Refuses what only a matrix product can take: `diag(v)`.
    fn stored(&mut self, expression: &Expression, value: &Value) -> Option<()> {
        if !value.shape.diagonal {
            return Some(());
        }
        let message = format!("`{}` can only be a factor of a matrix product", expression.quoted());
        self.report(
            Diagnostic::error(codes::NOT_HERE, message)
                .at(expression.span.clone())
                .help("write `diag(v) m` to scale the rows of `m`, `m diag(v)` to scale its columns"),
        );
        None
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

    fn column(&mut self, expression: &Expression, value: &Value, function: &str) -> Option<()> {
        if value.shape.is_column() {
            return Some(());
        }
        let message = format!("`{function}` takes vectors, and `{}` is `{}`", expression.quoted(), value.shape);
        self.report(Diagnostic::error(codes::ARGUMENTS, message).at(expression.span.clone()));
        None
    }

    fn step(&mut self, operation: Operation, operands: &[&Value], shape: Shape, span: &Span) -> Value {
        let number = self.arguments + self.program.steps.len();
        let operands = operands.iter().map(|value| value.number).collect();
        self.program.steps.push(Step { operation, operands, span: span.clone() });
        Value { number, shape }
    }

    fn socket(&self, name: &Name, shape: &Shape) -> Socket {
        let mut axes: Vec<String> = [&shape.rows, &shape.columns].into_iter().flatten().cloned().collect();
        if let [first, second] = &axes[..]
            && !self.order.precedes(first, second)
        {
            axes.reverse();
        }
        Socket { name: name.clone(), axes }
    }

    fn bind(&mut self, name: &Name, meaning: Meaning) {
        let other = self.bindings.iter().find(|binding| binding.name.text == name.text);
        if let Some(other) = other {
            let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, format!("`{}` is defined twice", name.text))
                .at(name.span.clone())
                .related(other.name.span.clone(), "first here")
                .help("choose another name");
            return self.report(diagnostic);
        }
        self.bindings.push(Binding { name: name.clone(), meaning, used: false });
    }

    fn mark_used(&mut self, name: &str) {
        if let Some(binding) = self.bindings.iter_mut().find(|binding| binding.name.text == name) {
            binding.used = true;
        }
    }

    fn lookup(&mut self, name: &str, span: &Span) -> Option<Meaning> {
        if let Some(binding) = self.bindings.iter_mut().find(|binding| binding.name.text == name) {
            binding.used = true;
            return Some(binding.meaning.clone());
        }
        let later = self.rule.statements.iter().filter_map(Statement::introduces).find(|later| later.text == name);
        let diagnostic = if let Some(later) = later {
            Diagnostic::error(codes::USED_BEFORE_DEFINITION, format!("`{name}` is used before it is defined"))
                .related(later.span.clone(), "defined here")
                .help("move its definition above this line")
        } else if self.order.mentions(name) {
            Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is an axis, not a value"))
                .help(format!("its size is known in an option: `option size = {name}`"))
        } else {
            let known = self.bindings.iter().map(|binding| binding.name.text.as_str());
            unknown(codes::UNKNOWN_NAME, format!("nothing is called `{name}`"), name, known)
        };
        self.report(diagnostic.at(span.clone()));
        None
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}
