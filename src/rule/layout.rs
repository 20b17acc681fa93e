//! How the tensors of a file are those of an update rule.
//!
//! A file holds `in.<input>` `[B, T, H, …]`, parameters `[H, …]`, `in.<state>0` `[N, H, …]` and perhaps `in.cu_seqlens`
//! `[N+1]`, with which B is 1; without it each of the B rows is a sequence. What a program takes is `[B·T, H, …]`. The
//! two are the same numbers in the same order, except where
//!
//! - no input has an axis for heads: then there is one head;
//! - a tensor has axes of one entry that the rule does not know: they are passed over, and given back in results;
//! - a tensor lacks one axis: its first axis is then folded into the time, `[B, T·n, H, …]`;
//! - a state has fewer heads than the scan: neighbours share it, and of what they make of it one is kept.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::{
    alone::{self, Heads},
    diagnostic::Diagnostic,
    graph::{Op, OpKind, Port, UpdateRule, ValueId},
    reference::{Inputs, Tensor, Tensors},
    rule::{self, Interface, Value},
    shape::Axis,
};

use super::{File, Settings};
use crate::failure::Failure;

/// An update rule whose sizes are those of a file's tensors.
pub struct Layout {
    pub rule: UpdateRule,
    pub heads: Heads,
    /// Boundaries of the sequences, from 0 to B·T.
    pub cu_seqlens: Vec<usize>,
    /// Rows of the file's tensors.
    batch: usize,
    /// Whether tensors have an axis for heads.
    headed: bool,
    /// The inputs, then the parameters.
    given: Vec<Given>,
    states: Vec<State>,
}

/// An input or parameter.
struct Given {
    /// With the prefix `in.`.
    tensor: String,
    /// As it is in the file; none for a parameter that is absent.
    shape: Option<Vec<usize>>,
    heads: usize,
    /// Entries of the first axis, where that is folded into the time; otherwise 1.
    folded: usize,
    default: f64,
}

struct State {
    /// As it is in the file, if it is there.
    shape: Option<Vec<usize>>,
    heads: usize,
}

impl Layout {
    /// # Errors
    /// E0624 for tensors that are missing, unknown, or do not fit the rule or each other; E02 for settings that the rule
    /// does not have.
    pub fn new(rule: &rule::File, settings: &Settings, file: &File) -> Result<Layout, Failure> {
        let variants: Vec<&str> = rule.variants().filter(|name| settings.get(*name) == Some(&1.0)).collect();
        let interface = rule.interface(&variants)?;
        check_names(&interface, file)?;
        let (settings, set) = super::sizes_apart(rule, settings)?;
        let sizes = set.into_iter().map(|(axis, size)| (axis, (size, "--set".to_owned()))).collect();
        let mut reader = Reader { file, sizes, headed: false, time: None };
        let inputs = reader.inputs(&interface.inputs)?;
        let parameters = reader.parameters(&interface.parameters)?;
        let (batch, tokens) = reader.time.unwrap_or((0, 0));
        let cu_seqlens = reader.boundaries(batch, tokens)?;
        let mut states = Vec::new();
        for state in &interface.states {
            states.push(reader.state(state, cu_seqlens.len() - 1)?);
        }
        let given: Vec<Given> = inputs.into_iter().chain(parameters).collect();
        let heads = reader.heads(&given, &states)?;

        let mut sizes: BTreeMap<String, usize> =
            reader.sizes.iter().map(|(axis, (size, _))| (axis.clone(), *size)).collect();
        sizes.insert("heads".to_owned(), heads.scan);
        let rule = rule.update_rule(&sizes, &settings)?;
        reader.check_size(&rule, &heads, cu_seqlens.len() - 1)?;
        let given_states = reader.state_heads(&rule, &heads, &states)?;
        let states = states.into_iter().zip(given_states);
        let states = states.map(|((shape, _), heads)| State { shape, heads }).collect();
        Ok(Layout { rule, heads, cu_seqlens, batch, headed: reader.headed, given, states })
    }

