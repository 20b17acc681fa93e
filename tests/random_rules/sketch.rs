//! Random update rules, affine by construction: what is drawn is the recurrence, and how it is written down.
//!
//! A rule has a state that decays or not and that tokens write to, erase from and correct, at once, one after the other
//! or in the turns of a loop; it may be the mirrored kind that works on the value side, or square. An earlier state may
//! stand before it in a chain: its reading is then an ingredient of the state, or the address at which it is read.
//! Vectors that erase have at most the norm 1 and strengths are below 1, so that no rule explodes within the lengths
//! tried. The same term is written as a product, distributed, through transposes, or in parts with names.

use proptest::prelude::*;

use super::writer::{Side, Writer};

/// How a state forgets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decay {
    None,
    /// `exp(g)`
    Scalar,
    /// `exp(g)` for each row.
    Rows,
    /// Both.
    ScalarAndRows,
    Sigmoid,
    OneMinusSigmoid,
    /// `b + (1 - b) sigmoid(f)` for each row, with a parameter `b`.
    Bounded,
    /// `exp(-exp(a) softplus(dt))` with a parameter `a` of the head.
    Head,
    /// A rate for each head that is fixed.
    Retention,
    /// `exp(-softplus(x))`, where `x` is a reading of the state before in the chain, if it is a number.
    Softplus,
}

/// What a token does to a state.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `+ a x^T`
    Write,
    /// `- e (b^T M)`
    Erase,
    /// `+ e (x - M^T b)^T`
    Correct,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) kind: Kind,
    /// Whether an erase reads the memory before the decay.
    pub(super) undecayed: bool,
    /// Whether what is erased is what is read, as in the delta rules.
    pub(super) tied: bool,
}

/// A state before the main one in the chain.
#[derive(Clone, Copy, Debug)]
enum First {
    /// A vector whose reading is how strongly the main state is written.
    Strength(Decay),
    /// A vector whose reading divides the output.
    Normaliser(Decay),
    /// A matrix over slots: softmax of its reading is where the main state, which is over slots, is read.
    Slots(Decay),
    /// A matrix whose reading the main state takes up as a value.
    Memory(Decay, Option<Update>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    After,
    Before,
    Both,
}

/// An update rule that is yet to be written down.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    mirrored: bool,
    square: bool,
    decay: Decay,
    updates: Vec<Update>,
    /// Whether each update starts from what the one before it made.
    sequential: bool,
    /// Whether the updates are done in each turn of a loop.
    turns: bool,
    first: Option<First>,
    read: Read,
    /// A second output, of the other side of the state.
    across: bool,
    bonus: bool,
    /// A gate on the output.
    gated: bool,
    scale: Option<i32>,
    /// How things are written: one bit for each choice.
    spelling: u64,
}

fn decay() -> impl Strategy<Value = Decay> + Clone {
    prop_oneof![
        Just(Decay::None),
        Just(Decay::Scalar),
        Just(Decay::Rows),
        Just(Decay::ScalarAndRows),
        Just(Decay::Sigmoid),
        Just(Decay::OneMinusSigmoid),
        Just(Decay::Bounded),
        Just(Decay::Head),
        Just(Decay::Retention),
        Just(Decay::Softplus),
    ]
}

fn update() -> impl Strategy<Value = Update> + Clone {
    let kind = prop_oneof![Just(Kind::Write), Just(Kind::Correct), Just(Kind::Erase)];
    (kind, any::<bool>(), any::<bool>()).prop_map(|(kind, undecayed, tied)| Update { kind, undecayed, tied })
}

