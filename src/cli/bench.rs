//! `momc bench`: how fast an update rule runs, in every form, beside a matrix product and other programs.
//!
//! Everything is timed in turn, round after round, so that what else the machine does meets all alike. Ratios are taken
//! within a round; the table has medians over the rounds.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use clap::Args;
use mom_passes::Target;
use mom_runtime::{Device, Run};
use momc::{
    bench::{Contenders, Product, parse_shape, sample},
    failure::Failure,
    rule::{Settings, open},
};

use super::{temporary, ui};

/// How long one sample takes at least.
const SAMPLE: Duration = Duration::from_millis(30);

/// Time an update rule in every form, beside a matrix product
///
/// Prints a table in Markdown. GFLOP/s count 6 operations for each element of the states, token and head, whatever the
/// form really does, and are given as a share of the rate of a 1024 x 1024 x 1024 matrix product in f32, timed in the same
/// rounds. The form that momc picks is marked with `*`.
#[derive(Args)]
#[command(after_help = "A peer is a program that prints `ready`, and then for every line it reads runs one sample and
prints a line that begins with the seconds of one call.

Examples:
  momc bench
  momc bench kda --shapes 8x64 --tokens 1,1024
  momc bench --peer 'ggml=bin/ggml_gdn {heads} {width} {tokens} {threads}'")]
pub(crate) struct Bench {
    /// A file ending in .mom, or the name of a rule that ships with momc
    #[arg(default_value = "gated_delta_rule")]
    rule: String,
    /// Heads and the size of every axis of a head
    #[arg(long, value_delimiter = ',', default_value = "4x128,16x128,4x256")]
    shapes: Vec<String>,
    /// Tokens of the sequence
    #[arg(long, value_delimiter = ',', default_value = "1,512,2048,8192")]
    tokens: Vec<usize>,
    /// Threads to use; all cores if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Samples to take of everything
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Processor to compile for: native, x86-64-v3, x86-64-v4, aarch64, or emulated: this machine, in groups of threads as
    /// a GPU has them
    #[arg(long, default_value = "native")]
    target: String,
    /// Another program to time, where {heads}, {width}, {tokens} and {threads} are filled in
    #[arg(long = "peer", value_name = "NAME=COMMAND")]
    peers: Vec<String>,
}

