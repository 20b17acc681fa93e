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
    Binary {
        operator: Operator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
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

/// `NAME: AXIS x AXIS`; no axes for `scalar`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declaration {
    pub name: Name,
    pub axes: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Statement {
    State(Declaration),
    Option(Name, Expression),
    Let(Name, Expression),
    Next(Name, Expression),
    Out(Name, Expression),
}

impl Statement {
    /// The name that the statement introduces; `next` introduces none.
    pub(super) fn introduces(&self) -> Option<&Name> {
        match self {
            Statement::State(Declaration { name, .. }) => Some(name),
            Statement::Option(name, _) | Statement::Let(name, _) | Statement::Out(name, _) => Some(name),
            Statement::Next(..) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub name: Name,
    pub inputs: Vec<Declaration>,
    pub statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    /// The word `layer`.
    pub span: Span,
    pub weights: Vec<Declaration>,
    pub definitions: Vec<(Name, Expression)>,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    pub rule: Rule,
    pub layer: Option<Layer>,
}
