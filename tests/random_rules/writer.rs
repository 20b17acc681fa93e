//! Writes a rule down: declares inputs as they come to be needed, and spells each term in one of many equal ways.

use super::sketch::{Decay, Ingredient, Kind, Update};

/// What of a state a vector decays.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Vector,
    /// The rows.
    Left,
    /// The columns.
    Right,
}

pub(super) struct Writer {
    inputs: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
    states: Vec<(String, String)>,
    lines: Vec<String>,
    in_loop: bool,
    spelling: u64,
}

impl Writer {
    pub(super) fn new(spelling: u64) -> Writer {
        let empty = Vec::new;
        Writer { inputs: empty(), parameters: empty(), states: empty(), lines: Vec::new(), in_loop: false, spelling }
    }

    /// The next choice.
    pub(super) fn turn(&mut self) -> bool {
        self.spelling = self.spelling.rotate_right(1);
        self.spelling & 1 == 1
    }

    /// One of `count` choices, a power of two.
    fn choose(&mut self, count: usize) -> usize {
        (0..count.trailing_zeros()).fold(0, |number, _| 2 * number + usize::from(self.turn()))
    }

    /// An input of the token, or of the turn within a loop.
    pub(super) fn input(&mut self, name: &str, axes: &str) -> String {
        let axes = match (self.in_loop, axes) {
            (false, _) => axes.to_owned(),
            (true, "scalar") => "step".to_owned(),
            (true, _) => format!("step x {axes}"),
        };
        if !self.inputs.iter().any(|(known, _)| known == name) {
            self.inputs.push((name.to_owned(), axes));
        }
        if self.in_loop { format!("{name}[j]") } else { name.to_owned() }
    }

    pub(super) fn parameter(&mut self, name: &str, axes: &str) -> String {
        if !self.parameters.iter().any(|(known, _)| known == name) {
            self.parameters.push((name.to_owned(), axes.to_owned()));
        }
        name.to_owned()
    }

    pub(super) fn state(&mut self, name: &str, axes: &str) {
        self.states.push((name.to_owned(), axes.to_owned()));
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        let indent = if self.in_loop { "    " } else { "  " };
        self.lines.push(format!("{indent}{}", line.into()));
    }

    /// Whether a line beside its definition holds this name.
    pub(super) fn uses(&self, name: &str) -> bool {
        let definition = format!("let {name} =");
        self.lines.iter().any(|line| line.contains(name) && !line.contains(&definition))
    }

    pub(super) fn open_loop(&mut self) {
        self.say("for j in step {");
        self.in_loop = true;
    }

    pub(super) fn close_loop(&mut self) {
        self.in_loop = false;
        self.say("}");
    }

    /// The value with a name, or in parentheses.
    fn part(&mut self, name: &str, value: &str) -> String {
        if self.turn() {
            return format!("({value})");
        }
        self.say(format!("let {name} = {value}"));
        name.to_owned()
    }

    fn times(&mut self, a: &str, b: &str) -> String {
        if self.turn() { format!("{a} * {b}") } else { format!("{b} * {a}") }
    }

    /// The column `a` times the row of `b`.
    fn outer(&mut self, a: &str, b: &str) -> String {
        match self.choose(4) {
            0 => format!("({a}) ({b})^T"),
            1 => format!("outer({b}, {a})^T"),
            _ => format!("outer({a}, {b})"),
        }
    }

    pub(super) fn inner(&mut self, a: &str, b: &str) -> String {
        if self.turn() { format!("{a}^T {b}") } else { format!("{b}^T {a}") }
    }

    /// A vector made from inputs that begin with `name`.
    pub(super) fn column(&mut self, name: &str, axis: &str) -> String {
        let x = self.input(name, axis);
        match self.choose(8) {
            0 => format!("silu({x})"),
            1 => format!("l2_norm({x})"),
            2 => {
                let y = self.input(&format!("{name}_gate"), axis);
                self.times(&x, &format!("sigmoid({y})"))
            }
            3 => {
                let y = self.input(&format!("{name}_other"), axis);
                format!("({x} - {y})")
            }
            4 => {
                let u = self.parameter(&format!("{name}_weight"), axis);
                self.times(&u, &x)
            }
            _ => x,
        }
    }

