//! Recursive descent from tokens to [`syntax`](super::syntax), one function for each line of the grammar.
//!
//! ```text
//! file       = rule { variant } [ layer ]
//! rule       = "rule" NAME "(" [ input { "," input } ] ")" "{" { statement } "}"
//! input      = declared [ bound ]
//! statement  = "state" declared | parameter | "axis" NAME "=" NUMBER
//!            | ( "option" | "let" | "next" | "out" ) NAME "=" sum
//!            | "for" NAME "in" AXIS "{" { ( "let" | "next" ) NAME "=" sum } "}"
//! parameter  = "parameter" declared [ "=" number ] [ bound ]
//! bound      = "<=" number
//! variant    = "variant" NAME "(" [ further { "," further } ] ")" "{" { NAME "=" sum } "}"
//! further    = input | parameter
//! layer      = "layer" "{" { line } "}"
//! line       = "weight" declared | ( "axis" | "option" ) NAME "=" sum | "let" declared "=" sum
//!            | NAME [ axes ] "=" sum
//! declared   = NAME axes
//! axes       = ":" ( "scalar" | AXIS { "x" AXIS } )
//! sum        = term { ( "+" | "-" ) term }
//! term       = factor { ( "*" | "/" ) factor }
//! factor     = "-" factor | product
//! product    = power { power }                              on one line, or in parentheses
//! power      = entry { "^" ( "T" | [ "-" ] entry ) }
//! entry      = atom { "[" ( NAME | NUMBER ) "]" }
//! number     = [ "-" ] NUMBER
//! atom       = NUMBER | NAME [ "per" "memory" ] | NAME "(" [ sum { "," sum } ] ")" | "(" sum ")"
//! ```
//!
//! After an error within braces reading goes on with the next line, so that one run finds them all.

use std::sync::Arc;

use super::{
    codes,
    lexer::{self, Token, TokenKind},
    syntax::{
        Declaration, Expression, ExpressionKind, File, Index, Input, Layer, LayerLine, Loop, Name, Operator, Rule,
        Statement, Variant,
    },
};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};

const KEYWORDS: [&str; 14] = [
    "rule",
    "variant",
    "layer",
    "state",
    "parameter",
    "axis",
    "option",
    "let",
    "next",
    "out",
    "for",
    "in",
    "weight",
    "per",
];

/// The largest size of an axis that a file can state.
const LARGEST_AXIS: f64 = 65536.0;