    fn sequences(&self) -> usize {
        self.cu_seqlens.len() - 1
    }

    fn tokens(&self) -> usize {
        self.cu_seqlens.last().copied().unwrap_or(0)
    }

    /// What the programs take beside the states.
    pub(super) fn inputs(&self, file: &File) -> Result<Inputs, Failure> {
        let ports = self.rule.inputs.iter().chain(&self.rule.parameters);
        let mut tensors = Tensors::new();
        for (number, (port, given)) in ports.zip(&self.given).enumerate() {
            let rows = if number < self.rule.inputs.len() { Some(self.tokens()) } else { None };
            let shape = shape(rows, given.heads, port);
            let data = match file.tensors.get(&given.tensor) {
                Some(tensor) => unfolded(&tensor.data, given.heads, given.folded, port),
                None => vec![given.default; shape.iter().product()],
            };
            tensors.insert(port.name.clone(), Tensor::new(shape, data));
        }
        Ok(Inputs::of_tensors(self.cu_seqlens.clone(), tensors))
    }

    /// The states before the first token, zeros where the file has none.
    pub(super) fn states(&self, file: &File) -> Result<Tensors, Failure> {
        let ports = self.rule.states.iter().zip(&self.states);
        let states = ports.map(|(port, state)| {
            let shape = shape(Some(self.sequences()), self.heads.scan, port);
            let tensor = match file.tensors.get(&before(&port.name)) {
                Some(found) => Tensor::new(shape, self.repeated(&found.data, state.heads, port, false)),
                None => Tensor::zeros(shape),
            };
            (port.name.clone(), tensor)
        });
        Ok(states.collect())
    }

    /// The cotangents, by the names that the gradient's program gives them. That of a state may be absent: then it counts
    /// for nothing.
    ///
    /// # Errors
    /// E0624 for an output's that is missing, or one of another shape than what it belongs to.
    pub(super) fn cotangents(&self, file: &File) -> Result<Tensors, Failure> {
        let (mut tensors, mut absent) = (Tensors::new(), Tensors::new());
        let mut take = |name: String, shape: Vec<usize>, expected: Vec<usize>| {
            let found = file.tensors.get(&name).ok_or_else(|| file.wrong(format!("holds no `{name}`")))?;
            // Axes of one entry count for nothing.
            let long = |shape: &[usize]| shape.iter().copied().filter(|&size| size != 1).collect::<Vec<_>>();
            if long(&found.shape) != long(&expected) {
                let of = name.strip_prefix("cot.").unwrap_or_default();
                let problem = format!("holds `{name}` of shape {:?}, but `out.{of}` is {expected:?}", found.shape);
                return Err(file.wrong(problem));
            }
            tensors.insert(name, Tensor::new(shape, found.data.clone()));
            Ok(())
        };
        for port in &self.rule.outputs {
            let name = alone::cotangent_of_output(&port.name);
            take(name, shape(Some(self.tokens()), self.heads.scan, port), self.output_shape(port))?;
        }
        for (port, state) in self.rule.states.iter().zip(&self.states) {
            let (name, shape) =
                (alone::cotangent_of_state(&port.name), shape(Some(self.sequences()), self.heads.scan, port));
            match file.tensors.contains_key(&name) {
                true => take(name, shape, self.state_shape(port, state))?,
                false => _ = absent.insert(name, Tensor::zeros(shape)),
            }
        }
        for (port, state) in self.rule.states.iter().zip(&self.states) {
            // Of equal states one is the result, and so has its cotangent; the others count for nothing.
            if let Some(tensor) = tensors.get_mut(&alone::cotangent_of_state(&port.name)) {
                tensor.data = self.repeated(&tensor.data, state.heads, port, true);
            }
        }
        tensors.extend(absent);
        Ok(tensors)
    }

