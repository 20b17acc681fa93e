//! Recursive descent from tokens to [`syntax`](super::syntax), one function for each line of the grammar.
//!
//! ```text
//! file       = rule [ layer ]
//! rule       = "rule" NAME "(" [ declared { "," declared } ] ")" "{" { statement } "}"
//! statement  = "state" declared | ( "option" | "let" | "next" | "out" ) NAME "=" sum
//! layer      = "layer" "{" { "weight" declared | NAME "=" sum } "}"
//! declared   = NAME ":" ( "scalar" | AXIS { "x" AXIS } )
//! sum        = term { ( "+" | "-" ) term }
//! term       = factor { ( "*" | "/" ) factor }
//! factor     = "-" factor | product
//! product    = power { power }                              on one line, or in parentheses
//! power      = atom { "^" ( "T" | [ "-" ] atom ) }
//! atom       = NUMBER | NAME [ "per" "memory" ] | NAME "(" [ sum { "," sum } ] ")" | "(" sum ")"
//! ```
//!
//! After an error within braces reading goes on with the next line, so that one run finds them all.

use std::sync::Arc;

use super::{
    codes,
    lexer::{self, Token, TokenKind},
    syntax::{Declaration, Expression, ExpressionKind, File, Layer, Name, Operator, Rule, Statement},
};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};

const KEYWORDS: [&str; 9] = ["rule", "layer", "state", "option", "let", "next", "out", "weight", "per"];

/// The most signs and parentheses in a statement: far beyond any equation, and far from the end of the stack.
const LONGEST: usize = 200;

type Parsed<T> = Result<T, Box<Diagnostic>>;

pub(super) fn parse(source: &Arc<Source>) -> Result<File, Diagnostics> {
    let (tokens, diagnostics) = lexer::tokens(source);
    let mut parser = Parser { source, tokens, at: 0, parentheses: 0, length: 0, diagnostics };
    let file = parser.file();
    let mut diagnostics = parser.diagnostics;
    match file {
        Ok(file) if diagnostics.is_empty() => Ok(file),
        Ok(_) => Err(diagnostics),
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            Err(diagnostics)
        }
    }
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    tokens: Vec<Token>,
    at: usize,
    /// Open parentheses, within which a product may go on in the next line.
    parentheses: usize,
    /// Signs and parentheses of the statement so far.
    length: usize,
    diagnostics: Diagnostics,
}