/// The most signs and parentheses in a statement: far beyond any equation, and far from the end of the stack.
const LONGEST: usize = 100;

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
        let mut variants = Vec::new();
        while self.word_is("variant") {
            variants.push(self.variant()?);
        }
        let layer = if self.word_is("layer") { Some(self.layer()?) } else { None };
        match self.peek().kind {
            TokenKind::End => Ok(File { rule, variants, layer }),
            _ if self.word_is("rule") => Err(self.expected("the end of the file, which holds one update rule")),
            _ => Err(self.expected("`variant NAME(…) { … }`, `layer { … }` or the end of the file")),
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        self.at += 1;
        let name = self.name("a name for the update rule")?;
        let inputs = self.list(Parser::input)?;
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
                let state = self.declared()?;
                if self.peek().kind == TokenKind::Sign('<') {
                    let diagnostic = self.expected("the next statement");
                    return Err(diagnostic.help("inputs and parameters have bounds, states have none").into());
                }
                return Ok(Statement::State(state));
            }
            "parameter" => return Ok(Statement::Parameter(self.parameter()?)),
            "axis" => {
                self.at += 1;
                let name = self.name("an axis")?;
                self.sign('=')?;
                return Ok(Statement::Axis(name, self.size()?));
            }
            "for" => return Ok(Statement::For(self.repeat()?)),
            "option" => Statement::Option,
            "let" => Statement::Let,
            "next" => Statement::Next,
            "out" => Statement::Out,
            _ => {
                let words = "`state`, `parameter`, `axis`, `option`, `let`, `next`, `out` or `for`";
                return Err(self.expected(words));
            }
        };
        self.at += 1;
        let (name, value) = self.definition()?;
        Ok(make(name, value))
    }

    fn repeat(&mut self) -> Parsed<Loop> {
        self.at += 1;
        let variable = self.name("a name for the number of the turn")?;
        if !self.word_is("in") {
            return Err(self.expected("`in` and an axis"));
        }
        self.at += 1;
        let axis = self.name("an axis")?;
        self.sign('{')?;
        let mut body = Vec::new();
        self.lines(|parser| {
            let make = match parser.text(parser.peek()) {
                "let" => Statement::Let,
                "next" => Statement::Next,
                _ => {
                    let help = "a loop holds `let` and `next`; all else stands before or after it, loops too";
                    return Err(parser.expected("`let` or `next`").help(help).into());
                }
            };
            parser.at += 1;
            let (name, value) = parser.definition()?;
            body.push(make(name, value));
            Ok(())
        })?;
        Ok(Loop { variable, axis, body })
    }

    fn variant(&mut self) -> Parsed<Variant> {
        self.at += 1;
        let name = self.name("a name for the variant")?;
        let further = self.list(|parser| {
            let is_parameter = parser.word_is("parameter");
            let declaration = if is_parameter { parser.parameter()? } else { parser.input()? };
            Ok(Input { declaration, is_parameter })
        })?;
        self.sign('{')?;
        let mut definitions = Vec::new();
        self.lines(|parser| {
            definitions.push(parser.definition()?);
            Ok(())
        })?;
        Ok(Variant { name, further, definitions })
    }

    fn layer(&mut self) -> Parsed<Layer> {
        let span = self.span(self.at);
        self.at += 1;
        self.sign('{')?;
        let mut lines = Vec::new();
        self.lines(|parser| {
            lines.push(parser.layer_line()?);
            Ok(())
        })?;
        Ok(Layer { span, lines })
    }

    fn layer_line(&mut self) -> Parsed<LayerLine> {
        let keyword = self.text(self.peek()).to_owned();
        // `axis` is a word of the language only where a name follows it.
        let next = &self.tokens[(self.at + 1).min(self.tokens.len() - 1)];
        let begins_axis = keyword == "axis" && next.kind == TokenKind::Word && !next.starts_line;
        match keyword.as_str() {
            "weight" => {
                self.at += 1;
                Ok(LayerLine::Weight(self.declared()?))
            }
            "option" => {
                self.at += 1;
                let (name, value) = self.definition()?;
                Ok(LayerLine::Option(name, value))
            }
            "let" => {
                self.at += 1;
                let declaration = self.declared()?;
                self.sign('=')?;
                Ok(LayerLine::Let(declaration, self.sum()?))
            }
            "axis" if begins_axis => {
                self.at += 1;
                let (name, value) = self.definition()?;
                Ok(LayerLine::Axis(name, value))
            }
            _ => {
                let name = self.name("a name")?;
                let axes = if self.peek().kind == TokenKind::Sign(':') { Some(self.axes()?) } else { None };
                self.sign('=')?;
                Ok(LayerLine::Definition { name, axes, value: self.sum()? })
            }
        }
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
                let opened = self.tokens[first..self.at.min(self.tokens.len())].iter();
                let mut open = opened.filter(|token| token.kind == TokenKind::Sign('{')).count();
                // What a faulty head opens is passed over with it.
                while self.peek().kind != TokenKind::End {
                    match self.peek().kind {
                        TokenKind::Sign('{') => open += 1,
                        TokenKind::Sign('}') if open == 0 => break,
                        TokenKind::Sign('}') => open -= 1,
                        _ if open == 0 && self.peek().starts_line => break,
                        _ => {}
                    }
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
        Ok(Declaration { name, axes: self.axes()?, default: None, at_most: None })
    }

    /// `: AXES`, none for `scalar`.
    fn axes(&mut self) -> Parsed<Vec<Name>> {
        self.sign(':')?;
        let first = self.name("`scalar` or an axis, as `key` or `key x value`")?;
        if first.text == "scalar" {
            return Ok(Vec::new());
        }
        let mut axes = vec![first];
        while self.word_is("x") && !self.peek().starts_line {
            self.at += 1;
            axes.push(self.name("an axis")?);
        }
        Ok(axes)
    }

    fn input(&mut self) -> Parsed<Declaration> {
        let declaration = self.declared()?;
        Ok(Declaration { at_most: self.bound()?, ..declaration })
    }

    fn parameter(&mut self) -> Parsed<Declaration> {
        self.at += 1;
        let mut declaration = self.declared()?;
        if self.peek().kind == TokenKind::Sign('=') {
            self.at += 1;
            declaration.default = Some(self.number()?);
        }
        declaration.at_most = self.bound()?;
        if let (Some(default), Some(limit)) = (declaration.default, declaration.at_most)
            && default > limit
        {
            let message = format!("`{}` is at most {limit}, and its default is {default}", declaration.name.text);
            return Err(Diagnostic::error(codes::BOUND, message).at(declaration.name.span).into());
        }
        Ok(declaration)
    }

    fn bound(&mut self) -> Parsed<Option<f64>> {
        if self.peek().kind != TokenKind::Sign('<') {
            return Ok(None);
        }
        self.at += 1;
        if self.peek().kind != TokenKind::Sign('=') {
            return Err(self.expected("`<=`").help("a bound is written `<= NUMBER`, as in `g: scalar <= 0`").into());
        }
        self.at += 1;
        self.number().map(Some)
    }

    /// A number that is finite.
    fn number(&mut self) -> Parsed<f64> {
        let negative = self.peek().kind == TokenKind::Sign('-');
        let at = self.at + usize::from(negative);
        match self.tokens[at.min(self.tokens.len() - 1)].kind {
            TokenKind::Number(value) if value.is_finite() => {
                self.at = at + 1;
                Ok(if negative { -value } else { value })
            }
            TokenKind::Number(_) => Err(error("this number is too large").at(self.span(at)).into()),
            _ => {
                self.at = at;
                Err(self.expected("a number"))
            }
        }
    }

    /// A size of an axis.
    fn size(&mut self) -> Parsed<usize> {
        let span = self.span(self.at);
        let number = self.number()?;
        if number.fract() == 0.0 && (1.0..=LARGEST_AXIS).contains(&number) {
            return Ok(number as usize);
        }
        let message = format!("an axis has 1 to {LARGEST_AXIS} entries, not {number}");
        Err(Diagnostic::error(codes::AXIS_WITHOUT_SIZE, message).at(span).into())
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
        let mut base = self.entry()?;
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
            let mut exponent = self.entry()?;
            if negative {
                let span = cover(&minus, &exponent.span);
                exponent = Expression { kind: ExpressionKind::Negate(Box::new(exponent)), span };
            }
            base = join(Operator::Power, base, exponent);
        }
        Ok(base)
    }

    fn entry(&mut self) -> Parsed<Expression> {
        let mut value = self.atom()?;
        while self.peek().kind == TokenKind::Sign('[') && !self.peek().starts_line {
            self.at += 1;
            self.lengthen()?;
            let index = match self.peek().kind {
                TokenKind::Number(number) if number.fract() == 0.0 && number < LARGEST_AXIS => {
                    self.at += 1;
                    Index::Number(number as usize)
                }
                TokenKind::Word => Index::Turn(self.name("a number or the name of a turn")?),
                _ => return Err(self.expected("a whole number, from 0, or the name of a turn")),
            };
            self.sign(']')?;
            let span = self.since(&value.span);
            value = Expression { kind: ExpressionKind::Entry { value: Box::new(value), index }, span };
        }
        Ok(value)
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