impl Bench {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let target = Target::from_name(&self.target)?;
        let device = match self.threads {
            Some(threads) => Device::cpu_threads(threads)?,
            None => Device::cpu()?,
        };
        let rule = open(&self.rule)?;
        let shapes: Vec<(usize, usize)> = self.shapes.iter().map(|text| parse_shape(text)).collect::<Result<_, _>>()?;
        let mut product = Product::new(device.threads());
        ui::print(format_args!("{}", self.header(device.threads())?))?;
        let mut unable = Vec::new();
        for shape in shapes {
            let folder = temporary::folder()?;
            let spinner = ui::spinner("compiling");
            let contenders = Contenders::new(&rule, &Settings::new(), shape, &target, &device, folder.item.path());
            spinner.finish_and_clear();
            let contenders = contenders?;
            for &tokens in &self.tokens {
                let rows = self.rows(&contenders, &mut product, shape, tokens.max(1), device.threads())?;
                ui::print(rows)?;
            }
            unable = contenders.unable;
        }
        for (form, reason) in unable {
            ui::say(format_args!("{form}: {reason}"));
        }
        Ok(())
    }

    fn header(&self, threads: usize) -> Result<String, Failure> {
        let mut names = Vec::new();
        for peer in &self.peers {
            names.push(split(peer)?.0);
        }
        let peers: String = names.iter().map(|name| format!(" ÷ {name} |")).collect();
        let lines = " --- |".repeat(8 + names.len());
        Ok(format!(
            "`{}`, f32, one sequence, {threads} threads, medians of {} rounds\n\n\
             | H, d | T | form | time | tokens/s | GFLOP/s | product, GFLOP/s | share |{peers}\n|{lines}\n",
            self.rule, self.rounds
        ))
    }

    /// The table's rows for one shape and length.
    fn rows(
        &self,
        contenders: &Contenders,
        product: &mut Product,
        (heads, width): (usize, usize),
        tokens: usize,
        threads: usize,
    ) -> Result<String, Failure> {
        let mut runs: Vec<(String, Run<'_>)> = Vec::new();
        for contender in &contenders.able {
            let mark = if contender.picked { " *" } else { "" };
            runs.push((format!("{}{mark}", contender.name), contender.prepare(tokens)?));
        }
        let mut peers = Vec::new();
        for peer in &self.peers {
            let (name, command) = split(peer)?;
            let fills = [("{heads}", heads), ("{width}", width), ("{tokens}", tokens), ("{threads}", threads)];
            let command = fills
                .into_iter()
                .fold(command.to_owned(), |text, (name, value)| text.replace(name, &value.to_string()));
            peers.push((name, Peer::start(&command)?));
        }
        // Seconds: of the product, of each form, of each peer, in each round.
        let mut rounds = Vec::new();
        for _ in 0..self.rounds.max(1) {
            let mut seconds = vec![sample(SAMPLE, || product.run())];
            seconds.extend(runs.iter_mut().map(|(_, run)| sample(SAMPLE, || run.step())));
            for (_, peer) in &mut peers {
                seconds.push(peer.sample()?);
            }
            rounds.push(seconds);
        }
        let over = |value: &dyn Fn(&[f64]) -> f64| median(rounds.iter().map(|round| value(round)).collect());
        let flops = 6.0 * (contenders.state * heads * tokens) as f64;
        let names = runs.iter().map(|(name, _)| &name[..]).chain(peers.iter().map(|(name, _)| *name));
        let mut text = String::new();
        for (index, name) in names.enumerate() {
            let at = index + 1;
            let time = over(&|round| round[at]);
            let rate = over(&|round| Product::FLOPS / round[0] * 1e-9);
            let share = over(&|round| flops / round[at] / (Product::FLOPS / round[0]));
            text += &format!(
                "| {heads}, {width} | {tokens} | {name} | {} | {:.0} | {:.1} | {rate:.0} | {share:.2} |",
                duration(time),
                tokens as f64 / time,
                flops / time * 1e-9,
            );
            for peer in 1 + runs.len()..1 + runs.len() + peers.len() {
                text += &format!(" {:.2} |", over(&|round| round[peer] / round[at]));
            }
            text.push('\n');
        }
        Ok(text)
    }
}

fn duration(seconds: f64) -> String {
    if seconds < 1e-3 { format!("{:.1} µs", seconds * 1e6) } else { format!("{:.2} ms", seconds * 1e3) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

fn split(peer: &str) -> Result<(&str, &str), Failure> {
    peer.split_once('=').ok_or_else(|| Failure::Usage(format!("`--peer {peer}` is not NAME=COMMAND")))
}

/// Another program that samples itself when it is told to.
struct Peer {
    command: String,
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(command: &str) -> Result<Peer, Failure> {
        let wrong = |problem: String| Failure::Usage(format!("the peer `{command}` {problem}"));
        let mut words = command.split_whitespace();
        let program = words.next().ok_or_else(|| wrong("names no program".to_owned()))?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| wrong(format!("cannot be started: {error}")))?;
        let (Some(asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(wrong("has no input and output".to_owned()));
        };
        let mut peer = Peer { command: command.to_owned(), child, asks: Some(asks), answers: BufReader::new(answers) };
        while peer.line()? != "ready" {}
        Ok(peer)
    }

    /// The next line that the program prints.
    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(1..) => Ok(line.trim().to_owned()),
            _ => Err(Failure::Usage(format!("the peer `{}` ended before it was asked to", self.command))),
        }
    }

    /// Seconds of one call.
    fn sample(&mut self) -> Result<f64, Failure> {
        // A program that is gone does not answer either, and that is reported.
        let _ = self.asks.as_mut().map(|asks| asks.write_all(b"go\n"));
        let line = self.line()?;
        let seconds = line.split_whitespace().next().and_then(|word| word.parse().ok());
        seconds.ok_or_else(|| Failure::Usage(format!("the peer `{}` answered `{line}`", self.command)))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input is the end of the program.
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}