impl Parser<'_> {
    fn file(&mut self) -> Parsed<File> {
        if !self.word_is("rule") {
            return Err(self.expected("`rule NAME(…) { … }`"));
        }
        let rule = self.rule()?;
        let layer = if self.word_is("layer") { Some(self.layer()?) } else { None };
        match self.peek().kind {
            TokenKind::End => Ok(File { rule, layer }),
            _ if self.word_is("rule") => Err(self.expected("the end of the file, which holds one update rule")),
            _ => Err(self.expected("`layer { … }` or the end of the file")),
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        self.at += 1;
        let name = self.name("a name for the update rule")?;
        let inputs = self.list(Parser::declared)?;
        self.sign('{')?;
        let mut statements = Vec::new();
        self.lines(|parser| {
            statements.push(parser.statement()?);
            Ok(())
        })?;
        Ok(Rule { name, inputs, statements })
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let keyword = self.text(self.peek()).to_owned();
        let make = match keyword.as_str() {
            "state" => {
                self.at += 1;
                return Ok(Statement::State(self.declared()?));
            }
            "option" => Statement::Option,
            "let" => Statement::Let,
            "next" => Statement::Next,
            "out" => Statement::Out,
            _ => return Err(self.expected("`state`, `option`, `let`, `next` or `out`")),
        };
        self.at += 1;
        let (name, value) = self.definition()?;
        Ok(make(name, value))
    }

    fn layer(&mut self) -> Parsed<Layer> {
        let span = self.span(self.at);
        self.at += 1;
        self.sign('{')?;
        let mut layer = Layer { span, weights: Vec::new(), definitions: Vec::new() };
        self.lines(|parser| {
            if parser.word_is("weight") {
                parser.at += 1;
                layer.weights.push(parser.declared()?);
            } else {
                layer.definitions.push(parser.definition()?);
            }
            Ok(())
        })?;
        Ok(layer)
    }

    /// Statements up to the closing brace. A faulty one is reported and left at the end of its line.
    fn lines(&mut self, mut line: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        while self.peek().kind != TokenKind::Sign('}') {
            if self.peek().kind == TokenKind::End {
                return Err(self.expected("`}`"));
            }
            let first = self.at;
            (self.parentheses, self.length) = (0, 0);
            if let Err(diagnostic) = line(self) {
                self.diagnostics.push(*diagnostic);
                self.at = self.at.max(first + 1);
                while !self.peek().starts_line && self.peek().kind != TokenKind::Sign('}') {
                    self.at += 1;
                }
            }
        }
        self.sign('}')
    }

    fn definition(&mut self) -> Parsed<(Name, Expression)> {
        let name = self.name("a name")?;
        self.sign('=')?;
        Ok((name, self.sum()?))
    }

    fn declared(&mut self) -> Parsed<Declaration> {
        let name = self.name("a name")?;
        self.sign(':')?;
        let first = self.name("`scalar` or an axis, as `key` or `key x value`")?;
        if first.text == "scalar" {
            return Ok(Declaration { name, axes: Vec::new() });
        }
        let mut axes = vec![first];
        while self.word_is("x") && !self.peek().starts_line {
            self.at += 1;
            axes.push(self.name("an axis")?);
        }
        Ok(Declaration { name, axes })
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.binary(&[('+', Operator::Add), ('-', Operator::Sub)], Parser::term)
    }

    fn term(&mut self) -> Parsed<Expression> {
        self.binary(&[('*', Operator::Mul), ('/', Operator::Div)], Parser::factor)
    }

    fn binary(
        &mut self,
        operators: &[(char, Operator)],
        operand: fn(&mut Self) -> Parsed<Expression>,
    ) -> Parsed<Expression> {
        let mut left = operand(self)?;
        while let Some(&(_, operator)) = operators.iter().find(|(sign, _)| self.peek().kind == TokenKind::Sign(*sign)) {
            self.at += 1;
            self.lengthen()?;
            left = join(operator, left, operand(self)?);
        }
        Ok(left)
    }

    fn factor(&mut self) -> Parsed<Expression> {
        if self.peek().kind != TokenKind::Sign('-') {
            return self.product();
        }
        let start = self.span(self.at);
        self.at += 1;
        self.lengthen()?;
        let operand = self.factor()?;
        let span = cover(&start, &operand.span);
        Ok(Expression { kind: ExpressionKind::Negate(Box::new(operand)), span })
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.power()?;
        while self.starts_neighbour() {
            self.lengthen()?;
            left = join(Operator::Product, left, self.power()?);
        }
        Ok(left)
    }

    fn starts_neighbour(&self) -> bool {
        let token = self.peek();
        let operand = match token.kind {
            TokenKind::Word => !KEYWORDS.contains(&self.text(token)),
            TokenKind::Number(_) | TokenKind::Sign('(') => true,
            _ => false,
        };
        operand && (!token.starts_line || self.parentheses > 0)
    }

    fn power(&mut self) -> Parsed<Expression> {
        let mut base = self.atom()?;
        while self.peek().kind == TokenKind::Sign('^') {
            self.at += 1;
            self.lengthen()?;
            if self.word_is("T") {
                let span = cover(&base.span, &self.span(self.at));
                self.at += 1;
                base = Expression { kind: ExpressionKind::Transpose(Box::new(base)), span };
                continue;
            }
            let minus = self.span(self.at);
            let negative = self.peek().kind == TokenKind::Sign('-');
            self.at += usize::from(negative);
            let mut exponent = self.atom()?;
            if negative {
                let span = cover(&minus, &exponent.span);
                exponent = Expression { kind: ExpressionKind::Negate(Box::new(exponent)), span };
            }
            base = join(Operator::Power, base, exponent);
        }
        Ok(base)
    }

    fn atom(&mut self) -> Parsed<Expression> {
        let start = self.span(self.at);
        match self.peek().kind {
            TokenKind::Number(value) => {
                self.at += 1;
                Ok(Expression { kind: ExpressionKind::Number(value), span: start })
            }
            TokenKind::Sign('(') => {
                let mut inner = self.list(Parser::sum)?;
                let span = self.since(&start);
                match (inner.pop(), inner.is_empty()) {
                    (Some(expression), true) => Ok(Expression { span, ..expression }),
                    _ => Err(error("one expression belongs in parentheses").at(span).into()),
                }
            }
            TokenKind::Word => {
                let name = self.name("a name, a number or `(`")?;
                if self.peek().kind == TokenKind::Sign('(') {
                    let arguments = self.list(Parser::sum)?;
                    let kind = ExpressionKind::Call { function: name, arguments };
                    return Ok(Expression { kind, span: self.since(&start) });
                }
                if self.word_is("per") {
                    self.at += 1;
                    if !self.word_is("memory") {
                        return Err(self.expected("`memory`"));
                    }
                    self.at += 1;
                    return Ok(Expression { kind: ExpressionKind::PerMemory(name), span: self.since(&start) });
                }
                Ok(Expression { kind: ExpressionKind::Name(name.text), span: start })
            }
            _ => Err(self.expected("a name, a number or `(`")),
        }
    }

    /// Items between parentheses, separated by commas.
    fn list<T>(&mut self, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.sign('(')?;
        self.parentheses += 1;
        self.lengthen()?;
        let mut items = Vec::new();
        while self.peek().kind != TokenKind::Sign(')') {
            items.push(item(self)?);
            match self.peek().kind {
                TokenKind::Sign(',') => self.at += 1,
                TokenKind::Sign(')') => {}
                _ => return Err(self.expected("`,` or `)`")),
            }
        }
        self.parentheses -= 1;
        self.sign(')')?;
        Ok(items)
    }

    fn name(&mut self, what: &str) -> Parsed<Name> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.expected(what));
        }
        let text = self.text(token).to_owned();
        if KEYWORDS.contains(&text.as_str()) {
            let diagnostic = self.expected(what);
            return Err(diagnostic.help(format!("`{text}` is a word of the language; choose another name")).into());
        }
        let span = self.span(self.at);
        self.at += 1;
        Ok(Name { text, span })
    }

    fn sign(&mut self, sign: char) -> Parsed<()> {
        if self.peek().kind != TokenKind::Sign(sign) {
            return Err(self.expected(&format!("`{sign}`")));
        }
        self.at += 1;
        Ok(())
    }

    fn word_is(&self, word: &str) -> bool {
        self.peek().kind == TokenKind::Word && self.text(self.peek()) == word
    }

    /// The next token; past the end, the end.
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn text(&self, token: &Token) -> &str {
        &self.source.text[token.range.clone()]
    }

    fn span(&self, at: usize) -> Span {
        Span::new(self.source, self.tokens[at.min(self.tokens.len() - 1)].range.clone())
    }

    /// From `start` to the last token that was read.
    fn since(&self, start: &Span) -> Span {
        cover(start, &self.span(self.at.saturating_sub(1)))
    }

    fn expected(&self, what: &str) -> Box<Diagnostic> {
        let found = match self.peek().kind {
            TokenKind::End => "the end of the file".to_owned(),
            _ => format!("`{}`", self.text(self.peek())),
        };
        error(format!("expected {what}, found {found}")).at(self.span(self.at)).into()
    }

    fn lengthen(&mut self) -> Parsed<()> {
        self.length += 1;
        if self.length <= LONGEST {
            return Ok(());
        }
        let message = format!("a statement has at most {LONGEST} signs and parentheses");
        Err(error(message).at(self.span(self.at)).help("give names to its parts with `let`").into())
    }
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, message)
}

fn join(operator: Operator, left: Expression, right: Expression) -> Expression {
    let span = cover(&left.span, &right.span);
    Expression { kind: ExpressionKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span }
}

fn cover(first: &Span, last: &Span) -> Span {
    Span::new(&first.source, first.range.start..last.range.end)
}
