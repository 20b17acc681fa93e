//! What a rule file means and what is said about one that means nothing.

mod language;

use std::collections::BTreeMap;

use super::{BUILTIN, File, layer::Role, parse};
use crate::{
    diagnostic::{Diagnostics, Source},
    graph::{OpKind, UpdateRule},
};

fn read(text: &str) -> Result<File, Diagnostics> {
    parse(&Source::new("test.mom", text))
}

fn sizes() -> BTreeMap<String, usize> {
    [("key", 4), ("value", 3), ("slot", 2), ("heads", 2)].map(|(axis, size)| (axis.to_owned(), size)).into()
}

/// The update rule of a text with the usual sizes and the default options.
fn update_rule(text: &str) -> UpdateRule {
    let rule = read(text).and_then(|file| file.update_rule(&sizes(), &BTreeMap::new()));
    rule.unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"))
}

fn constants(rule: &UpdateRule) -> Vec<f64> {
    let constant = |kind: &OpKind| if let OpKind::Constant { value } = kind { Some(*value) } else { None };
    rule.body.ops.iter().filter_map(|op| constant(&op.kind)).collect()
}

#[test]
fn every_shipped_rule_is_well_typed() {
    for (name, text) in BUILTIN {
        let file = parse(&Source::new(format!("<builtin>/{name}.mom"), *text)).unwrap();
        assert_eq!(file.name(), *name);
        let rule = file.update_rule(&sizes(), &BTreeMap::new()).unwrap();
        for (&value, port) in rule.next.iter().zip(&rule.states).chain(rule.read.iter().zip(&rule.outputs)) {
            assert_eq!(*rule.body.ty(value), port.ty, "{name}: {}", port.name);
        }
        if let Some(layer) = file.layer(&BTreeMap::new()).unwrap() {
            let inputs = layer.definitions.iter().filter(|definition| matches!(definition.role, Role::Input(_)));
            assert_eq!(inputs.count(), rule.inputs.len());
        }
    }
}

#[test]
fn options_follow_the_sizes_and_can_be_set() {
    let text = "rule r(q: key, v: value) { state h: key x value
        option width = key * 2
        option scale = width^-0.5 / -1
        next h = h + q v^T
        out o = scale * h^T q }";
    assert_eq!(constants(&update_rule(text)), [-(8f64.powf(-0.5))]);
    let set = |name: &str, value: f64| {
        let set = BTreeMap::from([(name.to_owned(), value)]);
        read(text).unwrap().update_rule(&sizes(), &set)
    };
    assert_eq!(constants(&set("width", 4.0).unwrap()), [-0.5]);
    let unknown = set("scael", 1.0).unwrap_err();
    assert_eq!(unknown[0].help.as_deref(), Some("did you mean `scale`?"));
    assert!(set("width", 0.0).unwrap_err()[0].message.contains("not a finite number"));
}

#[test]
fn a_value_has_its_axes_in_the_order_of_the_state() {
    // The product is `value x key` on paper, and its transpose is stored.
    let rule = update_rule(
        "rule r(v: value, k: key, a: key) { state h: key x value
           next h = (v k^T + h^T diag(a))^T
           out o = h^T k }",
    );
    assert_eq!(rule.body.ty(rule.next[0]), &rule.states[0].ty);
}

#[test]
fn a_chain_of_two_states_with_a_third_axis() {
    let rule = update_rule(
        "rule r(q: key, k: key, v: value, s: slot) {
           state a: key x slot
           state b: slot x value
           next a = a + k s^T
           next b = b + s v^T
           out o = b^T (a^T q)
           out unread = q^T k }",
    );
    assert_eq!(rule.body.ty(rule.read[0]).describe(), "f32 [value 3]");
    assert_eq!(rule.body.ty(rule.read[1]).describe(), "f32 []");
}

#[test]
fn reading_sees_the_state_of_its_line() {
    let before = update_rule("rule r(k: key) { state h: key\n out o = h\n next h = h + k }");
    assert_eq!(before.read[0].index(), 1);
    let after = update_rule("rule r(k: key) { state h: key\n next h = h + k\n out o = h }");
    assert_eq!(after.read, after.next);
}