pub(super) fn sketch() -> impl Strategy<Value = Sketch> {
    let first = prop_oneof![
        decay().prop_map(First::Strength),
        decay().prop_map(First::Normaliser),
        decay().prop_map(First::Slots),
        (decay(), prop::option::of(update())).prop_map(|(decay, update)| First::Memory(decay, update)),
    ];
    let shape = (prop::bool::weighted(0.25), prop::bool::weighted(0.15), decay());
    let updates = (prop::collection::vec(update(), 1..=4), any::<bool>(), prop::bool::weighted(0.2));
    let read = prop_oneof![3 => Just(Read::After), 2 => Just(Read::Before), 1 => Just(Read::Both)];
    let weighted = prop::bool::weighted;
    let output = (read, weighted(0.15), weighted(0.25), weighted(0.25), prop::option::of(-3..=3));
    (shape, updates, prop::option::weighted(0.35, first), output, any::<u64>()).prop_map(
        |((mirrored, square, decay), (mut updates, sequential, turns), first, output, spelling)| {
            if turns {
                updates.truncate(2);
            }
            let (read, across, bonus, gated, scale) = output;
            // The slots stand where the key does, so such a state is not square, nor is its key that of the bonus.
            let slots = matches!(first, Some(First::Slots(_)));
            let (square, bonus) = (square && first.is_none(), bonus && !slots);
            Sketch {
                mirrored,
                square,
                decay,
                updates,
                sequential,
                turns,
                first,
                read,
                across,
                bonus,
                gated,
                scale,
                spelling,
            }
        },
    )
}

/// Erases one after the other that chunk forms take, however they are written. More of them may make an equation that
/// is too long to be written out; how many more depends on what strengths and decays are made from.
const ERASES: usize = 3;

impl Sketch {
    /// Whether the rule may be refused for being too long in a token that a loop takes `steps` turns for.
    pub(super) fn may_be_too_long(&self, steps: usize) -> bool {
        let erases = self.updates.iter().filter(|update| !matches!(update.kind, Kind::Write)).count();
        match (self.turns, self.sequential) {
            (true, _) => steps * erases > ERASES,
            (false, sequential) => sequential && erases > ERASES,
        }
    }

    /// Whether some vector is brought to the length 1.
    pub(super) fn normalises(&self) -> bool {
        self.text().contains("l2_norm(")
    }

    /// The rule as a `.mom` file.
    pub(super) fn text(&self) -> String {
        let mut w = Writer::new(self.spelling);
        let slots = matches!(self.first, Some(First::Slots(_)));
        let key = if slots { "slot" } else { "key" };
        let value = if self.square { "key" } else { "value" };
        // The axis of the erases and decays, and the other one.
        let (row, column) = if self.mirrored { (value, key) } else { (key, value) };

        let mut query = w.input("q", "key");
        let mut ingredient = Ingredient::default();
        let mut divisor = None;
        match self.first {
            None => {}
            Some(First::Strength(decay)) => {
                let address = w.input("p", "key");
                let seen = w.inner(&address, "z");
                w.say(format!("let seen = {seen}"));
                self.vector_state(&mut w, decay);
                ingredient.number = Some("seen".to_owned());
            }
            Some(First::Normaliser(decay)) => {
                self.vector_state(&mut w, decay);
                let total = w.inner("z", &query);
                w.say(format!("let total = {total}"));
                divisor = Some("(1 + total * total)".to_owned());
            }
            Some(First::Slots(decay)) => {
                w.state("s", "key x slot");
                let kept = w.decay(decay, "s", "slot", Side::Right, None);
                let term = w.write("y", "key", "slot", None);
                w.say(format!("next s = {kept} + {term}"));
                w.say(format!("let address = softmax(s^T {query})"));
                query = "address".to_owned();
            }
            Some(First::Memory(decay, update)) => {
                w.state("s", "key x value");
                let kept = w.decay(decay, "s", "key", Side::Left, None);
                let term = w.write("y", "key", "value", None);
                let mut next = format!("{kept} + {term}");
                if let Some(update) = update {
                    let erased = w.update(update, "c", ("s", &kept), ("key", "value"), false, &Ingredient::default());
                    next = format!("{next} {erased}");
                }
                let address = w.input("p", "key");
                let before = w.turn();
                if before {
                    w.say(format!("let recalled = s^T {address}"));
                }
                w.say(format!("next s = {next}"));
                if !before {
                    w.say(format!("let recalled = s^T {address}"));
                }
                ingredient.vector = Some(("recalled".to_owned(), "value"));
            }
        }
        self.main_state(&mut w, (key, value), (row, column), &query, &ingredient);
        self.output(&mut w, (key, value), &query, divisor);
        w.text()
    }