    /// `out.*` from what the forward program answered.
    pub(super) fn results(&self, outputs: &Tensors, states: &Tensors) -> Tensors {
        let mut results = Tensors::new();
        for port in &self.rule.outputs {
            if let Some(output) = outputs.get(&port.name) {
                results.insert(format!("out.{}", port.name), Tensor::new(self.output_shape(port), output.data.clone()));
            }
        }
        for (port, layout) in self.rule.states.iter().zip(&self.states) {
            if let Some(state) = states.get(&port.name) {
                let kept = self.each_state(state, layout.heads, port, |group| group[0].to_vec());
                results.insert(format!("out.{}t", port.name), Tensor::new(self.state_shape(port, layout), kept));
            }
        }
        results
    }

    /// `grad.*` from what the gradient's program answered.
    pub(super) fn gradients(&self, gradients: &Tensors) -> Tensors {
        let mut results = Tensors::new();
        let ports = self.rule.inputs.iter().chain(&self.rule.parameters);
        for (number, (port, given)) in ports.zip(&self.given).enumerate() {
            let name = alone::gradient_of_input(&port.name);
            let (Some(gradient), Some(file_shape)) = (gradients.get(&name), &given.shape) else { continue };
            let width = port.ty.row_elements();
            let mut shared = sums(&gradient.data, self.heads.scan / given.heads, width);
            if number >= self.rule.inputs.len() {
                // A gradient for each sequence.
                shared = sums_of_rows(&shared, given.heads * width);
            }
            let data = folded(&shared, given.heads, given.folded, port);
            results.insert(name, Tensor::new(file_shape.clone(), data));
        }
        for (port, layout) in self.rule.states.iter().zip(&self.states) {
            let name = alone::gradient_of_state(&port.name);
            if let Some(gradient) = gradients.get(&name) {
                let data = sums(&gradient.data, self.heads.scan / layout.heads, port.ty.row_elements());
                results.insert(name, Tensor::new(self.state_shape(port, layout), data));
            }
        }
        results
    }

    /// A state of `heads` heads for all heads of the scan. With `once`, the first of those that share one has it and
    /// the others have zeros.
    fn repeated(&self, data: &[f64], heads: usize, port: &Port, once: bool) -> Vec<f64> {
        let width = port.ty.row_elements();
        let mut repeated = Vec::with_capacity(data.len() * (self.heads.scan / heads));
        for one in data.chunks(width.max(1)) {
            repeated.extend_from_slice(one);
            for _ in 1..self.heads.scan / heads {
                match once {
                    true => repeated.extend(one.iter().map(|_| 0.0)),
                    false => repeated.extend_from_slice(one),
                }
            }
        }
        repeated
    }

    /// What `of` makes of the values of each group of heads that share a state.
    fn each_state(&self, state: &Tensor, heads: usize, port: &Port, of: impl Fn(&[&[f64]]) -> Vec<f64>) -> Vec<f64> {
        let width = port.ty.row_elements().max(1);
        let values: Vec<&[f64]> = state.data.chunks(width).collect();
        values.chunks(self.heads.scan / heads).flat_map(of).collect()
    }

    fn output_shape(&self, port: &Port) -> Vec<usize> {
        self.file_shape(&[self.batch, self.tokens() / self.batch.max(1)], self.heads.scan, port)
    }

    fn state_shape(&self, port: &Port, state: &State) -> Vec<usize> {
        let made = || self.file_shape(&[self.sequences()], state.heads, port);
        state.shape.clone().unwrap_or_else(made)
    }

    fn file_shape(&self, rows: &[usize], heads: usize, port: &Port) -> Vec<usize> {
        let heads = if self.headed { Some(heads) } else { None };
        rows.iter().copied().chain(heads).chain(port.ty.axes.iter().filter_map(Axis::size)).collect()
    }
}

fn before(state: &str) -> String {
    format!("in.{state}0")
}