/// Within `rule r(q: key, k: key, v: value, b: scalar) { state h: key x value … }`, a line and what is said about it.
const WRONG_LINES: &[(&str, &str)] = &[
    ("next h = h + k v^T + w", "E0211 nothing is called `w` | known here: `q`, `k`, `v`, `b`, `h`"),
    (
        "next h = h + k e^T\nlet e = v - h^T k",
        "E0212 `e` is used before it is defined | move its definition above this line",
    ),
    ("let k = q\nnext h = h + k v^T", "E0213 `k` is defined twice | choose another name"),
    (
        "next h = exp(k) * h",
        "E0214 `*` needs equal axes on both sides: `exp(k)` is `key`, `h` is `key x value` | \
         write `diag(exp(k)) h` to scale along `key`, `h^T exp(k)` to sum over it",
    ),
    (
        "next h = h + k * v",
        "E0214 `*` needs equal axes on both sides: `k` is `key`, `v` is `value` | write `k v^T` for the outer product",
    ),
    ("next h = h + h q", "E0214 `h` is `key x value` and `q` is `key`: they have no matrix product | write `h^T q`"),
    ("next h = h + b k", "E0214 `b` is `scalar` and `k` is `key`: they have no matrix product | write `b * k`"),
    (
        "next h = h + v k^T",
        "E0214 `+` needs equal axes on both sides: `h` is `key x value`, `(v k^T)` is `value x key` | write `h + (v k^T)^T`",
    ),
    ("next h = v k^T", "E0214 the state `h` is `key x value`, its next value is `value x key` | write `(v k^T)^T`"),
    ("next h = exp(h, b)", "E0215 `exp` takes 1 argument, found 2 | "),
    ("next h = sigmod(h)", "E0211 there is no function `sigmod` | did you mean `sigmoid`?"),
    ("next h = h(b)", "E0211 there is no function `h` | write `h * …` for a multiple, `(h) (…)` for a matrix product"),
    ("let c = b", "E0216 the state `h` never changes | write `next h = …`"),
    (
        "next h = h + k v^T\nnext h = h",
        "E0213 the state `h` has a second `next` | name the first value with `let` and use it in the second",
    ),
    ("next s = k v^T", "E0211 `next` needs a state, and `s` is none | known here: `h`"),
    (
        "next h = b^5 * h",
        "E0219 only `x^2`, `x^3`, `x^4` and powers of a positive number are values | write `1 / b` or `sqrt(b)`; a power of sizes and \
         numbers belongs in an `option`",
    ),
    ("next h = key * h", "E0211 `key` is an axis, not a value | its size is known in an option: `option size = key`"),
    (
        "option c = b\nnext h = c * h",
        "E0219 an option is a number known before the first token | use numbers, earlier options, sizes of axes and + - * / ^, as in `key^-0.5`",
    ),
    (
        "next h = diag(k) + h",
        "E0219 `diag(k)` can only be a factor of a matrix product | write `diag(v) m` to scale the rows of `m`, `m diag(v)` \
         to scale its columns; it can be added to a square matrix",
    ),
    ("next h = b^T * h", "E0214 a scalar has no transpose, and `b` is one | leave out the `^T`"),
    ("out r = k^T\nnext h = k v^T", "E0214 an output is a column, this is `key^T` | write `k`"),
    ("next h = (h + k v^T", "E0210 expected `,` or `)`, found `out` | "),
    (
        "next h = h @ k",
        "E0210 `@` has no meaning in an update rule | write names with the letters a to z, digits and `_`; the signs are + - * / ^ = <= : , ( ) [ ] { }",
    ),
    ("let next = h", "E0210 expected a name, found `next` | `next` is a word of the language; choose another name"),
    (
        "state m: value x key\nnext m = h^T",
        "E0214 another matrix of this rule is `key x value` | declare `m: key x value` and write its transpose where you need it",
    ),
];

fn first_of(found: &Diagnostics) -> String {
    format!("{} {} | {}", found[0].code, found[0].message, found[0].help.as_deref().unwrap_or_default())
}

#[test]
fn a_wrong_line_is_answered_with_the_right_one() {
    for (lines, expected) in WRONG_LINES {
        let text = format!(
            "rule r(q: key, k: key, v: value, b: scalar) {{ state h: key x value\n{lines}\nout o = b * h^T q }}"
        );
        let found = read(&text).expect_err(lines);
        assert_eq!(first_of(&found), *expected, "\n{lines}");
        assert!(found[0].primary.is_some(), "{lines}");
    }
}

const WRONG_FILES: &[(&str, &str)] = &[
    ("", "E0210 expected `rule NAME(…) { … }`, found the end of the file | "),
    ("rule r(k: key) { state h: key\n next h = k\n out o = h", "E0210 expected `}`, found the end of the file | "),
    (
        "rule r(k: key) { state h: key\n next h = h + k }",
        "E0217 the update rule `r` has no output | write `out NAME = …`",
    ),
    ("rule r(k: key) { out o = k }", "E0217 the update rule `r` has no state | write `state NAME: AXIS x AXIS`"),
    (
        "rule r(k: key, v: key) { state h: key\n next h = h + k\n out o = h }",
        "E0218 `v` is never used | use it or take it out",
    ),
    (
        "rule r(k: a x b x c) { state h: a\n next h = h\n out o = h }",
        "E0214 `k` has 3 axes, at most two are possible | a value is a `scalar`, a vector as `key`, or a matrix as \
         `key x value`; heads are added by the layer",
    ),
    (
        "rule r(k: key) { state h: key\n next h = h + k\n out o = h }\nrule s() {}",
        "E0210 expected the end of the file, which holds one update rule, found `rule` | ",
    ),
];

#[test]
fn a_wrong_file_is_answered() {
    for (text, expected) in WRONG_FILES {
        assert_eq!(first_of(&read(text).expect_err(text)), *expected, "\n{text}");
    }
}

#[test]
fn one_run_finds_the_faults_of_all_lines() {
    let text = "rule r(k: key) { state h: key\n let a = (k\n let b = k +\n next h = h + k\n out o = h }";
    assert_eq!(read(text).unwrap_err().len(), 2);
}

#[test]
fn a_very_long_expression_is_refused_not_followed() {
    for nested in ["(".repeat(100_000), "-".repeat(100_000), "k + ".repeat(100_000), "exp(".repeat(100_000)] {
        let text = format!("rule r(k: key) {{ state h: key\n next h = {nested}k\n out o = h }}");
        assert!(read(&text).unwrap_err()[0].message.contains("at most"));
    }
    for (open, close) in [("(", ")"), ("-", ""), ("k + ", ""), ("exp(", ")"), ("-(k*", ")"), ("exp(k + ", ")")] {
        let longest = 98 / open.replace(char::is_alphanumeric, "").replace(' ', "").len();
        let text = format!(
            "rule r(k: key) {{ state h: key\n next h = h + {}k{}\n out o = h }}",
            open.repeat(longest),
            close.repeat(longest)
        );
        update_rule(&text);
    }
}
