//! Numbers for people.

use mom_passes::fuse::KernelReport;
use mom_runtime::plan::Linear;

/// Digits in groups of three: 1,234,567.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,024·T + 16·B + 8`
pub fn formula(size: &Linear) -> String {
    let terms = [(size.tokens, "T"), (size.sequences, "B"), (size.rows, "L"), (size.context, "C")];
    let mut parts: Vec<String> = terms
        .into_iter()
        .filter(|(factor, _)| *factor > 0)
        .map(|(factor, symbol)| if factor == 1 { symbol.to_owned() } else { format!("{}·{symbol}", grouped(factor)) })
        .collect();
    if size.constant > 0 || parts.is_empty() {
        parts.push(grouped(size.constant));
    }
    parts.join(" + ")
}

/// A duration in nanoseconds, to three digits: 12.3 µs.
pub fn time(ns: f64) -> String {
    scaled(ns, &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")])
}

/// A count to three digits: 12.3 M.
pub fn count(number: f64) -> String {
    scaled(number, &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")])
}

fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    // What rounds to 1000 of a unit is 1 of the next.
    let unit = units.iter().rev().find(|(size, _)| number.abs() >= 0.9995 * size).or(units.first());
    let (size, unit) = unit.copied().unwrap_or((1.0, ""));
    let number = number / size;
    let digits = match number.abs() {
        _ if unit.is_empty() || unit == "ns" => 0,
        99.95.. => 0,
        9.995.. => 1,
        _ => 2,
    };
    format!("{number:.digits$} {unit}").trim_end().to_owned()
}

/// A part of a whole: 87 %.
pub fn share(part: f64) -> String {
    format!("{:.0} %", 100.0 * part)
}

/// How much a second number is above or below a first: -12.3 %. Little changes have one more digit.
pub fn change(before: f64, after: f64) -> String {
    match 100.0 * (after - before) / before {
        _ if before <= 0.0 => String::new(),
        little if little.abs() < 0.1 => format!("{little:+.2} %"),
        percent => format!("{percent:+.1} %"),
    }
}

/// What a kernel computes, each operation once: `dispatch, 3 short_conv, scan`.
pub fn ops(kernel: &KernelReport) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for op in &kernel.ops {
        match counts.iter_mut().find(|(known, _)| known == op) {
            Some((_, count)) => *count += 1,
            None => counts.push((op, 1)),
        }
    }
    let shown = |(op, count): (&str, usize)| if count == 1 { op.to_owned() } else { format!("{count} {op}") };
    counts.into_iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.0, 7.0, 999.4, 999.6, 12_345.0, 99_960.0, 1_230_000.0].map(count);
        assert_eq!(shown, ["0", "7", "999", "1.00 k", "12.3 k", "100 k", "1.23 M"]);
        assert_eq!([3.2, 4_560.0, 2.5e9].map(time), ["3 ns", "4.56 µs", "2.50 s"]);
        assert_eq!((grouped(1_234_567), change(8.0, 6.0)), ("1,234,567".into(), "-25.0 %".into()));
    }
}