    /// What erases: a vector of norm 1, or less.
    fn normalised(&mut self, name: &str, axis: &str) -> String {
        let x = self.input(name, axis);
        match self.choose(4) {
            0 => {
                let y = self.input(&format!("{name}_gate"), axis);
                format!("(sigmoid({y}) * l2_norm({x}))")
            }
            _ => format!("l2_norm({x})"),
        }
    }

    /// A number between 0 and 1.
    fn strength(&mut self, name: &str, ingredient: &Ingredient) -> String {
        match (self.choose(4), &ingredient.number) {
            (0, None) => "0.5".to_owned(),
            (0 | 1, Some(number)) => format!("sigmoid({number})"),
            (1, None) => {
                let a = self.parameter(&format!("rate{name}"), "scalar");
                format!("sigmoid({a})")
            }
            (2, _) => {
                let beta = self.input(&format!("beta{name}"), "scalar");
                format!("(1 - sigmoid({beta}))")
            }
            _ => {
                let beta = self.input(&format!("beta{name}"), "scalar");
                format!("sigmoid({beta})")
            }
        }
    }

    /// A value that is written, over `axis`.
    fn value(&mut self, name: &str, axis: &str, ingredient: &Ingredient) -> String {
        match &ingredient.vector {
            Some((recalled, over)) if *over == axis && self.turn() => {
                let x = self.input(name, axis);
                format!("({x} - 0.5 * {recalled})")
            }
            _ => self.column(name, axis),
        }
    }

    /// A product of a vector over `rows` and one over `columns`.
    pub(super) fn write(&mut self, name: &str, rows: &str, columns: &str, ingredient: Option<&Ingredient>) -> String {
        let none = Ingredient::default();
        let ingredient = ingredient.unwrap_or(&none);
        let k = self.column(&format!("k{name}"), rows);
        let v = self.value(&format!("v{name}"), columns, ingredient);
        let product = self.outer(&k, &v);
        // The reading must be used.
        if ingredient.number.is_some() || self.turn() {
            let strength = self.strength(name, ingredient);
            return self.times(&strength, &product);
        }
        product
    }

    /// What an update adds to a state over `rows` and `columns`, or over `columns` and `rows` where it is mirrored;
    /// begins with a sign. `memory` is the state before the token and what is left of it.
    pub(super) fn update(
        &mut self,
        update: Update,
        name: &str,
        memory: (&str, &str),
        (rows, columns): (&str, &str),
        mirrored: bool,
        ingredient: &Ingredient,
    ) -> String {
        if let Kind::Write = update.kind {
            let (left, right) = if mirrored { (columns, rows) } else { (rows, columns) };
            return format!("+ {}", self.write(name, left, right, Some(ingredient)));
        }
        let memory = if update.undecayed { memory.0 } else { memory.1 };
        let read = self.normalised(&format!("b{name}"), rows);
        let read = self.part(&format!("read{name}"), &read);
        let along = if update.tied { read.clone() } else { self.normalised(&format!("e{name}"), rows) };
        let found = match (mirrored, self.turn()) {
            (false, true) => format!("{memory}^T {read}"),
            (false, false) => format!("({read}^T {memory})^T"),
            (true, true) => format!("({memory}) {read}"),
            (true, false) => format!("({read}^T {memory}^T)^T"),
        };
        let strength = self.strength(name, ingredient);
        let place = |along: &str, what: &str| {
            if mirrored { (what.to_owned(), along.to_owned()) } else { (along.to_owned(), what.to_owned()) }
        };
        let erased = |writer: &mut Writer| {
            // Also as a product of the memory with a matrix.
            let (a, b) = place(&along, &found);
            let product = match (writer.choose(4), mirrored) {
                (0, false) => format!("(({along}) {read}^T) {memory}"),
                (0, true) => format!("({memory}) (({read}) ({along})^T)"),
                _ => writer.outer(&a, &b),
            };
            writer.times(&strength, &product)
        };
        if let Kind::Erase = update.kind {
            return format!("- {}", erased(self));
        }
        let new = self.value(&format!("x{name}"), columns, ingredient);
        match self.choose(4) {
            // Distributed.
            0 => {
                let (a, b) = place(&along, &new);
                let written = self.outer(&a, &b);
                let written = self.times(&strength, &written);
                format!("- {} + {written}", erased(self))
            }
            // The error the other way round.
            1 => {
                let error = self.part(&format!("error{name}"), &format!("{found} - {new}"));
                let (a, b) = place(&along, &error);
                let product = self.outer(&a, &b);
                format!("- {}", self.times(&strength, &product))
            }
            // The strength within a vector.
            2 => {
                let push = self.times(&strength, &along);
                let push = self.part(&format!("push{name}"), &push);
                let (a, b) = place(&push, &format!("({new} - {found})"));
                format!("+ {}", self.outer(&a, &b))
            }
            _ => {
                let error = self.part(&format!("error{name}"), &format!("{new} - {found}"));
                let (a, b) = place(&along, &error);
                let product = self.outer(&a, &b);
                format!("+ {}", self.times(&strength, &product))
            }
        }
    }

