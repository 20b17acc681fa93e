//! Update rules alone, made ready to be timed: every form that a rule has, and what to hold its speed against.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use faer::{Accum, Mat, Par, linalg::matmul::matmul};
use mom_dialect::{
    alone::Heads,
    diagnostic::Diagnostic,
    graph::{Port, UpdateRule},
    rule::File,
};
use mom_passes::{Form, Options, Target};
use mom_runtime::{
    Device, Kernels, Run,
    plan::{DType, Plan, Sizes},
};

use crate::{
    failure::Failure,
    rule::{Programs, Settings, TENSORS, compile},
};

/// What a table has rows for: a name, the form, and whether its gradient is computed.
pub const FORMS: [(&str, Form, bool); 4] = [
    ("recurrent", Form::Recurrent, false),
    ("chunk", Form::Chunk, false),
    ("recurrent, gradient", Form::Recurrent, true),
    ("chunk, gradient", Form::Chunk, true),
];

/// One form of an update rule, compiled.
pub struct Contender {
    pub name: &'static str,
    /// Whether this is what momc runs if nobody says otherwise.
    pub picked: bool,
    rule: UpdateRule,
    kernels: Kernels,
}

/// All forms that a rule has; of one that momc cannot run, its name and why.
pub struct Contenders {
    pub able: Vec<Contender>,
    pub unable: Vec<(&'static str, String)>,
    /// Elements of all states of one head.
    pub state: usize,
}

impl Contenders {
    /// Compiles a rule in every form, for `heads` heads all of whose axes have `width` entries. Files go into `folder`.
    ///
    /// # Errors
    /// What is wrong with the rule's settings; what prevents every form.
    pub fn new(
        rule: &File,
        settings: &Settings,
        (heads, width): (usize, usize),
        target: &Target,
        device: &Device,
        folder: &Path,
    ) -> Result<Contenders, Failure> {
        let variants: Vec<&str> = rule.variants().filter(|name| settings.get(*name) == Some(&1.0)).collect();
        let interface = rule.interface(&variants)?;
        let ports = interface.inputs.iter().chain(&interface.parameters).chain(&interface.states);
        let sizes = ports.flat_map(|port| port.axes.iter().map(|axis| (axis.clone(), width)));
        let rule = rule.update_rule(&sizes.chain([("heads".to_owned(), heads)]).collect(), settings)?;
        let programs = Programs::new(&rule, &Heads::equal(&rule, heads))?;
        let (mut able, mut unable) = (Vec::new(), Vec::new());
        let load = |form: Form, gradient: bool, file: String| {
            let graph = if gradient { &programs.gradient } else { &programs.forward };
            let module = compile(graph, target, &Options::form(form), &folder.join(file))?;
            Ok::<_, Failure>(module.kernels(device.clone())?)
        };
        let picks = [false, true].map(|gradient| load(Form::Auto, gradient, format!("auto-{gradient}.so")).ok());
        for (index, (name, form, gradient)) in FORMS.into_iter().enumerate() {
            match load(form, gradient, format!("{index}.so")) {
                Ok(kernels) => {
                    let pick = picks[usize::from(gradient)].as_ref().map(|kernels| &kernels.plan().kernels);
                    let picked = pick == Some(&kernels.plan().kernels);
                    able.push(Contender { name, picked, rule: rule.clone(), kernels });
                }
                Err(Failure::Input(found)) => {
                    let reasons: Vec<&str> = found.iter().map(|diagnostic| &diagnostic.message[..]).collect();
                    unable.push((name, reasons.join("; ")));
                }
                Err(failure) => return Err(failure),
            }
        }
        let state = rule.states.iter().map(|port| port.ty.row_elements()).sum();
        Ok(Contenders { able, unable, state })
    }
}

impl Contender {
    /// The program with random tensors for one sequence of so many tokens.
    ///
    /// # Errors
    /// E0610 when there is no memory for it.
    pub fn prepare(&self, tokens: usize) -> Result<Run<'_>, Failure> {
        let tensors = random_tensors(&self.rule, self.kernels.plan(), tokens);
        let given: Vec<(&str, &[f32])> = tensors.iter().map(|(name, data)| (&name[..], &data[..])).collect();
        Ok(self.kernels.prepare(&[0, tokens], &given, &[])?)
    }
}

/// Tensors that a recurrence neither blows up nor forgets at once: vectors of length 1, numbers between 0 and 1, and
/// logarithms of decays from -0.1 to 0.
fn random_tensors(rule: &UpdateRule, plan: &Plan, tokens: usize) -> Vec<(String, Vec<f32>)> {
    let sizes = Sizes { tokens, sequences: 1, ..Sizes::default() };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let inputs = plan.inputs.iter().filter(|input| input.dtype == DType::F32);
    let tensors = inputs.map(|input| {
        let port = rule.arguments().find(|port| port.name == input.name);
        let mut data: Vec<f32> = (0..input.elements.at(&sizes)).map(|_| random.next()).collect();
        match port {
            Some(Port { at_most: Some(_), .. }) => data.iter_mut().for_each(|x| *x = -0.05 - 0.05 * *x),
            Some(port) if port.ty.axes.is_empty() => data.iter_mut().for_each(|x| *x = 0.5 + 0.5 * *x),
            _ => {
                let width = port.map_or(64, |port| port.ty.row_elements()).max(1);
                for vector in data.chunks_mut(width) {
                    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
                    vector.iter_mut().for_each(|x| *x /= length);
                }
            }
        }
        (input.name.clone(), data)
    });
    tensors.collect()
}

/// Numbers from -1 to 1, the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Seconds that `work` takes, the mean over as many times as fit into `least`, at least one.
pub fn sample(least: Duration, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut times = 0;
    loop {
        work();
        times += 1;
        let elapsed = start.elapsed();
        if elapsed >= least {
            return elapsed.as_secs_f64() / f64::from(times);
        }
    }
}

/// The product of two square f32 matrices, the yardstick of what the machine can do.
pub struct Product {
    operands: [Mat<f32>; 2],
    result: Mat<f32>,
    threads: usize,
}

impl Product {
    const SIZE: usize = 1024;
    /// Operations of one product.
    pub const FLOPS: f64 = 2.0 * (Product::SIZE * Product::SIZE * Product::SIZE) as f64;

    pub fn new(threads: usize) -> Product {
        let matrix = || Mat::from_fn(Product::SIZE, Product::SIZE, |i, j| ((i * 7 + j * 3) % 11) as f32 * 0.1);
        Product { operands: [matrix(), matrix()], result: Mat::zeros(Product::SIZE, Product::SIZE), threads }
    }

    pub fn run(&mut self) {
        let [a, b] = &self.operands;
        let threads = if self.threads == 1 { Par::Seq } else { Par::rayon(self.threads) };
        matmul(self.result.as_mut(), Accum::Replace, a.as_ref(), b.as_ref(), 1.0, threads);
    }
}

/// A shape `HEADSxWIDTH`.
///
/// # Errors
/// For any other text.
pub fn parse_shape(text: &str) -> Result<(usize, usize), Box<Diagnostic>> {
    let parsed = text.split_once('x').and_then(|(heads, width)| Some((heads.parse().ok()?, width.parse().ok()?)));
    let wrong =
        || Box::new(Diagnostic::error(TENSORS, format!("`{text}` is no shape")).help("write heads and width as 4x128"));
    parsed.filter(|&(heads, width)| heads > 0 && width > 0).ok_or_else(wrong)
}
