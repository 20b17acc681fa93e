//! What a random rule is tried on: sizes of axes, heads and sequences, and tensors of numbers that float32 can hold.

use std::collections::BTreeMap;

use mom_dialect::{
    alone::{self, Heads},
    diagnostic::Source,
    graph::{Port, UpdateRule},
    reference::{Inputs, Tensor, Tensors},
    rule,
    shape::Axis,
};
use mom_passes::analyse;
use momc::rule::Programs;
use proptest::{collection::vec, prelude::*};

use super::sketch::Sketch;
use crate::{Outcome, dialect::lines};

#[derive(Clone, Debug)]
pub(super) struct Sizes {
    key: usize,
    value: usize,
    slot: usize,
    step: usize,
    heads: usize,
    /// For each input and parameter in turn, whether all heads share it.
    shared: u16,
    lengths: Vec<usize>,
    /// Tokens and sub-blocks of a step of the chunk form that is not left to momc.
    pub(super) chunk: (usize, usize),
    seed: u64,
    quick: bool,
}

/// Sizes of every kind, or those of quick cases.
pub(super) fn sizes(quick: bool) -> impl Strategy<Value = Sizes> {
    let (largest, longest): ([usize; 5], [usize; 2]) =
        if quick { ([4, 6, 3, 2, 2], [5, 12]) } else { ([24, 40, 12, 3, 3], [24, 80]) };
    let length = prop_oneof![1 => Just(0), 1 => Just(1), 4 => 0..=longest[0], 1 => longest[0]..=longest[1]];
    let chunk = (1..=if quick { 2 } else { 4_usize }, 2..=8_usize).prop_map(|(blocks, size)| (blocks * size, size));
    let axes = largest.map(|largest| 1..=largest);
    let shared = any::<(u16, u16)>().prop_map(|(a, b)| a & b);
    (axes, shared, vec(length, 1..=3), chunk, any::<u64>()).prop_map(
        move |([key, value, slot, step, heads], shared, lengths, chunk, seed)| Sizes {
            key,
            value,
            slot,
            step,
            heads,
            shared,
            lengths,
            chunk,
            seed,
            quick,
        },
    )
}

impl Sizes {
    /// The same, but that no axis of a vector has a single entry.
    pub(super) fn of_two_at_least(self) -> Sizes {
        Sizes { key: self.key.max(2), value: self.value.max(2), slot: self.slot.max(2), ..self }
    }
}

/// A rule with tensors for it.
pub(super) struct Subject {
    pub(super) rule: UpdateRule,
    pub(super) programs: Programs,
    pub(super) inputs: Inputs,
    pub(super) states: Tensors,
    /// Under the names of the gradient's program.
    pub(super) cotangents: Tensors,
    pub(super) chunk: (usize, usize),
    /// Which of a quick case's forms are tried; all of others.
    pub(super) part: Option<usize>,
    /// Whether the chunk form is refused, as it may be, for too many erases one after the other.
    pub(super) too_long: bool,
}

impl Subject {
    pub(super) fn new(sketch: &Sketch, sizes: &Sizes) -> Outcome<Subject> {
        let text = sketch.text();
        let file = rule::parse(&Source::new("random.mom", text.as_str())).map_err(|found| lines(&found))?;
        let of_axis = [
            ("key", sizes.key),
            ("value", sizes.value),
            ("slot", sizes.slot),
            ("step", sizes.step),
            ("heads", sizes.heads),
        ];
        let of_axis: BTreeMap<String, usize> = of_axis.map(|(axis, size)| (axis.to_owned(), size)).into();
        let rule = file.update_rule(&of_axis, &BTreeMap::new()).map_err(|found| lines(&found))?;
        let given = 0..rule.inputs.len() + rule.parameters.len();
        let given = given.map(|number| if sizes.shared >> (number % 16) & 1 == 1 { 1 } else { sizes.heads }).collect();
        let heads = Heads { scan: sizes.heads, given };
        let programs = Programs::new(&rule, &heads).map_err(|failure| format!("{failure:?}"))?;

        let mut random = Random(sizes.seed | 1);
        let ends = sizes.lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let cu_seqlens: Vec<usize> = [0].into_iter().chain(ends).collect();
        let tokens = cu_seqlens.last().copied().unwrap_or(0);
        let mut tensors = Tensors::new();
        for (number, port) in rule.inputs.iter().chain(&rule.parameters).enumerate() {
            let rows = (number < rule.inputs.len()).then_some(tokens);
            tensors.insert(port.name.clone(), random.tensor(rows, heads.given[number], port));
        }
        let sequences = sizes.lengths.len();
        let states = rule.states.iter();
        let states =
            states.map(|port| (port.name.clone(), random.tensor(Some(sequences), sizes.heads, port))).collect();
        let mut cotangents = Tensors::new();
        for port in &rule.outputs {
            let name = alone::cotangent_of_output(&port.name);
            cotangents.insert(name, random.tensor(Some(tokens), sizes.heads, port));
        }
        for port in &rule.states {
            let name = alone::cotangent_of_state(&port.name);
            cotangents.insert(name, random.tensor(Some(sequences), sizes.heads, port));
        }
        let inputs = Inputs::of_tensors(cu_seqlens, tensors);
        let part = sizes.quick.then_some(sizes.seed as usize);
        let too_long = sketch.may_be_too_long(sizes.step)
            && analyse(&rule, false).refused.is_some_and(|refused| refused.reason.contains(" one after the other "));
        Ok(Subject { rule, programs, inputs, states, cotangents, chunk: sizes.chunk, part, too_long })
    }

    /// What the gradient's program takes.
    pub(super) fn gradient_inputs(&self) -> Inputs {
        let mut inputs = self.inputs.clone();
        inputs.tensors.extend(self.states.clone());
        inputs.tensors.extend(self.cotangents.clone());
        inputs
    }
}

/// Numbers that are the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From -1 to 1.
    pub(super) fn number(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// The logarithm of a decay: mild, none, or next to nothing left, in runs and mixed.
    fn gate(&mut self) -> f64 {
        match self.bits() % 8 {
            0 => 0.0,
            1 => -60.0,
            2 => -4.0 * self.number().abs(),
            _ => -0.2 * self.number().abs(),
        }
    }

    fn tensor(&mut self, rows: Option<usize>, heads: usize, port: &Port) -> Tensor {
        let axes = port.ty.axes.iter().filter_map(Axis::size);
        let shape: Vec<usize> = rows.into_iter().chain([heads]).chain(axes).collect();
        let element = || match &port.name {
            name if name.starts_with("g_") => self.gate(),
            name if name.starts_with("lowest_") => self.number().abs(),
            // Most of what is behind a sigmoid forgets or writes strongly now and then.
            name if name.starts_with("r_") => 2.0 + 4.0 * self.number(),
            // What is normalised must not be near zero, where a vector of one entry jumps from -1 to 1.
            _ => {
                let number = self.number();
                number.signum() * (0.2 + 0.8 * number.abs())
            }
        };
        let count = shape.iter().product();
        let data: Vec<f64> = std::iter::repeat_with(element).take(count).map(|x| f64::from(x as f32)).collect();
        Tensor::new(shape, data)
    }
}
