//! What the parser makes of a text: statements and expressions, each with its place, nothing of it checked.

use crate::diagnostic::Span;

/// A word of the text where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ExpressionKind {
    Number(f64),
    Name(String),
    Call {
        function: Name,
        arguments: Vec<Expression>,
    },
    /// `NAME per memory`
    PerMemory(Name),
    Negate(Box<Expression>),
    Transpose(Box<Expression>),
    /// `value[index]`
    Entry {
        value: Box<Expression>,
        index: Index,
    },
    Binary {
        operator: Operator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
}

/// What stands in brackets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Index {
    Number(usize),
    /// The variable of a loop.
    Turn(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Power,
    /// Two neighbours without a sign between them: the matrix product.
    Product,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
            Operator::Power => "^",
            Operator::Product => "",
        }
    }
}

impl Expression {
    /// The text as it can stand beside a sign: in parentheses unless it is one word, one call or one transpose.
    pub(super) fn quoted(&self) -> String {
        let text = &self.span.source.text[self.span.range.clone()];
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match self.kind {
            ExpressionKind::Negate(_) | ExpressionKind::Binary { .. } if !enclosed(&text) => format!("({text})"),
            _ => text,
        }
    }

    /// The text of this expression's transpose.
    pub(super) fn quoted_transpose(&self) -> String {
        match &self.kind {
            ExpressionKind::Transpose(operand) => operand.quoted(),
            _ => format!("{}^T", self.quoted()),
        }
    }
}

/// Whether the parenthesis that opens the text is the one that closes it.
fn enclosed(text: &str) -> bool {
    let mut open = 0;
    let closed = text.char_indices().find(|(_, character)| {
        open += i32::from(*character == '(') - i32::from(*character == ')');
        open == 0
    });
    text.starts_with('(') && closed.is_some_and(|(at, _)| at + 1 == text.len())
}

/// `NAME: AXIS x AXIS = NUMBER <= NUMBER`; no axes for `scalar`. Only parameters have a default, only they and inputs a
/// bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declaration {
    pub name: Name,
    pub axes: Vec<Name>,
    pub default: Option<f64>,
    pub at_most: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Statement {
    State(Declaration),
    Parameter(Declaration),
    /// `axis NAME = SIZE`
    Axis(Name, usize),
    Option(Name, Expression),
    Let(Name, Expression),
    Next(Name, Expression),
    Out(Name, Expression),
    For(Loop),
}

/// `for VARIABLE in AXIS { … }`; holds `let` and `next` only.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loop {
    pub variable: Name,
    pub axis: Name,
    pub body: Vec<Statement>,
}

impl Statement {
    /// The name that the statement gives to a value or number.
    pub(super) fn introduces(&self) -> Option<&Name> {
        match self {
            Statement::State(Declaration { name, .. }) | Statement::Parameter(Declaration { name, .. }) => Some(name),
            Statement::Option(name, _) | Statement::Let(name, _) | Statement::Out(name, _) => Some(name),
            Statement::Next(..) | Statement::Axis(..) | Statement::For(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub name: Name,
    pub inputs: Vec<Declaration>,
    pub statements: Vec<Statement>,
}

/// What a variant takes beside the inputs of the rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    pub declaration: Declaration,
    /// One value for all tokens.
    pub is_parameter: bool,
}

/// `variant NAME(further…) { INPUT = EXPRESSION … }`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variant {
    pub name: Name,
    pub further: Vec<Input>,
    pub definitions: Vec<(Name, Expression)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    /// The word `layer`.
    pub span: Span,
    pub lines: Vec<LayerLine>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum LayerLine {
    /// `weight NAME: AXES`
    Weight(Declaration),
    /// `axis NAME = EXPRESSION`
    Axis(Name, Expression),
    /// `option NAME = EXPRESSION`
    Option(Name, Expression),
    /// `let NAME: AXES = EXPRESSION`
    Let(Declaration, Expression),
    /// `NAME = EXPRESSION`, perhaps with the axes after the name.
    Definition { name: Name, axes: Option<Vec<Name>>, value: Expression },
}

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    pub rule: Rule,
    pub variants: Vec<Variant>,
    pub layer: Option<Layer>,
}