    /// What the state called `state` keeps.
    pub(super) fn decay(&mut self, decay: Decay, state: &str, axis: &str, side: Side, number: Option<&str>) -> String {
        let (gate, rows) = (format!("g_{state}"), format!("r_{state}"));
        let (scalar, vector) = match decay {
            Decay::None => return state.to_owned(),
            Decay::Scalar => (Some(format!("exp({})", self.input(&gate, "scalar"))), None),
            Decay::Rows => (None, Some(format!("exp({})", self.input(&gate, axis)))),
            Decay::ScalarAndRows => {
                let scalar = self.input(&gate, "scalar");
                (Some(format!("exp({scalar})")), Some(format!("sigmoid({})", self.input(&rows, axis))))
            }
            Decay::Sigmoid => (Some(format!("sigmoid({})", self.input(&rows, "scalar"))), None),
            Decay::OneMinusSigmoid => (None, Some(format!("(1 - sigmoid({}))", self.input(&rows, axis)))),
            Decay::Bounded => {
                let bound = self.parameter(&format!("lowest_{state}"), axis);
                let f = self.input(&rows, axis);
                (None, Some(format!("({bound} + (1 - {bound}) * sigmoid({f}))")))
            }
            Decay::Head => {
                let a = self.parameter(&format!("a_{state}"), "scalar");
                (Some(format!("exp(-exp({a}) * softplus({}))", self.input(&rows, "scalar"))), None)
            }
            Decay::Retention => (Some("(1 - 2^(-2 - head))".to_owned()), None),
            Decay::Softplus => {
                let x = number.map_or_else(|| self.input(&rows, "scalar"), str::to_owned);
                (Some(format!("exp(-softplus({x}))")), None)
            }
        };
        let mut value = state.to_owned();
        if let Some(vector) = vector {
            value = match side {
                Side::Vector => self.times(&vector, &value),
                Side::Left if self.turn() => format!("({value}^T diag({vector}))^T"),
                Side::Right if self.turn() => format!("(diag({vector}) {value}^T)^T"),
                Side::Left => format!("diag({vector}) {value}"),
                Side::Right => format!("{value} diag({vector})"),
            };
        }
        if let Some(scalar) = scalar {
            value = self.times(&scalar, &value);
        }
        let kept = format!("kept_{state}");
        self.say(format!("let {kept} = {value}"));
        kept
    }

    pub(super) fn text(&self) -> String {
        let declared = |(name, axes): &(String, String)| {
            let bound = match name.split_once('_') {
                Some(("g", _)) => " <= 0",
                Some(("lowest", _)) => " = 0 <= 1",
                _ => "",
            };
            format!("{name}: {axes}{bound}")
        };
        let list = |values: &[(String, String)]| values.iter().map(declared).collect::<Vec<_>>();
        let mut text = format!("rule random({}) {{\n", list(&self.inputs).join(", "));
        let axes = [&self.inputs, &self.parameters, &self.states];
        for axis in ["slot", "step"] {
            if axes.into_iter().flatten().any(|(_, axes)| axes.split(" x ").any(|other| other == axis)) {
                text += &format!("  axis {axis} = 2\n");
            }
        }
        for parameter in list(&self.parameters) {
            text += &format!("  parameter {parameter}\n");
        }
        for (name, axes) in &self.states {
            text += &format!("  state {name}: {axes}\n");
        }
        for line in &self.lines {
            text += line;
            text.push('\n');
        }
        text + "}\n"
    }
}