    fn vector_state(&self, w: &mut Writer, decay: Decay) {
        w.state("z", "key");
        let kept = w.decay(decay, "z", "key", Side::Vector, None);
        let written = w.column("n", "key");
        w.say(format!("next z = {kept} + {written}"));
    }

    /// The equation of `h`.
    fn main_state(
        &self,
        w: &mut Writer,
        (key, value): (&str, &str),
        axes: (&str, &str),
        query: &str,
        ingredient: &Ingredient,
    ) {
        w.state("h", &format!("{key} x {value}"));
        if self.read != Read::After {
            w.say(format!("let found = h^T {query}"));
        }
        let side = if self.mirrored { Side::Right } else { Side::Left };
        let kept = w.decay(self.decay, "h", axes.0, side, ingredient.number.as_deref());
        if self.turns {
            if kept != "h" {
                w.say(format!("next h = {kept}"));
            }
            w.open_loop();
            self.updates(w, ("h", "h"), axes, ingredient);
            w.close_loop();
        } else {
            self.updates(w, ("h", &kept), axes, ingredient);
        }
    }

    fn updates(&self, w: &mut Writer, (before, kept): (&str, &str), axes: (&str, &str), ingredient: &Ingredient) {
        let mut terms = Vec::new();
        let mut current = kept.to_owned();
        let last = self.updates.len() - 1;
        for (number, update) in self.updates.iter().enumerate() {
            let term = w.update(*update, &number.to_string(), (before, &current), axes, self.mirrored, ingredient);
            if self.sequential && number < last {
                let name = format!("m{number}");
                w.say(format!("let {name} = {current} {term}"));
                current = name;
            } else {
                terms.push(term);
            }
        }
        if w.turn() {
            terms.reverse();
        }
        w.say(format!("next h = {current} {}", terms.join(" ")));
    }

    fn output(&self, w: &mut Writer, (key, value): (&str, &str), query: &str, divisor: Option<String>) {
        let after = if w.turn() { format!("h^T {query}") } else { format!("({query}^T h)^T") };
        let mut out = match self.read {
            Read::After => after,
            Read::Before => "found".to_owned(),
            Read::Both => format!("{after} - 0.5 * found"),
        };
        if let Some(scale) = self.scale {
            out = format!("{} * ({out})", 2.0_f64.powi(scale));
        }
        if let Some(divisor) = divisor {
            out = format!("({out}) / {divisor}");
        }
        // An ingredient that the state did not take up.
        match self.first {
            Some(First::Strength(_)) if !w.uses("seen") => out = format!("sigmoid(seen) * ({out})"),
            Some(First::Memory(..)) if !w.uses("recalled") => out = format!("{out} + recalled"),
            _ => {}
        }
        if self.bonus {
            let u = w.parameter("u", "key");
            let (k, v) = (w.input("kb", key), w.input("vb", value));
            let seen = if w.turn() { format!("(({u} * {k})^T {query})") } else { format!("({query}^T ({k} * {u}))") };
            out = format!("{out} + {seen} * {v}");
        }
        if self.gated {
            let r = w.input("r", value);
            out = format!("silu({r}) * ({out})");
        }
        w.say(format!("out o = {out}"));
        if self.across {
            let r = w.input("ra", value);
            w.say(format!("out a = h {r}"));
        }
    }
}

/// What the main state may take up of the one before it.
#[derive(Default)]
pub(super) struct Ingredient {
    pub(super) number: Option<String>,
    /// With its axis.
    pub(super) vector: Option<(String, &'static str)>,
}