/// The shape of a program's tensor.
fn shape(rows: Option<usize>, heads: usize, port: &Port) -> Vec<usize> {
    rows.into_iter().chain([heads]).chain(port.ty.axes.iter().filter_map(Axis::size)).collect()
}

/// From `[T·n, H, …]` to `[T, H, n, …]`; `port` has `n` and the rest.
fn unfolded(data: &[f64], heads: usize, folded: usize, port: &Port) -> Vec<f64> {
    swapped(data, folded, heads, port.ty.row_elements() / folded)
}

/// From `[T, H, n, …]` to `[T·n, H, …]`.
fn folded(data: &[f64], heads: usize, folded: usize, port: &Port) -> Vec<f64> {
    swapped(data, heads, folded, port.ty.row_elements() / folded)
}

/// From `[…, a, b, width]` to `[…, b, a, width]`.
fn swapped(data: &[f64], a: usize, b: usize, width: usize) -> Vec<f64> {
    if a == 1 || b == 1 {
        return data.to_vec();
    }
    let mut swapped = Vec::with_capacity(data.len());
    for block in data.chunks(a * b * width) {
        for column in 0..b {
            for row in 0..a {
                swapped.extend_from_slice(&block[(row * b + column) * width..][..width]);
            }
        }
    }
    swapped
}

/// The sum over each run of `count` neighbours of `width` elements.
fn sums(data: &[f64], count: usize, width: usize) -> Vec<f64> {
    data.chunks((count * width).max(1)).flat_map(|run| sums_of_rows(run, width)).collect()
}

/// The sum of all rows of `width` elements.
fn sums_of_rows(data: &[f64], width: usize) -> Vec<f64> {
    let mut sum = vec![0.0; width];
    for row in data.chunks(width.max(1)) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sum
}

/// Everything that is called `in.…` or `cot.…` must be read, so that no misspelt name goes unnoticed.
fn check_names(interface: &Interface, file: &File) -> Result<(), Failure> {
    let outputs = interface.outputs.iter().map(|value| alone::cotangent_of_output(&value.name));
    let after = interface.states.iter().map(|value| alone::cotangent_of_state(&value.name));
    let inputs = interface.inputs.iter().chain(&interface.parameters).map(|value| format!("in.{}", value.name));
    let states = interface.states.iter().map(|value| before(&value.name));
    let known: Vec<String> = inputs.chain(states).chain(["in.cu_seqlens".to_owned()]).collect();
    for (prefix, known) in [("in.", known), ("cot.", outputs.chain(after).collect())] {
        if let Some(name) = file.tensors.keys().find(|name| name.starts_with(prefix) && !known.contains(name)) {
            let problem = format!("holds `{name}`, which the update rule does not read");
            return Err(file.wrong(problem).help(format!("it reads {}", known.join(", "))).into());
        }
    }
    Ok(())
}

/// Finds out sizes, tensor after tensor.
struct Reader<'a> {
    file: &'a File,
    /// The size of each axis, and the tensor that it was first seen in.
    sizes: BTreeMap<String, (usize, String)>,
    headed: bool,
    /// B and T.
    time: Option<(usize, usize)>,
}

/// What a tensor's shape says, given the axes it should have.
struct Found {
    heads: usize,
    /// The sizes of its own axes.
    sizes: Vec<usize>,
    is_folded: bool,
}

impl Reader<'_> {
    fn find(&self, name: &str) -> Result<&Tensor, Box<Diagnostic>> {
        self.file.tensors.get(name).ok_or_else(|| self.file.wrong(format!("holds no `{name}`")))
    }

    fn inputs(&mut self, values: &[Value]) -> Result<Vec<Given>, Failure> {
        let mut found = Vec::new();
        for value in values {
            let name = format!("in.{}", value.name);
            let shape = self.find(&name)?.shape.clone();
            if shape.len() < 2 {
                return Err(self.misfit(&name, &shape, "[B, T, H", value).into());
            }
            self.headed |= shape.len() - 2 > value.axes.len();
            found.push((name, shape));
        }
        let mut given = Vec::new();
        for (value, (tensor, shape)) in values.iter().zip(found) {
            let own = self.split(&tensor, &shape, 2, value)?;
            given.push((value, tensor, shape, own));
        }
        // The time is that of a tensor that has nothing else folded into it.
        for (_, tensor, shape, _) in given.iter().filter(|(_, _, _, own)| !own.is_folded) {
            self.same_time(tensor, [shape[0], shape[1]])?;
        }
        let mut inputs = Vec::new();
        for (value, tensor, shape, own) in given {
            let mut folded = 1;
            if own.is_folded {
                let (batch, tokens) = self.time.unwrap_or((shape[0], shape[1]));
                if tokens == 0 || shape[0] != batch || !shape[1].is_multiple_of(tokens) {
                    let problem = format!(
                        "holds `{tensor}` of shape {shape:?}: its first axes must be [{batch}, n·{tokens}], the axis `{}` \
                         folded into the time",
                        value.axes[0]
                    );
                    return Err(self.file.wrong(problem).into());
                }
                folded = shape[1] / tokens;
                self.same_size(&value.axes[0], folded, &tensor)?;
            }
            let axes = value.axes.iter().skip(usize::from(own.is_folded));
            for (axis, &size) in axes.zip(&own.sizes) {
                self.same_size(axis, size, &tensor)?;
            }
            inputs.push(Given { tensor, shape: Some(shape), heads: own.heads, folded, default: 0.0 });
        }
        match self.time {
            Some((batch, tokens)) if batch > 0 && tokens > 0 => Ok(inputs),
            _ => Err(self.file.wrong("holds no token").into()),
        }
    }

    fn parameters(&mut self, values: &[Value]) -> Result<Vec<Given>, Failure> {
        let mut given = Vec::new();
        for value in values {
            let tensor = format!("in.{}", value.name);
            let default = value.default.unwrap_or(0.0);
            let Some(found) = self.file.tensors.get(&tensor) else {
                if value.default.is_none() {
                    return Err(self.file.wrong(format!("holds no `{tensor}`")).into());
                }
                given.push(Given { tensor, shape: None, heads: 1, folded: 1, default });
                continue;
            };
            let shape = found.shape.clone();
            // All heads share a parameter without an axis for them.
            let shared = self.headed && shape.len() == value.axes.len();
            let own = match shared {
                true => Found { heads: 1, sizes: shape.clone(), is_folded: false },
                false => self.split(&tensor, &shape, 0, value)?,
            };
            if own.is_folded {
                return Err(self.misfit(&tensor, &shape, "[H", value).into());
            }
            for (axis, &size) in value.axes.iter().zip(&own.sizes) {
                self.same_size(axis, size, &tensor)?;
            }
            given.push(Given { tensor, shape: Some(shape), heads: own.heads, folded: 1, default });
        }
        Ok(given)
    }

    /// The shape and the heads of a state, if the file has it.
    fn state(&mut self, value: &Value, sequences: usize) -> Result<(Option<Vec<usize>>, Option<usize>), Failure> {
        let tensor = before(&value.name);
        let Some(found) = self.file.tensors.get(&tensor) else { return Ok((None, None)) };
        let shape = found.shape.clone();
        let fitting = if shape.is_empty() { None } else { Some(self.split(&tensor, &shape, 1, value)?) };
        let Some(own) = fitting.filter(|own| !own.is_folded) else {
            return Err(self.misfit(&tensor, &shape, "[N, H", value).into());
        };
        if shape[0] != sequences {
            let problem = format!("holds `{tensor}` of shape {shape:?}, but there are {sequences} sequences");
            return Err(self.file.wrong(problem).into());
        }
        for (axis, &size) in value.axes.iter().zip(&own.sizes) {
            self.same_size(axis, size, &tensor)?;
        }
        Ok((Some(shape), Some(own.heads)))
    }

    /// Takes a shape apart whose first `rows` axes are not those of one token.
    fn split(&self, tensor: &str, shape: &[usize], rows: usize, value: &Value) -> Result<Found, Box<Diagnostic>> {
        let frame = ["[H", "[N, H", "[B, T, H"][rows];
        let lead = rows + usize::from(self.headed);
        let expected = lead + value.axes.len();
        let is_folded = shape.len() + 1 == expected && rows == 2 && !value.axes.is_empty() && self.headed;
        if shape.len() < lead || (shape.len() < expected && !is_folded) {
            return Err(self.misfit(tensor, shape, frame, value));
        }
        if let Some(size) = shape.iter().position(|&size| size == 0).filter(|&at| at >= rows) {
            return Err(self.file.wrong(format!("holds `{tensor}` of shape {shape:?}: axis {size} is empty")));
        }
        let heads = if self.headed { shape[rows] } else { 1 };
        let mut sizes = shape[lead..].to_vec();
        for _ in expected..shape.len() {
            let Some(one) = sizes.iter().position(|&size| size == 1) else {
                return Err(self.misfit(tensor, shape, frame, value));
            };
            sizes.remove(one);
        }
        Ok(Found { heads, sizes, is_folded })
    }

    fn misfit(&self, tensor: &str, shape: &[usize], frame: &str, value: &Value) -> Box<Diagnostic> {
        let frame = if self.headed || frame.starts_with("[B") { frame } else { frame.trim_end_matches("H") };
        let axes: Vec<&str> = [frame.trim_end_matches(", ")]
            .into_iter()
            .filter(|frame| *frame != "[")
            .chain(value.axes.iter().map(String::as_str))
            .collect();
        let axes = axes.join(", ");
        let axes = axes.trim_start_matches('[');
        self.file.wrong(format!("holds `{tensor}` of shape {shape:?}, but [{axes}] is needed"))
    }

    fn same_time(&mut self, tensor: &str, found: [usize; 2]) -> Result<(), Box<Diagnostic>> {
        for (axis, size) in [("B", found[0]), ("T", found[1])] {
            self.same_size(axis, size, tensor)?;
        }
        self.time = Some((found[0], found[1]));
        Ok(())
    }

    fn same_size(&mut self, axis: &str, size: usize, tensor: &str) -> Result<(), Box<Diagnostic>> {
        let (known, first) = self.sizes.entry(axis.to_owned()).or_insert_with(|| (size, tensor.to_owned()));
        if *known == size {
            return Ok(());
        }
        let problem = format!("has two sizes of the axis `{axis}`: {known} in `{first}` and {size} in `{tensor}`");
        Err(self.file.wrong(problem))
    }

    fn boundaries(&self, batch: usize, tokens: usize) -> Result<Vec<usize>, Failure> {
        // Kernels count in 32 bits.
        let total = batch.checked_mul(tokens).filter(|&total| total <= i32::MAX as usize);
        let total = total.ok_or_else(|| self.file.wrong(format!("holds {batch} times {tokens} tokens: too many")))?;
        let Some(found) = self.file.tensors.get("in.cu_seqlens") else {
            return Ok((0..=batch).map(|row| row * tokens).collect());
        };
        if batch != 1 {
            let problem = format!("holds `in.cu_seqlens`, so that B must be 1, but it is {batch}");
            return Err(self.file.wrong(problem).into());
        }
        if found.shape.len() != 1 || found.data.len() < 2 {
            let problem =
                format!("holds `in.cu_seqlens` of shape {:?}, which is not [N+1] of a sequence or more", found.shape);
            return Err(self.file.wrong(problem).into());
        }
        let whole = |value: f64| value.fract() == 0.0 && (0.0..=total as f64).contains(&value);
        let ends: Option<Vec<usize>> = found.data.iter().map(|&value| whole(value).then_some(value as usize)).collect();
        match ends {
            Some(ends) if ends.is_sorted() && ends[0] == 0 && ends[ends.len() - 1] == total => Ok(ends),
            _ => Err(self.file.wrong(format!("holds `in.cu_seqlens` that do not rise from 0 to T = {total}")).into()),
        }
    }

    /// As many heads as the tensor with the most has.
    fn heads(&self, given: &[Given], states: &[(Option<Vec<usize>>, Option<usize>)]) -> Result<Heads, Failure> {
        let counts = given.iter().map(|given| given.heads).chain(states.iter().filter_map(|(_, heads)| *heads));
        let scan = counts.max().unwrap_or(1);
        match given.iter().find(|given| !scan.is_multiple_of(given.heads)) {
            Some(odd) => {
                let problem = format!("holds `{}` with {} heads, which do not divide {scan}", odd.tensor, odd.heads);
                Err(self.file.wrong(problem).into())
            }
            None => Ok(Heads { scan, given: given.iter().map(|given| given.heads).collect() }),
        }
    }

    /// The heads of each state: those of what changes it, if the file does not say.
    fn state_heads(
        &self,
        rule: &UpdateRule,
        heads: &Heads,
        states: &[(Option<Vec<usize>>, Option<usize>)],
    ) -> Result<Vec<usize>, Failure> {
        let mut counts = Vec::new();
        for (number, (port, (_, found))) in rule.states.iter().zip(states).enumerate() {
            let needed = changed_by(rule, number, heads);
            let count = found.unwrap_or(needed);
            if !count.is_multiple_of(needed) || !heads.scan.is_multiple_of(count) {
                let problem = format!(
                    "holds `{}` with {count} heads, but what changes this state has {needed} of {}",
                    before(&port.name),
                    heads.scan
                );
                return Err(self.file.wrong(problem).into());
            }
            counts.push(count);
        }
        Ok(counts)
    }

    /// Nothing is larger than can be addressed, and there is memory for the states.
    fn check_size(&self, rule: &UpdateRule, heads: &Heads, sequences: usize) -> Result<(), Failure> {
        for port in &rule.states {
            let sizes = port.ty.axes.iter().filter_map(Axis::size).chain([heads.scan, sequences]);
            let elements = sizes.into_iter().try_fold(1usize, usize::checked_mul);
            let fits = |elements: &usize| Vec::<f64>::new().try_reserve_exact(*elements).is_ok();
            if elements.filter(fits).is_none() {
                let problem =
                    format!("needs a state `{}` for which there is no memory: {}", port.name, port.ty.describe());
                return Err(self.file.wrong(problem).into());
            }
        }
        Ok(())
    }
}

/// How many heads there are of what a state depends on, over any number of tokens.
fn changed_by(rule: &UpdateRule, state: usize, heads: &Heads) -> usize {
    let arguments = rule.body.arguments();
    let given = rule.inputs.len() + rule.parameters.len();
    let makers: BTreeMap<ValueId, &Op> = rule.body.ops.iter().map(|op| (op.results[0], op)).collect();
    let (mut seen, mut waiting) = (BTreeSet::<ValueId>::new(), vec![rule.next[state]]);
    let mut count = 1;
    while let Some(value) = waiting.pop() {
        if !seen.insert(value) {
            continue;
        }
        if let Some(place) = arguments.iter().position(|&argument| argument == value) {
            match place.checked_sub(given) {
                None => count = least_common_multiple(count, heads.given[place]),
                Some(state) => waiting.push(rule.next[state]),
            }
        }
        if let Some(op) = makers.get(&value) {
            if op.kind == OpKind::HeadIndex {
                return heads.scan;
            }
            waiting.extend(&op.operands);
        }
    }
    count
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a / divisor * b
}
